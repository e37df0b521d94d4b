"""A trash in which damage has moved what stands behind it: each record is told as what it was, or as unproven."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from pymon_tui.invalidation.trash import TrashHeader, TrashReader, TrashWriter, trash_path
from pymon_tui.invalidation.trash_damage import Damage, Promised
from pymon_tui.invalidation.trash_marks import COPIED, UNPROVEN

RUN = "20261122-120411-7c3f"
BLOCKS, SIZE, LAST = 5, 10, 9
CHANCE = Random(7)  # the same bytes each time


def written(folder: Path, *, closes: bool, every: bool = False) -> tuple[Path, dict[bytes, int]]:
    """A trash, and what was done with each key; not all of them were named but for ``every``."""
    given: dict[bytes, int] = {}
    header = TrashHeader(RUN, "a", 0, "s", 1.0, marks=True, closes=closes)
    with TrashWriter(trash_path(folder, RUN), header, cap=2**30) as writer:
        for first in range(0, BLOCKS * SIZE, SIZE):
            some = [(b"key:%d" % number, 0, CHANCE.randbytes(50)) for number in range(first, first + SIZE)]
            writer.write(some)
            count = SIZE if every else LAST
            writer.name(writer.block, 0, count, [])
            given |= {key: 0 if index < count else COPIED for index, (key, _, _) in enumerate(some)}
            if not every:
                writer.spare([(writer.block, 2)])
                given[some[2][0]] = COPIED
    return writer.path, given


def read(path: Path, promised: Promised) -> tuple[list[tuple[bytes, int]], TrashReader]:
    with TrashReader(path, promised=promised) as reader:
        reader.examine()
        blocks = list(reader.blocks())
        found = [(key, given) for each in blocks for (key, _, _), given in zip(each.records, each.given, strict=True)]
        assert reader.count() == sum(given >= 0 for _, given in found)
        assert reader.copied == sum(given == COPIED for _, given in found)
        assert (reader.damage or Damage()).unproven == sum(given == UNPROVEN for _, given in found)
    return found, reader


def inserted(data: bytes, place: int) -> bytes:
    return data[:place] + b"\r" + data[place:]


def cut_out(data: bytes, place: int) -> bytes:
    return data[:place] + data[place + 40 :]


def cut_out_and_grown(data: bytes, place: int) -> bytes:
    return inserted(cut_out(data, place), min(place + 400, len(data)))


def doubled(data: bytes, place: int) -> bytes:
    return data[:place] + data[max(data.index(b"\n") + 1, place - 700) : place] + data[place:]


HOW = [inserted, cut_out, cut_out_and_grown, doubled]


@pytest.mark.parametrize("closes", [True, False], ids=["ended", "killed"])
@pytest.mark.parametrize("how", HOW)
def test_wherever_it_was_moved_each_record_is_told_as_what_it_was(
    tmp_path: Path, how: Callable[[bytes, int], bytes], *, closes: bool
) -> None:
    path, given = written(tmp_path, closes=closes)
    named = sum(each >= 0 for each in given.values())
    whole, promised = path.read_bytes(), Promised(named, named) if closes else Promised(None, named)
    for place in range(whole.index(b"\n") + 1, len(whole), 13):
        path.write_bytes(how(whole, place))
        found, reader = read(path, promised)
        damage = reader.damage or Damage()
        assert len(found) == len(dict(found)), place
        for key, each in found:
            assert each in (given[key], UNPROVEN) or (each, key[-1:]) == (0, b"2"), (place, key)
        known = sum(each >= 0 and given[key] >= 0 for key, each in found)
        assert reader.count() + damage.unproven + damage.unreadable >= named, place
        unread = len(given) - len(found)
        assert damage.unreadable <= named - known + unread // SIZE, place  # it may be lost as well that one stayed


@pytest.mark.parametrize("end", [True, False], ids=["with its end", "without"])
@pytest.mark.parametrize("how", HOW)
def test_of_a_run_that_removed_all_that_it_found_all_that_can_be_read_comes_back(
    tmp_path: Path, how: Callable[[bytes, int], bytes], *, end: bool
) -> None:
    path, given = written(tmp_path, closes=True, every=True)
    whole = path.read_bytes()
    for place in range(whole.index(b"\n") + 1, whole.rindex(b"PYME"), 13):
        data = how(whole, place)
        path.write_bytes(data if end else data[: len(data) - (len(whole) - whole.rindex(b"PYME"))])
        found, reader = read(path, Promised(len(given), len(given), every=True))
        assert dict(found).items() <= given.items()
        assert reader.count() + (reader.damage or Damage()).unreadable == len(given), place
        assert reader.count() >= len(given) - 2 * SIZE, place


def test_of_two_copies_of_a_key_the_later_one_comes_back_where_the_marks_are_lost(tmp_path: Path) -> None:
    """The line was lost before the first was named; the key was found, and copied, again."""
    header = TrashHeader(RUN, "a", 0, "s", 1.0, marks=True, closes=True)
    with TrashWriter(trash_path(tmp_path, RUN), header, cap=2**30) as writer:
        writer.write([(b"a", 0, b"old"), (b"b", 0, b"b")])
        writer.write([(b"a", 0, b"new"), (b"b", 0, b"b")])
        without = writer.bytes
        writer.name(writer.block, 0, 2, [])
    path = writer.path
    os.truncate(path, without + 5)
    found, reader = read(path, Promised(2, 2, every=True))
    assert found == [(b"a", COPIED), (b"b", COPIED), (b"a", 0), (b"b", 0)]
    assert reader.damage == Damage()


def test_a_block_that_was_cut_out_whole_moves_no_mark_to_another(tmp_path: Path) -> None:
    """There is no gap: what follows is whole, and elsewhere."""
    path, given = written(tmp_path, closes=True)
    whole = path.read_bytes()
    with TrashReader(path) as reader:
        offsets = [block.offset for block in reader.blocks()]
    for first, second in ((0, 1), (1, 3), (3, 4)):
        path.write_bytes(whole[: offsets[first]] + whole[offsets[second] :])
        found, reader = read(path, Promised(40, 40))
        assert dict(found).items() <= given.items()
        assert (len(found), reader.damage) == (10 * (5 - second + first), Damage(8 * (second - first)))
