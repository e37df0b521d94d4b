"""The true account of a run or an undo in words, and the exit code that it deserves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pymon_tui.invalidation import past, report, wording
from pymon_tui.invalidation.account import Mode, Result, Tally
from pymon_tui.invalidation.freed import Freed
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.report import Row
from pymon_tui.invalidation.restore_account import RestoreResult
from pymon_tui.invalidation.restore_report import restore_troubles, restored_rows
from pymon_tui.journal.record import Record
from pymon_tui.model import units
from pymon_tui.model.text import safe
from pymon_tui.removing.console import exact
from pymon_tui.removing.exit_code import DONE, PARTLY, REFUSED
from pymon_tui.removing.follow_up import FollowUp
from pymon_tui.removing.journal_text import listed
from pymon_tui.server.way import command, journal_command


def run_lines(result: Result, mode: Mode, after: FollowUp) -> list[str]:
    """What a run did."""
    name = "dry run" if result.dry_run else f"run {result.run}"
    lines = [f"{name}: {result.outcome} in {units.took(result.seconds)}"]
    lines += [f"  {result.why}"] * bool(result.why)
    lines += _lines([report.row("matched", exact(result.tally.matched))])
    lines += _lines(report.tally_rows(result.tally, mode, dry_run=result.dry_run, rights=result.rights))
    lines += _lines([report.left_row(result)])
    lines += _lines([report.freed_row(result, mode)] * bool(result.tally.removed or result.dry_run))
    lines += _node_lines(result)
    lines += _lines(report.kept_rows(result))
    if result.undo is not None:
        lines += [f"  {'':<16}{after.remark}"] * (after.remark is not None)
        lines.append(f"  {'':<16}{after.undo(result.run)}")
    lines += listed("refused, and there", [safe(key) for key in result.refused_keys], result.tally.refused)
    lines += listed("too big for the undo", [safe(key) for key in result.oversized_keys], len(result.oversized_keys))
    if result.outcome != "done" and not result.dry_run:
        lines.append(f"  {'go on':<16}{after.resume(result.run)}")
    return lines


def run_summary(result: Result, mode: Mode, after: FollowUp) -> str:
    """What a run did, in one line; nothing of a dry run, which did nothing."""
    if result.dry_run:
        return ""
    did, count = wording.words(mode).are, result.tally.removed
    what = f"{exact(count)} {'key is' if count == 1 else 'keys are'} {did}"
    return f"run {result.run}: {result.outcome}, {what}; {after.journal(result.run)} tells all of it"


def run_code(result: Result) -> int:
    """0 if all was removed that was meant, 4 if none might go (refused, protected), 1 if it is anything between."""
    tally = result.tally
    if result.is_all_protected:
        return REFUSED
    if tally.refused and tally.refused == tally.matched and result.outcome == "done":
        return REFUSED
    return DONE if result.is_whole else PARTLY


def no_run(plan: Plan, why: str, *, dry_run: bool) -> dict[str, Any]:
    """The account of a run that didn't begin, in the form of ``Result.as_json``."""
    nothing = Tally(matched=plan.matched, protected=plan.protected).as_json()
    return {
        "run": None,
        "outcome": None,
        "why": why,
        "dry_run": dry_run,
        **nothing,
        "left": None if plan.capped else plan.matched,
        **Freed(0, "run").as_json(),
        "seconds": 0.0,
        "undo": None,
        "undo_bytes": 0,
        "undo_left_out": 0,
        "refused_keys": [],
        "oversized_keys": [],
        "may_be_lost": 0,
        "evicted": None,
        "gave_up": [],
        "nodes": [],
    }


def undo_lines(result: RestoreResult, record: Record, way: Sequence[str], *, elsewhere: bool) -> list[str]:
    """What an undo of a run did; ``elsewhere`` is whether another server process would do."""
    lines = [f"undo of run {result.run}: {result.outcome} in {units.took(result.seconds)}"]
    lines += _lines([report.row("kept", exact(result.total)), *restored_rows(result.tally)])
    lines += _lines(restore_troubles(result))
    for each in result.nodes:
        how = _how(each.result.outcome, each.result.why)
        lines.append(f"    {safe(each.node):<24}{exact(each.result.tally.restored):>11}   {how}".rstrip())
    again = command(way, "undo", result.run, *(["--elsewhere"] if elsewhere else []))
    lines += [f"  {'go on':<16}{again}"] * bool(result.left or result.may_be_lost)
    if result.tally.skipped:
        replacing = command(way, "undo", result.run, "--replace", *(["--elsewhere"] if elsewhere else []))
        lines.append(f"  {'':<16}{replacing} replaces what is there")
    elif result.damage is not None and result.damage.unproven:
        lines.append(f"  {'':<16}{again} --replace brings what is left alone")
    lines += _lines(past.unkept_rows(record))
    lines += listed("too big for the undo", record.oversized_keys, len(record.oversized_keys))
    lines += listed("failed", [safe(f"{each.key}: {each.why}") for each in result.failures], result.tally.failed)
    return lines


def undo_summary(result: RestoreResult, way: Sequence[str]) -> str:
    """What an undo did, in one line."""
    restored = f"{exact(result.tally.restored)} of {units.keys(result.total)} restored"
    what = f"undo {result.undo} of run {result.run}: {result.outcome}, {restored}"
    return f"{what}; {journal_command(way, result.undo)} tells all of it"


def undo_code(result: RestoreResult) -> int:
    """0 if each kept key is there again, has a newer one in its place or has ended, and the journal has all of it."""
    return DONE if result.is_whole and result.unrecorded is None else PARTLY


def _node_lines(result: Result) -> list[str]:
    """What each node of a cluster did."""
    lines = []
    for each in result.nodes:
        tally = each.result.tally
        odd = (
            ("gone", tally.already_gone),
            ("ending sooner", tally.ending_sooner),
            ("refused", tally.refused),
            ("unknown", tally.unknown),
        )
        parts = [_how(each.result.outcome, each.result.why)]
        parts += [f"{exact(count)} {name}" for name, count in odd if count]
        number = exact(tally.matched if result.dry_run else tally.removed)
        lines.append(f"    {safe(each.node):<24}{number:>11}   {', '.join(part for part in parts if part)}".rstrip())
    return ["  nodes", *lines] if lines else []


def _how(outcome: str, why: str) -> str:
    """How a part ended; nothing where it came to its end."""
    return "" if outcome == "done" else f"{outcome}: {why}" if why else outcome


def _lines(rows: Iterable[Row]) -> list[str]:
    """Rows below each other, numbers under numbers."""
    lines = []
    for row in rows:
        first, *others = [piece.text for piece in row.pieces]
        value = f"{first:>9}" if row.is_count else first
        lines.append("   ".join([f"  {row.name:<16}{value}", *others]))
    return lines
