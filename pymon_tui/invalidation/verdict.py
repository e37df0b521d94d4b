"""Whether a plan, a resume or an undo may begin, how it must be confirmed, and what can be taken back afterwards.

The command line, the screens and whatever else leads to the engine ask here, and lay out what they are told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.history import brought_back, resume_problem
from pymon_tui.invalidation.key_rights import KeyRights
from pymon_tui.invalidation.order import Order, matching_of
from pymon_tui.invalidation.pattern import Pattern, PatternError, parse_pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.rules import Rules
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

May: TypeAlias = Literal["begin", "nothing", "refused"]
Confirmation: TypeAlias = Literal["nothing", "yes", "type"]
WayBack: TypeAlias = Literal["certain", "unknown", "partial", "impossible", "none", "not needed"]
Way: TypeAlias = Literal["", "no_undo", "max_keys", "dry_run", "elsewhere", "replan"]

NOTHING = safe("")


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
        lost: What would be gone for good where that isn't keys that the run is about; else empty.
        elsewhere: Why an undo will have to be allowed another server; empty where it won't, or none is kept.
    """

    state: WayBack
    lost_keys: int | None = 0
    lost_bytes: int | None = 0
    why: SafeText = NOTHING
    kept_bytes: int | None = None
    about: bool = False
    lost: SafeText = NOTHING
    elsewhere: SafeText = NOTHING

    @property
    def loses(self) -> bool:
        """Whether anything would be gone for good."""
        return self.state in ("partial", "impossible", "none")

    @property
    def loss(self) -> SafeText:
        """What would be gone for good, in one line; empty where nothing would be."""
        if not self.loses or self.lost:
            return self.lost
        about = "all keys" if self.lost_keys is None else units.keys(self.lost_keys, about=self.about)
        size = f", {units.bytes_(self.lost_bytes)}" if self.lost_bytes else ""
        return safe(f"{about}{size} would be gone for good: {self.why}", 400)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        lost = {"lost_keys": self.lost_keys, "lost_bytes": self.lost_bytes}
        return {"state": self.state, **lost, "why": self.why, "elsewhere": self.elsewhere}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds of one thing that somebody wants to do.

    Attributes:
        may: Whether it may begin, whether there is nothing to do, or why it is refused.
        why: Why it may not, or why the run may not that a dry run rehearses; empty where it may.
        way: What to ask for instead, where something would do; each door has its own name for it.
        confirm: How a person confirms it; of a dry run, which takes no confirmation, how the run that it rehearses is.
        typed: The patterns that are to be typed, one after the other; empty where none is.
        because: Why it must be typed; empty where it needn't.
        undo: What could be taken back.
        rights: Whether the keys may be touched, as far as the plan was told; None where there is no plan.
    """

    may: May
    why: SafeText
    way: Way
    confirm: Confirmation
    typed: tuple[Pattern, ...]
    because: SafeText
    undo: Undo
    rights: KeyRights | None = None

    @property
    def begins(self) -> bool:
        """Whether it may begin."""
        return self.may == "begin"

    @property
    def to_type(self) -> SafeText:
        """What is to be typed, whole: the patterns as they are shown, with a blank between two; empty for nothing."""
        text = " ".join(pattern.shown for pattern in self.typed)
        return safe(text, limit=len(text))

    def is_confirmed_by(self, text: str) -> bool:
        """Whether these are the patterns that were to be typed, in whatever escapes."""
        text = text.strip()
        if text == self.to_type:
            return bool(self.typed)
        pieces = [text] if len(self.typed) == 1 else text.split()
        try:
            return bool(self.typed) and tuple(map(parse_pattern, pieces)) == self.typed
        except PatternError:
            return False

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        rights = self.rights.as_json() if self.rights is not None else None
        told = {"may": self.may, "why": self.why, "confirm": self.confirm}
        return told | {"undo": self.undo.as_json(), "rights": rights}


def of_plan(plan: Plan, options: Options, rules: Rules, free: int | None = None) -> Verdict:
    """The verdict on a plan that would be carried out with these options, by the rules of the server that it is of.

    A dry run is judged as the run that it rehearses, but that it may look where nothing may be written.

    Args:
        free: Bytes that the disk with the trash has left; None where that isn't known.
    """
    undo = undo_of_plan(plan, options, free)
    may, why, way = _may(plan, options, rules, undo)
    if may != "begin" or rules.read_only:
        return Verdict(may, why, way, "nothing", (), NOTHING, undo, plan.rights)
    verdict = _confirmed(plan.matched, plan.matching or plan.selection.patterns, rules, undo)
    return replace(verdict, rights=plan.rights)


def of_resume(record: Record, order: Order | None, options: Options | None, rules: Rules, problem: str) -> Verdict:
    """The verdict on going on with a run; ``problem`` is why the journal doesn't tell enough of it, else empty."""
    # What is left to go isn't looked at before it goes on.
    undo = _NOT_WANTED if options is not None and not options.undo else Undo("unknown")
    if record.state == "running":
        return _refused(f"run {record.id} is still under way; wait for its end, or end it there", undo)
    if (back := brought_back(record)) is not None:
        return _refused(f"run {record.id} can't be resumed: {back}", undo)
    if (problem_of_run := resume_problem(record)) is not None:
        return _refused(f"run {record.id}: {problem_of_run}; there is nothing to resume", undo, may="nothing")
    if rules.read_only:
        return _refused(f"run {record.id} can't be taken up again: {rules.read_only_because}", undo)
    if order is None or options is None:
        return _refused(problem, undo)
    # How many keys are left isn't counted before it goes on; that it was confirmed once doesn't tell who sits here now.
    return _confirmed(order.planned, order.matching or order.selection.patterns, rules, undo)


