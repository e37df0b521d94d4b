from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options, Result
from pymon_tui.invalidation.room import Room, room_for
from pymon_tui.invalidation.shelf import GivenUp, asked_about
from pymon_tui.invalidation.shelves import Shelves, hold
from pymon_tui.invalidation.trash import TrashHeader, TrashReader, TrashWriter, trash_path, trash_size
from pymon_tui.invalidation.trash_files import trash_files
from pymon_tui.invalidation.way_back import Undo
from pymon_tui.journal.journal import Journal, JournalError
from pymon_tui.journal.key_count import KeyCount
from pymon_tui.journal.lock import lock
from tests.invalidation.planned import selecting
from tests.invalidation.removing import populate, removed
from tests.ui.scripted_desk import record_of

pytestmark = pytest.mark.usefixtures("at_once")

OLDEST, OLDER, NEW = "20261122-120411-7c3f", "20261122-120412-7c3f", "20261122-120413-7c3f"


def write(folder: Path, run: str, size: int) -> Path:
    """The trash of an earlier run, of about so many bytes."""
    path = trash_path(folder, run)
    with TrashWriter(path, TrashHeader(run, "a1b2", 0, "cache", 1.0), cap=2**30) as writer:
        writer.write([(b"key", 0, bytes(range(256)) * (size // 256))])
    return path


def test_older_undos_stay_until_their_room_is_needed(tmp_path: Path) -> None:
    paths = [write(tmp_path, run, 4_000) for run in (OLDEST, OLDER)]
    free = 1_000
    room = Room(tmp_path, trash_size(tmp_path) + free)
    assert room.take(free) == free
    assert all(path.exists() for path in paths)
    assert room.take(10) == 10
    assert [path.exists() for path in paths] == [False, True]


def test_there_is_no_more_room_than_the_cap(tmp_path: Path) -> None:
    write(tmp_path, OLDEST, 4_000)
    room = Room(tmp_path, 10_000)
    assert sum(room.take(3_000) for _ in range(8)) == 10_000
    assert room.take(1) == 0


def test_what_is_in_use_and_what_came_since_stays(tmp_path: Path) -> None:
    path = write(tmp_path, OLDEST, 4_000)
    room = Room(tmp_path, trash_size(tmp_path))
    own = write(tmp_path, NEW, 1_000)
    with lock(tmp_path, f"run-{OLDEST}", run=OLDEST):
        assert room.take(10) == 0
        assert path.exists()
    assert own.exists()


async def test_a_run_of_unknown_size_leaves_older_undos_alone_that_it_has_room_beside(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    undos: list[Result] = []
    for number in range(3):
        await populate(redis, "cache:", 100)
        await redis.setrange("cache:big", 200_000, "x")
        undos.append(await removed(server, selecting("cache:*"), tmp_path, Options(undo=True)))
        assert undos[number].tally.removed == 101
    for result in undos:
        assert result.undo is not None
        with TrashReader(result.undo) as reader:
            assert reader.count() == 101


async def test_the_oldest_undo_goes_while_a_run_writes_and_no_more_than_it_takes(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    script = "for n = 1, 500 do redis.call('set', 'cache:' .. n, redis.sha1hex(n .. ARGV[1])) end"
    undos = []
    cap = 0
    for number in range(5):
        await redis.eval(script, 0, number)
        options = Options(undo=True, trash_cap=cap or 2**30)
        undos.append((await removed(server, selecting("cache:*"), tmp_path, options)).undo)
        cap = cap or trash_size(tmp_path) * 7 // 2  # three and a half of them
    assert [path is not None and path.exists() for path in undos] == [False, False, True, True, True]
    assert trash_size(tmp_path) <= cap


def begun(folder: Path, run: str, number: int, holds: int) -> TrashWriter:
    """The file of another run, which has said what it will take, and written nothing."""
    header = TrashHeader(run, "a1b2", 0, "cache", 1.0, marks=True, number=number, holds=holds)
    return TrashWriter(trash_path(folder, run), header, cap=2**30)


def test_what_a_run_said_that_began_before_is_its_own_while_it_lasts(tmp_path: Path) -> None:
    with begun(tmp_path, OLDEST, 1, 8_000):
        with lock(tmp_path, f"run-{OLDEST}", run=OLDEST):
            room = Room(tmp_path, 10_000)
            room.own(NEW, 2, 1.0)
            assert (room.take(1_500), room.take(1_500)) == (1_500, 500)
        assert room.take(6_000) > 5_000  # it has ended, and is as large as it is


def test_what_a_later_run_said_leaves_an_earlier_one_all_that_is_there(tmp_path: Path) -> None:
    room = Room(tmp_path, 10_000, holds=4_000)
    assert room.own(OLDEST, 1, 0.5) == 2_000
    with begun(tmp_path, NEW, 2, 6_000) as other, lock(tmp_path, f"run-{NEW}", run=NEW):
        assert room.take(4_000) == 4_000
        assert room.take(1_000) == 1_000
        other.write([(b"key", 0, bytes(range(256)) * 200)])
        left = 10_000 - 5_000 - trash_size(tmp_path)
        assert room.take(10_000) == left  # what the other has written by now isn't there any more


def test_only_undos_that_were_named_are_given_up(tmp_path: Path) -> None:
    paths = [write(tmp_path, run, 4_000) for run in (OLDEST, OLDER)]
    named = GivenUp("a run", ((OLDER, KeyCount(1, 1)),))
    room = Room(tmp_path, trash_size(tmp_path), gives_up=[named])
    assert not room.gave_up
    assert room.take(100) == 100
    assert [path.exists() for path in paths] == [True, False]
    assert room.gave_up == (named,)
    assert room.take(1_000_000) < 4_000
    assert paths[0].exists()


def test_a_file_of_which_nothing_can_be_written_down_stays(tmp_path: Path) -> None:
    path = write(tmp_path, OLDEST, 4_000)
    journal = Journal(tmp_path)
    journal.append("run", "started", run=OLDEST, undo=str(path), named_up_to=7)
    size = trash_size(tmp_path)
    undo = Undo("certain", gives_up=(GivenUp("as planned", ((OLDEST, KeyCount(1, 1)),)),))
    room = room_for(journal, Options(undo=True, trash_cap=size), undo)
    assert room is not None
    full = JournalError("can't write the journal", journal.path, "full")
    with patch.object(Journal, "append", side_effect=full), pytest.raises(JournalError):
        room.take(100)
    assert (path.exists(), room.gave_up) == (True, ())
    assert room.take(100) == 100
    assert (path.exists(), room.gave_up) == (False, (GivenUp(OLDEST, ((OLDEST, KeyCount(0, 7)),)),))


def test_an_undo_that_begins_while_the_journal_is_asked_keeps_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, OLDEST, 4_000)
    with ExitStack() as undo:

        def meanwhile(file: str) -> tuple[str, KeyCount]:
            undo.enter_context(lock(tmp_path, f"run-{file}", run=OLDER))
            return file, KeyCount(1, 1)

        room = Room(tmp_path, trash_size(tmp_path), give_up=meanwhile)
        assert room.take(100) == 0
    assert (path.exists(), room.gave_up) == (True, ())


def test_what_somebody_is_asked_about_stays_until_all_have_answered(tmp_path: Path) -> None:
    path = write(tmp_path, OLDEST, 4_000)
    room, record = Room(tmp_path, trash_size(tmp_path)), record_of(id=OLDEST)
    with hold(tmp_path, record):
        with hold(tmp_path, record):
            assert room.take(10) == 0
        assert room.take(10) == 0
        assert Shelves(tmp_path, lambda _: None).now().held == path.stat().st_size
        assert path.exists()
    (tmp_path / "locks" / f"{asked_about(OLDEST, NEW)}.lock").touch()  # whoever asked was killed
    assert room.take(10) == 10
    assert not path.exists()


def test_all_that_the_nodes_of_a_cluster_had_is_held(tmp_path: Path) -> None:
    paths = [write(tmp_path, run, 4_000) for run in (OLDEST, OLDER)]
    room = Room(tmp_path, trash_size(tmp_path))
    parts = tuple(record_of(id=run) for run in (OLDEST, OLDER))
    with hold(tmp_path, record_of(id=NEW, parts=parts)):
        assert room.take(10) == 0
    assert all(path.exists() for path in paths)
    assert list((tmp_path / "locks").iterdir()) == []


def test_the_folder_is_not_looked_through_for_each_block_beyond_what_a_run_has_said(tmp_path: Path) -> None:
    write(tmp_path, OLDEST, 4_000)
    room = Room(tmp_path, 2**20)
    with patch("pymon_tui.invalidation.room.trash_files", wraps=trash_files) as looks:
        assert sum(room.take(64) for _ in range(1_024)) == 64 * 1_024
        assert 0 < looks.call_count <= 64  # once for each 1/1024 of the cap
        growing = write(tmp_path, NEW, 500_000)
        taken = 0
        while one := room.take(1_000):
            taken += one
    assert taken <= 2**20 - trash_size(tmp_path) - 64 * 1_024 + 1_024  # but for what was taken since the last look
    assert growing.exists()
