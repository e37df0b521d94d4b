from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.restore import Restore
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.lock import holder
from pymon_tui.journal.records import Record, runs
from pymon_tui.server.endpoint import Endpoint
from tests.demo.waiting import a_moment
from tests.forked import start
from tests.invalidation.planned import only_client_left
from tests.invalidation.removing import populate, record_of

pytestmark = pytest.mark.usefixtures("at_once")

KEYS = 6_000
RATE = 15_000
OTHERS = 500


async def killed_at(mark: int, redis: Redis, server: EmbeddedServer, folder: Path) -> None:
    """Begin a run in a process of its own, and kill it when so many keys have gone."""
    ours, theirs = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    with os.fdopen(ours, "rb") as told:
        process = start(
            [server.socket, str(folder), str(RATE)],
            module="tests.invalidation.killed",
            streams=[nothing, theirs, sys.stderr.fileno()],
        )
        os.close(theirs)
        os.close(nothing)
        try:
            assert await asyncio.to_thread(told.readline) == b"planned\n"
            while await redis.dbsize() > KEYS + OTHERS - mark:
                await a_moment()
        finally:
            process.kill()
            process.wait()
    await only_client_left(redis)  # whatever was on its way has arrived


def checked(record: Record, gone: int) -> None:
    """The journal says neither that what went was kept, nor the other way round."""
    assert record.state == "interrupted"
    assert record.removed_at_most is not None
    assert record.removed_at_least <= gone <= record.removed_at_most


@pytest.mark.parametrize("seed", range(5))
async def test_a_killed_run_is_taken_up_again(redis: Redis, server: EmbeddedServer, tmp_path: Path, seed: int) -> None:
    await populate(redis, "cache:", KEYS)
    await populate(redis, "other:", OTHERS)
    dice = random.Random(seed)
    await killed_at(dice.randrange(KEYS), redis, server, tmp_path)
    kept = await redis.dbsize() - OTHERS
    record = record_of(tmp_path)
    checked(record, KEYS - kept)
    order, options = Order.resuming(record)
    assert order.planned >= kept
    assert options.undo
    removal = Removal(Endpoint(socket=server.socket), order, options, Journal(tmp_path), read_only=False)
    result = await removal.run()
    assert (result.outcome, result.left, result.tally.removed) == ("done", 0, kept)
    assert await redis.dbsize() == OTHERS
    # Both trashes together hold all that went.
    found: set[bytes] = set()
    for one in runs(Journal(tmp_path)):
        if one.undo_path is not None:
            with TrashReader(one.undo_path) as reader:
                found |= {key for block in reader.blocks() for key, _, _ in block.records}
    assert found == {b"cache:%d" % number for number in range(1, KEYS + 1)}


@pytest.mark.parametrize("seed", range(5, 10))
async def test_a_killed_run_is_taken_back(redis: Redis, server: EmbeddedServer, tmp_path: Path, seed: int) -> None:
    await populate(redis, "cache:", KEYS)
    await populate(redis, "other:", OTHERS)
    dice = random.Random(seed)
    await killed_at(dice.randrange(1, KEYS), redis, server, tmp_path)
    gone = KEYS + OTHERS - await redis.dbsize()
    record = record_of(tmp_path)
    checked(record, gone)
    assert holder(tmp_path, f"run-{record.run}") is None
    assert record.undo_path is not None
    undo = Restore(
        Endpoint(socket=server.socket),
        record.undo_path,
        Journal(tmp_path),
        ceiling=1.0,
        replace=False,
        elsewhere=False,
        read_only=False,
    )
    result = await undo.run()
    assert (result.outcome, result.tally.restored) == ("done", gone)
    assert await redis.dbsize() == KEYS + OTHERS
    sample = dice.sample(range(1, KEYS + 1), 500)
    assert await redis.mget([f"cache:{number}" for number in sample]) == [str(number) for number in sample]