def of_more(order: Order, options: Options, rules: Rules, undo: Undo, keys: int, *, loses: bool) -> Verdict:
    """The verdict on a run that has found more keys than a person has agreed to; ``keys`` may go in all.

    Args:
        undo: What could be taken back of those that were agreed to.
        loses: Whether keys have been let go by now that weren't kept, though they were to be.
    """
    if options.dry_run:
        return Verdict("begin", NOTHING, "", "yes", (), NOTHING, undo)
    kept = _MARGIN * (undo.kept_bytes or 0) * keys / max(1, order.planned)
    if options.undo and (loses or kept > options.trash_cap):
        undo = replace(undo, state="partial", lost=safe("what there is no room for would be gone for good"))
    # Keys of any pattern may have come since the plan.
    return _confirmed(keys, order.selection.patterns, rules, undo)


def of_undo(record: Record, problem: SafeText | None, rules: Rules, *, replace: bool) -> Verdict:
    """The verdict on an undo of a run; ``problem`` is why it can't be undone, None where it can."""
    undo = _REPLACES if replace else Undo("not needed")
    if problem is not None:
        return _refused(f"run {record.id} can't be undone: {problem}", undo)
    if rules.read_only:
        return _refused(f"nothing is restored: {rules.read_only_because}", undo)
    if replace and rules.in_production:
        try:
            typed = matching_of(record.plan or {}) or tuple(map(parse_pattern, record.patterns))
        except PatternError:
            typed = ()
        if not typed:
            why = (
                f"the journal lacks the pattern of run {record.id}, which is to be typed before newer keys are replaced"
            )
            return _refused(f"{why}; undo it without that", undo)
        return Verdict("begin", NOTHING, "", "type", typed, production(rules), undo)
    return Verdict("begin", NOTHING, "", "yes", (), NOTHING, undo)


def undo_of_plan(plan: Plan, options: Options, free: int | None = None) -> Undo:
    """What of a plan could be taken back with these options, as far as it can be known before."""
    undo = _undo_of(plan, options, free)
    if plan.untold is None or undo.state not in ("certain", "unknown", "partial"):
        return undo
    why = f"{plan.untold} doesn't tell {plan.acl_user} which process it is (INFO): an undo asks for --elsewhere"
    return replace(undo, elsewhere=safe(why, 300))


def _undo_of(plan: Plan, options: Options, free: int | None) -> Undo:
    if not plan.matched:
        return Undo("not needed")
    bytes_ = round(plan.bytes.value) if plan.bytes is not None else None
    if not options.undo:
        return Undo("none", plan.matched, bytes_, safe("no undo is kept"))
    if not plan.undo_possible:
        return Undo("impossible", plan.matched, bytes_, plan.undo_problem or safe("nobody knows why"))
    reasons, lost, about = [], float(plan.oversized), False
    if plan.oversized:
        about = plan.bytes is None or not plan.bytes.is_exact
        are = "isn't" if plan.oversized == 1 else "aren't"
        cap = f"{units.bytes_(options.key_cap)} {are} kept (trash_key_size)"
        reasons.append(f"{units.keys(plan.oversized, about=about)} over {cap}")
    room, what = _room(options, free)
    takes = round(_MARGIN * plan.undo_bytes) if plan.undo_bytes is not None else None
    if takes is not None and free is not None and room == free < takes:
        # A run stops where the disk is full. What it would have kept by then is no part that anybody has chosen.
        why = f"the undo takes about {units.bytes_(plan.undo_bytes or 0)}, and {what}; free some, or keep no undo"
        return Undo("impossible", plan.matched, bytes_, safe(why, 300), plan.undo_bytes)
    if takes is not None and takes > room:
        lost += max(1.0, (plan.matched - plan.oversized) * (1 - room / (plan.undo_bytes or takes)))
        about = True
        reasons.append(f"the undo takes about {units.bytes_(plan.undo_bytes or 0)}, and {what}")
    refused = plan.back.refused_of(plan.matched) if plan.back.asked else 0
    if plan.back.refused:
        refused, whole = max(1, refused), plan.back.is_whole(plan.matched)
        lost, about = lost + refused, about or not whole
        reasons.append(f"an undo is refused {units.keys(refused, about=not whole)} (ACL)")
    if not reasons and takes is None and bytes_ is not None and bytes_ > room:
        why = f"what the undo takes isn't known: the keys take {units.bytes_(bytes_)} in memory, and {what}"
        return Undo("unknown", None, None, safe(why, 300))
    if not reasons and plan.back.by == "command":
        return Undo("unknown", None, None, _UNTOLD, plan.undo_bytes)
    if not reasons:
        return Undo("certain", kept_bytes=plan.undo_bytes)
    keys = min(plan.matched, round(lost))
    if keys == plan.matched:
        return Undo("impossible", keys, bytes_, safe("; ".join(reasons), 300), plan.undo_bytes, about)
    share = None if bytes_ is None or plan.oversized else round(bytes_ * keys / plan.matched)
    return Undo("partial", keys, share, safe("; ".join(reasons), 300), plan.undo_bytes, about)


