"""What of a run could be taken back afterwards: all of it, a part, or nothing, and what goes for good instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal, TypeAlias

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.fitting import SizeClasses, lost_for_room
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.shelf import GivenUp, Shelf
from pymon_tui.journal.dropped import Dropped
from pymon_tui.journal.record import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

WayBack: TypeAlias = Literal["certain", "unknown", "partial", "impossible", "none", "not needed"]

_NOTHING = safe("")


@dataclass(frozen=True, slots=True)
class Undo:
    """What could be taken back.

    Attributes:
        state: All of it, as much as turns out to have room, a part, nothing though it was wanted, nothing because it
            wasn't, or nothing has to be.
        lost_keys: Keys that would be gone for good, about; None where that isn't known.
        lost_bytes: Memory that they take on the server, about; None where that isn't known.
        why: Why not all of it can; empty where all can.
        kept_bytes: What it takes on our disk, about; None where that isn't known, or nothing is kept.
        about: Whether the number of lost keys is an estimate.
        at_most: Whether fewer may be lost, and hardly more: dumps may be smaller than the keys are in memory.
        lost: What would be gone for good where that isn't keys that the run is about; else empty.
        elsewhere: Why an undo will have to be allowed another server; empty where it won't, or none is kept.
        not_kept: Those of the lost keys that go without being kept; an undo is refused the others.
        unkept: Keys that go without being kept at most, by what the numbers above are uncertain of, but hardly more
            than was said: a run asks before more of them go.
        takes: Bytes on our disk that the run is to have for itself; 0 where that isn't known, or nothing is kept.
        gives_up: Whose undos are given up where it needs their room.
        dropped: Keys that an undo would not bring back, as their trash is gone; None where none is.
    """

    state: WayBack
    lost_keys: int | None = 0
    lost_bytes: int | None = 0
    why: SafeText = _NOTHING
    kept_bytes: int | None = None
    about: bool = False
    at_most: bool = False
    lost: SafeText = _NOTHING
    elsewhere: SafeText = _NOTHING
    not_kept: int = 0
    unkept: int = 0
    takes: int = 0
    gives_up: tuple[GivenUp, ...] = ()
    dropped: Dropped | None = None

    @property
    def loses(self) -> bool:
        """Whether anything would be gone for good."""
        return self.state in ("partial", "impossible", "none")

    @property
    def loss(self) -> SafeText:
        """What would be gone for good, in one line; empty where nothing would be."""
        if not self.loses or self.lost:
            return self.lost
        keys = "all keys" if self.lost_keys is None else units.keys(self.lost_keys, about=self.about)
        keys = keys if self.lost_keys is None or not self.at_most else f"up to {units.keys(self.lost_keys)}"
        size = f", {units.bytes_(self.lost_bytes)}" if self.lost_bytes else ""
        return safe(f"{keys}{size} would be gone for good: {self.why}", 400)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        lost = {"lost_keys": self.lost_keys, "lost_bytes": self.lost_bytes}
        told = {"state": self.state, **lost, "why": self.why, "elsewhere": self.elsewhere}
        dropped = self.dropped.as_json() if self.dropped is not None else None
        return told | {"gives_up": [one.as_json() for one in self.gives_up if one.costs], "dropped": dropped}


def undo_of_plan(plan: Plan, options: Options, shelf: Shelf) -> Undo:
    """What of a plan could be taken back with these options, as far as it can be known before."""
    undo = _undo_of(plan, options, shelf)
    if undo.state not in ("certain", "unknown", "partial"):
        return undo
    memory = plan.bytes.value if plan.bytes is not None else None
    takes = round(MARGIN * plan.undo_bytes) if plan.undo_bytes is not None else memory
    undo = _among_others(undo, options, shelf, takes, plan.matched)
    if plan.untold is None:
        return undo
    why = f"{plan.untold} doesn't tell {plan.acl_user} which process it is (INFO): an undo asks for --elsewhere"
    return replace(undo, elsewhere=safe(why, 300))


def _undo_of(plan: Plan, options: Options, shelf: Shelf) -> Undo:
    if not plan.matched:
        return Undo("not needed")
    bytes_ = round(plan.bytes.value) if plan.bytes is not None else None
    if not options.undo:
        return Undo("none", plan.matched, bytes_, safe("no undo is kept"))
    if not plan.undo_possible:
        return Undo("impossible", plan.matched, bytes_, plan.undo_problem or safe("nobody knows why"))
    reasons, unsaved, unkept, about, crowded = [], float(plan.oversized), float(plan.oversized), False, 0.0
    if plan.oversized:
        about = plan.bytes is None or not plan.bytes.is_exact
        are = "isn't" if plan.oversized == 1 else "aren't"
        cap = f"{units.bytes_(options.key_cap)} {are} kept (trash_key_size)"
        reasons.append(f"{units.keys(plan.oversized, about=about)} over {cap}")
    free, (room, what) = shelf.free, _room(options, shelf)
    takes, told = _takes(plan, room)
    if plan.undo_bytes is not None and free is not None and room == free < takes:
        # A run stops where the disk is full. What it would have kept by then is no part that anybody has chosen.
        why = f"the undo takes {told}, and {what}; free some, or keep no undo"
        return Undo("impossible", plan.matched, bytes_, safe(why, 300), plan.undo_bytes)
    if takes > room != free:
        keys, crowded = lost_for_room(_sizes_of(plan), room)
        factors = _FACTORS if plan.undo_bytes is not None else (1.0,)
        unsaved += max(1.0, keys)
        unkept += max(1.0, *(lost_for_room(_sizes_of(plan), room, factor).keys for factor in factors))
        about = True
        reasons.append(f"the undo takes {told}, and {what}")
    refused, lost = plan.back.refused_of(plan.matched) if plan.back.asked else 0, unsaved
    if plan.back.refused:
        refused, whole = max(1, refused), plan.back.is_whole(plan.matched)
        lost, about = lost + refused, about or not whole
        reasons.append(f"an undo is refused {units.keys(refused, about=not whole)} (ACL)")
    gone, at_most = min(plan.matched, round(lost)), crowded > 0 and plan.undo_bytes is None
    untold = not reasons and plan.undo_bytes is None and bytes_ is not None and bytes_ > room
    if untold or (at_most and gone == plan.matched):
        why = f"what the undo takes isn't known: the keys take {units.bytes_(bytes_ or 0)} in memory, and {what}"
        return Undo("unknown", None, None, safe(why, 300))
    if not reasons and plan.back.by == "command":
        return Undo("unknown", None, None, _UNTOLD, plan.undo_bytes)
    if not reasons:
        return Undo("certain", kept_bytes=plan.undo_bytes)
    if gone == plan.matched:
        return Undo("impossible", gone, bytes_, safe("; ".join(reasons), 300), plan.undo_bytes, about)
    of_room = crowded / max(1, sum(size for _, size in _sizes_of(plan)))
    of_rights = refused / plan.matched if plan.back.refused else 0.0
    share = None if bytes_ is None or plan.oversized else round(bytes_ * min(1.0, of_room + of_rights))
    why, not_kept = safe("; ".join(reasons), 300), min(gone, round(unsaved))
    most = int(_GROWTH * min(ceil(unkept), not_kept + _MORE))
    return Undo("partial", gone, share, why, plan.undo_bytes, about, at_most, not_kept=not_kept, unkept=most)


def _among_others(undo: Undo, options: Options, shelf: Shelf, takes: int | None, keys: int) -> Undo:
    """The same, with what it takes of the room that others have left, and whose undos it needs that of."""
    room = max(0, options.trash_cap - shelf.held)
    # Beside the keys: the first line, the marks, and what ends the file.
    takes = room if takes is None else min(room, takes + _BESIDE + _BESIDE_KEY * keys)
    return replace(undo, takes=takes, gives_up=shelf.given_up_for(takes, options.trash_cap))


def undo_of_rest(record: Record, options: Options | None, shelf: Shelf) -> Undo:
    """What can be taken back of what a run has left to do: what was agreed to of it holds still, and no more."""
    undo = _agreed_of(record)
    try:
        plan = record.plan or {}
        keys, size = int(plan["matched"]), plan["undo_bytes"] if plan["undo_bytes"] is not None else plan["bytes"]
        left = max(0, keys - record.removed_at_least)
        takes = None if size is None else round(MARGIN * int(size) * left / max(1, keys))
    except (KeyError, TypeError, ValueError):
        return undo
    return undo if options is None else _among_others(undo, options, shelf, takes, left)


def _agreed_of(record: Record) -> Undo:
    agreed, said, gone = record.started.get("lost_agreed"), record.started.get("lost_said"), _unkept_at_most(record)
    left = agreed - gone if isinstance(agreed, int) else 0
    if left <= 0:
        return Undo("unknown")
    why = safe(f"no room, or too big; agreed to for run {record.id}")
    lost = min(left, said - gone) if isinstance(said, int) and said > gone else left
    return Undo("partial", lost, None, why, about=True, not_kept=lost, unkept=left)


def _unkept_at_most(record: Record) -> int:
    """Keys of a run that may have gone without being kept."""
    if record.parts:
        return sum(map(_unkept_at_most, record.parts))
    told, name = (record.result, "undo_left_out") if record.result else (record.progress or {}, "unkept_up_to")
    most = told.get(name)
    return most if isinstance(most, int) else 0


MARGIN = 1.25
"""The undo fits if its estimated size, times this, does: some keys compress less than those that were dumped."""

_BESIDE, _BESIDE_KEY = 1_024, 10
"""Bytes of a file beside the keys that are in it, and for each of them."""

_FACTORS = (1.0, 1.1, MARGIN)
"""What the sizes may be taken for: where they are larger, others don't fit."""

