"""Both doors ask again where an undo would evict keys by now that nobody has agreed to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.outlook import Outlook
from tests.doors.door import CommandLine, Screens
from tests.doors.test_damaged import apart as apart
from tests.doors.test_doors import DOORS

KEYS, ROOM = 200, 1_000_000
VALUE = Random(7).randbytes(10_000).hex()


@pytest.fixture
def filling(db: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While the question of an undo stands, the server gets its limit; and a terminal on which it can ask again."""
    outlook = WholeRestore.outlook

    async def then_limited(restore: WholeRestore) -> Outlook:
        told = await outlook(restore)
        db.config_set("maxmemory", db.info("memory")["used_memory"] + ROOM)
        return told

    reads, writes = os.pipe()
    os.write(writes, b"there is something to read\n")
    monkeypatch.setattr(WholeRestore, "outlook", then_limited)
    monkeypatch.setattr("pymon_tui.removing.console._STDIN", reads)
    yield
    os.close(reads)
    os.close(writes)


@DOORS
@pytest.mark.parametrize("yes", [False, True])
def test_where_there_is_less_room_by_now_it_is_asked_again(
    door: str,
    *,
    yes: bool,
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
    command_line: CommandLine,
    filling: None,
) -> None:
    db.config_set("maxmemory-policy", "allkeys-lru")
    db.mset({f"a:{number}": VALUE for number in range(KEYS)})
    command_line.run(apart, "invalidate", "a:*", "--yes")
    db.mset({f"b:{number}": VALUE for number in range(KEYS)})
    way: CommandLine | Screens = request.getfixturevalue(door)
    restored, asked = way.undo_asked_again(apart, yes=yes)
    assert "keys would be evicted for what comes back, and none were when this was agreed to" in asked
    there = db.exists(*(f"a:{number}" for number in range(KEYS)))  # some may be evicted for those that came after them
    assert 0 <= restored - there < 5  # a server at its limit goes on evicting, for our questions as well
    assert (there > KEYS // 2) == yes
    evicted = db.info("stats")["evicted_keys"]
    assert (evicted > 0) == yes
    assert len(db.keys("b:*")) >= KEYS - evicted
    if not yes:
        told = command_line.run(apart, "undo", "--yes")  # said on stderr, and agreed to by that
        there = db.exists(*(f"a:{number}" for number in range(KEYS)))
        assert told["outcome"] == ("stopped" if told["left"] else "done")
        assert 0 <= told["restored"] - there < 5


def test_nobody_who_could_be_asked_stops_it_with_what_to_do(
    apart: EmbeddedServer, db: Redis, command_line: CommandLine, filling: None
) -> None:
    db.config_set("maxmemory-policy", "allkeys-lru")
    db.mset({f"a:{number}": VALUE for number in range(KEYS)})
    run = command_line.run(apart, "invalidate", "a:*", "--yes")["run"]
    db.mset({f"b:{number}": VALUE for number in range(KEYS)})
    told = command_line.run(apart, "undo", run, "--yes")
    assert (told["outcome"], told["restored"], told["left"]) == ("stopped", 0, KEYS)
    assert "raise maxmemory, or undo again" in told["why"]
    assert db.info("stats")["evicted_keys"] == 0
