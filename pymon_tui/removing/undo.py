"""``pymon-tui undo``: bring back what a run removed, and say what came back."""

from __future__ import annotations

import asyncio

from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.guard_report import note_rows, production_rows
from pymon_tui.invalidation.outlook import Outlook
from pymon_tui.invalidation.past import nothing_to_undo
from pymon_tui.invalidation.report import undo_rows
from pymon_tui.invalidation.restore_part import OtherServer, RestoreError
from pymon_tui.invalidation.restore_report import passed_rows
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.invalidation.wording import counted_keys, words_of
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import safe
from pymon_tui.removing.account_text import undo_code, undo_lines, undo_summary
from pymon_tui.removing.confirming import confirmed, not_confirmed
from pymon_tui.removing.console import say, show, tell_account
from pymon_tui.removing.exit_code import PARTLY, WrongUse, coded, require_somebody
from pymon_tui.removing.follow_up import asked
from pymon_tui.removing.invalidate import record_of
from pymon_tui.removing.watching import restore_watched
from pymon_tui.server.way import command
from pymon_tui.settings import Settings
from pymon_tui.settings.desk import desk_of


def run_undo(settings: Settings, run: str | None, *, replace: bool, elsewhere: bool, yes: bool, as_json: bool) -> int:
    """Undo this run, or the last one on the server; returns the exit code.

    Args:
        replace: Whether a key that is there is replaced by the one that was removed.
        elsewhere: Whether another server process will do.
    """

    def work() -> int:
        desk = desk_of(settings.endpoint, settings)
        record = _last(desk) if run is None else record_of(desk, run)
        with desk.hold(record):
            return _undo(desk, record, replace=replace, elsewhere=elsewhere, yes=yes, as_json=as_json)

    return coded(work)


def _undo(desk: Desk, record: Record, *, replace: bool, elsewhere: bool, yes: bool, as_json: bool) -> int:
    verdict = asyncio.run(desk.judge_undo(record, replace=replace))
    agreed = verdict.unasked if yes else verdict
    restore = desk.restore(record, replace=replace, elsewhere=elsewhere, agreed=agreed)
    if restore is None or not verdict.begins:
        raise RestoreError(verdict.why)
    if not elsewhere and (other := asyncio.run(desk.other_server(record))) is not None:
        raise OtherServer(other)
    if not yes:
        require_somebody("restore keys")
    outlook = asyncio.run(restore.outlook())
    rules = asyncio.run(desk.rules_here())
    show([f"{row.name}: {row.text}" for row in note_rows(rules)])
    if yes:
        losses = [row for row in undo_rows(verdict) if row.severity == "act"]
        rows = (*production_rows(rules), *losses)
        show([f"{row.name}: {row.text}" for row in rows])
        for warning in outlook.warnings:
            say(warning)
    else:
        show(_lines(record, outlook, desk, verdict))
        if not confirmed(verdict, "restore them", "restore them?"):
            say(f"nothing is restored: {not_confirmed(verdict)}")
            return PARTLY
    restore.agree(outlook, asks=not yes)
    result = restore_watched(restore)
    if result.outcome == "stopped":  # perhaps since another process answers by now
        elsewhere = elsewhere or asked(desk, record.id).elsewhere is not None
    told = result.as_json() | {"not_kept": record.not_kept, "verdict": verdict.as_json()}
    lines = undo_lines(result, record, desk.endpoint.way, elsewhere=elsewhere)
    tell_account(lines, told if as_json else None, short=undo_summary(result, desk.endpoint.way))
    if result.unrecorded is not None:
        say(f"the journal lacks some of this: {result.unrecorded}")
    return undo_code(result)


def _last(desk: Desk) -> Record:
    """The last run on this server that can be undone; newer ones that can't be are told.

    Raises:
        RestoreError: If there are runs, and none can be.
        WrongUse: If there is none.
        LinkError: If the server can't be reached.
        JournalError: If the journal can't be read.
        LinkError, Refused: If the server can't be asked which it is.
    """
    last = asyncio.run(desk.last_to_undo())
    address = safe(desk.endpoint.address)
    if last.record is not None:
        show([f"{row.name}: {row.text}" for row in passed_rows(last.passed_over)])
        return last.record
    if not last.passed_over:
        raise WrongUse(f"the journal has no run on {address} to undo; pymon-tui journal lists all of them")
    raise RestoreError(nothing_to_undo(last, address, lambda older: _again(desk, older)))


def _again(desk: Desk, record: Record) -> str:
    """The command that undoes a run by its name, and brings what only replacing brings."""
    replaces = record.back is not None and record.back.comes_by_replacing
    return command(desk.endpoint.way, "undo", record.id, *["--replace"] * replaces)


def _lines(record: Record, outlook: Outlook, desk: Desk, verdict: Verdict) -> list[str]:
    did, keys = words_of(record).are, outlook.load.keys
    return [
        f"run {record.id} of {record.user}, {record.started_at:%Y-%m-%d %H:%M} UTC, {record.state}",
        f"  {counted_keys(record)} {did} in db {record.db} on {record.node}: {' '.join(record.patterns)}",
        *([] if record.removed == (keys, keys) else [f"  kept: {units.keys(keys)}"]),
        f"  to {safe(desk.endpoint.label)}",
        *(f"  {row.name}: {row.text}" for row in undo_rows(verdict)),
        *(f"  {warning}" for warning in outlook.warnings),
    ]
