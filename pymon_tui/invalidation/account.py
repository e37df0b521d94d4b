"""What a run was told to do, how far it has come, and what it did: the true account of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

from pymon_tui.invalidation.brake import Feeling, Pace
from pymon_tui.invalidation.freed import Freed
from pymon_tui.invalidation.key_rights import UNASKED, KeyRights
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.shelf import GivenUp
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

Mode = Literal["unlink", "expire"]
State = Literal["starting", "running", "paused", "holding", "reconnecting", "asking", "verifying", "ended"]
Outcome = Literal["done", "cancelled", "stopped", "interrupted"]

LISTED = 100
"""Keys that an account names at most; the others are counted."""

NOTHING = safe("")


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes about it.

    Attributes:
        mode: ``unlink`` removes; ``expire`` lets the keys end a little later, spread out.
        expire: Seconds after which the first of them end, with ``expire``.
        jitter: Seconds over which their ends are spread from then on, with ``expire``.
        rate: Keys a second at most; None for as many as the brake allows.
        undo: Whether each key is kept in the trash before it is removed.
        dry_run: Whether everything is done but the removing.
        ceiling: Seconds that another client's PING p99 may rise by.
        trash_cap: Bytes that all trash files together may take.
        key_cap: Bytes (MEMORY USAGE) above which a key is removed without being kept.
    """

    mode: Mode = "unlink"
    expire: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    undo: bool = True
    dry_run: bool = False
    ceiling: float = 0.005
    trash_cap: int = 256 * 2**20
    key_cap: int = 16 * 2**20

    def under(self, rules: Rules | None) -> Options:
        """The same, no faster and no closer to the ceiling than these rules allow, if there are any."""
        if rules is None:
            return self
        rates = [rate for rate in (self.rate, rules.rate) if rate is not None]
        return replace(self, ceiling=min(self.ceiling, rules.ceiling), rate=min(rates, default=None))

    def as_json(self) -> dict[str, Any]:
        """The options for the journal; seconds and bytes."""
        return {
            "mode": self.mode,
            "expire": self.expire,
            "jitter": self.jitter,
            "rate": self.rate,
            "dry_run": self.dry_run,
            "ceiling": self.ceiling,
            "trash_cap": self.trash_cap,
            "key_cap": self.key_cap,
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any], *, undo: bool) -> Self:
        """The options that ``as_json`` wrote.

        Raises:
            TypeError: If it is something else.
        """
        return cls(**written, undo=undo)


def all_protected(keys: int) -> SafeText:
    """That so many keys match, and none of them may go."""
    which = f"all {units.whole(keys)} keys that match are" if keys > 1 else "the key that matches is"
    return safe(f"{which} protected; nothing is removed")


