"""How many keys a run removed never contradicts what came back of it, nor what there was to remove."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.history import no_more, undone_text
from pymon_tui.invalidation.past import back_rows, keys_text
from pymon_tui.invalidation.report import given_up_rows
from pymon_tui.invalidation.shelf import GivenUp
from pymon_tui.invalidation.wording import keys_between
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.key_count import NONE, KeyCount, added
from pymon_tui.journal.records import Back, Record, runs
from tests.ui.scripted_desk import record_of

RUN, UNDOS = "20261122-120411-7c3f", ("20261122-120413-1111", "20261122-120414-1111")
KEYS = st.integers(0, 1_000)
UNDO = st.fixed_dictionaries(
    {"restored": KEYS, "there": KEYS, "ends": st.booleans(), "replace": st.booleans(), "elsewhere": st.booleans()}
)
BOUNDS = st.builds(lambda least, more: KeyCount(least, None if more is None else least + more), KEYS, st.none() | KEYS)


def written(folder: Path, told: dict[str, Any], undos: list[dict[str, Any]], *, ends: bool) -> Record:
    """A run and its undos, as the journal has them."""
    journal = Journal(folder)
    who: dict[str, Any] = {"acl_user": "oncall", "node": "cache", "server": "10.0.0.1:6379", "run_id": "a1b2", "db": 0}
    begun: dict[str, Any] = {name: told[name] for name in ("named_up_to", "cap") if name in told}
    journal.append("run", "started", run=RUN, patterns=["*"], plan={}, mode="unlink", undo="x", **begun, **who)
    if "removed" in told:
        how: dict[str, Any] = {"outcome": "done", "tally": told} if ends else {}
        journal.append("run", "ended" if ends else "progress", run=RUN, **told, **how)
    for name, undo in zip(UNDOS, undos, strict=False):
        flags: dict[str, Any] = {flag: undo[flag] for flag in ("replace", "elsewhere")}
        journal.append("undo", "started", undo=name, run=RUN, **who, **flags)
        counts: dict[str, Any] = {count: undo[count] for count in ("restored", "there")}
        end: dict[str, Any] = {"outcome": "done"} if undo["ends"] else {}
        journal.append("undo", "ended" if undo["ends"] else "progress", undo=name, run=RUN, **counts, **end)
    return next(record for record in runs(journal) if record.id == RUN)


@given(
    st.fixed_dictionaries({}, optional={"removed": KEYS, "named_up_to": KEYS, "cap": KEYS, "already_gone": KEYS}),
    st.lists(UNDO, max_size=2),
    st.booleans(),
)
def test_no_bound_contradicts_another(told: dict[str, Any], undos: list[dict[str, Any]], ends: bool) -> None:  # noqa: FBT001
    with tempfile.TemporaryDirectory() as folder:
        record = written(Path(folder), told, undos, ends=ends)
    least, most = record.removed
    proven = [undo["restored"] for undo in undos if not undo["replace"] and not undo["elsewhere"]]
    assert least == max([told.get("removed", 0), *proven])
    assert most is None or least <= most
    if "cap" in told and not (ends and "removed" in told):
        assert most is None or most <= max(told["cap"], least)
    if not ends and "named_up_to" in told:
        assert most is not None
        assert most <= max(told["named_up_to"], least)
    to_come = record.to_come
    assert 0 <= to_come.least <= (to_come.least if to_come.most is None else to_come.most)
    if record.back is not None and record.undone_in_part:
        came = record.back.keys
        text = keys_text(record)
        assert f" of {came} to" not in text
        if came > least:
            assert "of up to" in text or "an unknown number" in text
        else:
            assert "up to" not in text


@given(st.lists(BOUNDS, max_size=3), BOUNDS, st.none() | KEYS, KEYS)
def test_bounds_stay_bounds(parts: list[KeyCount], other: KeyCount, most: int | None, keys: int) -> None:
    total = added(parts)
    for bounds in (total, total.plus(other), total.without(other), total.within(most), total.proven(keys)):
        assert bounds.least >= 0
        assert bounds.most is None or bounds.least <= bounds.most
    assert total.proven(keys).least >= keys
    assert total.plus(other).without(other).least <= total.least
    assert added([]) == NONE


def test_what_was_brought_back_was_removed(tmp_path: Path) -> None:
    undo = {"restored": 14_454, "there": 0, "ends": True, "replace": False, "elsewhere": False}
    told = {"removed": 6_853, "named_up_to": 22_000, "cap": 20_000}
    record = written(tmp_path, told, [undo], ends=False)
    assert record.removed == (14_454, 20_000)
    assert keys_text(record) in ("14 454 to 20 000", "14 454 of 14 454 to 20 000")


def test_who_replaces_proves_nothing_and_contradicts_nothing(tmp_path: Path) -> None:
    undo = {"restored": 14_454, "there": 0, "ends": False, "replace": True, "elsewhere": False}
    record = written(tmp_path, {"removed": 6_853, "named_up_to": 20_000}, [undo], ends=False)
    assert record.removed == (6_853, 20_000)
    assert keys_text(record) == "≥14 454 of up to 20 000"
    assert undone_text(record) == "undone in part: at least 14 454 of up to 20 000"
    assert back_rows(record)[0].text.startswith("at least 14 454 of up to 20 000 keys")


def test_that_more_may_be_lost_is_told_wherever_it_is_told() -> None:
    back = Back(14_000, lost=800, lost_at_least=True)
    record = record_of(state="interrupted", result=None, removed_at_most=22_000, undone=True, back=back)
    record = replace(record, removed_at_least=14_000)
    lost = "what was kept of at least 800 keys can't be read any more"
    assert record.undone_in_part
    assert f"{lost}; gone for good" in [row.text for row in back_rows(record)]
    assert no_more(record) == f"no more of it can come: {lost}"
    for most, is_whole in ((22_000, False), (14_000, True), (None, False)):
        few = replace(record, back=Back(14_000, lost_at_least=True), removed_at_most=most)
        assert few.undone_in_part != is_whole
        assert (no_more(few) is None) == is_whole
        assert "what can't be read of its trash may be of more keys" in [row.text for row in back_rows(few)]


@pytest.mark.parametrize(
    ("changes", "to_come"),
    [
        ({}, (12_017, 12_017)),
        ({"undone": True, "back": Back(12_017)}, (0, 0)),
        ({"back": Back(5_000, more=True)}, (0, 7_017)),
        ({"result": None, "started": {"unkept_up_to": 20}, "removed_at_most": 15_000}, (11_997, 15_000)),
        ({"result": None, "started": {}, "removed_at_most": 15_000}, (0, 15_000)),
        ({"removed_at_least": 0, "removed_at_most": None}, (0, None)),
        ({"back": Back(12_000, lost=10)}, (7, 7)),
    ],
)
def test_what_could_come_back_is_told_by_its_bounds(changes: dict[str, Any], to_come: tuple[int, int | None]) -> None:
    told: dict[str, Any] = {"result": {"undo_left_out": 0}} | changes
    assert record_of(**told).to_come == to_come


def test_whose_undo_is_given_up_is_told_with_as_many_keys_as_may_go() -> None:
    assert [keys_between(*each) for each in ((5, 5), (5, 9), (0, 9), (5, None), (0, None))] == [
        *("5 keys", "5 to 9 keys", "up to 9 keys", "at least 5 keys", "unknown")
    ]
    parts = GivenUp(RUN, (("a", KeyCount(5, 9)), ("b", KeyCount(1, 1))))
    (row,) = given_up_rows([parts, GivenUp("other", (("c", NONE),))], "goes")
    assert row.text == f"the undo of run {RUN} (6 to 10 keys) goes"
    assert parts.as_json() == {"run": RUN, "keys_at_least": 6, "keys_at_most": 10}
    assert parts.of(["b"]).keys == (1, 1)
    assert not parts.of([]).costs
