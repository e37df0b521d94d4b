"""Memory: what is used, of how much, by what, and what happens when it is full. From INFO memory and stats."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.model.query import Query
from pymon_tui.model.text import SafeText
from pymon_tui.readings.info import INFO, Info


@dataclass(frozen=True, slots=True)
class Memory:
    """INFO's memory fields under their own names; bytes, ratios, or None where the server doesn't tell."""

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
    mem_fragmentation_ratio: float | None
    mem_fragmentation_bytes: int | None
    mem_allocator: SafeText | None
    allocator_frag_ratio: float | None
    mem_clients_normal: int | None
    mem_clients_slaves: int | None
    mem_replication_backlog: int | None
    mem_aof_buffer: int | None
    lazyfree_pending_objects: int | None
    active_defrag_running: int | None
    evicted_keys: int | None
    expired_keys: int | None

    @property
    def limit(self) -> int | None:
        """What ``used_memory`` may grow to: ``maxmemory``, else the machine's memory."""
        return self.maxmemory or self.total_system_memory

    @property
    def share(self) -> float | None:
        """``used_memory`` of the limit, from 0 to 1 (more where a replica's or client's buffers don't count)."""
        return self.used_memory / self.limit if self.used_memory is not None and self.limit else None


def parse_memory(info: Info) -> Memory:
    """The memory part of INFO.

    Raises:
        ValueError: If ``used_memory`` is missing, without which there is nothing to show.
    """
    if info.integer("used_memory") is None:
        raise ValueError("INFO has no used_memory")
    return Memory(
        used_memory=info.integer("used_memory"),
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
        mem_fragmentation_ratio=info.number("mem_fragmentation_ratio"),
        mem_fragmentation_bytes=info.integer("mem_fragmentation_bytes"),
        mem_allocator=info.text("mem_allocator"),
        allocator_frag_ratio=info.number("allocator_frag_ratio"),
        mem_clients_normal=info.integer("mem_clients_normal"),
        mem_clients_slaves=info.integer("mem_clients_slaves"),
        mem_replication_backlog=info.integer("mem_replication_backlog"),
        mem_aof_buffer=info.integer("mem_aof_buffer"),
        lazyfree_pending_objects=info.integer("lazyfree_pending_objects"),
        active_defrag_running=info.integer("active_defrag_running"),
        evicted_keys=info.integer("evicted_keys"),
        expired_keys=info.integer("expired_keys"),
    )


MEMORY = Query("memory", INFO, parse_memory)
