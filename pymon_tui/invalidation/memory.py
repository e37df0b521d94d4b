"""What a server at its memory limit has room for, and how many of its keys it has evicted (INFO memory, INFO stats)."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.invalidation.pipe import Answer, Pipe, pack
from pymon_tui.readings.info import Info, parse_info

MEMORY = pack(b"INFO", b"memory")
"""Asks for what ``Memory.told`` reads; 10 µs of the server's time."""

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
    """

    limit: int = 0
    held: int | None = None
    counted: int = 0
    policy: str = ""

    @classmethod
    def of(cls, info: Info) -> Memory:
        """What INFO tells."""
        held = info.integer("used_memory")
        if held is None:
            return cls()
        counted = held - (info.integer("mem_not_counted_for_evict") or 0)
        return cls(max(0, info.integer("maxmemory") or 0), held, counted, info.text("maxmemory_policy") or "")

    @classmethod
    def told(cls, answer: Answer) -> Memory:
        """What the answer to ``MEMORY`` tells; nothing where it is refused."""
        return cls.of(parse_info(answer)) if isinstance(answer, bytes) else cls()

    @property
    def room(self) -> int | None:
        """Bytes until the limit, negative beyond it; None without one."""
        return self.limit - self.counted if self.limit else None

    @property
    def evicts(self) -> bool:
        """Whether keys go where there is no room; else who writes is refused."""
        return bool(self.limit) and self.policy != _NEVER


async def memory_and_evicted(pipe: Pipe) -> tuple[Memory, int | None]:
    """The memory now, and the keys evicted since the server's start (``evicted_keys``); None where it isn't told.

    Raises:
        LinkError: If the link is lost.
    """
    memory, stats = await pipe.ask(MEMORY + _STATS, 2)
    return Memory.told(memory), evicted_of(parse_info(stats)) if isinstance(stats, bytes) else None


def evicted_of(info: Info) -> int | None:
    """Keys evicted since the server's start, or since its statistics were reset."""
    return info.integer("evicted_keys")