@dataclass(slots=True)
class Tally:
    """What became of the keys. But for a dry run, ``matched`` is the sum of the others without ``protected``.

    Attributes:
        matched: Keys that were found and meant, in the order of SCAN; one that comes back counts again.
        removed: Those that the server says it removed (or, with ``expire``, gave an end).
        already_gone: Those that were gone when their turn came.
        ending_sooner: With ``expire``, those that end by themselves before they would be made to.
        refused: Those that our user may not touch.
        unknown: Those whose answer was lost, until EXISTS settles what became of them.
        protected: Keys that matched and weren't touched; not part of ``matched``.
    """

    matched: int = 0
    removed: int = 0
    already_gone: int = 0
    ending_sooner: int = 0
    refused: int = 0
    unknown: int = 0
    protected: int = 0

    def plus(self, other: Tally) -> Self:
        """These and those."""
        return type(self)(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def count(self, *, removed: int, already_gone: int, ending_sooner: int, refused: int) -> None:
        """Count keys as found and meant, by what became of them; the refused ones are counted where their names are."""
        self.matched += removed + already_gone + ending_sooner + refused
        self.removed += removed
        self.already_gone += already_gone
        self.ending_sooner += ending_sooner

    def as_json(self) -> dict[str, int]:
        """All counts by name."""
        return {
            "matched": self.matched,
            "removed": self.removed,
            "already_gone": self.already_gone,
            "ending_sooner": self.ending_sooner,
            "protected": self.protected,
            "refused": self.refused,
            "unknown": self.unknown,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """A run at one moment, for a person to look at.

    Attributes:
        state: What it is doing.
        why: Why it is, where that isn't plain: what it asks, what was lost, what is being waited for.
        tally: What became of the keys so far.
        planned: Keys that the plan found.
        scanned: Keys looked at, about.
        total: Keys there are to look at, about.
        seconds: Since it began.
        keys_per_second: Lately.
        felt: What other clients feel.
        idle_p99: What their PING took before the run, in seconds; None where unknown.
        limit: Seconds that their PING's p99 is to stay under.
        pace: What the brake allows.
        trash_bytes: Of the trash file so far.
        undo_left_out: Keys removed without being kept, for want of room or for their size.
        nodes: How it stands at each node of a cluster, of which this is the sum; empty for one server.
    """

    state: State
    why: SafeText
    tally: Tally
    planned: int
    scanned: int
    total: int
    seconds: float
    keys_per_second: float
    felt: Feeling
    idle_p99: float | None
    limit: float | None
    pace: Pace
    trash_bytes: int
    undo_left_out: int
    nodes: tuple[NodeProgress, ...] = ()

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1: of the scan or of the keys, whichever is less; pages are looked at ahead."""
        if self.state == "verifying":
            return 1.0
        scanned = min(1.0, self.scanned / self.total) if self.total else 0.0
        return min(scanned, self.tally.matched / self.planned) if self.planned else scanned

    @property
    def seconds_left(self) -> float | None:
        """About, by the scan or by the keys at the speed of late, whichever takes longer; None while unknown."""
        if self.nodes:
            each = [left for node in self.nodes if (left := node.progress.seconds_left) is not None]
            return max(each, default=None)
        if not self.scanned or self.state == "ended":
            return None
        scan = self.seconds * max(0, self.total - self.scanned) / self.scanned
        keys = max(0, self.planned - self.tally.matched)
        return max(scan, keys / self.keys_per_second) if keys and self.keys_per_second else scan


@dataclass(frozen=True, slots=True, eq=False)
class NodeProgress:
    """How a run stands at one node of a cluster."""

    node: str
    progress: Progress


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The account of a run that has ended.

    Attributes:
        run: Its id.
        outcome: Whether it came to its end, and if not, what ended it.
        why: In one line, where there is something to say.
        tally: What became of the keys.
        left: Matching keys that a scan found afterwards; None if it couldn't be made.
        freed: What the removed keys took, and never more than the server held; of a dry run, what those that it found
            take.
        seconds: That it took, pauses included.
        undo: The trash file, of several the first; None where nothing was kept.
        undo_bytes: Its size.
        undo_left_out: Keys removed without being kept.
        dry_run: Whether nothing was removed because that was asked for.
        refused_keys: Some of the keys that our user may not touch.
        oversized_keys: Some of the keys that went though they were too big to be kept; of a dry run, that would go.
        evicted: Keys that the server evicted meanwhile, whoever was the reason; None where it doesn't tell.
        rights: Of a dry run, whether the keys may be removed, as far as the plan was told.
        nodes: The accounts of each node of a cluster, of which this is the sum; empty for one server.
        gave_up: Whose undos were given up for this one.
        may_be_lost: Of the removed keys, those that may be there again: they were removed since Sentinels named this
            server last, and those name another one now.
    """

    run: str
    outcome: Outcome
    why: SafeText
    tally: Tally
    left: int | None
    freed: Freed
    seconds: float
    undo: Path | None
    undo_bytes: int
    undo_left_out: int
    dry_run: bool
    refused_keys: tuple[bytes, ...] = field(default=())
    oversized_keys: tuple[bytes, ...] = field(default=())
    evicted: int | None = None
    rights: KeyRights = UNASKED
    nodes: tuple[NodeResult, ...] = field(default=())
    gave_up: tuple[GivenUp, ...] = ()
    may_be_lost: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all was done that was meant."""
        return self.outcome == "done" and not (self.tally.refused or self.tally.unknown or self.may_be_lost)

    @property
    def judged(self) -> Result:
        """The same of a whole run: one that came to its end and met nothing but protected keys was stopped by them."""
        if self.outcome != "done" or self.tally.matched or not self.tally.protected:
            return self
        return replace(self, outcome="stopped", why=all_protected(self.tally.protected))

    @property
    def is_all_protected(self) -> bool:
        """Whether protected keys were all that it met."""
        return self.outcome == "stopped" and self.why == all_protected(self.tally.protected)

    @property
    def refused(self) -> int | None:
        """Keys that our user may not touch; None of a dry run that knows it of some of them alone."""
        if not self.dry_run:
            return self.tally.refused
        matched = self.tally.matched
        return self.rights.refused_of(matched) if self.rights.is_whole(matched) else None

    def as_json(self) -> dict[str, Any]:
        """The account for the journal and ``--json``: seconds, bytes, keys as text for display."""
        return {
            "run": None if self.dry_run else self.run,
            "outcome": self.outcome,
            "why": self.why,
            "dry_run": self.dry_run,
            **self.tally.as_json(),
            "refused": self.refused,
            "may_be_lost": self.may_be_lost,
            "left": self.left,
            **self.freed.as_json(),
            "seconds": round(self.seconds, 3),
            "undo": str(self.undo) if self.undo is not None else None,
            "undo_bytes": self.undo_bytes,
            "undo_left_out": self.undo_left_out,
            "refused_keys": [safe(key) for key in self.refused_keys],
            "oversized_keys": [safe(key) for key in self.oversized_keys],
            "evicted": self.evicted,
            "gave_up": [one.as_json() for one in self.gave_up if one.costs],
            "nodes": [each.as_json() for each in self.nodes],
        }


@dataclass(frozen=True, slots=True, eq=False)
class NodeResult:
    """The account of one node of a cluster."""

    node: str
    result: Result

    def as_json(self) -> dict[str, Any]:
        """For the journal and ``--json``."""
        result = self.result
        return {
            "node": safe(self.node),
            "outcome": result.outcome,
            "why": result.why,
            **result.tally.as_json(),
            "left": result.left,
            "undo": str(result.undo) if result.undo is not None else None,
            "undo_bytes": result.undo_bytes,
        }