_MORE = 10
"""Keys that may be lost beyond the number that was said, besides a tenth of it: of few keys a tenth is none."""

_GROWTH = 1.1
"""Times the keys that may go without being kept before a person is asked again."""

_UNTOLD = safe(
    "whether an undo may bring back each of the keys isn't known: ACL DRYRUN is refused; ask for +acl|dryrun"
)


def _takes(plan: Plan, room: int) -> tuple[int, str]:
    """Bytes that the undo takes at most, and how that is told; keys count as in memory where no dump was seen."""
    if plan.undo_bytes is not None:
        most = round(MARGIN * plan.undo_bytes)
        at_most = f" and up to {units.bytes_(most)}" if plan.undo_bytes <= room else ""
        return most, f"about {units.bytes_(plan.undo_bytes)}{at_most}"
    in_memory = sum(size for _, size in plan.undo_sizes)
    return in_memory, f"up to {units.bytes_(in_memory)}"


def _sizes_of(plan: Plan) -> SizeClasses:
    """The keys that would be kept by their sizes; all alike where they aren't known."""
    return plan.undo_sizes or ((plan.matched - plan.oversized, plan.undo_bytes or 0),)


def _room(options: Options, shelf: Shelf) -> tuple[int, str]:
    room = max(0, options.trash_cap - shelf.held)
    if shelf.free is not None and shelf.free < room:
        return shelf.free, f"the disk of the state folder has {units.bytes_(shelf.free)} left"
    held = f", of which runs and undos under way have {units.bytes_(shelf.held)}" if shelf.held else ""
    return room, f"{units.bytes_(options.trash_cap)} at most are kept (trash_size){held}"
