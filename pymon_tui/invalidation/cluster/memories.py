"""What the primaries of a cluster hold, asked again and again on connections that stay."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.invalidation.outlook import Memory, memory_at, memory_of
from pymon_tui.invalidation.pipe import Line, Pipe, open_pipe
from pymon_tui.invalidation.restore_load import Owners
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError


def by_name(found: Found) -> dict[str, Endpoint]:
    """The primaries by what they are called where their memory is told; a lone one is called nothing."""
    if not found.is_cluster:
        return {"": found.primaries[0].endpoint}
    return {one.endpoint.label: one.endpoint for one in found.primaries}


def owners_of(found: Found) -> Owners:
    """Which of these serves each slot."""
    names = {one.node_id: one.endpoint.label for one in found.primaries}
    return {slot: names[node_id] for slot, node_id in found.owners.items()}


async def memories_at(found: Found) -> Sequence[Memory]:
    """What each of the primaries holds.

    Raises:
        LinkError: If one of them can't be reached.
    """
    return await asyncio.gather(*(memory_at(endpoint, node) for node, endpoint in by_name(found).items()))


class Memories:
    """Connections to these servers, by what they are called. A context manager."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._endpoints = endpoints
        self._pipes: dict[str, Pipe] = {}
        self._one_by_one = asyncio.Lock()

    async def __call__(self, _: Line) -> Sequence[Memory]:
        """What each of them holds that can be reached: to one that can't, no key comes back either."""
        return [memory for memory in await self._told() if memory is not None]

    async def evicted(self) -> int | None:
        """Keys that all of them have evicted since they started; None where one doesn't tell, or isn't reached."""
        told = await self._told()
        counts = [memory.evicted for memory in told if memory is not None and memory.evicted is not None]
        return sum(counts) if len(counts) == len(told) else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for pipe in self._pipes.values():
            await pipe.close()

    async def _told(self) -> Sequence[Memory | None]:
        async with self._one_by_one:
            return await asyncio.gather(*map(self._of, self._endpoints))

    async def _of(self, node: str) -> Memory | None:
        try:
            pipe = self._pipes.get(node)
            if pipe is None:
                pipe = self._pipes[node] = await open_pipe(self._endpoints[node])
            return await memory_of(pipe, node)
        except LinkError:
            if (lost := self._pipes.pop(node, None)) is not None:
                await lost.close()
            return None
