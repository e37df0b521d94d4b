"""Bytes of replies and commands that a server near a limit may hold for a run without evicting keys or clients."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from pymon_tui.invalidation.brake import FIRST
from pymon_tui.invalidation.client_limits import CLIENTS, OUTPUT, UNLIMITED, ClientLimits, Limiting
from pymon_tui.invalidation.memory import Memory, longest, memory_now
from pymon_tui.invalidation.pacing import Pacer, Stopped
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.invalidation.pulse import WINDOW
from pymon_tui.model import units
from pymon_tui.model.text import safe

PATIENCE = 10.0
"""Seconds that room for one key's dump is waited for."""

_TURN = 0.1  # seconds between two looks whether there is room by now
_EACH = 16  # of so many keys one is measured
_NAME = 64  # bytes of a name while none has been seen
_SECONDS_A_BYTE = 1e-9  # that a DUMP holds the server up


class Headroom:
    """Asks the server on the run's own line, behind all that was asked before, wherever there isn't plenty of room.

    Attributes:
        memory: As last told on this line; None before that.
    """

    def __init__(self, pipe: Pipe, pacer: Pacer, most: int, limiting: Limiting, name: int | None = None) -> None:
        """Begin on a connection.

        Args:
            most: Bytes of keys that are dumped at once.
            limiting: What is known of the server's limits on the run's other connections.
            name: Bytes of a key's name, as far as it is known before.
        """
        self.memory: Memory | None = None
        self._pipe = pipe
        self._pacer = pacer
        self._most = most
        self._limiting = limiting
        self._name = _NAME if name is None else name
        self._seen: tuple[Memory | None, Memory | None, ClientLimits] = None, None, UNLIMITED
        self._is_tight = False

    @property
    def is_tight(self) -> bool:
        """Whether it is to be asked before each step, and no step begun before the last is done."""
        seen = (self._pacer.pulse.feeling.memory, self.memory, self._limiting.limits)
        if any(now is not then for now, then in zip(seen, self._seen, strict=True)):  # it is asked for often
            felt, told, limits = self._seen = seen
            self._is_tight = any(memory.under(limits).is_tight for memory in (felt, told) if memory is not None)
        return self._is_tight

    async def look(self) -> None:
        """Ask, where that is needed. Nothing else should be on its way where it is tight.

        Raises:
            LinkError: If the link is lost.
        """
        if self.memory is None:
            await self._limiting.ask(self._pipe)
        if self.memory is None or self.is_tight:
            self.memory = (await memory_now(self._pipe)).under(self._limiting.limits)

    async def portion(self, smallest: int) -> int:
        """Bytes of keys that may be dumped now. Waits until the smallest key fits.

        Raises:
            Cancelled: If nobody wants it any more.
            LinkError: If the link is lost.
            Stopped: If there is none in the end, or can't be.
        """
        waited, most = 0.0, self._most
        while True:
            await self.look()
            if not self.is_tight:
                return min(most, most * self._pacer.pace.page // FIRST)
            lack = lack_of(self._now, smallest)
            if lack is None:
                return min(most, self._now.allowed(self._pacer.pace.share))
            if lack.is_lasting or waited >= PATIENCE:
                raise Stopped(f"{lack.what}; {lack.remedy} and go on, or let it go without an undo")
            self._pacer.state, self._pacer.why = "holding", safe(f"holding: {lack.what}")
            await self._pacer.wait(_TURN)
            waited += _TURN
            if lack.is_of_clients:
                await self._limiting.ask(self._pipe)  # somebody may have raised it

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
        return self._now.page(most, self._pacer.pace.share, self._name)

    def named(self, keys: Sequence[bytes]) -> int:
        """How many of the keys may be named in one command."""
        if keys:  # some of them tell enough where there is plenty of room
            some = keys if self.is_tight else keys[::_EACH]
            self._name = len(b"".join(some)) // len(some)
        return self._now.named(max(1, len(keys)), self._pacer.pace.share, self._name)

    @property
    def _now(self) -> Memory:
        return self.memory or Memory()


class Lack(NamedTuple):
    """What there is no room for.

    Attributes:
        what: The limit, and the key.
        remedy: What to do.
        is_of_clients: Whether it is a limit of clients.
        is_lasting: Whether it is no use to wait.
    """

    what: str
    remedy: str
    is_of_clients: bool = False
    is_lasting: bool = False


def lack_of(memory: Memory, key: int) -> Lack | None:
    """Why a key of so many bytes can't be dumped now, not even alone; None if it can."""
    takes = f"and the next key's undo takes {units.bytes_(key)}"
    hard, clients = memory.limits.hard, memory.clients_room
    if hard and key > longest(hard):
        holds = f"for {OUTPUT} normal, the server holds {units.bytes_(longest(hard))} of a reply"
        return Lack(f"{holds}, {takes}", "raise that", is_of_clients=True, is_lasting=True)
    if clients is not None and key > longest(clients):
        room = f"the server has {units.bytes_(longest(clients))} of room for a reply until {CLIENTS}"
        return Lack(f"{room}, {takes}", "raise that", is_of_clients=True)
    if memory.room is not None and key > memory.spare:
        room = f"the server has {units.bytes_(max(0, memory.room))} of room until maxmemory"
        return Lack(f"{room}, {takes}", "free some memory")
    return None
