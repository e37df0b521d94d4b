"""What a server's memory is made of, and what in it asks for a person: read from the memory reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.memory import Memory

_SMALL = 100 << 20
"""Bytes of ``used_memory`` below which a ratio of RSS says nothing: the process itself is most of it."""

FRAGMENTED, SWAPPED = 1.5, 0.9
NEAR, FULL = 0.90, 0.98
_LAGS = 1_000
"""Milliseconds over ``maxmemory`` from which on it is no longer the moment that an eviction takes."""
_NOTHING_TO_EVICT = {"noeviction": "", "volatile-": ", and no key has a TTL", "allkeys-": ", and there is no key"}
"""How policies begin, and what makes them take no key."""


class Part(NamedTuple):
    """A part of ``used_memory``: its name and its bytes."""

    name: str
    size: int


class Severity(Enum):
    """Whether a person should have a look, or has to act."""

    LOOK = "look"
    ACT = "act"


class Subject(Enum):
    """What a concern is about: how much there is left, or how well it is used."""

    LIMIT = "limit"
    FRAGMENTATION = "fragmentation"


@dataclass(frozen=True, slots=True)
class Concern:
    """Something about the memory that a person should know of, in one line; ``subject`` is what it is about."""

    severity: Severity
    subject: Subject
    text: SafeText


def parts(memory: Memory) -> tuple[Part, ...]:
    """The parts that ``used_memory`` is made of, those that the server tells; ``key tables`` is the overhead's rest.

    Sizes never are negative, and add up to ``used_memory`` where the server tells dataset and overhead.
    """
    named = (
        ("startup", memory.used_memory_startup),
        ("clients", memory.mem_clients_normal),
        ("replicas", memory.mem_clients_slaves),
        ("backlog", memory.mem_replication_backlog),
        ("AOF buffer", memory.mem_aof_buffer),
        ("scripts", memory.used_memory_scripts),
        ("cluster", memory.mem_cluster_links),
    )
    known = tuple(Part(name, max(0, size)) for name, size in named if size is not None)
    overhead, dataset = memory.used_memory_overhead, memory.used_memory_dataset
    tables = () if overhead is None else (Part("key tables", max(0, overhead - sum(part.size for part in known))),)
    return (*(() if dataset is None else (Part("dataset", max(0, dataset)),)), *tables, *known)


def concerns(memory: Memory) -> tuple[Concern, ...]:
    """What a person should look at or act on, the worst first. Mostly nothing.

    Of several primaries together it is the worst of each kind, with the node's name: the sums may look well.
    """
    if memory.primaries:
        return _of_several(memory)
    found = (_limit(memory), _machine(memory), _eviction(memory), _fragmentation(memory))
    known = [concern for concern in found if concern is not None]
    return tuple(sorted(known, key=lambda concern: concern.severity is not Severity.ACT))


def _of_several(memory: Memory) -> tuple[Concern, ...]:
    """The worst concern of each subject, of the fuller node where two are alike, and how many others there are."""
    by_share = sorted(memory.primaries, key=lambda one: -(one.memory.share or 0.0))
    named = [
        replace(concern, text=safe(f"{one.node}: {concern.text}"))
        for one in by_share
        for concern in concerns(one.memory)
    ]
    named.sort(key=lambda concern: concern.severity is not Severity.ACT)
    found = []
    for subject in dict.fromkeys(concern.subject for concern in named):
        worst, *others = [concern for concern in named if concern.subject is subject]
        more = f", and {len(others)} more" if others else ""
        found.append(replace(worst, text=safe(f"{worst.text}{more}")))
    return tuple(found)


def _limit(memory: Memory) -> Concern | None:
    """Near ``maxmemory``. A cache that evicts is meant to be full; a replica leaves the limit to its primary.

    What a policy of another name does isn't known, such as Dragonfly's ``eviction``: nothing is said of writes then.
    """
    share, policy = memory.share, memory.maxmemory_policy
    if not memory.maxmemory or not policy or share is None or share < NEAR:
        return None
    why = next((why for begin, why in _NOTHING_TO_EVICT.items() if policy.startswith(begin)), None)
    if memory.evicts or memory.role == "replica" or why is None:
        return None
    why = f"{policy}{why}"
    severity = Severity.ACT if share >= FULL else Severity.LOOK
    fail = "writes fail now" if share >= 1 else "writes fail when full"
    return Concern(severity, Subject.LIMIT, safe(f"{fail}: {why}, {units.percent(share)} of maxmemory"))


def _machine(memory: Memory) -> Concern | None:
    """Near the end of the machine's memory, where the kernel kills; ``maxmemory`` doesn't protect from it."""
    rss, total = memory.used_memory_rss, memory.total_system_memory
    if not rss or not total or rss / total < NEAR:
        return None
    share = units.percent(rss / total)
    return Concern(Severity.ACT, Subject.LIMIT, safe(f"may be killed: RSS is {share} of the machine's memory"))


def _eviction(memory: Memory) -> Concern | None:
    """Over ``maxmemory`` for so long that eviction isn't keeping up, on a server that evicts."""
    exceeded = memory.current_eviction_exceeded_time
    if not exceeded or exceeded < _LAGS or not memory.evicts:
        return None
    return Concern(
        Severity.LOOK, Subject.LIMIT, safe(f"over maxmemory for {units.milliseconds(exceeded / 1000)}: eviction lags")
    )


def _fragmentation(memory: Memory) -> Concern | None:
    ratio = memory.mem_fragmentation_ratio
    if not ratio or (memory.used_memory or 0) <= _SMALL:
        return None
    if ratio > FRAGMENTED:
        wasted = units.bytes_(memory.mem_fragmentation_bytes)
        return Concern(
            Severity.LOOK, Subject.FRAGMENTATION, safe(f"fragmentation {ratio:.2f}: RSS is {wasted} above what is used")
        )
    if ratio < SWAPPED:
        return Concern(
            Severity.LOOK,
            Subject.FRAGMENTATION,
            safe(f"fragmentation {ratio:.2f}: part of the memory may be swapped out"),
        )
    return None
