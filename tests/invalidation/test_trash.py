"""What is kept of removed keys: all of it, byte for byte, up to where the file was cut off."""

from __future__ import annotations

import errno
import json
import os
import stat
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pymon_tui.invalidation import trash_copies
from pymon_tui.invalidation.trash import (
    Block,
    TrashError,
    TrashHeader,
    TrashReader,
    TrashRecord,
    TrashWriter,
    make_room,
    trash_path,
    trash_size,
)
from pymon_tui.invalidation.trash_copies import examined as examined_copies
from pymon_tui.invalidation.trash_copies import only_copied
from pymon_tui.invalidation.trash_damage import Damage, Promised
from pymon_tui.invalidation.trash_files import next_number
from tests.journal.processes import killed, started

RUN, LATER, LATEST = "20261122-120411-7c3f", "20261122-120412-0000", "20261123-000000-ffff"
HEADER = TrashHeader(RUN, "a1b2", 3, "cache\x1b", 1790000000.5)
PLENTY = 2**30


def records(first: int, count: int) -> list[TrashRecord]:
    return [(b"key:%d" % number, number * 1000, os.urandom(50)) for number in range(first, first + count)]


def written(folder: Path, *blocks: list[TrashRecord], run: str = RUN, cap: int = PLENTY) -> Path:
    path = trash_path(folder, run)
    with TrashWriter(path, TrashHeader(run, "a1b2", 3, "cache", 1.0), cap=cap) as writer:
        for block in blocks:
            writer.write(block)
    return path


def read(path: Path, start: int = 0) -> tuple[list[Block], bool]:
    with TrashReader(path) as reader:
        return list(reader.blocks(start)), reader.torn


def all_of(path: Path) -> list[TrashRecord]:
    return [record for block in read(path)[0] for record in block.records]


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    blocks = [records(0, 10), [(b"", 0, b"")], [(b"\x00\xff\n", 2**63, b"\r\n" * 1000)]]
    with TrashWriter(trash_path(tmp_path, RUN), HEADER, cap=PLENTY) as writer:
        assert [len(writer.write(block)) for block in blocks] == [10, 1, 1]
        assert (len(writer.write([])), writer.kept, writer.full) == (0, 12, False)
        assert writer.bytes == writer.path.stat().st_size == trash_size(tmp_path)
    with TrashReader(writer.path) as reader:
        assert reader.header == HEADER
        assert reader.count() == 12
        assert [list(block.records) for block in reader.blocks()] == blocks
        assert not reader.torn
    assert stat.S_IMODE(writer.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(writer.path.parent.stat().st_mode) == 0o700


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.binary(), st.integers(0, 2**64 - 1), st.binary()), min_size=1))
def test_any_bytes_come_out_as_they_went_in(tmp_path: Path, some: list[TrashRecord]) -> None:
    path = written(tmp_path, some)
    assert all_of(path) == some
    path.unlink()


def test_a_file_of_the_first_version_is_read(tmp_path: Path) -> None:
    path = trash_path(tmp_path, RUN)
    path.parent.mkdir()
    header = {"version": 1, "run": RUN, "run_id": "a1b2", "db": 3, "server": "cache", "started": 1790000000.5}
    raw = struct.pack("<2Q4I", 0, 1_000, 1, 3, 4, 5) + b"a" + b"key" + b"dump" + b"value"
    data = zlib.compress(raw)
    block = struct.pack("<4sIQI", b"PYMT", 2, len(data), zlib.crc32(data, 2)) + data
    path.write_bytes(json.dumps(header).encode() + b"\n" + block)
    with TrashReader(path) as reader:
        assert reader.header == TrashHeader(RUN, "a1b2", 3, "cache", 1790000000.5)
        assert (reader.count(), reader.marks().copied, reader.torn) == (2, 0, False)
        (found,) = reader.blocks()
    assert found.records == ((b"a", 0, b"dump"), (b"key", 1_000, b"value"))
    assert (found.given, found.used, found.uses) == ((0, 0), "", ())


