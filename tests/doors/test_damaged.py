"""What both doors say of a trash that is damaged, and what they bring back of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.journal.folder import state_folder
from pymon_tui.model import units
from tests.conftest import StartServer
from tests.doors.door import CommandLine, Screens
from tests.doors.test_doors import DOORS
from tests.invalidation.killed_by_hand import without_end

KEYS = 1_500


@pytest.fixture
def apart(own_server: StartServer) -> EmbeddedServer:
    """A server that the test has for itself."""
    return own_server()


def removed(apart: EmbeddedServer, db: Redis, command_line: CommandLine) -> tuple[str, Path]:
    """A run that has removed all of its keys, and its trash."""
    db.mset({f"a:{number}": f"value {number}" for number in range(KEYS)})
    told = command_line.run(apart, "invalidate", "a:*", "--yes")
    assert told["removed"] == KEYS
    return told["run"], Path(told["undo"])


@DOORS
@pytest.mark.parametrize("how", ["a byte more", "a hole"])
def test_what_was_moved_by_damage_comes_back_all_the_same(
    door: str, how: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis, command_line: CommandLine
) -> None:
    run, trash = removed(apart, db, command_line)
    data = trash.read_bytes()
    third = len(data) // 3
    trash.write_bytes(data[:third] + (b"\r" + data[third:] if how == "a byte more" else data[third + 500 :]))
    way: CommandLine | Screens = request.getfixturevalue(door)
    back = way.undo(apart, "", "a:*", replaces=False)
    assert (back.confirm, back.keys) == ("yes", db.dbsize())
    assert back.keys > KEYS / 4
    told = command_line.run(apart, "undo", run, "--yes")
    assert (told["there"], told["copied"]) == (back.keys, 0)
    assert told["damage"]["unreadable"] + told["there"] == KEYS
    assert "not removed" not in way.told_of(apart, run)


@DOORS
@pytest.mark.parametrize("how", ["a mark that isn't whole", "a torn end", "a lost end"])
@pytest.mark.parametrize("replaces", [False, True])
def test_what_nobody_proves_comes_back_where_all_are_replaced(
    door: str,
    how: str,
    *,
    replaces: bool,
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
    command_line: CommandLine,
) -> None:
    """The run was killed, and the mark is lost of what it removed."""
    run, trash = removed(apart, db, command_line)
    data = trash.read_bytes()
    without_end(state_folder(), run, named_up_to=KEYS, trash_bytes=data.rindex(b"PYME"))
    first, last = data.index(b"PYMN"), data.rindex(b"PYMN")
    trash.write_bytes(
        {
            "a mark that isn't whole": data[: first + 30] + b"?" + data[first + 31 : data.rindex(b"PYME")],
            "a torn end": data[: last + 20],
            "a lost end": data[:last],
        }[how]
    )
    way: CommandLine | Screens = request.getfixturevalue(door)
    back = way.undo(apart, "", "a:*", replaces=replaces)
    assert (back.confirm, back.keys) == ("yes", db.dbsize())
    assert (back.keys == KEYS) == replaces
    told = way.told_of(apart, run)
    assert (f"{units.keys(KEYS - back.keys)} left alone, since nobody knows any more" in told) != replaces
    assert "never removed" not in told


def flipped(trash: Path) -> None:
    """One bit of the second block of records is another."""
    with TrashReader(trash) as reader:
        block = list(reader.blocks())[1]
    data = trash.read_bytes()
    middle = (block.offset + block.next_offset) // 2
    trash.write_bytes(data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :])


@DOORS
@pytest.mark.parametrize("is_killed", [False, True])
def test_what_was_lost_by_damage_is_told_and_not_offered(
    door: str,
    *,
    is_killed: bool,
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
    command_line: CommandLine,
) -> None:
    run, trash = removed(apart, db, command_line)
    flipped(trash)
    if is_killed:
        without_end(state_folder(), run)
        trash.write_bytes(trash.read_bytes()[: trash.read_bytes().rindex(b"PYME")])
    way: CommandLine | Screens = request.getfixturevalue(door)
    back = way.undo(apart, "", "a:*", replaces=False).keys
    assert 0 < back < KEYS
    told = way.told_of(apart, run)
    assert "undone in part" in told
    lost = units.keys(KEYS - back)
    assert f"what was kept of {lost} can't be read any more; gone for good" in told
    assert f"none: no more of it can come: what was kept of {lost} can't be read any more" in told
    assert "undone in part" in way.listed(apart)
    again = way.undo_last(apart)
    assert again[0] is None
    assert "it is undone in part" in again[1]
    assert "may still come" not in again[1]


@DOORS
def test_of_a_trash_that_can_be_read_nowhere_no_undo_is_offered(
    door: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis, command_line: CommandLine
) -> None:
    run, trash = removed(apart, db, command_line)
    line, _, rest = trash.read_bytes().partition(b"\n")
    trash.write_bytes(line + b"\n" + bytes(len(rest)))
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.undo(apart, "", "a:*", replaces=False).keys == 0
    assert "none: no more of it can come" in way.told_of(apart, run)
    again = way.undo_last(apart)
    assert again[0] is None
    assert f"{run}: no more of it can come" in again[1]


def test_what_replacing_alone_brings_is_offered_by_that(
    apart: EmbeddedServer, db: Redis, command_line: CommandLine
) -> None:
    run, trash = removed(apart, db, command_line)
    without_end(state_folder(), run)
    data = trash.read_bytes()
    mark = data.index(b"PYMN")
    trash.write_bytes(data[: mark + 30] + b"?" + data[mark + 31 : data.rindex(b"PYME")])
    assert 0 < command_line.run(apart, "undo", run, "--yes")["restored"] < KEYS
    told = command_line.told_of(apart, run)
    assert "undone in part" in told
    assert f"undo {run} --replace" in told
    said = command_line.undo_last(apart)[1]
    assert "the others may still come: " in said
    assert said.endswith(f"undo {run} --replace\n")
