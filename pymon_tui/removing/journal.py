"""``pymon-tui journal``: what was done to servers from here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeAlias

from pymon_tui.invalidation.cluster.server import server_at
from pymon_tui.invalidation.history import resume_problem
from pymon_tui.invalidation.known import known
from pymon_tui.journal.folder import state_folder
from pymon_tui.journal.ids import is_id
from pymon_tui.journal.journal import Entry, Journal
from pymon_tui.journal.records import Record, find, newest, related
from pymon_tui.model.text import safe
from pymon_tui.removing.console import exact, say, tell, tell_json
from pymon_tui.removing.exit_code import DONE, WrongUse, coded
from pymon_tui.removing.follow_up import FollowUp, asked
from pymon_tui.removing.journal_text import comes_back, detail, listing
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.way import words_then
from pymon_tui.settings import Settings
from pymon_tui.settings.desk import desk_of

There: TypeAlias = Callable[[tuple[str, ...]], Settings | str]
"""From the words that lead to a server to its settings, or to why it can't be asked."""

_PATIENCE = 1.0  # seconds: what the journal tells is of more interest


def run_journal(run: str | None, *, endpoint: Endpoint | None, last: int, as_json: bool, there: There) -> int:
    """List the journal, or tell all of one run or undo; returns the exit code.

    Args:
        endpoint: Only what was done to this server, by whatever name led to it; None for all.
        last: How many runs, undos and actions are listed, the newest.
        there: Gives the settings of the server of a run, to be asked what may follow that.
    """

    def work() -> int:
        journal = Journal(state_folder())
        if run is None:
            return _listed(journal, endpoint, last, as_json=as_json)
        return _told(journal, run, endpoint.way if endpoint is not None else (), there, as_json=as_json)

    return coded(work)


def _told(journal: Journal, run: str, way: tuple[str, ...], there: There, *, as_json: bool) -> int:
    found = find(journal, run) if is_id(run) else None
    if found is None:
        raise WrongUse(f'the journal has no run "{safe(run, limit=60)}"; pymon-tui journal lists them')
    if as_json:
        tell_json(_whole(known(found)))
    else:
        record, newer = known(found), related(journal, found.id)
        tell(detail(record, newer, _after(record, newer, way or words_then(record.way, record.server), there)))
    return DONE


def _after(record: Record, newer: Sequence[Record], way: tuple[str, ...], there: There) -> FollowUp:
    """What may follow it; the server is asked where it matters who answers."""
    resumes = record.kind == "run" and resume_problem(record) is None
    if not (resumes or comes_back(record, newer)):
        return FollowUp(way)
    settings = there(way)
    if isinstance(settings, str):
        return FollowUp(way, unasked=safe(f"it wasn't asked who answers now: {settings}", 600))
    # It is looked at, and no profile leads there by that.
    here = settings.endpoint
    brief = replace(here, name=None, way=way, connect_timeout=_PATIENCE, command_timeout=_PATIENCE)
    return asked(desk_of(brief, settings), record.id)


def _listed(journal: Journal, endpoint: Endpoint | None, last: int, *, as_json: bool) -> int:
    whose = asyncio.run(server_at(endpoint)).whose if endpoint is not None else None
    found = newest(journal, whose=whose)
    shown = [known(each) if isinstance(each, Record) else each for each in islice(found, last)]
    is_all = next(found, None) is None
    if as_json:
        runs = [_plain(each) for each in shown if isinstance(each, Record)]
        actions = [_action(each) for each in reversed(shown) if isinstance(each, Entry)]
        tell_json({"runs": runs, "actions": actions, "all": is_all})
    else:
        tell(listing(shown, safe(endpoint.address) if endpoint is not None else None))
    if not is_all:
        say(f"these are the newest {exact(last)}; more: --last N")
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
        "undone_in_part": record.undone_in_part,
        "back": None if record.back is None else record.back.as_json() | _gone(record),
        "dropped": None if record.dropped is None else record.dropped.as_json(),
        "not_kept": record.not_kept,
        "oversized_keys": list(record.oversized_keys),
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
        "dropped": None if part.dropped is None else part.dropped.as_json(),
    }


def _gone(record: Record) -> dict[str, int | None]:
    """How many keys can't come back, as their trash is gone."""
    least, most = (0, 0) if record.dropped is None else record.dropped.keys
    return {"dropped_at_least": least, "dropped_at_most": most}


def _whole(record: Record) -> dict[str, Any]:
    return _plain(record) | {
        "started": dict(record.started),
        "progress": None if record.progress is None else dict(record.progress),
        "result": None if record.result is None else dict(record.result),
    }


def _action(entry: Entry) -> dict[str, Any]:
    return {
        "time": entry.at.isoformat(timespec="milliseconds"),
        "event": entry.event,
        "user": entry.user,
        "ssh": entry.ssh,
        **entry.fields,
    }
