"""``pymon-tui invalidate``: look, ask, remove, and say what was done."""

from __future__ import annotations

import asyncio

from pymon_tui.invalidation.account import Options, Result
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.guard_report import guard_rows, note_rows
from pymon_tui.invalidation.hints import hints
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.protection import prefixes
from pymon_tui.invalidation.pulses import Pulses
from pymon_tui.invalidation.report import manner, matching, resume_rows, summary, trouble_rows
from pymon_tui.invalidation.selection import Selection, check
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.invalidation.wording import counted_keys, words, words_of
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import safe
from pymon_tui.removing.account_text import no_run, run_code, run_lines, run_summary
from pymon_tui.removing.confirming import confirmed, not_confirmed
from pymon_tui.removing.console import say, show, tell, tell_account, tell_json
from pymon_tui.removing.exit_code import DONE, PARTLY, REFUSED, WrongUse, coded, require_somebody
from pymon_tui.removing.follow_up import follow_up
from pymon_tui.removing.plan_text import plan_lines
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
    found = desk.record(run)
    if found is None or found.kind != "run" or found.group:
        raise WrongUse(f'the journal has no run "{safe(run, limit=60)}"; pymon-tui journal lists them')
    return found


def _invalidate(desk: Desk, wish: Wish, *, yes: bool, as_json: bool) -> int:
    selection, options = selection_of(wish, desk), options_of(wish, desk)
    check(selection)
    if not (yes or wish.dry_run or desk.rules.read_only):
        require_somebody("remove keys")
    with Pulses() as pulses:
        return _planned(desk, wish, selection, options, pulses, yes=yes, as_json=as_json)


def _planned(
    desk: Desk, wish: Wish, selection: Selection, options: Options, pulses: Pulses, *, yes: bool, as_json: bool
) -> int:
    read = as_json or wish.dry_run or not yes
    # A plan that nobody reads is followed by its run at once, which then knows already what others feel.
    begun = None if read else pulses
    plan = plan_watched(desk.planning(selection, options.mode, undo=options.undo, read=read, pulses=begun))
    verdict = desk.judge(plan, options)
    show(list(prefixes(plan)))
    guarded = [f"{row.name}: {row.text}" for row in guard_rows(plan.rules, options)] if verdict.begins else []
    if wish.dry_run:
        if not as_json:
            tell(plan_lines(plan, options, verdict))
    elif yes:
        show([summary(plan), *guarded, *(row.text for row in trouble_rows(plan, verdict) if row.text != verdict.why)])
    else:
        show(plan_lines(plan, options, verdict))
    if not verdict.begins:
        return _without_run(plan, verdict, dry_run=wish.dry_run, as_json=as_json)
    what = f"{words(options.mode).do} {about(plan)}"
    if not (yes or wish.dry_run or confirmed(verdict, what, f"{manner(options)}: {what}, {selection.shown}?")):
        return _without_run(plan, verdict, dry_run=False, as_json=as_json, no=True)
    removal = desk.removal(plan, options, wish.preset, pulses, verdict.unasked if yes else verdict)
    try:
        result = _result_of(desk, removal)
    except StateError as error:  # nothing is removed then
        if as_json:
            _tell_no_run(plan, str(error), verdict, dry_run=wish.dry_run)
        raise
    return _accounted_for(desk, removal, result, plan if wish.dry_run else None, verdict, as_json=as_json)


def _resume(settings: Settings, run: str, *, yes: bool, as_json: bool) -> int:
    desk = desk_of(settings.endpoint, settings)
    record = record_of(desk, run)
    verdict = asyncio.run(desk.judge_resume(record))
    if verdict.may == "nothing":
        raise WrongUse(verdict.why)
    if not verdict.begins:
        raise OrderError(verdict.why)
    removal = asyncio.run(desk.resumed(record, verdict.unasked if yes else verdict))
    rules = asyncio.run(desk.rules_here())
    show([f"{row.name}: {row.text}" for row in note_rows(rules)])
    if yes:
        show([f"{row.name}: {row.text}" for row in guard_rows(rules, removal.options)])
        shown = (row for row in resume_rows(verdict, removal.options) if row.severity != "good")
        show([row.text for row in shown])
    if not yes:
        require_somebody("remove keys")
        order = removal.order
        show([f"run {record.id} in db {order.db} on {safe(order.node)}, {record.state}"])
        show([f"  {order.selection.shown}", f"  {words_of(record).are} by then: {counted_keys(record)}"])
        show([f"  {row.name}: {row.text}" for row in resume_rows(verdict, removal.options)])
        what = f"go on with {units.keys(order.planned, about=True)} of {safe(order.node)}"
        if not confirmed(verdict, what, f"{manner(removal.options)}: {what}, {order.selection.shown}?"):
            say(f"nothing is removed: {not_confirmed(verdict)}")
            return PARTLY
    return _accounted_for(desk, removal, _result_of(desk, removal), None, verdict, as_json=as_json)


def _result_of(desk: Desk, removal: WholeRemoval) -> Result:
    return removal_watched(removal, dry_run=removal.options.dry_run, way=desk.endpoint.way)


def _accounted_for(
    desk: Desk, removal: WholeRemoval, result: Result, plan: Plan | None, verdict: Verdict, *, as_json: bool
) -> int:
    options = removal.options
    after = follow_up(desk, result)
    told = result.as_json() | {"verdict": verdict.as_json()} | ({"plan": plan.as_json()} if plan is not None else {})
    lines = [*([""] if plan is not None else []), *run_lines(result, options.mode, after)]
    tell_account(lines, told if as_json else None, short=run_summary(result, options.mode, after))
    return run_code(result)


def _without_run(plan: Plan, verdict: Verdict, *, dry_run: bool, as_json: bool, no: bool = False) -> int:
    """The end of a command that looked and went no further; ``no`` where a person could have had it go on."""
    refused = verdict.may == "refused"
    why = f"nothing is removed: {not_confirmed(verdict)}" if no else verdict.why if refused else ""
    if as_json:
        _tell_no_run(plan, why, verdict, dry_run=dry_run)
    elif verdict.may == "nothing":
        tell([verdict.why])
    if verdict.may == "nothing":
        for hint in hints(plan.selection):
            say(hint)
    if why:
        say(f"{why}{_WAYS.get(verdict.way, '') if refused else ''}")
    return PARTLY if no else REFUSED if refused else DONE


def _tell_no_run(plan: Plan, why: str, verdict: Verdict, *, dry_run: bool) -> None:
    told = no_run(plan, why, dry_run=dry_run) | {"verdict": verdict.as_json()}
    tell_json(told | ({"plan": plan.as_json()} if dry_run else {}))


_WAYS = {
    "no_undo": "; without an undo: --no-undo",
    "max_keys": ": --max-keys",
    "dry_run": "; look with --dry-run",
}
"""What each way is called on the command line."""


def about(plan: Plan) -> str:
    """Which keys a question is about: ``12 keys in db 0 on cache``."""
    return f"{matching(plan)} in db {plan.db} on {safe(plan.node)}"
