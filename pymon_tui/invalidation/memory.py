"""What a server has room for below its limits, and how many of its keys it has evicted (INFO memory, INFO stats)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pymon_tui.invalidation.client_limits import UNLIMITED, ClientLimits
from pymon_tui.invalidation.packing import pack
from pymon_tui.invalidation.pipe import Answer, Pipe
from pymon_tui.readings.info import Info, parse_info

MEMORY = pack(b"INFO", b"memory")
"""Asks for what ``Memory.told`` reads; 10 µs of the server's time."""

PLENTY = 128 * 2**20
"""Bytes of room that several portions fit in many times: a look once a second is enough there."""

FEWEST = 8
"""Keys of a page, or of one UNLINK, in any case."""

_SHARE = 0.5  # of the room: other clients write meanwhile, and a reply is held in blocks that are larger than it
_SLIGHT = 1_000  # a key of less than this part of ``maxmemory`` may exceed the room: it gives back as much at once
_SLIGHT_BYTES = 131_072
_FREE = 12_288  # bytes of any reply: a client has a buffer of 16 KiB from the start
_TOLD = 12  # bytes of a name in a reply, besides the name itself
_NAMED = 120  # bytes that the server needs for a name in a command while it reads it, besides the name itself
_HELD = 262_144  # bytes of names that one SCAN tells: it holds the server up for 5 ms with them
_ROUNDED = 1.25  # times a long reply, the block that it is held in, at most
_BUFFERS = 32_768  # bytes that a client holds besides a long reply
_STATS = pack(b"INFO", b"stats")
_NEVER = "noeviction"


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a server at one moment, in bytes.

    Attributes:
        limit: ``maxmemory``; 0 where there is none.
        held: ``used_memory``; None where the server doesn't tell.
        counted: That of it which counts against the limit: without ``mem_not_counted_for_evict``, the buffers of
            replicas and of the AOF.
        policy: ``maxmemory_policy``; empty where the server doesn't tell.
        clients: What its clients hold, replicas left out (``mem_clients_normal``); None where the server doesn't tell.
        limits: Of its clients, as far as they were asked for.
    """

    limit: int = 0
    held: int | None = None
    counted: int = 0
    policy: str = ""
    clients: int | None = None
    limits: ClientLimits = UNLIMITED

    @classmethod
    def of(cls, info: Info) -> Memory:
        """What INFO tells."""
        held = info.integer("used_memory")
        if held is None:
            return cls()
        counted = held - (info.integer("mem_not_counted_for_evict") or 0)
        limit, policy = max(0, info.integer("maxmemory") or 0), info.text("maxmemory_policy") or ""
        return cls(limit, held, counted, policy, info.integer("mem_clients_normal"))

    @classmethod
    def told(cls, answer: Answer) -> Memory:
        """What the answer to ``MEMORY`` tells; nothing where it is refused."""
        return cls.of(parse_info(answer)) if isinstance(answer, bytes) else cls()

    def under(self, limits: ClientLimits) -> Memory:
        """The same, with these limits of its clients."""
        return replace(self, limits=limits)

    @property
    def room(self) -> int | None:
        """Bytes until ``maxmemory``, negative beyond it; None without one."""
        return self.limit - self.counted if self.limit else None

    @property
    def clients_room(self) -> int | None:
        """Bytes until ``maxmemory-clients``, negative beyond it; None without one, or where it isn't told."""
        together = self.limits.together(self.limit)
        return together - self.clients if together and self.clients is not None else None

    @property
    def replies(self) -> int | None:
        """Bytes that our replies may take before the server closes a client's connection; None for any."""
        if self.limits is UNLIMITED:
            return None
        rooms = self.clients_room, self.limits.output or None
        return min((room for room in rooms if room is not None), default=None)

    @property
    def is_tight(self) -> bool:
        """Whether our own replies may be too much: then nothing is asked for before what it takes is known to fit."""
        room, replies = self.room, self.replies
        return (room is not None and room < PLENTY) or (replies is not None and replies < PLENTY)

    @property
    def evicts(self) -> bool:
        """Whether keys go where there is no room; else who writes is refused."""
        return bool(self.limit) and self.policy != _NEVER

    @property
    def spare(self) -> int:
        """Bytes of one key that ``maxmemory`` lets be dumped alone."""
        return PLENTY if self.room is None else max(self.room, self._slight)

    def allowed(self, share: float) -> int:
        """Bytes that our replies may hold, of a share of what they might, from 0 to 1."""
        allowed = PLENTY if self.room is None else max(0, int(_SHARE * share * self.room))
        if self.room is not None and self.room <= 0 and not self.evicts:
            allowed = self._slight  # who writes is refused already, and nobody loses a key
        return allowed if self.replies is None else max(0, min(allowed, int(_SHARE * share * self.replies)))

    def page(self, most: int, share: float, name: int) -> int:
        """Keys of a page, of at most so many, whose names of so many bytes may be told at once."""
        most = max(FEWEST, min(most, _HELD // (name + _TOLD)))
        if not self.is_tight:
            return most
        return max(FEWEST, min(most, max(_FREE, self.allowed(share) // 2) // (name + _TOLD)))

    def named(self, most: int, share: float, name: int) -> int:
        """How many keys, of at most so many, whose names have so many bytes may be named in one command."""
        return min(most, max(FEWEST, self.allowed(share) // (name + _NAMED))) if self.is_tight else most

    @property
    def _slight(self) -> int:
        return max(_SLIGHT_BYTES, self.limit // _SLIGHT)


def longest(room: int) -> int:
    """Bytes of the longest reply that fits where a client may hold so many more."""
    return max(_FREE, int((room - _BUFFERS) / _ROUNDED))


async def memory_now(pipe: Pipe) -> Memory:
    """The memory of the server.

    Raises:
        LinkError: If the link is lost.
    """
    (answer,) = await pipe.ask(MEMORY, 1)
    return Memory.told(answer)


async def memory_and_evicted(pipe: Pipe) -> tuple[Memory, int | None]:
    """The memory now, and the keys evicted since the server's start (``evicted_keys``); None where it isn't told.

    Raises:
        LinkError: If the link is lost.
    """
    memory, stats = await pipe.ask(MEMORY.then(_STATS), 2)
    return Memory.told(memory), evicted_of(parse_info(stats)) if isinstance(stats, bytes) else None


def evicted_of(info: Info) -> int | None:
    """Keys evicted since the server's start, or since its statistics were reset."""
    return info.integer("evicted_keys")
