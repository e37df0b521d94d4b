"""What an undo would bring back and what that would cost, before it begins: counted from the trash, and by INFO."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.payload import LINKED
from pymon_tui.invalidation.pipe import Line, open_pipe
from pymon_tui.invalidation.restore_load import Coming, Load
from pymon_tui.invalidation.trash_damage import torn_text
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.keyspace import parse_keyspace
from pymon_tui.server.endpoint import Endpoint

NEVER = "noeviction"
"""The policy of a server that evicts no key."""

_MUCH = 0.8
"""Of what the other keys take: keys that take less of it make what is evicted more."""

_ASKED = pack_all([(b"INFO", b"memory"), (b"INFO", b"stats"), (b"INFO", b"keyspace")])


@dataclass(frozen=True, slots=True)
class Memory:
    """What a server holds, and what it may hold (INFO).

    Attributes:
        room: Bytes left below ``maxmemory``; None where there is no limit, or it isn't told.
        policy: What it evicts when they are used up (``maxmemory_policy``).
        evicted: Keys evicted since it started; None where it isn't told.
        keys: Keys that the policy may evict: all, where it isn't told which.
        key_bytes: What one key takes on average; None where that isn't known.
        node: What it is called; empty where there is one server.
    """

    room: int | None
    policy: str
    evicted: int | None
    keys: int
    key_bytes: float | None
    node: str = ""

    @property
    def evicts(self) -> bool:
        """Whether it makes room by evicting keys."""
        return self.room is not None and self.policy != NEVER


class Short(NamedTuple):
    """What becomes of keys for which there is too little room, about: how many are evicted for them, and don't fit."""

    evicted: int
    unfit: int

    def plus(self, other: Short) -> Short:
        """Both together."""
        return Short(self.evicted + other.evicted, self.unfit + other.unfit)


FITS = Short(0, 0)
"""There is room for all."""


