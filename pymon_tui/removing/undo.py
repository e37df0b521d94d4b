"""``pymon-tui undo``: bring back what a run removed, and say what came back."""

from __future__ import annotations

import asyncio

from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.outlook import Outlook
from pymon_tui.invalidation.restore_part import RestoreError
from pymon_tui.journal.records import Record
from pymon_tui.model.text import safe
from pymon_tui.removing.account_text import undo_code, undo_lines
from pymon_tui.removing.console import ask_yes, exact, say, show, tell, tell_json
from pymon_tui.removing.exit_code import PARTLY, WrongUse, coded, require_somebody
from pymon_tui.removing.invalidate import record_of
from pymon_tui.removing.watching import restore_watched
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
        return _undo(desk, record, replace=replace, elsewhere=elsewhere, yes=yes, as_json=as_json)

    return coded(work)


def _undo(desk: Desk, record: Record, *, replace: bool, elsewhere: bool, yes: bool, as_json: bool) -> int:
    restore = desk.restore(record, replace=replace, elsewhere=elsewhere)
    if restore is None:
        raise RestoreError(f"run {record.id} can't be undone: {_why_not(record)}")
    if not yes:
        require_somebody("restore keys")
    outlook = asyncio.run(restore.outlook())
    if yes:
        for warning in outlook.warnings:
            say(warning)
    else:
        show(_lines(record, outlook, desk, replace=replace))
        if not ask_yes("restore them?"):
            say("nothing is restored: you said no")
            return PARTLY
    result = restore_watched(restore)
    if as_json:
        tell_json(result.as_json())
    else:
        tell(undo_lines(result))
    if result.unrecorded is not None:
        say(f"the journal lacks some of this: {result.unrecorded}")
    return undo_code(result)


def _last(desk: Desk) -> Record:
    """The last run that removed anything from this server.

    Raises:
        RestoreError: If that one is undone already.
        WrongUse: If there is none.
        LinkError: If the server can't be reached.
        JournalError: If the journal can't be read.
    """
    address = safe(desk.endpoint.address)
    server = asyncio.run(desk.server())
    runs = (record for record in desk.records() if record.kind == "run" and server.is_of(record))
    last = next((record for record in runs if record.removed_at_most != 0 and not record.dry_run), None)
    if last is None:
        raise WrongUse(f"the journal has no run on {address} to undo; pymon-tui journal lists all of them")
    if last.undone:
        raise RestoreError(f"the last run on {address}, {last.id}, is undone already; name another one")
    return last


def _why_not(record: Record) -> str:
    kept = record.result.get("undo") if record.result is not None else record.started.get("undo")
    if not record.started.get("undo"):
        return "it kept none"
    return "its undo was dropped for newer ones, or removed by hand" if kept else "it removed nothing that was kept"


def _lines(record: Record, outlook: Outlook, desk: Desk, *, replace: bool) -> list[str]:
    did = "given an end" if record.mode == "expire" else "removed"
    return [
        f"run {record.id} of {record.user}, {record.started_at:%Y-%m-%d %H:%M} UTC, {record.state}",
        f"  {exact(outlook.load.keys)} keys {did} in db {record.db} on {record.node}: {' '.join(record.patterns)}",
        f"  to {safe(desk.endpoint.label)}; a newer key of the same name {'is replaced' if replace else 'stays'}",
        *(f"  {warning}" for warning in outlook.warnings),
    ]