_MARGIN = 1.25
"""The undo fits if its estimated size, times this, does: some keys compress less than those that were dumped."""

_UNTOLD = safe(
    "whether an undo may bring back each of the keys isn't known: ACL DRYRUN is refused; ask for +acl|dryrun"
)
_NOT_WANTED = Undo("none", None, None, safe("no undo is kept"))
_REPLACES = Undo("none", None, None, lost=safe("newer keys of the same name are replaced for good"))


def _confirmed(keys: int, patterns: tuple[Pattern, ...], rules: Rules, undo: Undo) -> Verdict:
    """How a run that may begin is confirmed; ``patterns`` are those by which keys go, and all of them are typed."""
    every = any(pattern.is_catch_all for pattern in patterns)
    because = _typed_because(keys, rules, undo, is_catch_all=every)
    typed = patterns if because else ()
    return Verdict("begin", NOTHING, "", "type" if because else "yes", typed, because, undo)


def production(rules: Rules) -> SafeText:
    """Which profile says that this is production."""
    return safe(f"this is {rules.environment}{f' (profile {rules.named_by})' if rules.named_by is not None else ''}")


def _room(options: Options, free: int | None) -> tuple[int, str]:
    if free is not None and free < options.trash_cap:
        return free, f"the disk of the state folder has {units.bytes_(free)} left"
    return options.trash_cap, f"{units.bytes_(options.trash_cap)} at most are kept (trash_size)"


def _may(plan: Plan, options: Options, rules: Rules, undo: Undo) -> tuple[May, SafeText, Way]:
    if rules.read_only and not options.dry_run:
        return "refused", safe(f"nothing is removed: {rules.read_only_because}"), "dry_run"
    if plan.capped:
        match = f"more than {units.keys(plan.selection.max_keys)} match; narrow the pattern, or"
        if rules.capped_by is not None and plan.selection.max_keys >= rules.max_keys:
            return "refused", safe(f"{match} raise max_keys of profile {rules.capped_by}"), ""
        return "refused", safe(f"{match} allow more"), "max_keys"
    if not plan.matched and plan.protected:
        keys = (
            f"all {units.whole(plan.protected)} keys that match are"
            if plan.protected > 1
            else "the key that matches is"
        )
        return "refused", safe(f"{keys} protected; nothing is removed"), ""
    if not plan.matched:
        return "nothing", safe("no key matches"), ""
    if plan.removal_problem is not None:
        return "refused", plan.removal_problem, ""
    if undo.state == "impossible":
        return "refused", safe(f"it could not be undone: {undo.why}", 400), "no_undo"
    if rules.read_only:
        return "begin", safe(f"a run would be refused: {rules.read_only_because}"), ""
    return "begin", NOTHING, ""


def _typed_because(keys: int, rules: Rules, undo: Undo, *, is_catch_all: bool) -> SafeText:
    """Why one key isn't enough to confirm; empty where it is."""
    if is_catch_all:
        return safe("the pattern matches every key")
    if rules.in_production:
        return production(rules)
    if undo.loses:
        return safe("some of it can't be undone" if undo.state == "partial" else "it can't be undone")
    if keys > rules.type_above:
        return safe(f"over {units.keys(rules.type_above)} go")
    return NOTHING


def _refused(why: str, undo: Undo, *, may: May = "refused") -> Verdict:
    return Verdict(may, safe(why, 400), "", "nothing", (), NOTHING, undo)
