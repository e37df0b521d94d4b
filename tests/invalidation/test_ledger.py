from __future__ import annotations

from pathlib import Path

import pytest

from pymon_tui.invalidation import ledger as module
from pymon_tui.invalidation.ledger import Ledger
from pymon_tui.invalidation.sweep import Place
from pymon_tui.journal.ids import new_id
from pymon_tui.journal.journal import Entry, Journal, JournalError
from pymon_tui.journal.records import runs


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


async def begun(journal: Journal) -> Ledger:
    ledger = Ledger(new_id(), journal, Place())
    await ledger.start({"db": 0})
    return ledger


def progress_in(journal: Journal) -> list[Entry]:
    return [entry for entry in journal.entries() if entry.event == "progress"]


async def test_nothing_is_named_that_the_last_entry_does_not_allow(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALLOWANCE", 1_000)
    monkeypatch.setattr(module, "PERIOD", float("inf"))
    ledger = await begun(journal)
    named = 0
    for batch in (400, 600, 1, 999, 1, 5_000, 3, 997):
        await ledger.allow(batch)
        named += batch
        (record,) = runs(journal)
        assert record.removed_at_most is not None
        assert record.removed_at_most >= named
        ledger.tally.removed += batch
        assert record.removed_at_least <= ledger.tally.removed
    assert len(progress_in(journal)) == 2


async def test_an_entry_is_made_at_every_turn_of_the_clock(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERIOD", -1.0)
    ledger = await begun(journal)
    ledger.place, ledger.trash_bytes = Place(1, 77), 5_000
    ledger.tally.matched = ledger.tally.removed = 7
    await ledger.allow(10)
    (entry,) = progress_in(journal)
    told = {name: entry.fields[name] for name in ("removed", "pattern_index", "cursor", "trash_bytes", "named_up_to")}
    assert told == {
        "removed": 7,
        "pattern_index": 1,
        "cursor": 77,
        "trash_bytes": 5_000,
        "named_up_to": 10 + module.ALLOWANCE,
    }


@pytest.mark.parametrize("planned", [0, 600, 240_000])
async def test_no_more_may_have_been_named_than_are_expected_or_twice_what_was(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, planned: int
) -> None:
    monkeypatch.setattr(module, "PERIOD", float("inf"))
    ledger = Ledger(new_id(), journal, Place(), planned)
    await ledger.start({"db": 0})
    for batch in (100, 236, 264, 60, 1, 700, 3_000):
        await ledger.allow(batch)
        (record,) = runs(journal)
        ledger.tally.removed += batch
        assert record.removed_at_most is not None
        assert ledger.tally.removed <= record.removed_at_most <= max(planned * 1.1 + 1, 2 * ledger.tally.removed)


async def test_without_the_entry_nothing_is_allowed(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = await begun(journal)
    monkeypatch.setattr(module, "PERIOD", -1.0)
    journal.path.unlink()
    journal.path.mkdir()
    with pytest.raises(JournalError, match="can't write the journal"):
        await ledger.allow(1)


def test_a_hundred_keys_are_listed_and_all_are_counted(journal: Journal) -> None:
    ledger = Ledger(new_id(), journal, Place())
    ledger.refuse([b"r:%d" % number for number in range(70)])
    ledger.refuse([b"s:%d" % number for number in range(70)])
    assert (ledger.tally.refused, len(ledger.refused_keys)) == (140, 100)
    ledger.list_oversized([b"big"])
    ledger.list_oversized([b"big", b"bigger"])
    assert ledger.oversized_keys == [b"big", b"bigger"]
