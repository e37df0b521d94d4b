"""A killed run's trash whose last bytes are lost: what may have been named though no mark says so is unproven."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pymon_tui.invalidation.trash import TrashHeader, TrashReader, TrashWriter, trash_path
from pymon_tui.invalidation.trash_damage import Damage, Promised
from pymon_tui.invalidation.trash_marks import COPIED, UNPROVEN
from pymon_tui.invalidation.trash_of import promised_by
from tests.ui.scripted_desk import record_of

RUN = "20261122-120411-7c3f"
KILLED = Promised()


@pytest.fixture
def killed(tmp_path: Path) -> tuple[Path, dict[str, int]]:
    """A trash of three blocks, of each of which one key was left alone, and where its last pieces begin."""
    places = {}
    header = TrashHeader(RUN, "a", 0, "s", 1.0, marks=True, closes=True)
    writer = TrashWriter(trash_path(tmp_path, RUN), header, cap=2**30)
    for first in (0, 10, 20):
        places["last"] = writer.bytes
        writer.write([(b"key:%d" % number, 0, os.urandom(50)) for number in range(first, first + 10)])
        places["first mark"] = writer.bytes
        writer.name(writer.block, 0, 5, [])
        places["second mark"] = writer.bytes
        writer.name(writer.block, 5, 4, [])
        places["spared"] = writer.bytes
        writer.spare([(writer.block, 0)])
    places["end"] = writer.bytes
    os.close(writer._descriptor)
    return writer.path, places


def given_in(path: Path, promised: Promised) -> tuple[list[tuple[int, ...]], TrashReader]:
    with TrashReader(path, promised=promised) as reader:
        reader.examine()
        return [block.given for block in reader.blocks()], reader


BEFORE = (COPIED, 0, 0, 0, 0, 0, 0, 0, 0, COPIED)


@pytest.mark.parametrize(
    ("piece", "last"),
    [
        ("first mark", (UNPROVEN,) * 10),
        ("second mark", (0,) * 5 + (UNPROVEN,) * 5),
        ("spared", (0,) * 9 + (UNPROVEN,)),
    ],
)
def test_behind_the_last_mark_nobody_knows_what_was_named(
    killed: tuple[Path, dict[str, int]], piece: str, last: tuple[int, ...]
) -> None:
    path, places = killed
    whole = path.read_bytes()
    for lost in (1, 10, 25):
        path.write_bytes(whole[: max(places[piece] + 1, places[piece] + 32 - lost)])
        given, reader = given_in(path, KILLED)
        assert given == [BEFORE, BEFORE, last]
        assert reader.damage == Damage(0, at_least=True, unproven=last.count(UNPROVEN))
        assert reader.copied == 4
    changed = bytearray(whole[: places[piece] + 32])
    changed[-1] ^= 1
    path.write_bytes(changed)
    assert given_in(path, KILLED)[0] == [BEFORE, BEFORE, last]
    path.write_bytes(whole[: places[piece]] + bytes(32))  # as after a loss of power
    assert given_in(path, KILLED)[0] == [BEFORE, BEFORE, last]


def test_who_was_writing_more_records_had_named_all_that_it_was_to_name(killed: tuple[Path, dict[str, int]]) -> None:
    path, places = killed
    whole = path.read_bytes()
    for size in (places["last"] + 4, places["first mark"] - 1):
        path.write_bytes(whole[:size])
        given, reader = given_in(path, KILLED)
        assert (given, reader.damage, reader.torn) == ([BEFORE, BEFORE], None, True)


def test_a_cut_between_two_blocks_is_known_by_the_size_that_the_run_told(killed: tuple[Path, dict[str, int]]) -> None:
    path, places = killed
    os.truncate(path, places["first mark"])
    given, reader = given_in(path, KILLED)
    assert (given, reader.damage) == ([BEFORE, BEFORE, (COPIED,) * 10], None)  # killed before it named them
    for promised in (replace(KILLED, size=places["second mark"]), replace(KILLED, is_settled=False)):
        given, reader = given_in(path, promised)
        assert (given, reader.torn) == ([BEFORE, BEFORE, (UNPROVEN,) * 10], True)
        assert reader.damage == Damage(0, at_least=True, unproven=10)
    os.truncate(path, places["last"])
    given, reader = given_in(path, replace(KILLED, size=places["end"]))
    assert (given, reader.damage) == ([BEFORE, (*BEFORE[:-1], UNPROVEN)], Damage(0, at_least=True, unproven=1))


def test_what_the_journal_tells_of_the_file_is_promised() -> None:
    record = record_of(state="interrupted", result=None, started={"boot": "before"}, progress={"trash_bytes": 7})
    assert promised_by(record) == Promised(size=7, is_settled=False)
    told = {"removed": 5, "undo_left_out": 1, "trash_bytes": 9}
    assert promised_by(replace(record, progress=told)) == Promised(None, 4, size=9, is_settled=False)
    assert promised_by(replace(record, result=told)).is_settled  # it came to its end
    assert promised_by(replace(record, started={}, progress=None)) == Promised()
