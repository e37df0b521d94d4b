"""Runs for the tests: made from a plan, on a real server, with a journal of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options, Result
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.selection import Selection
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import Record, runs
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import plan_of

PLAIN = Options(undo=False)


async def fill(redis: Redis, names: Iterable[bytes | str], value: str = "v") -> None:
    """Set all these keys to the same value."""
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.set(name, value)
    await pipeline.execute()


async def populate(redis: Redis, prefix: str, count: int, *, db: int = 0) -> None:
    """Set ``count`` keys of this name and a number, quickly."""
    script = "redis.call('select', ARGV[3]) for n = 1, ARGV[2] do redis.call('set', ARGV[1] .. n, n) end"
    await redis.eval(script, 0, prefix, str(count), str(db))


async def names(redis: Redis) -> set[bytes]:
    """All keys of the database that the client has selected."""
    return {str(name).encode("utf-8", "surrogateescape") for name in await redis.keys("*")}


async def removal_of(
    server: EmbeddedServer | Endpoint, selection: Selection, folder: Path, options: Options = PLAIN
) -> Removal:
    """A run that is planned and not begun, with its journal in ``folder``."""
    endpoint = Endpoint(socket=server.socket) if isinstance(server, EmbeddedServer) else server
    plan = await plan_of(endpoint, selection, mode=options.mode, undo=options.undo, key_cap=options.key_cap)
    return Removal(endpoint, Order.of(plan, None), options, Journal(folder), read_only=False)


async def removed(
    server: EmbeddedServer | Endpoint, selection: Selection, folder: Path, options: Options = PLAIN
) -> Result:
    """The account of a run from its plan to its end."""
    return await (await removal_of(server, selection, folder, options)).run()


@asynccontextmanager
async def under_way(removal: Removal | WholeRemoval) -> AsyncIterator[asyncio.Task[Result]]:
    """A run in a task of its own, which is cancelled if it is still there at the end."""
    task = asyncio.create_task(removal.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def record_of(folder: Path) -> Record:
    """What the journal knows of its last run."""
    return runs(Journal(folder))[0]