def marked(folder: Path, run: str = RUN, *, cap: int = PLENTY, mode: str = "unlink", number: int = 0) -> TrashWriter:
    header = TrashHeader(run, "a1b2", 3, "cache", 1.0, mode, marks=True, number=number)
    return TrashWriter(trash_path(folder, run), header, cap=cap)


def test_marks_tell_what_was_named_from_what_was_only_copied(tmp_path: Path) -> None:
    with marked(tmp_path) as writer:
        writer.write(records(0, 10))
        first = writer.block
        writer.name(first, 0, 4, [])
        writer.name(first, 4, 2, [7_000, 8_000])
        writer.write(records(10, 5))
        writer.spare([(first, 1), (first, 5)])
        assert (writer.kept, writer.named) == (15, 4)
    with TrashReader(writer.path) as reader:
        assert (reader.count(), reader.marks().copied) == (4, 11)
        one, other = reader.blocks()
        assert one.given == (0, -1, 0, 0, 7_000, -1, -1, -1, -1, -1)
        assert other.given == (-1,) * 5
        assert [block.offset for block in reader.blocks(one.next_offset)] == [other.offset]
    assert not read(writer.path)[1]


def test_marks_and_records_that_are_written_at_once_stay_apart(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """While records are written, keys of those before may turn out to have stayed."""
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-6)  # threads take turns all the time
    with marked(tmp_path) as writer, ThreadPoolExecutor(1) as threads:
        before: int | None = None
        for _ in range(100):
            writing = threads.submit(writer.write, records(0, 200))
            for index in range(100 if before is not None else 0):
                writer.spare([(before or 0, index)])
            writing.result()
            before = writer.block
            writer.name(before, 0, 200, [])
    with TrashReader(writer.path) as reader:
        blocks = list(reader.blocks())
        assert (len(blocks), reader.torn) == (100, False)
        assert {sum(given < 0 for given in block.given) for block in blocks[:-1]} == {100}
        assert reader.count() == writer.named == 100 * 200 - 99 * 100


def test_uses_come_out_as_they_went_in(tmp_path: Path) -> None:
    with marked(tmp_path) as writer:
        writer.write(records(0, 3), [1, 2, 2**32 - 1], "idle")
        writer.write(records(3, 2), [255, 0], "freq")
        writer.write(records(5, 2))
    found = read(writer.path)[0]
    assert [(block.used, block.uses) for block in found] == [("idle", (1, 2, 2**32 - 1)), ("freq", (255, 0)), ("", ())]
    assert [record for block in found for record in block.records][1][0] == b"key:1"


@pytest.mark.parametrize("mode", ["unlink", "expire"])
def test_there_is_always_room_for_the_mark(tmp_path: Path, mode: str) -> None:
    """Within the cap: what is kept can be named."""
    with marked(tmp_path, cap=20_000, mode=mode) as writer:
        while count := len(writer.write(records(0, 50))):
            writer.name(writer.block, 0, count, [2**40 + 1] * count if mode == "expire" else [])
    assert writer.named == writer.kept > 100
    assert writer.path.stat().st_size == writer.bytes <= 20_000


def test_a_mark_that_is_cut_off_names_nothing(tmp_path: Path) -> None:
    with marked(tmp_path) as writer:
        writer.write(records(0, 10))
        whole = writer.bytes
        writer.name(writer.block, 0, 10, [])
    for size in range(whole, writer.bytes):
        data = writer.path.read_bytes()[:size]
        cut = tmp_path / "cut"
        cut.write_bytes(data)
        with TrashReader(cut) as reader:
            assert (reader.count(), reader.marks().copied, reader.torn) == (0, 10, size > whole)


def test_room_is_made_in_the_order_of_the_runs_whatever_the_clock_says(tmp_path: Path) -> None:
    newest, oldest = RUN, LATEST  # the clock was set back between them
    for number, run in ((1, oldest), (2, LATER), (3, newest)):
        assert next_number(tmp_path) == number
        with marked(tmp_path, run, number=next_number(tmp_path)) as writer:
            writer.write(records(0, 10))
    assert make_room(tmp_path, cap=trash_size(tmp_path), needed=1, keep=[]) == (oldest,)


