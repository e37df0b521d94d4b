"""One line to all primaries of a cluster: each command goes to the node that serves its key by now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from redis.crc import key_slot
from redis.exceptions import ResponseError

from pymon_tui.invalidation.asking import AskingPipe
from pymon_tui.invalidation.cluster.primaries import Found, find
from pymon_tui.invalidation.identity import Identity
from pymon_tui.invalidation.packing import Packed, pack, pack_all, unpacked
from pymon_tui.invalidation.pipe import Answer, Pipe, open_pipe
from pymon_tui.invalidation.redirect import is_redirect, redirect_of
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint

_HOPS = 8
"""Times that a command is sent on before its last answer is taken as it is."""

_PAUSE = 0.02  # seconds before the second time; each is twice as long as the one before


@dataclass(frozen=True, slots=True)
class _Way:
    """A node by the cluster's name of it, and whether it is told that the command was sent there."""

    node: str
    asking: bool


class Routes:
    """A ``Line`` to a cluster. Connections are made when they are first needed, and none is made anew.

    Only commands that name one key, right after the command, are sent to its node; any other goes to one of them.
    """

    def __init__(self, endpoint: Endpoint, found: Found) -> None:
        """Begin with the primaries that were found from ``endpoint``."""
        self.endpoint = endpoint
        # Another process in the place of one of them makes it another line, as on one server.
        run_ids = " ".join(sorted(one.run_id for one in found.primaries))
        self.identity = Identity(run_id=run_ids, role="master", user=safe(endpoint.username or "default"))
        self._endpoints: dict[str, Endpoint] = {one.endpoint.label: one.endpoint for one in found.primaries}
        names = {one.node_id: one.endpoint.label for one in found.primaries}
        self._owners = {slot: names[owner] for slot, owner in found.owners.items()}
        self._pipes: dict[_Way, Pipe] = {}
        self._opening = asyncio.Lock()

    @property
    def user(self) -> SafeText:
        """The ACL user we are logged in as."""
        return self.identity.user

    def ask(self, packed: Packed, answers: int) -> asyncio.Future[list[Answer]]:
        """As ``Pipe.ask``; MOVED and ASK are followed.

        The future raises LinkError if one of the links that it takes is lost.
        """
        asking = asyncio.ensure_future(self._answers(list(unpacked(packed))))
        asking.add_done_callback(_looked_at)
        return asking

    async def ask_one(self, *words: bytes) -> Answer:
        """As ``Pipe.ask_one``."""
        (answer,) = await self.ask(pack(*words), 1)
        return answer

    async def close(self) -> None:
        """Close all that are open."""
        for pipe in self._pipes.values():
            await pipe.close()

    async def _answers(self, commands: Sequence[Sequence[bytes]]) -> list[Answer]:
        answers: list[Answer] = [None] * len(commands)
        ways = {place: self._way_of(command) for place, command in enumerate(commands)}
        for hop in range(_HOPS):
            await self._ask_each(commands, ways, answers)
            ways = {
                place: onward
                for place, way in ways.items()
                if (onward := self._onward(commands[place], way, answers[place])) is not None
            }
            if not ways:
                break
            if hop:
                await asyncio.sleep(_PAUSE * 2**hop)
        return answers

    async def _ask_each(
        self, commands: Sequence[Sequence[bytes]], ways: Mapping[int, _Way], answers: list[Answer]
    ) -> None:
        places: dict[_Way, list[int]] = {}
        for place, way in ways.items():
            places.setdefault(way, []).append(place)
        asked = []
        for way, some in places.items():
            pipe = await self._pipe(way)
            asked.append((some, pipe.ask(pack_all(tuple(commands[place]) for place in some), len(some))))
        for some, told in asked:
            for place, answer in zip(some, await told, strict=True):
                answers[place] = answer

    def _way_of(self, command: Sequence[bytes]) -> _Way:
        if len(command) < 2:
            return _Way(next(iter(self._endpoints)), asking=False)
        return _Way(self._owners[key_slot(command[1])], asking=False)

    def _onward(self, command: Sequence[bytes], way: _Way, answer: Answer) -> _Way | None:
        """Where the command is to go next; None where it was answered."""
        if not isinstance(answer, ResponseError) or not is_redirect(answer):
            return None
        redirect = redirect_of(answer, self._endpoints[way.node].host)
        if redirect is None:  # TRYAGAIN
            return way
        name = str(redirect.address)
        if name not in self._endpoints:
            there = self.endpoint.at(redirect.address)
            self._endpoints[name] = replace(there, name=name)
        if not redirect.asks:
            self._owners[key_slot(command[1])] = name
        return _Way(name, redirect.asks)

    async def _pipe(self, way: _Way) -> Pipe:
        async with self._opening:
            pipe = self._pipes.get(way)
            if pipe is None:
                pipe = await open_pipe(self._endpoints[way.node], AskingPipe if way.asking else Pipe)
                self._pipes[way] = pipe
                self.identity = replace(self.identity, user=pipe.user)
            return pipe


async def open_routes(endpoint: Endpoint) -> Routes:
    """Find the primaries of the cluster that this node belongs to.

    Raises:
        LinkError: If one of them can't be reached, or no node serves some of the slots.
    """
    return Routes(endpoint, await find(endpoint))


def _looked_at(asking: asyncio.Future[list[Answer]]) -> None:
    if not asking.cancelled():
        asking.exception()  # who asked may never look, and then asyncio would print a complaint
