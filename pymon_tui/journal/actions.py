"""The journal of single actions: a killed client, a slow log that was emptied, a changed threshold, a message."""

from __future__ import annotations

from pymon_tui.journal.journal import Journal, JournalError
from pymon_tui.model.action import Attempt, Done, Recorder
from pymon_tui.model.text import SafeText, safe


def recorder(journal: Journal) -> Recorder:
    """What writes each attempted action down; it says why where it can't, and never fails."""

    def record(attempt: Attempt) -> SafeText | None:
        try:
            _append(journal, attempt)
        except JournalError as error:
            return safe(str(error))
        return None

    return record


def _append(journal: Journal, attempt: Attempt) -> None:
    outcome = attempt.outcome
    if isinstance(outcome, Done):
        event, told = "done", {"answer": outcome.answer}
    else:
        event = "unknown" if outcome.unknown else "refused"
        told = {"why": outcome.what, "remedy": outcome.remedy}
    journal.append(
        "action",
        event,
        name=attempt.action.name,
        command=attempt.action.shown,
        acl_user=attempt.acl_user,
        node=attempt.node,
        server=attempt.server,
        run_id=attempt.run_id,
        db=attempt.db,
        environment=attempt.environment,
        **told,
    )
