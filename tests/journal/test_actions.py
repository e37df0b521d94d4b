"""Actions in the journal: who did what to which server, and what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymon_tui.journal.actions import recorder
from pymon_tui.journal.journal import Journal
from pymon_tui.model.action import Action, Attempt, Done, NotDone, Outcome
from pymon_tui.model.text import safe

KILL = Action(safe("Kill client"), ("CLIENT", "KILL", "ID", 7), safe("It is gone."), "client|kill")


def attempt(outcome: Outcome) -> Attempt:
    return Attempt(
        KILL, outcome, safe("cache"), safe("10.0.0.1:6379"), safe("production"), 2, safe("oncall"), safe("a1b2")
    )


def test_an_action_is_written_with_its_exact_command_and_its_answer(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert recorder(journal)(attempt(Done(safe("1 killed")))) is None
    (entry,) = journal.entries()
    assert (entry.kind, entry.event) == ("action", "done")
    assert entry.fields == {
        "name": "Kill client",
        "command": "CLIENT KILL ID 7",
        "acl_user": "oncall",
        "node": "cache",
        "server": "10.0.0.1:6379",
        "run_id": "a1b2",
        "db": 2,
        "environment": "production",
        "answer": "1 killed",
    }


@pytest.mark.parametrize(("unknown", "event"), [(False, "refused"), (True, "unknown")])
def test_what_was_not_done_says_why(tmp_path: Path, unknown: bool, event: str) -> None:  # noqa: FBT001
    journal = Journal(tmp_path)
    recorder(journal)(attempt(NotDone(safe("it was refused"), safe("do this"), unknown=unknown)))
    (entry,) = journal.entries()
    assert (entry.event, entry.fields["why"], entry.fields["remedy"]) == (event, "it was refused", "do this")


def test_a_journal_that_cannot_be_written_says_why_and_does_not_fail(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    missing = recorder(Journal(tmp_path / "state"))(attempt(Done(safe("1 killed"))))
    assert missing is not None
    assert missing.startswith("can't write the journal ")
