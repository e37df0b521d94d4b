"""Runs as the journal remembers them: how far they came, and never further than is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pymon_tui.journal.journal import Journal
from pymon_tui.journal.lock import lock
from pymon_tui.journal.records import Record, runs

RUN, OTHER, UNDO = "20261122-120411-7c3f", "20261122-120412-0000", "20261122-120413-1111"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def start(journal: Journal, run: str = RUN, **more: Any) -> None:
    fields: dict[str, Any] = {
        "acl_user": "oncall",
        "node": "cache",
        "server": "10.0.0.1:6379",
        "run_id": "a1b2",
        "db": 2,
        "mode": "unlink",
    } | more
    journal.append("run", "started", run=run, patterns=["user:*", "a\\x00*"], plan={"matched": 500}, **fields)


def progress(journal: Journal, run: str = RUN, **more: Any) -> None:
    counts = {"matched": 300, "removed": 200, "already_gone": 40, "refused": 10, "unknown": 5, "named_up_to": 400}
    journal.append("run", "progress", run=run, **(counts | more))


def only(journal: Journal) -> Record:
    (record,) = runs(journal)
    return record


def test_a_run_that_has_ended_is_told_whole(journal: Journal) -> None:
    trash = journal.folder / "trash" / "x.trash"
    start(journal, undo=str(trash))
    progress(journal)
    tally = {"matched": 500, "removed": 480, "already_gone": 15, "refused": 0, "unknown": 5, "protected": 1}
    journal.append("run", "ended", run=RUN, outcome="cancelled", why="you said so", tally=tally, seconds=1.5)
    record = only(journal)
    assert (record.id, record.run, record.kind, record.state, record.why) == (
        RUN,
        RUN,
        "run",
        "cancelled",
        "you said so",
    )
    assert (record.acl_user, record.run_id, record.db) == ("oncall", "a1b2", 2)
    assert (record.node, record.server) == ("cache", "10.0.0.1:6379")
    assert (record.patterns, record.mode, record.plan) == (("user:*", "a\\x00*"), "unlink", {"matched": 500})
    assert (record.removed_at_least, record.removed_at_most) == (480, 485)
    assert record.result is not None
    assert record.result["seconds"] == 1.5
    assert (record.undo_path, record.undone) == (None, False)  # the trash is gone
    trash.parent.mkdir()
    trash.touch()
    assert only(journal).undo_path == trash


def test_a_run_is_running_for_as_long_as_its_lock_is_held(journal: Journal) -> None:
    start(journal)
    with lock(journal.folder, f"run-{RUN}", run=RUN):
        assert only(journal).state == "running"
    assert only(journal).state == "interrupted"


def test_an_interrupted_run_says_how_far_it_may_have_come(journal: Journal) -> None:
    start(journal)
    record = only(journal)
    assert (record.removed_at_least, record.removed_at_most) == (0, None)
    journal.path.unlink()
    start(journal, named_up_to=50)
    assert (only(journal).removed_at_least, only(journal).removed_at_most) == (0, 50)
    progress(journal, removed=100)
    progress(journal)
    record = only(journal)
    assert record.state == "interrupted"
    # 400 may have been named: 40 of them were gone before, 10 were refused, and of the rest nobody knows.
    assert (record.removed_at_least, record.removed_at_most) == (200, 350)


def test_a_done_undo_makes_its_run_undone(journal: Journal) -> None:
    start(journal)
    start(journal, OTHER)
    for run in (RUN, OTHER):
        journal.append("run", "ended", run=run, outcome="done", why="", tally={"removed": 10})
    journal.append("undo", "started", undo=UNDO, run=RUN, server="cache", run_id="a1b2", db=2, acl_user="oncall")
    journal.append("undo", "progress", undo=UNDO, run=RUN, restored=6)
    with lock(journal.folder, f"run-{RUN}", run=UNDO):
        undo, _, first = runs(journal)
        assert (undo.id, undo.run, undo.kind, undo.state) == (UNDO, RUN, "undo", "running")
        assert (undo.removed_at_least, undo.removed_at_most) == (6, None)
        assert not first.undone
    journal.append("undo", "ended", undo=UNDO, run=RUN, outcome="done", why="", restored=10)
    undo, other, first = runs(journal)
    assert (undo.state, undo.removed_at_least, undo.removed_at_most) == ("done", 10, 10)
    assert (first.run, first.undone, other.run, other.undone) == (RUN, True, OTHER, False)


def test_an_undo_under_way_does_not_bring_its_interrupted_run_back(journal: Journal) -> None:
    start(journal)
    with lock(journal.folder, f"run-{RUN}", run=UNDO):
        assert only(journal).state == "interrupted"


@pytest.mark.parametrize("run", ["../../etc", "", 7, None])
def test_what_has_no_id_is_no_run(journal: Journal, run: Any) -> None:
    journal.append("run", "started", run=run)
    journal.append("run", "ended", run=OTHER, outcome="done")
    assert runs(journal) == ()


def test_fields_of_another_kind_are_told_as_missing(journal: Journal) -> None:
    journal.append("run", "started", run=RUN, patterns=7, plan="x", db="0", server=None, undo=1)
    journal.append("run", "ended", run=RUN, outcome="exploded", why=3, tally=[])
    record = only(journal)
    assert (record.state, record.patterns, record.plan, record.db, record.server) == ("interrupted", (), None, 0, "")
    assert (record.removed_at_least, record.undo_path, record.why) == (0, None, "")


def test_actions_are_no_runs(journal: Journal) -> None:
    journal.append("action", "done", name="Kill client")
    assert runs(journal) == ()


def test_strangers_text_is_safe_to_show(journal: Journal) -> None:
    start(journal, server="\x1b[2Jcache")
    assert only(journal).server == "\\x1b[2Jcache"
