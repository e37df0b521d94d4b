"""Whether a plan, a resume or an undo may begin, how it must be confirmed, and what can be taken back afterwards.

The command line, the screens and whatever else leads to the engine ask here, and lay out what they are told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from pymon_tui.invalidation.account import Options, all_protected
from pymon_tui.invalidation.history import brought_back, resume_problem
from pymon_tui.invalidation.key_rights import KeyRights
from pymon_tui.invalidation.order import Order, matching_of
from pymon_tui.invalidation.pattern import Pattern, PatternError, parse_pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.shelf import Shelf
from pymon_tui.invalidation.way_back import MARGIN, Undo, undo_of_plan, undo_of_rest
from pymon_tui.invalidation.wording import dropped_text
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

May: TypeAlias = Literal["begin", "nothing", "refused"]
Confirmation: TypeAlias = Literal["nothing", "yes", "type"]
Way: TypeAlias = Literal["", "no_undo", "max_keys", "dry_run", "elsewhere", "replan"]

NOTHING = safe("")


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

    @property
    def unasked(self) -> Verdict:
        """The same where nobody is asked: it was confirmed before it was known (``--yes``)."""
        return replace(self, confirm="nothing")

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        rights = self.rights.as_json() if self.rights is not None else None
        told = {"may": self.may, "why": self.why, "confirm": self.confirm}
        return told | {"undo": self.undo.as_json(), "rights": rights}


def of_plan(
    plan: Plan, options: Options, rules: Rules, shelf: Shelf | None = None, unwritable: StateError | None = None
) -> Verdict:
    """The verdict on a plan that would be carried out with these options, by the rules of the server that it is of.

    A dry run is judged as the run that it rehearses, but that it may look where nothing may be written.

    Args:
        shelf: What is in the trash; None where nothing is.
        unwritable: Of a dry run, which writes nothing: why its run couldn't write down what it does.
    """
    undo = undo_of_plan(plan, options, shelf or Shelf())
    may, why, way = _may(plan, options, rules, undo)
    if may != "begin" or rules.read_only:
        return Verdict(may, why, way, "nothing", (), NOTHING, undo, plan.rights)
    verdict = _confirmed(plan.matched, plan.matching or plan.selection.patterns, rules, undo)
    why = NOTHING if unwritable is None else safe(f"a run would not begin: {unwritable}", 600)
    return replace(verdict, rights=plan.rights, why=why)


def of_resume(
    record: Record,
    order: Order | None,
    options: Options | None,
    rules: Rules,
    problem: str,
    shelf: Shelf | None = None,
) -> Verdict:
    """The verdict on going on with a run; ``problem`` is why the journal doesn't tell enough of it, else empty."""
    undo = _NOT_WANTED if options is not None and not options.undo else undo_of_rest(record, options, shelf or Shelf())
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


def of_more(order: Order, options: Options, rules: Rules, undo: Undo, keys: int, *, lost: int) -> Verdict:
    """The verdict on a run that has found more than a person has agreed to; ``keys`` may go in all.

    Args:
        undo: What could be taken back of those that were agreed to.
        lost: Keys that go without being kept, though an undo is.
    """
    if options.dry_run:
        return Verdict("begin", NOTHING, "", "yes", (), NOTHING, undo)
    kept = MARGIN * (undo.kept_bytes or 0) * keys / max(1, order.planned)
    if options.undo and (lost or kept > options.trash_cap):
        text = f"up to {units.keys(lost)}" if lost else "what there is no room for"
        undo = replace(undo, state="partial", lost=safe(f"{text} would be gone for good"))
    # Keys of any pattern may have come since the plan.
    return _confirmed(keys, order.selection.patterns, rules, undo)


def of_undo(record: Record, problem: SafeText | None, rules: Rules, *, replace: bool) -> Verdict:
    """The verdict on an undo of a run; ``problem`` is why it can't be undone, None where it can."""
    undo = _back_of(record, replaces=replace)
    if problem is not None:
        return _refused(f"run {record.id} can't be undone: {problem}", undo)
    if rules.read_only:
        return _refused(f"nothing is restored: {rules.read_only_because}", undo)
    if because_of_undo(rules, replace=replace):
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


def _back_of(record: Record, *, replaces: bool) -> Undo:
    """What an undo destroys for good, and what it can't bring back."""
    dropped = record.dropped
    if dropped is None:
        return _REPLACES if replaces else Undo("not needed")
    why, about = dropped_text(dropped), dropped.keys.least != dropped.keys.most
    lost = REPLACED if replaces else why
    return Undo("partial", dropped.keys.most, None, why, about=about, lost=lost, dropped=dropped)


_NOT_WANTED = Undo("none", None, None, safe("no undo is kept"))
REPLACED = safe("newer keys of the same name are replaced for good")
"""What an undo takes away for good that replaces keys."""

_REPLACES = Undo("none", None, None, lost=REPLACED)


def _confirmed(keys: int, patterns: tuple[Pattern, ...], rules: Rules, undo: Undo) -> Verdict:
    """How a run that may begin is confirmed; ``patterns`` are those by which keys go, and all of them are typed."""
    every = any(pattern.is_catch_all for pattern in patterns)
    because = typed_because(keys, rules, undo, is_catch_all=every)
    typed = patterns if because else ()
    return Verdict("begin", NOTHING, "", "type" if because else "yes", typed, because, undo)


def production(rules: Rules) -> SafeText:
    """Which profile says that this is production."""
    return safe(f"this is {rules.environment}{f' (profile {rules.named_by})' if rules.named_by is not None else ''}")


def _may(plan: Plan, options: Options, rules: Rules, undo: Undo) -> tuple[May, SafeText, Way]:
    if rules.read_only and not options.dry_run:
        return "refused", safe(f"nothing is removed: {rules.read_only_because}"), "dry_run"
    if plan.capped:
        match = f"more than {units.keys(plan.selection.max_keys)} match; narrow the pattern, or"
        if rules.capped_by is not None and plan.selection.max_keys >= rules.max_keys:
            return "refused", safe(f"{match} raise max_keys of profile {rules.capped_by}"), ""
        return "refused", safe(f"{match} allow more"), "max_keys"
    if not plan.matched and plan.protected:
        return "refused", all_protected(plan.protected), ""
    if not plan.matched:
        return "nothing", safe("no key matches"), ""
    if plan.removal_problem is not None:
        return "refused", plan.removal_problem, ""
    if undo.state == "impossible":
        return "refused", safe(f"it could not be undone: {undo.why}", 400), "no_undo"
    if rules.read_only:
        return "begin", safe(f"a run would be refused: {rules.read_only_because}"), ""
    return "begin", NOTHING, ""


def because_of_undo(rules: Rules, *, replace: bool) -> SafeText:
    """Why the run's pattern must be typed before it is undone; empty where a yes is enough."""
    return production(rules) if replace and rules.in_production else NOTHING


def typed_because(keys: int, rules: Rules, undo: Undo, *, is_catch_all: bool = False) -> SafeText:
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
