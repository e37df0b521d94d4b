"""What the primaries of a cluster hold, asked again and again on connections that stay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from pymon_tui.invalidation.outlook import Memory, memory_of
from pymon_tui.invalidation.pipe import Line, Pipe, open_pipe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError


class Memories:
    """Connections to these servers. A context manager."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints
        self._pipes: dict[Endpoint, Pipe] = {}
        self._one_by_one = asyncio.Lock()

    async def __call__(self, _: Line) -> Sequence[Memory]:
        """What each of them holds that can be reached: to one that can't, no key comes back either."""
        async with self._one_by_one:
            told = await asyncio.gather(*map(self._of, self._endpoints))
        return [memory for memory in told if memory is not None]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for pipe in self._pipes.values():
            await pipe.close()

    async def _of(self, endpoint: Endpoint) -> Memory | None:
        try:
            pipe = self._pipes.get(endpoint)
            if pipe is None:
                pipe = self._pipes[endpoint] = await open_pipe(endpoint)
            return await memory_of(pipe)
        except LinkError:
            if (lost := self._pipes.pop(endpoint, None)) is not None:
                await lost.close()
            return None