def test_reading_goes_on_where_it_was_left(tmp_path: Path) -> None:
    blocks, _ = read(written(tmp_path, records(0, 5), records(5, 5), records(10, 5)))
    later, torn = read(trash_path(tmp_path, RUN), blocks[0].next_offset)
    assert [block.records[0][0] for block in later] == [b"key:5", b"key:10"]
    assert [block.offset for block in later] == [blocks[1].offset, blocks[2].offset]
    assert read(trash_path(tmp_path, RUN), blocks[-1].next_offset) == ([], False)
    assert not torn


def test_a_file_that_is_there_already_is_not_written(tmp_path: Path) -> None:
    written(tmp_path, records(0, 1))
    with pytest.raises(TrashError, match=r"can't write the trash .*: File exists; "):
        written(tmp_path, records(1, 1))
    assert [key for key, _, _ in all_of(trash_path(tmp_path, RUN))] == [b"key:0"]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    path = trash_path(tmp_path, RUN)
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TrashError):
        written(tmp_path)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(TrashError, match="symbolic link"):
        TrashReader(path)


@pytest.mark.parametrize("cut", [1, 30, 300])
def test_a_torn_end_is_known_and_the_rest_is_read(tmp_path: Path, cut: int) -> None:
    first, second = records(0, 5), records(5, 5)
    path = written(tmp_path, first, second)
    os.truncate(path, path.stat().st_size - cut)
    blocks, torn = read(path)
    assert torn
    assert [list(block.records) for block in blocks] == [first]
    with TrashReader(path) as reader:
        assert reader.count() == 5


def test_every_cut_leaves_whole_blocks_or_an_error(tmp_path: Path) -> None:
    blocks = [records(0, 1), records(1, 2)]
    path = written(tmp_path, *blocks)
    whole = path.read_bytes()
    ends = [block.next_offset for block in read(path)[0]]
    first = read(path)[0][0].offset
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        if size < first - 1:
            with pytest.raises(TrashError, match="it is no trash of this version"):
                TrashReader(path)
        else:
            assert len(read(path)[0]) == sum(end <= size for end in ends)
            assert read(path)[1] is (size not in (first - 1, first, ends[0]))


def test_a_flipped_bit_ends_the_reading(tmp_path: Path) -> None:
    path = written(tmp_path, records(0, 5), records(5, 5))
    whole = path.read_bytes()
    second = read(path)[0][1].offset
    for place in range(second, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        blocks, torn = read(path)
        assert (len(blocks), torn) == (1, True)


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"{}\n", b"[1]\n", b'{"version": 2}\n', b"\xff\n", b"x" * 100_000], ids=str
)
def test_what_is_no_trash_is_said_to_be_none(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "file").write_bytes(line)
    with pytest.raises(TrashError, match="it is no trash of this version; let it be, or remove it"):
        TrashReader(tmp_path / "file")
    with pytest.raises(TrashError, match="No such file"):
        TrashReader(tmp_path / "nothing")


def test_as_many_as_fit_are_kept(tmp_path: Path) -> None:
    some = records(0, 1000)
    path = trash_path(tmp_path, RUN)
    with TrashWriter(path, HEADER, cap=20_000) as writer:
        kept = writer.write(some)
        assert 0 < len(kept) < 1000
        assert writer.full
        assert writer.kept == len(kept)
        assert 19_800 < writer.bytes <= 20_000
        assert len(writer.write(records(2000, 1))) == 0
    assert all_of(path) == [some[place] for place in kept]


