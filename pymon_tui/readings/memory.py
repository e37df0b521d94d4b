"""Memory: what is used, of how much, and what happens when it is full. From INFO memory, stats and keyspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pymon_tui.model.query import Part, Query
from pymon_tui.model.text import SafeText
from pymon_tui.readings.info import INFO, Info, NotTold
from pymon_tui.readings.keyspace import keyspace_of
from pymon_tui.readings.replication import role_of


@dataclass(frozen=True, slots=True)
class Memory:
    """INFO's fields under their own names; bytes, ratios, counts, or None where the server doesn't tell.

    Attributes:
        role: ``primary`` or ``replica``.
        total_keys: Keys in all databases: ``keys`` of INFO keyspace.
        volatile_keys: Those with a TTL: ``expires`` of INFO keyspace.
        primaries: Of several primaries together: each one's own; a sum says nothing of the one that is full.
    """

    role: SafeText | None
    used_memory: int | None
    used_memory_rss: int | None
    used_memory_peak: int | None
    used_memory_dataset: int | None
    used_memory_overhead: int | None
    used_memory_startup: int | None
    used_memory_lua: int | None
    used_memory_scripts: int | None
    maxmemory: int | None
    maxmemory_policy: SafeText | None
    total_system_memory: int | None
    mem_not_counted_for_evict: int | None
    mem_fragmentation_ratio: float | None
    mem_fragmentation_bytes: int | None
    mem_allocator: SafeText | None
    allocator_frag_ratio: float | None
    allocator_frag_bytes: int | None
    allocator_rss_ratio: float | None
    allocator_rss_bytes: int | None
    rss_overhead_ratio: float | None
    rss_overhead_bytes: int | None
    mem_clients_normal: int | None
    mem_clients_slaves: int | None
    mem_replication_backlog: int | None
    mem_cluster_links: int | None
    mem_aof_buffer: int | None
    lazyfree_pending_objects: int | None
    active_defrag_running: int | None
    evicted_keys: int | None
    evicted_clients: int | None
    expired_keys: int | None
    total_eviction_exceeded_time: int | None
    current_eviction_exceeded_time: int | None
    total_keys: int | None
    volatile_keys: int | None
    primaries: tuple[OfNode, ...] = ()

    @property
    def fullest(self) -> OfNode | None:
        """Of several primaries together: the one that is nearest to its ``maxmemory``; None where none has one."""
        limited = [one for one in self.primaries if one.memory.maxmemory and one.memory.share is not None]
        return max(limited, key=lambda one: one.memory.share or 0.0, default=None)

    @property
    def unlimited(self) -> int:
        """Of several primaries together: how many have no ``maxmemory``."""
        return sum(not one.memory.maxmemory for one in self.primaries)

    @property
    def limit(self) -> int | None:
        """What there is: ``maxmemory``, else the machine's memory."""
        return self.maxmemory or self.total_system_memory

    @property
    def share(self) -> float | None:
        """How much of the limit is taken, from 0 to 1 (more while the server is over it).

        Of ``maxmemory`` it is ``used_memory`` without the buffers that don't count for eviction; of the machine's
        memory it is what the process holds of it.
        """
        if self.maxmemory:
            return (
                None
                if self.used_memory is None
                else (self.used_memory - (self.mem_not_counted_for_evict or 0)) / self.maxmemory
            )
        held = self.used_memory_rss if self.used_memory_rss is not None else self.used_memory
        return held / self.total_system_memory if held is not None and self.total_system_memory else None

    @property
    def peak_share(self) -> float | None:
        """``used_memory`` of its peak, from 0 to 1."""
        return (
            self.used_memory / self.used_memory_peak if self.used_memory is not None and self.used_memory_peak else None
        )

    @property
    def evicts(self) -> bool:
        """Whether keys go when ``maxmemory`` is reached: by the policy, unless it takes none of them."""
        policy = self.maxmemory_policy or ""
        if policy.startswith("allkeys-"):
            return self.total_keys != 0
        return policy.startswith("volatile-") and self.volatile_keys != 0


