"""How many bytes of our replies and questions a server at its memory limit may hold, lest it evicts for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pymon_tui.invalidation.brake import FIRST
from pymon_tui.invalidation.memory import MEMORY, Memory
from pymon_tui.invalidation.pacing import Pacer, Stopped
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.invalidation.pulse import WINDOW
from pymon_tui.model import units
from pymon_tui.model.text import safe

SHARE = 0.5
"""Of the room: other clients write meanwhile, and a reply is held in blocks that are larger than it."""

PLENTY = 128 * 2**20
"""Bytes of room that several portions fit in many times: the pulse's look, once a second, is enough there."""

FREE = 12_288
"""Bytes that a reply may have in any case: a client's own reply buffer, which it has from the start, holds 16 KiB."""

FEWEST = 32
"""Keys of a page, or of one UNLINK, in any case."""

PATIENCE = 10.0
"""Seconds that room for one key's dump is waited for."""

_TURN = 0.1  # seconds between two looks whether there is room by now
_SLIGHT = 1_000  # a key of less than this part of ``maxmemory`` may exceed the room: it gives back as much at once
_SLIGHT_BYTES = 131_072
_NAMED = 120  # bytes that the server needs for a name in a command while it reads it, besides the name itself
_TOLD = 12  # bytes of a name in a reply, besides the name itself
_NAME = 64  # bytes of a name while none has been seen
_SECONDS_A_BYTE = 1e-9  # that a DUMP holds the server up


class Headroom:
    """Asks the server on the run's own line, behind all that was asked before, wherever there isn't plenty of room.

    Attributes:
        memory: As last told on this line; None before that.
    """

    def __init__(self, pipe: Pipe, pacer: Pacer) -> None:
        self.memory: Memory | None = None
        self._pipe = pipe
        self._pacer = pacer
        self._name = _NAME

    @property
    def is_tight(self) -> bool:
        """Whether it is to be asked before each step, and no step begun before the last is done."""
        rooms = (memory.room for memory in (self._pacer.pulse.feeling.memory, self.memory) if memory is not None)
        return any(room is not None and room < PLENTY for room in rooms)

    async def look(self) -> None:
        """Ask, where that is needed. Nothing else should be on its way where it is tight.

        Raises:
            LinkError: If the link is lost.
        """
        if self.memory is None or self.is_tight:
            (answer,) = await self._pipe.ask(MEMORY, 1)
            self.memory = Memory.told(answer)

    async def portion(self, most: int, smallest: int) -> int:
        """Bytes of keys, of at most so many, that may be dumped now; waits until there is room for the smallest key.

        Raises:
            Cancelled: If nobody wants it any more.
            LinkError: If the link is lost.
            Stopped: If there is none in the end.
        """
        waited = 0.0
        while True:
            await self.look()
            if not self.is_tight:
                return min(most, most * self._pacer.pace.page // FIRST)
            if smallest <= self._spare:
                return min(most, self._allowed)
            if waited >= PATIENCE:
                raise Stopped(f"{self._lack(smallest)}; free some memory and go on, or let it go without an undo")
            self._pacer.state, self._pacer.why = "holding", safe(f"holding: {self._lack(smallest)}")
            await self._pacer.wait(_TURN)
            waited += _TURN

    async def drained(self, answers: asyncio.Future[list[Any]], largest: int) -> None:
        """Wait for the dumps where there is little room; and behind a key so large that its dump alone is felt.

        One that is felt in a while isn't felt in the percentile.

        Raises:
            Cancelled: If nobody wants it any more.
            LinkError: If the link is lost.
        """
        is_felt = largest * _SECONDS_A_BYTE > self._pacer.bearable
        if is_felt or self.is_tight:
            await answers
        if is_felt:
            await self._pacer.wait(WINDOW)

    def page(self, most: int) -> int:
        """Keys of a page, of at most so many, whose names may be told at once."""
        if not self.is_tight:
            return most
        return max(FEWEST, min(most, max(FREE, self._allowed // 2) // (self._name + _TOLD)))

    def named(self, keys: Sequence[bytes]) -> int:
        """How many of the keys may be named in one command."""
        if not self.is_tight:
            return max(1, len(keys))
        if keys:
            self._name = sum(map(len, keys)) // len(keys)
        return max(FEWEST, self._allowed // (self._name + _NAMED))

    def _lack(self, key: int) -> str:
        room = units.bytes_(max(0, (self.memory or Memory()).room or 0))
        return f"the server has {room} of room until maxmemory, and the next key's undo takes {units.bytes_(key)}"

    @property
    def _spare(self) -> int:
        """Bytes of a key that may be dumped alone."""
        memory = self.memory or Memory()
        return max(memory.room or 0, _slight(memory))

    @property
    def _allowed(self) -> int:
        memory = self.memory or Memory()
        if memory.room is None:
            return PLENTY
        if memory.room <= 0 and not memory.evicts:
            return _slight(memory)  # who writes is refused already, and nobody loses a key
        return max(0, int(SHARE * self._pacer.pace.share * memory.room))


def _slight(memory: Memory) -> int:
    return max(_SLIGHT_BYTES, memory.limit // _SLIGHT)