@pytest.mark.parametrize("together", [True, False])
def test_one_that_does_not_fit_ends_the_keeping_of_no_smaller_one(tmp_path: Path, together: bool) -> None:  # noqa: FBT001
    dice = Random(7)
    large = [(b"large:%d" % number, 0, dice.randbytes(9_000)) for number in range(3)]
    small = records(0, 100)
    some = [large[0], *small[:50], *large[1:], *small[50:]]
    path = trash_path(tmp_path, RUN)
    lent = Lending(20_000)
    with TrashWriter(path, HEADER, cap=0, room=lent) as writer:
        kept = [some[place] for place in writer.write(some)] if together else []
        for record in [] if together else some:
            kept += [record] * len(writer.write([record]))
        assert not writer.full
    assert sum(key.startswith(b"large") for key, _, _ in kept) == 1
    assert [record for record in small if record not in kept] == []
    assert all_of(path) == kept
    assert path.stat().st_size <= 20_000 - lent.left  # what others could have isn't held back


class Lending:
    """Room that nobody else wants."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> int:
        taken = min(size, self.left)
        self.left -= taken
        return taken

    def give(self, size: int) -> None:
        self.left += size


def test_a_cap_for_nothing_keeps_nothing(tmp_path: Path) -> None:
    path = trash_path(tmp_path, RUN)
    with TrashWriter(path, HEADER, cap=0) as writer:
        assert len(writer.write(records(0, 3))) == 0
    assert all_of(path) == []


def test_a_full_disk_is_an_error_and_what_was_kept_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = 100
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        size = write(descriptor, data[:room])
        room -= size
        return size

    with TrashWriter(trash_path(tmp_path, RUN), HEADER, cap=PLENTY) as writer:
        writer.write(records(0, 5))
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(TrashError, match="No space left on device; free some space there"):
                writer.write(records(5, 5))
        assert len(writer.write(records(10, 5))) == 5
        assert writer.kept == 10
    blocks, torn = read(writer.path)
    assert [block.records[0][0] for block in blocks] == [b"key:0", b"key:10"]
    assert not torn


def test_a_disk_that_is_full_at_once_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(TrashError):
        written(tmp_path)
    assert not trash_path(tmp_path, RUN).exists()


WRITE = """
import sys
from pathlib import Path
from pymon_tui.invalidation.trash import TrashHeader, TrashWriter, trash_path
run = sys.argv[2]
writer = TrashWriter(trash_path(Path(sys.argv[1]), run), TrashHeader(run, "a", 0, "s", 1.0), cap=2**30)
writer.write([(b"key", 0, b"value")])
print("written", flush=True)
sys.stdin.readline()
"""


def test_what_was_written_before_a_kill_is_there(tmp_path: Path) -> None:
    killed(started(WRITE, tmp_path, RUN))
    assert all_of(trash_path(tmp_path, RUN)) == [(b"key", 0, b"value")]


def test_the_oldest_runs_make_room_and_no_more_than_needed(tmp_path: Path) -> None:
    some = records(0, 10)
    for run in (LATEST, RUN, LATER):
        written(tmp_path, some, run=run)
    (tmp_path / "trash" / "mine.trash").touch()
    size = trash_size(tmp_path) // 3
    assert make_room(tmp_path, cap=3 * size, needed=0, keep=()) == ()
    assert make_room(tmp_path, cap=3 * size, needed=1, keep=(RUN,)) == (LATER,)
    assert make_room(tmp_path, cap=2 * size, needed=5 * size, keep=(LATEST,)) == (RUN,)
    assert sorted(path.stem for path in (tmp_path / "trash").iterdir()) == [LATEST, "mine"]
    assert make_room(tmp_path / "nowhere", cap=0, needed=1, keep=()) == ()


def ended(folder: Path, *, closes: bool = True) -> tuple[Path, dict[bytes, int]]:
    """A trash of three blocks, and what was done with each key: given an end, or left alone (-1)."""
    given: dict[bytes, int] = {}
    with TrashWriter(
        trash_path(folder, RUN), TrashHeader(RUN, "a", 0, "s", 1.0, marks=True, closes=closes), cap=PLENTY
    ) as writer:
        for first in (0, 10, 20):
            some = records(first, 10)
            writer.write(some)
            writer.name(writer.block, 0, 6, [])
            writer.name(writer.block, 6, 3, [])
            given |= {key: 0 if index < 9 else -1 for index, (key, _, _) in enumerate(some)}
        writer.spare([(writer.block, 2)])
        given[b"key:22"] = -1
    return writer.path, given


def examined(path: Path, promised: int | None) -> tuple[dict[bytes, int], TrashReader]:
    """What can be read, with what is known of it."""
    with TrashReader(path, promised=Promised(promised, promised or 0)) as reader:
        reader.examine()
        found = {
            key: given
            for block in reader.blocks()
            for (key, _, _), given in zip(block.records, block.given, strict=True)
        }
        assert reader.count() == sum(given >= 0 for given in found.values())
        assert reader.copied == len(found) - reader.count() - (reader.damage.unproven if reader.damage else 0)
    return found, reader


def test_what_is_damaged_costs_itself_alone(tmp_path: Path) -> None:
    """Whatever byte it is: what can be read is known as it was, and what can't be is counted."""
    path, given = ended(tmp_path)
    whole = path.read_bytes()
    costs = set()
    for place in range(8 * (whole.index(b"\n") + 1), 8 * len(whole), 11):
        byte, bit = divmod(place, 8)
        path.write_bytes(whole[:byte] + bytes([whole[byte] ^ 1 << bit]) + whole[byte + 1 :])
        found, reader = examined(path, 26)
        assert reader.torn
        assert found.items() <= given.items()
        lost = {key for key in given if key not in found}
        assert len(lost) in (0, 10)
        unread = sum(given[key] >= 0 for key in lost)
        assert reader.damage == Damage(unread)
        costs.add(len(lost))
    assert costs == {0, 10}