@dataclass(frozen=True, slots=True)
class OfNode:
    """The memory of one of several nodes; ``node`` is what the user calls it."""

    node: SafeText
    memory: Memory

    def as_json(self) -> Mapping[str, Any]:
        """What tells how full it is; all else is among the readings of the node itself."""
        memory = self.memory
        share = memory.share if memory.maxmemory else None
        return {"node": self.node, "used_memory": memory.used_memory, "maxmemory": memory.maxmemory, "share": share}


def _beside(whole: Memory, parts: Sequence[Part[Memory]]) -> Memory:
    """All nodes together, with each primary's own beside the sums where there are several; of one it is its own."""
    own = tuple(OfNode(part.node, part.value) for part in parts if part.value.role != "replica")
    if len(own) == 1:  # which also tells of its machine and its peak
        return own[0].memory
    return replace(whole, primaries=own)


def parse_memory(info: Info) -> Memory:
    """The memory part of INFO.

    Raises:
        ValueError: If ``used_memory`` and ``used_memory_rss`` are missing: then there is nothing to show.
    """
    used_memory = info.integer("used_memory")
    if used_memory is None and info.integer("used_memory_rss") is None:
        raise (ValueError if "used_memory" in info else NotTold)("INFO has no used_memory")
    keyspace = keyspace_of(info)
    return Memory(
        role=role_of(info),
        used_memory=used_memory,
        used_memory_rss=info.integer("used_memory_rss"),
        used_memory_peak=info.integer("used_memory_peak"),
        used_memory_dataset=info.integer("used_memory_dataset"),
        used_memory_overhead=info.integer("used_memory_overhead"),
        used_memory_startup=info.integer("used_memory_startup"),
        used_memory_lua=info.integer("used_memory_lua"),
        used_memory_scripts=info.integer("used_memory_scripts"),
        maxmemory=info.integer("maxmemory"),
        maxmemory_policy=info.text("maxmemory_policy"),
        total_system_memory=info.integer("total_system_memory"),
        mem_not_counted_for_evict=info.integer("mem_not_counted_for_evict"),
        mem_fragmentation_ratio=info.number("mem_fragmentation_ratio"),
        mem_fragmentation_bytes=info.integer("mem_fragmentation_bytes"),
        mem_allocator=info.text("mem_allocator"),
        allocator_frag_ratio=info.number("allocator_frag_ratio"),
        allocator_frag_bytes=info.integer("allocator_frag_bytes"),
        allocator_rss_ratio=info.number("allocator_rss_ratio"),
        allocator_rss_bytes=info.integer("allocator_rss_bytes"),
        rss_overhead_ratio=info.number("rss_overhead_ratio"),
        rss_overhead_bytes=info.integer("rss_overhead_bytes"),
        mem_clients_normal=info.integer("mem_clients_normal"),
        mem_clients_slaves=info.integer("mem_clients_slaves"),
        mem_replication_backlog=info.integer("mem_replication_backlog"),
        mem_cluster_links=info.integer("mem_cluster_links"),
        mem_aof_buffer=info.integer("mem_aof_buffer"),
        lazyfree_pending_objects=info.integer("lazyfree_pending_objects"),
        active_defrag_running=info.integer("active_defrag_running"),
        evicted_keys=info.integer("evicted_keys"),
        evicted_clients=info.integer("evicted_clients"),
        expired_keys=info.integer("expired_keys"),
        total_eviction_exceeded_time=info.integer("total_eviction_exceeded_time"),
        current_eviction_exceeded_time=info.integer("current_eviction_exceeded_time"),
        total_keys=keyspace.keys if keyspace is not None else None,
        volatile_keys=keyspace.expires if keyspace is not None else None,
    )


MEMORY = Query("memory", INFO, parse_memory, beside=_beside)
