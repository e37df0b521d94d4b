"""What an undo tells: how far it is, and what became of each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, TypeAlias

from pymon_tui.invalidation.trash_damage import Damage
from pymon_tui.journal.dropped import Dropped
from pymon_tui.model.text import SafeText, safe

RestoreState: TypeAlias = Literal["starting", "running", "asking", "reconnecting", "ended"]
RestoreOutcome: TypeAlias = Literal["done", "cancelled", "stopped", "interrupted"]

LISTED = 100
"""Failed keys that an account names, at most."""


@dataclass(frozen=True, slots=True)
class RestoreTally:
    """What became of the keys so far.

    Attributes:
        restored: They are back, with their value and the end of their life; after an ``expire`` run, with that end.
        skipped: A key of that name is there and stays as it is; or, after an ``expire`` run, what became of the key
            since is not the run's doing, and stays.
        expired: They would have ended by now of themselves.
        failed: The server refused them.
        there: They are there as they were: an undo before this one brought them back, or they never went.
        unlinked: Of those restored, keys whose type has links to others that RESTORE doesn't bring (time series with
            compaction rules).
    """

    restored: int = 0
    skipped: int = 0
    expired: int = 0
    failed: int = 0
    there: int = 0
    unlinked: int = 0

    @property
    def settled(self) -> int:
        """All of them together."""
        return self.restored + self.skipped + self.expired + self.failed + self.there

    def plus(self, other: RestoreTally) -> Self:
        """These and those."""
        return type(self)(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def as_json(self) -> dict[str, int]:
        """For the journal and ``--json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the trash before which every key is settled: an undo that was cut off goes on there.

    Attributes:
        offset: Of a block, in bytes from the start of the file; 0 for the first.
        index: Of a record in that block.
        tally: What became of the keys before.
    """

    offset: int = 0
    index: int = 0
    tally: RestoreTally = RestoreTally()

    def as_json(self) -> dict[str, int]:
        """For the journal."""
        return {"offset": self.offset, "index": self.index, **self.tally.as_json()}

    @classmethod
    def from_json(cls, told: object) -> Self:
        """What ``as_json`` gave; the start of the file where it isn't that."""
        names = ("offset", "index", *(each.name for each in fields(RestoreTally)))
        # What an older version wrote has no count of the last two.
        absent = {"there": 0, "unlinked": 0}
        numbers = [told.get(name, absent.get(name)) for name in names] if isinstance(told, Mapping) else []
        whole = [number for number in numbers if isinstance(number, int) and number >= 0]
        return cls(whole[0], whole[1], RestoreTally(*whole[2:])) if len(whole) == len(names) else cls()


@dataclass(frozen=True, slots=True)
class Failure:
    """A key that wasn't restored, and what the server said."""

    key: SafeText
    why: SafeText


@dataclass(frozen=True, slots=True)
class RestoreProgress:
    """How an undo stands.

    Attributes:
        state: What it does.
        why: Why, where it isn't plain.
        total: Keys in the trash; 0 before that is known.
        tally: What became of those that it has come to.
        seconds: That it takes so far.
    """

    state: RestoreState
    why: SafeText
    total: int
    tally: RestoreTally
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class RestoreResult:
    """The account of an undo that has ended; one that was taken up again counts from its first beginning.

    Attributes:
        undo: Its id.
        run: The run that it undoes.
        outcome: Whether it came to the end of the trash, and if not, what ended it.
        why: In one line, where there is something to say.
        total: Keys in the trash that the run removed, as far as it can be read.
        tally: What became of them.
        torn: Whether some of the trash isn't whole.
        failures: The first of the keys that the server refused.
        seconds: That it took.
        unrecorded: Why the journal doesn't have all of this; None if it does.
        nodes: The accounts of what each node of a cluster had, of which this is the sum; empty for one server.
        copied: Keys in the trash that the run was cut off before removing, and that are left alone.
        evicted: Keys that the server evicted meanwhile (``evicted_keys``); None where it doesn't tell.
        damage: What is lost of the trash; None where nothing is, or only what was never written.
        may_be_lost: Of the restored keys, those that may be gone again: they came back since Sentinels named this
            server last, and those name another one now.
        dropped: Keys of nodes whose trash is gone; None where none is.
    """

    undo: str
    run: str
    outcome: RestoreOutcome
    why: SafeText
    total: int
    tally: RestoreTally
    torn: bool
    failures: tuple[Failure, ...]
    seconds: float
    unrecorded: SafeText | None
    nodes: tuple[NodeRestored, ...] = ()
    copied: int = 0
    evicted: int | None = None
    damage: Damage | None = None
    may_be_lost: int = 0
    dropped: Dropped | None = None

    @property
    def left(self) -> int:
        """Keys that it didn't come to, or that the server would take none of."""
        return self.total - self.tally.settled

    @property
    def is_whole(self) -> bool:
        """Whether each key that was kept is there again, or has a newer one in its place, or has ended by itself."""
        lacks = (self.torn and (self.damage is None or bool(self.damage))) or self.dropped is not None
        return self.outcome == "done" and not self.tally.failed and not self.left and not lacks

    def as_json(self) -> dict[str, Any]:
        """For the journal and ``--json``; seconds."""
        return {
            "undo": self.undo,
            "run": self.run,
            "outcome": self.outcome,
            "why": self.why,
            "total": self.total,
            **self.tally.as_json(),
            "left": self.left,
            "may_be_lost": self.may_be_lost,
            "copied": self.copied,
            "evicted": self.evicted,
            "torn": self.torn,
            "damage": self.damage.as_json() if self.damage is not None else None,
            "dropped": self.dropped.as_json() if self.dropped is not None else None,
            "failures": [{"key": failure.key, "why": failure.why} for failure in self.failures],
            "seconds": round(self.seconds, 3),
            "nodes": [each.as_json() for each in self.nodes],
        }


@dataclass(frozen=True, slots=True, eq=False)
class NodeRestored:
    """The account of what was removed from one node; its keys go to whichever node serves them by now."""

    node: str
    result: RestoreResult

    def as_json(self) -> dict[str, Any]:
        """For the journal and ``--json``."""
        result = self.result
        counts = result.tally.as_json()
        return {"node": safe(self.node), "outcome": result.outcome, "why": result.why, "total": result.total, **counts}