def test_each_cut_of_a_run_that_ended_is_told(tmp_path: Path) -> None:
    """What is beyond it is counted by the run's account; what isn't proven is left alone, and told."""
    path, given = ended(tmp_path)
    whole = path.read_bytes()
    for size in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:size])
        found, reader = examined(path, 25)
        known = {key for key, end in found.items() if end >= 0}
        damage = reader.damage
        told = (damage.unreadable, damage.unproven) if damage is not None else (0, 0)
        assert len(known) + sum(told) >= 25
        assert {key for key in known if given[key] < 0} <= {b"key:22"}  # named, and the mark that it stayed is lost
        if damage is None:
            assert {key for key, end in given.items() if end >= 0} <= known


def test_a_run_that_was_killed_may_leave_a_torn_end(tmp_path: Path) -> None:
    """It gave no account: one key of the last block may have been named since, as far as anybody knows."""
    path, _ = ended(tmp_path, closes=False)
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) - 10):
        path.write_bytes(whole[:size])
        _, reader = examined(path, None)
        assert (reader.torn, reader.damage) == (True, Damage(0, at_least=True, unproven=1))
        with TrashReader(path) as again:
            again.note({(again.header.number, 0): 1})  # an undo writes behind the tear
        found, reader = examined(path, None)
        assert (len(found), reader.torn, reader.damage) == (30, True, Damage(0, at_least=True, unproven=1))


def test_a_cut_between_two_blocks_is_told_by_what_the_journal_promises(tmp_path: Path) -> None:
    """All that is there is whole: what is lost is known by the account, or by what a run told before it was killed."""
    path, _ = ended(tmp_path)
    whole = path.read_bytes()
    with TrashReader(path) as reader:
        second = list(reader.blocks())[1].offset
    for promised in (Promised(26, 26), Promised(None, 26)):
        for size, lost in ((whole.index(b"\n") + 1, 26), (second, 17)):
            path.write_bytes(whole[:size])
            with TrashReader(path, promised=promised) as reader:
                reader.examine()
                damage = reader.damage or Damage()
                assert (reader.torn, damage.unreadable + damage.unproven) == (True, lost)


def test_a_block_that_was_cut_out_is_missed_at_the_end(tmp_path: Path) -> None:
    path, _ = ended(tmp_path)
    whole = path.read_bytes()
    with TrashReader(path) as reader:
        last = list(reader.blocks())[2].offset
    for start, damage in ((last, Damage(8)), (whole.rindex(b"PYMN"), None)):
        path.write_bytes(whole[:start] + whole[whole.rindex(b"PYME") :])
        with TrashReader(path) as reader:
            reader.examine()
            assert (reader.torn, reader.damage or None, reader.count()) == (bool(damage), damage, 26 - 8 * bool(damage))


