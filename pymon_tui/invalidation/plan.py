"""The preview of a removal: what would go, found by looking alone, and frozen."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pymon_tui.invalidation.fitting import SizeClasses
from pymon_tui.invalidation.found_keys import FoundKeys
from pymon_tui.invalidation.key_bytes import KeyBytes
from pymon_tui.invalidation.key_rights import UNASKED, KeyRights
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.sampling import Idle, Sample
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.slots import Ranges
from pymon_tui.invalidation.touched import UsedBefore
from pymon_tui.model.text import SafeText, safe

Prefix: TypeAlias = bytes
"""In a plan ``bytes`` are those that its keys take."""

_SHOWN_SAMPLES = 20
_SHOWN_NAMESPACES = 100


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a selection means on one server, in one database, at one moment.

    Attributes:
        node: What the user calls the server.
        address: Where it is.
        environment: What the profile says of it ("production", ...), or None.
        run_id: Of the server's process (INFO ``run_id``); empty where it doesn't tell.
        role: ``primary`` or ``replica``; empty where it doesn't tell.
        acl_user: As whom the keys were looked at (ACL WHOAMI).
        made_at: Unix seconds by our clock, when it was ready.
        matched: Keys that would go, protected ones left out.
        about: Whether SCAN may have shown some of them twice.
        capped: Whether there are more than the selection's ``max_keys``: then the scan ended there.
        protected: Keys that match and are protected.
        scanned: Keys looked at, about.
        dbsize: Keys in the database at the end; None where the server doesn't tell.
        seconds: That it took.
        bytes: What they take in the server's memory; None where it isn't known.
        undo_bytes: Bytes that the run's trash would take on our disk, by the sample; None where it isn't known.
        undo_possible: Whether what is removed can be taken back, as far as it can be known before; False where that
            wasn't asked for.
        undo_problem: Why it can't be; None if it can, or wasn't asked for.
        oversized: Keys too big to be kept for an undo; by the sample where ``bytes`` isn't exact.
        undo_sizes: The keys that would be kept by their sizes there, or in memory where ``undo_bytes`` isn't known;
            empty where neither is.
        types: Type and number of keys, by the sample, the most frequent first.
        expiry: Keys without expiry, and within a minute, an hour, a day, later, by the sample.
        idle: How long keys of the sample haven't been used; None where the server doesn't tell.
        namespaces: Exact counts by name without ids, the largest first.
        samples: A uniform sample of the keys: all of them where they are few.
        refusals: What couldn't be asked, why, and what to do about it.
        removal_problem: Why a run would be refused, as far as it can be known before; None if nothing is.
        room: Bytes until the server's ``maxmemory``, the least of several servers; None where there is no limit.
        warnings: What to know of a server that has little room.
        note: That it is about another server than the one that was named; None where it isn't.
        node_id: The cluster's id of the server; empty outside one.
        slots: What the server serves of a cluster's slots.
        parts: The plans of a cluster's primaries, of which this is the sum; empty for one server.
        held: Keys that each protected pattern of the selection holds back, those that two protect with the first.
        evicted: Keys that the server evicted while it was made; None without a limit, or where it doesn't tell.
        touched: Keys that were dumped for it, as ``UsedBefore``.
        evicted_at: Those that it had evicted in all when it was done, and when that was (monotonic seconds).
        name: Bytes of a key's name, on average where the longest are; None where none matches.
        matching: The patterns of the selection that match a key that would go.
        rights: Whether the keys may be removed, as far as some of them tell.
        back: Whether an undo may bring them back, as far as some of them tell; by the ``command`` where the server
            would tell, and may not tell us.
        found: The keys themselves, for a run that follows at once; None where a person reads the plan first.
        rules: Those of the server that it is of; None where nobody asked for them.
    """

    node: str
    address: str
    environment: str | None
    run_id: str
    db: int
    role: str
    acl_user: SafeText
    made_at: float
    selection: Selection
    matched: int
    about: bool
    capped: bool
    protected: int
    scanned: int
    dbsize: int | None
    seconds: float
    bytes: KeyBytes | None
    undo_bytes: int | None
    undo_possible: bool
    undo_problem: SafeText | None
    oversized: int
    types: tuple[tuple[str, int], ...]
    expiry: tuple[tuple[str, int], ...]
    idle: Idle | None
    namespaces: tuple[tuple[SafeText, int], ...]
    samples: tuple[Sample, ...]
    refusals: tuple[SafeText, ...]
    removal_problem: SafeText | None
    room: int | None = None
    warnings: tuple[SafeText, ...] = ()
    note: SafeText | None = None
    node_id: str = ""
    slots: Ranges = ()
    parts: tuple[Plan, ...] = ()
    rules: Rules | None = None
    held: tuple[int, ...] = ()
    evicted: int | None = None
    evicted_at: tuple[int, float] | None = None
    touched: UsedBefore = field(default_factory=dict)
    name: int | None = None
    matching: tuple[Pattern, ...] = ()
    rights: KeyRights = UNASKED
    back: KeyRights = UNASKED
    found: FoundKeys | None = None
    undo_sizes: SizeClasses = ()

    @property
    def protecting(self) -> tuple[tuple[SafeText, int, SafeText], ...]:
        """Each protected pattern, how many keys it holds back, and where it was set (empty where nobody knows)."""
        return tuple(
            (pattern.shown, count, self.rules.origin(pattern) if self.rules is not None else safe(""))
            for pattern, count in zip(self.selection.protected, self.held, strict=False)
        )

    def has_key_of(self, prefix: Prefix) -> bool:
        """Whether a key that would go is known to begin with this, and to go on after it."""
        shown = safe(prefix)
        return (
            any(pattern.literal_prefix.startswith(prefix) for pattern in self.matching)
            or any(name.startswith(shown) for name, _ in self.namespaces)
            or any(sample.key.startswith(prefix) for sample in self.samples)
            or any(plan.found.any_begins(prefix) for plan in (self, *self.parts) if plan.found is not None)
        )

    @property
    def untold(self) -> SafeText | None:
        """Which server doesn't tell which process it is, so that an undo has to be allowed another; None for none."""
        return next((safe(part.node) for part in self.parts or (self,) if not part.run_id), None)

    @property
    def sampled(self) -> int:
        """How many keys the estimates come from."""
        return len(self.samples)

    @property
    def is_extrapolated(self) -> bool:
        """Whether types and expiry are those of a sample, as shares of all keys."""
        return self.sampled < self.matched

    def as_json(self) -> dict[str, Any]:
        """The plan for the journal and for ``--json``: keys as text for display, 20 of the samples."""
        return {
            "node": safe(self.node),
            "address": safe(self.address),
            "environment": self.environment,
            "guarded_by": list(self.rules.guarded_by) if self.rules is not None else [],
            "run_id": self.run_id,
            "db": self.db,
            "role": self.role,
            "acl_user": self.acl_user,
            "made_at": datetime.fromtimestamp(self.made_at, UTC).isoformat(timespec="milliseconds"),
            "selection": self.selection.as_json(),
            "matching": [pattern.shown for pattern in self.matching],
            "matched": self.matched,
            "about": self.about,
            "capped": self.capped,
            "protected": self.protected,
            "protected_by": [
                {"pattern": pattern, "keys": keys, "origin": origin} for pattern, keys, origin in self.protecting
            ],
            "scanned": self.scanned,
            "dbsize": self.dbsize,
            "seconds": round(self.seconds, 3),
            "bytes": None if self.bytes is None else self.bytes.value,
            "bytes_exact": None if self.bytes is None else self.bytes.is_exact,
            "bytes_largest": None if self.bytes is None else self.bytes.largest,
            "undo_bytes": self.undo_bytes,
            "undo_possible": self.undo_possible,
            "undo_problem": self.undo_problem,
            "oversized": self.oversized,
            "extrapolated": self.is_extrapolated,
            "types": dict(self.types),
            "expiry": dict(self.expiry),
            "idle": None if self.idle is None else asdict(self.idle),
            "namespaces": dict(self.namespaces[:_SHOWN_NAMESPACES]),
            "samples": [_sample(sample) for sample in self.samples[:_SHOWN_SAMPLES]],
            "sampled": self.sampled,
            "refusals": list(self.refusals),
            "removal_problem": self.removal_problem,
            "rights": self.rights.as_json(),
            "undo_rights": self.back.as_json(),
            "room": self.room,
            "warnings": list(self.warnings),
            "evicted": self.evicted,
            "name_bytes": self.name,
            "note": self.note,
            "nodes": [part.in_short() for part in self.parts],
        }

    def in_short(self) -> dict[str, Any]:
        """What is told of one of several nodes."""
        return {
            "node": safe(self.node),
            "run_id": self.run_id,
            "slots": [list(ends) for ends in self.slots],
            "matched": self.matched,
            "protected": self.protected,
            "scanned": self.scanned,
            "dbsize": self.dbsize,
            "bytes": None if self.bytes is None else self.bytes.value,
        }


def _sample(sample: Sample) -> dict[str, Any]:
    return {
        "key": safe(sample.key),
        "type": sample.type,
        "pttl_ms": sample.pttl_ms,
        "bytes": sample.bytes,
        "idle": sample.idle,
    }