@dataclass(frozen=True, slots=True)
class Tight:
    """Servers of one policy that have too little room.

    Attributes:
        policy: What they evict (``maxmemory_policy``).
        keys: Keys that would be evicted there, and keys that wouldn't fit.
        bytes: What comes back to them.
        room: Bytes left below their ``maxmemory``.
        where: Which they are; empty where there is one server.
        own: Whether keys that come back may be evicted in their turn, and are much smaller than the others: fewer keys
            go if those don't.
    """

    policy: str
    keys: Short
    bytes: int
    room: int
    where: str = ""
    own: bool = False

    @property
    def text(self) -> SafeText:
        """What a person should know of it."""
        to, there = (f" to {self.where}", " there") if self.where else ("", "")
        need = f"about {units.bytes_(self.bytes)} come back{to}, and {units.bytes_(self.room)} are left below maxmemory"
        unfit = f"{units.keys(self.keys.unfit, about=True)} won't fit" if self.keys.unfit else ""
        if not self.keys.evicted:
            none = "" if self.policy == NEVER else f" (no key may be evicted: {self.policy})"
            return safe(f"{need}{there}: {unfit}{none}; raise maxmemory first")
        about, are = units.keys(self.keys.evicted, about=True), "is" if self.keys.evicted == 1 else "are"
        # What is known is the size of all keys together, and not of those that the policy takes.
        average = ", if they are as large as the others"
        if self.own:
            average = ", some of those that come back too"
        and_ = f", and {unfit}; raise maxmemory first" if unfit else ""
        return safe(f"{need}{there}: {about} {are} evicted for them ({self.policy}){average}{and_}")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known before an undo.

    Attributes:
        load: What is to come back.
        room: Bytes left below ``maxmemory`` on all servers that have one; None where there is no limit.
        policy: What a server evicts, of the first that has a limit; empty where there is none.
        tight: The servers that have too little room for what comes to them.
        evicted_at: Keys that each server had evicted by then, and when that was (monotonic seconds); None where one of
            them doesn't tell.
        key_bytes: What a key that is evicted takes, by ``evicted_bytes``, of each server that has a limit.
    """

    load: Load
    room: int | None
    policy: str
    tight: tuple[Tight, ...] = ()
    evicted_at: tuple[Mapping[str, int], float] | None = field(default=None, compare=False)
    key_bytes: Mapping[str, float] = field(default_factory=dict)

    @property
    def evicted(self) -> int:
        """Keys that would be evicted for it, about."""
        return sum(tight.keys.evicted for tight in self.tight)

    @property
    def unfit(self) -> int:
        """Keys that wouldn't fit, about."""
        return sum(tight.keys.unfit for tight in self.tight)

    @property
    def warnings(self) -> tuple[SafeText, ...]:
        """What a person should know before it begins; empty where nothing is."""
        load, lines = self.load, [tight.text for tight in self.tight]
        for name, count in load.linked:
            come, their = ("comes", "its") if count == 1 else ("come", "their")
            what = f"back without {their} {LINKED[name]}, if there were any"
            lines.append(safe(f"{units.keys(count)} of type {name} {come} {what}"))
        if load.copied:
            lines.append(
                safe(f"not removed by the run, though in the trash: {units.keys(load.copied)} more, and left out")
            )
        if load.torn:
            lines.append(torn_text(load.damage))
        return tuple(lines)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``; bytes."""
        return {
            "keys": self.load.keys,
            "copied": self.load.copied,
            "bytes": self.load.bytes,
            "room": self.room,
            "policy": self.policy,
            "evicted": self.evicted,
            "unfit": self.unfit,
        }


async def memory_at(endpoint: Endpoint, node: str = "") -> Memory:
    """What the server there holds, which is called so.

    Raises:
        LinkError: If it can't be reached.
    """
    pipe = await open_pipe(endpoint)
    try:
        return await memory_of(pipe, node)
    finally:
        await pipe.close()


async def memories_of(pipe: Line) -> tuple[Memory]:
    """What the one server behind this connection holds; raises as ``memory_of``."""
    return (await memory_of(pipe),)


async def memory_of(pipe: Line, node: str = "") -> Memory:
    """What the server behind this connection holds, which is called so.

    Raises:
        LinkError: If the link is lost.
    """
    texts = [answer for answer in await pipe.ask(_ASKED, 3) if isinstance(answer, bytes)]
    if not any(texts):
        return Memory(None, "", None, 0, None, node)
    info = parse_info(b"\r\n".join(texts))
    used, most = info.integer("used_memory"), info.integer("maxmemory")
    apart = info.integer("mem_not_counted_for_evict") or 0
    policy = str(info.text("maxmemory_policy") or "")
    databases = parse_keyspace(info)
    evictable = databases.expires if policy.startswith("volatile") else None
    dataset = info.integer("used_memory_dataset")
    return Memory(
        room=max(0, most - used + apart) if used is not None and most else None,
        policy=policy,
        evicted=info.integer("evicted_keys"),
        keys=databases.keys if evictable is None else evictable,
        key_bytes=dataset / databases.keys if dataset is not None and databases.keys else None,
        node=node,
    )


def too_many(size: float, memory: Memory, coming: Coming, each: float | None = None) -> Short:
    """What becomes of so many bytes that come to a server and have no room.

    Args:
        size: The bytes.
        memory: Of the server.
        coming: What of it comes to that server in all.
        each: Bytes of a key that is evicted, where they aren't to be as of ``evicted_bytes``.
    """
    over = size - memory.room if memory.room is not None else 0.0
    if over <= 0:
        return FITS
    per_key = coming.bytes / coming.keys if coming.keys else 0.0
    each = each or evicted_bytes(memory, coming) or over
    # What has come back may be evicted as well, for what comes after it.
    most = memory.keys + own_of(memory, coming)
    evicted = min(most, math.ceil(over / each)) if memory.policy != NEVER else 0
    left = over - evicted * each
    return Short(evicted, math.ceil(left / per_key) if per_key and left > 0 else 0)


def own_of(memory: Memory, coming: Coming) -> int:
    """How many of the keys that come the server may evict in their turn."""
    return coming.ending if memory.policy.startswith("volatile") else coming.keys


def evicted_bytes(memory: Memory, coming: Coming) -> float | None:
    """What a key that is evicted takes, on average; None where that isn't known.

    Nobody knows before whether a policy takes keys that were there or those that come: it is the lesser of what the
    former take and what both together do.
    """
    own, others = own_of(memory, coming), memory.keys
    per_key = coming.bytes / coming.keys if coming.keys else None
    if memory.key_bytes is None or per_key is None or not own:
        return memory.key_bytes or per_key
    both = (memory.key_bytes * others + per_key * own) / (others + own)
    return min(memory.key_bytes, both) if others else per_key


def outlook_of(load: Load, memories: Sequence[Memory]) -> Outlook:
    """Both together: each server has its own room, for what of it comes there."""
    limited = [memory for memory in memories if memory.room is not None]
    if not limited:
        return Outlook(load, None, "")
    short, tight = dict[str, Short](), []
    each = {memory.node: evicted_bytes(memory, load.to.get(memory.node, Coming())) for memory in limited}
    for memory in limited:
        coming = load.to.get(memory.node)
        if coming is not None and (keys := too_many(coming.bytes, memory, coming)) != FITS:
            short[memory.node] = keys
    for policy in dict.fromkeys(memory.policy for memory in limited if memory.node in short):
        some = [memory for memory in limited if memory.node in short and memory.policy == policy]
        where = "" if len(memories) == 1 else some[0].node if len(some) == 1 else f"{len(some)} nodes"
        size, room = sum(load.to[memory.node].bytes for memory in some), sum(memory.room or 0 for memory in some)
        keys = reduce(Short.plus, (short[memory.node] for memory in some))
        own = any((each[memory.node] or 0.0) < _MUCH * (memory.key_bytes or 0.0) for memory in some)
        tight.append(Tight(policy, keys, round(size), room, where, own))
    counts = {memory.node: memory.evicted for memory in memories if memory.evicted is not None}
    at = (counts, time.monotonic()) if len(counts) == len(memories) else None
    policy = next((memory.policy for memory in limited if memory.policy != NEVER), NEVER)
    room = sum(memory.room or 0 for memory in limited)
    return Outlook(load, room, policy, tuple(tight), at, {node: size for node, size in each.items() if size})