def test_the_trash_of_another_run_is_refused(tmp_path: Path) -> None:
    path, _ = ended(tmp_path)
    path.rename(trash_path(tmp_path, LATER))
    with pytest.raises(TrashError, match=f"the trash of run {RUN}, in the place of another"):
        TrashReader(trash_path(tmp_path, LATER))


def test_what_another_run_began_with_and_this_one_ended_is_refused(tmp_path: Path) -> None:
    path, _ = ended(tmp_path)
    line, body = path.read_bytes().split(b"\n", 1)
    path.write_bytes(line.replace(b'"db": 0', b'"db": 1') + b"\n" + body)
    with TrashReader(path) as reader, pytest.raises(TrashError, match="its first line is not the one"):
        reader.count()


@pytest.mark.parametrize("cut", [0, 40])
def test_what_was_joined_to_a_trash_is_no_part_of_it(tmp_path: Path, cut: int) -> None:
    path, given = ended(tmp_path)
    with marked(tmp_path, LATER) as other:
        other.write(records(100, 10))
        other.name(other.block, 0, 10, [])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut] + other.path.read_bytes())
    found, reader = examined(path, 26)
    assert (found, reader.torn, reader.damage) == (given, True, Damage())


def test_marks_that_are_lost_are_made_up_for_by_the_account(tmp_path: Path) -> None:
    with marked(tmp_path) as writer:
        writer.write(records(0, 300))
        without = writer.bytes
        writer.name(writer.block, 0, 300, [])
    os.truncate(writer.path, without + 5)
    found, reader = examined(writer.path, 300)
    assert (reader.count(), set(found.values())) == (300, {0})
    assert reader.damage is not None
    assert not reader.damage
    for promised, unproven in ((299, 300), (None, 300)):
        _, reader = examined(writer.path, promised)
        assert (reader.count(), reader.damage.unproven if reader.damage else 0) == (0, unproven)


def test_what_an_undo_found_is_read_again(tmp_path: Path) -> None:
    path, _ = ended(tmp_path)
    first, second = (block.offset for block in read(path)[0][:2])
    with TrashReader(path) as reader:
        reader.note({(first, 3): 1, (first, 5): 2, (second, 9): 2})
        size = path.stat().st_size
        reader.note({(first, 3): 2, (second, 9): 2})  # what was given back stays so
        assert path.stat().st_size == size
        reader.note({(first, 5): 1})
        assert [block.found for block in reader.blocks()] == [b"\0\0\0\1\0\1\0\0\0\0", bytes(9) + b"\2", bytes(10)]
    assert [block.found for block in read(path)[0]] == [b"\0\0\0\1\0\1\0\0\0\0", bytes(9) + b"\2", bytes(10)]
    assert not read(path)[1]


def test_keys_that_were_copied_alone_are_counted_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever copy, in whichever file, is of a key that was removed."""
    key = [(b"key:%d" % number, 0, b"") for number in range(9)]
    with marked(tmp_path) as first, marked(tmp_path, LATER) as second:
        first.write([key[1], key[2], key[3], key[4], key[7]])  # the line is lost
        first.write([key[1], key[2], key[3], key[5], key[4]])
        first.name(first.block, 0, 4, [])
        first.spare([(first.block, 2)])
        second.write([key[4], key[6], key[7]])
        second.name(second.block, 0, 2, [])
    with TrashReader(first.path) as one, TrashReader(second.path) as other:
        assert (examined_copies(one), examined_copies(other)) == (3, 1)  # 3, 4 and 7; 7
        assert only_copied([one, other]) == 2
        monkeypatch.setattr(trash_copies, "_MOST_REMEMBERED", 1)
        assert 2 <= only_copied([one, other]) <= 8
