"""``pymon-tui journal``: what was done to servers from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymon_tui.journal.folder import state_folder
from pymon_tui.journal.journal import Entry, Journal
from pymon_tui.journal.records import Record, runs
from pymon_tui.model.text import safe
from pymon_tui.removing.console import tell, tell_json
from pymon_tui.removing.exit_code import DONE, WrongUse, coded
from pymon_tui.removing.journal_text import detail, listing


def run_journal(run: str | None, *, address: str | None, as_json: bool) -> int:
    """List the journal, or tell all of one run or undo; returns the exit code.

    Args:
        address: Only what was done to this server; None for all.
    """
    return coded(lambda: _journal(Journal(state_folder()), run, address, as_json=as_json))


def _journal(journal: Journal, run: str | None, address: str | None, *, as_json: bool) -> int:
    records = runs(journal)
    if run is not None:
        every = (each for record in records for each in (record, *record.parts))
        found = next((record for record in every if record.id == run), None)
        if found is None:
            raise WrongUse(f'the journal has no run "{safe(run, limit=60)}"; pymon-tui journal lists them')
        if as_json:
            tell_json(_whole(found))
        else:
            tell(detail(found))
        return DONE
    records = tuple(record for record in records if address is None or safe(address) in record.addresses)
    actions = tuple(
        entry for entry in journal.entries() if entry.kind == "action" and address in (None, entry.fields.get("server"))
    )
    if as_json:
        tell_json({"runs": [_plain(record) for record in records], "actions": [_action(entry) for entry in actions]})
    else:
        tell(listing(records, actions))
    return DONE


def _plain(record: Record) -> dict[str, Any]:
    """What a list has of a record."""
    return {
        "id": record.id,
        "run": record.run,
        "kind": record.kind,
        "state": record.state,
        "started_at": record.started_at.isoformat(timespec="milliseconds"),
        "user": record.user,
        "ssh": record.ssh,
        "acl_user": record.acl_user,
        "node": record.node,
        "server": record.server,
        "run_id": record.run_id,
        "db": record.db,
        "patterns": list(record.patterns),
        "mode": record.mode,
        "removed_at_least": record.removed_at_least,
        "removed_at_most": record.removed_at_most,
        "why": record.why,
        "undo": None if record.undo_path is None else str(record.undo_path),
        "undone": record.undone,
        "nodes": [_node(part) for part in record.parts],
    }


def _node(part: Record) -> dict[str, Any]:
    """What is told of a run's part at one node of a cluster."""
    return {
        "id": part.id,
        "node": part.node,
        "run_id": part.run_id,
        "state": part.state,
        "removed_at_least": part.removed_at_least,
        "removed_at_most": part.removed_at_most,
        "why": part.why,
        "undo": None if part.undo_path is None else str(part.undo_path),
    }


def _whole(record: Record) -> dict[str, Any]:
    return _plain(record) | {
        "started": _copy(record.started),
        "progress": None if record.progress is None else _copy(record.progress),
        "result": None if record.result is None else _copy(record.result),
    }


def _copy(fields: Mapping[str, Any]) -> dict[str, Any]:
    return dict(fields)


def _action(entry: Entry) -> dict[str, Any]:
    return {
        "time": entry.at.isoformat(timespec="milliseconds"),
        "event": entry.event,
        "user": entry.user,
        "ssh": entry.ssh,
        **entry.fields,
    }
