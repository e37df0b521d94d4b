"""``pymon-tui invalidate``: look, ask, remove, and say what was done."""

from __future__ import annotations

import dataclasses

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.hints import hints
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import Pattern, PatternError, parse_pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.journal.records import Record
from pymon_tui.model.text import SafeText, safe
from pymon_tui.removing.account_text import no_run, run_code, run_lines
from pymon_tui.removing.console import ask, ask_yes, exact, say, show, tell, tell_json
from pymon_tui.removing.exit_code import DONE, PARTLY, REFUSED, WrongUse, coded, require_somebody
from pymon_tui.removing.plan_text import manner, plan_lines, summary
from pymon_tui.removing.watching import plan_watched, removal_watched
from pymon_tui.removing.wish import Wish, options_of, selection_of
from pymon_tui.settings import Settings
from pymon_tui.settings.desk import desk_of


def run_invalidate(settings: Settings, wish: Wish, *, yes: bool, as_json: bool) -> int:
    """Carry the wish out; returns the exit code."""
    return coded(lambda: _invalidate(desk_of(settings.endpoint, settings), wish, yes=yes, as_json=as_json))


def run_resume(settings: Settings, run: str, *, yes: bool, as_json: bool) -> int:
    """Go on with a run that was cut off; returns the exit code."""
    return coded(lambda: _resume(settings, run, yes=yes, as_json=as_json))


def record_of(desk: Desk, run: str) -> Record:
    """The journal's record of a run.

    Raises:
        WrongUse: If there is none of this name.
        JournalError: If the journal can't be read.
    """
    found = next((record for record in desk.records() if record.kind == "run" and record.id == run), None)
    if found is None:
        raise WrongUse(f'the journal has no run "{safe(run, limit=60)}"; pymon-tui journal lists them')
    return found


def _invalidate(desk: Desk, wish: Wish, *, yes: bool, as_json: bool) -> int:
    selection, options = selection_of(wish, desk), options_of(wish, desk)
    if desk.rules.read_only and not wish.dry_run:
        raise OrderError("nothing is removed: this is read-only; look with --dry-run")
    if not (yes or wish.dry_run):
        require_somebody("remove keys")
    # Who reads no plan needs no exact one.
    exact = as_json or wish.dry_run or not yes
    plan = plan_watched(desk.planning(selection, options.mode, undo=options.undo and not wish.dry_run, exact=exact))
    if not wish.dry_run:
        notes = [plan.note] if plan.note is not None else []
        show([*notes, summary(plan), *plan.warnings] if yes else plan_lines(plan, options))
    elif not as_json:
        tell(plan_lines(plan, options))
    problem = _problem(plan, options)
    if problem is not None or not plan.matched or desk.rules.read_only:
        return _without_run(plan, problem, dry_run=wish.dry_run, as_json=as_json)
    typed = desk.must_type(plan, options) or any(pattern.is_catch_all for pattern in selection.patterns)
    if not (yes or wish.dry_run) and not _confirmed(plan, options, typed=typed):
        return _without_run(plan, safe("nothing is removed: you said no"), dry_run=False, as_json=as_json, code=PARTLY)
    removal = desk.removal(plan, options, wish.preset)
    return _carried_out(removal, plan if wish.dry_run else None, as_json=as_json, dry_run=wish.dry_run)


def _resume(settings: Settings, run: str, *, yes: bool, as_json: bool) -> int:
    desk = desk_of(settings.endpoint, settings)
    record = record_of(desk, run)
    if record.state == "done" or record.dry_run:
        why = "was a dry run" if record.dry_run else "came to its end"
        raise WrongUse(f"run {record.id} {why}; there is nothing to resume")
    if record.state == "running":
        raise OrderError(f"run {record.id} is still under way; wait for its end, or end it there")
    # The plan knows its database: another one must not be gone through by mistake.
    desk = desk_of(dataclasses.replace(settings.endpoint, db=record.db), settings)
    removal = desk.resumed(record)
    if not yes:
        require_somebody("remove keys")
        order = removal.order
        at_most = f" to {exact(record.removed_at_most)}" if record.removed_at_most is not None else " or more"
        show([f"run {record.id} in db {order.db} on {safe(order.node)}, {record.state}"])
        show([f"  {order.selection.shown}", f"  {exact(record.removed_at_least)}{at_most} keys are removed"])
        what = f"go on with about {exact(order.planned)} keys of {safe(order.node)}"
        if not _typed(order.selection.patterns[0], what):
            say("nothing is removed: that was not the pattern")
            return PARTLY
    return _carried_out(removal, None, as_json=as_json, dry_run=False)


def _carried_out(removal: WholeRemoval, plan: Plan | None, *, as_json: bool, dry_run: bool) -> int:
    result = removal_watched(removal, dry_run=dry_run)
    if as_json:
        tell_json(result.as_json() | ({"plan": plan.as_json()} if plan is not None else {}))
    else:
        tell([*([""] if plan is not None else []), *run_lines(result)])
    return run_code(result)


def _without_run(plan: Plan, problem: SafeText | None, *, dry_run: bool, as_json: bool, code: int = REFUSED) -> int:
    """The end of a command that looked and went no further; ``code`` is the one where there was a problem."""
    if as_json:
        tell_json(no_run(plan, problem or "", dry_run=dry_run) | ({"plan": plan.as_json()} if dry_run else {}))
    elif problem is None and not plan.matched:
        tell(["no key matches"])
    if problem is None and not plan.matched:
        for hint in hints(plan.selection):
            say(hint)
    if problem is not None:
        say(problem)
    return DONE if problem is None else code


def _problem(plan: Plan, options: Options) -> SafeText | None:
    """Why no run may follow this plan; None if one may."""
    if plan.capped:
        cap = exact(plan.selection.max_keys)
        return safe(f"more than {cap} keys match; narrow the pattern, or allow more with --max-keys")
    if not plan.matched:
        protected = f"all {exact(plan.protected)} keys that match are protected; nothing is removed"
        return safe(protected) if plan.protected else None
    if plan.removal_problem is not None:
        return plan.removal_problem
    if options.undo and not options.dry_run and not plan.undo_possible:
        return safe(f"it could not be undone: {plan.undo_problem}; without an undo: --no-undo", 400)
    return None


def _confirmed(plan: Plan, options: Options, *, typed: bool) -> bool:
    doing = "remove" if options.mode == "unlink" else "let expire"
    about = "about " * plan.about
    what = f"{doing} {about}{exact(plan.matched)} keys in db {plan.db} on {safe(plan.node)}"
    if typed:
        return _typed(plan.selection.patterns[0], what)
    return ask_yes(f"{manner(options)}: {what}, {plan.selection.shown}?")


def _typed(pattern: Pattern, what: str) -> bool:
    """Whether the person types the pattern, in whatever escapes."""
    answer = ask(f"type {pattern.shown} to {what}: ")
    try:
        return parse_pattern(answer) == pattern
    except PatternError:
        return False
