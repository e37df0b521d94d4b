"""What isn't Py_Monitor's cache: reports that fill the memory, and collections so large that reading one is slow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from random import Random
from typing import Any

from redis.asyncio import Redis

from pymon_tui.demo.heavy import HEAVY, Command, Heavy

REPORTS = 8_000
"""Reports that are written to a server without a limit, about."""
REPORT_BYTES = 8_000

_REPORTS_AT_ONCE = 100
_COMMANDS_AT_ONCE = 250


async def send(client: Redis, commands: Iterable[Command]) -> list[Any]:
    """The replies to the commands, sent in one pipeline."""
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    return await pipeline.execute()


class Bulk:
    """Reports and large collections.

    Args:
        seed: Decides what is in them.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._written = 0
        random = Random(f"{seed} reports")
        # A new body for each report would cost more than writing it.
        self._bodies = tuple(random.randbytes(REPORT_BYTES // 2).hex().encode() for _ in range(8))

    def reports(self, count: int) -> list[Command]:
        """The next large values, which never expire and which nobody reads: what eviction takes."""
        first, self._written = self._written, self._written + count
        return [("SET", f"project:report:{number}", self._body(number)) for number in range(first, first + count)]

    async def fill_collections(self, client: Redis) -> None:
        """Write what is slow to read."""
        for heavy in HEAVY:
            await self._fill(client, heavy)

    async def fill_memory(self, client: Redis, *, leaving: int) -> None:
        """Write reports until no more memory is free than so many bytes; evictions begin when none is."""
        while True:
            memory = await client.info("memory")
            limit = memory["maxmemory"] or REPORTS * REPORT_BYTES
            count = min(_REPORTS_AT_ONCE, (limit - leaving - memory["used_memory"]) // REPORT_BYTES)
            if count < 1:
                return
            await send(client, self.reports(count))

    async def bill(self, client: Redis) -> None:
        """Read large collections whole, and fill those that someone has removed, until cancelled."""
        random = Random(f"{self._seed} billing-worker")
        while True:
            for heavy in random.sample(HEAVY, len(HEAVY)):
                await asyncio.sleep(random.uniform(1.2, 3.2))
                (reply,) = await send(client, [heavy.command])
                if not reply:
                    await self._fill(client, heavy)

    async def _fill(self, client: Redis, heavy: Heavy) -> None:
        _, key, *_ = heavy.command
        commands = heavy.fill(Random(f"{self._seed} {key!r}"))
        await send(client, [("UNLINK", key)])
        while batch := list(islice(commands, _COMMANDS_AT_ONCE)):
            await send(client, batch)

    def _body(self, number: int) -> bytes:
        return self._bodies[number % len(self._bodies)]
