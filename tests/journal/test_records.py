"""Runs as the journal remembers them: how far they came, and never further than is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pymon_tui.invalidation import history
from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.invalidation.history import brought_back, resumed_by
from pymon_tui.invalidation.past import back_rows
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.lock import lock
from pymon_tui.journal.records import Back, Record, Whose, newest, runs

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


def test_an_undo_that_told_nothing_may_have_brought_keys_back(journal: Journal) -> None:
    start(journal)
    progress(journal, removed=100)
    assert brought_back(only(journal)) is None
    journal.append("undo", "started", undo=UNDO, run=RUN, server="cache", run_id="a1b2", db=2, acl_user="oncall")
    run = runs(journal)[-1]
    assert run.back == Back(0, more=True)
    assert "may have brought keys of it back" in (brought_back(run) or "")
    assert back_rows(run)[0].text.startswith("at least 0 of")
    journal.append("undo", "ended", undo=UNDO, run=RUN, outcome="stopped", why="", restored=0)
    run = runs(journal)[-1]
    assert run.back == Back(0)
    assert brought_back(run) is None


def test_what_went_unkept_after_the_last_entry_of_a_killed_run_is_no_number(journal: Journal) -> None:
    start(journal, undo="trash/x")
    progress(journal, removed=100, undo_left_out=3, unkept_up_to=5)
    journal.append("undo", "started", undo=UNDO, run=RUN, server="cache", run_id="a1b2", db=2, acl_user="oncall")
    journal.append("undo", "ended", undo=UNDO, run=RUN, outcome="done", why="", restored=200)
    run = runs(journal)[-1]
    assert run.undone
    assert run.undone_in_part
    assert run.not_kept is None
    progress(journal, removed=100, undo_left_out=5, unkept_up_to=5)
    assert runs(journal)[-1].not_kept == 5


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


def test_the_order_of_the_file_counts_where_the_clock_was_set_back(journal: Journal) -> None:
    start(journal)
    start(journal, OTHER)
    earlier, later = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(earlier + re.sub(rb'"time":"2...', b'"time":"2001', later))
    newest, oldest = runs(journal)
    assert (newest.id, oldest.id) == (OTHER, RUN)
    assert newest.started_at < oldest.started_at


@pytest.mark.parametrize(
    ("counts", "undone"),
    [
        ({"restored": 5, "skipped": 2, "failed": 3}, True),
        ({"there": 5, "skipped": 2}, True),
        ({"expired": 10}, True),
        ({"skipped": 10}, False),
        ({"failed": 10}, False),
        ({"expired": 9, "left": 1}, False),
        ({"torn": True}, False),
        ({"restored": 5, "torn": True}, True),
    ],
)
def test_undone_is_what_came_back_or_has_nothing_left_to_come(
    journal: Journal,
    counts: dict[str, int],
    undone: bool,  # noqa: FBT001 - pytest's
) -> None:
    start(journal)
    journal.append("undo", "started", undo=UNDO, run=RUN)
    journal.append("undo", "ended", undo=UNDO, run=RUN, outcome="done", **counts)
    _, run = runs(journal)
    assert run.undone is undone


@pytest.mark.parametrize("outcome", ["stopped", "cancelled", "interrupted"])
def test_an_undo_that_did_not_come_to_its_end_undoes_nothing(journal: Journal, outcome: str) -> None:
    start(journal)
    journal.append("undo", "started", undo=UNDO, run=RUN)
    journal.append("undo", "ended", undo=UNDO, run=RUN, outcome=outcome, restored=5)
    assert not runs(journal)[1].undone


def test_the_trash_is_found_in_the_state_folder_first(journal: Journal, tmp_path: Path) -> None:
    start(journal, undo="/mnt/elsewhere/trash/" + RUN + ".trash")
    assert only(journal).undo_path is None
    here = journal.folder / "trash" / f"{RUN}.trash"
    here.parent.mkdir()
    here.touch()
    assert only(journal).undo_path == here


def test_runs_that_went_on_with_one_are_known_until_they_are_undone(journal: Journal) -> None:
    third = "20261122-120414-2222"
    here = journal.folder / "trash"
    here.mkdir(parents=True)
    for run, resumes in ((RUN, None), (OTHER, RUN), (third, OTHER)):
        (here / f"{run}.trash").touch()
        start(journal, run, undo=str(here / f"{run}.trash"), resumes=resumes)
        journal.append("run", "ended", run=run, outcome="cancelled", tally={"removed": 5})

    def later() -> list[str]:
        records = runs(journal)
        return [record.id for record in resumed_by(records, next(each for each in records if each.id == RUN))]

    assert later() == [third, OTHER]
    for run, left in ((third, [OTHER]), (OTHER, [])):
        undo = f"20261122-13000{len(left)}-0000"
        journal.append("undo", "started", undo=undo, run=run)
        journal.append("undo", "ended", undo=undo, run=run, outcome="done", skipped=5)
        assert later() == left


def test_a_run_at_several_nodes_is_found_by_what_a_part_began_with(journal: Journal) -> None:
    start(journal, run_id="")
    start(journal, run=OTHER, run_id="c3d4", group=RUN)

    def on(run_id: str) -> list[str]:
        whose = Whose(run_ids=[run_id], replids=[], addresses=[], same=lambda _: False, hints=[])
        return [each.id for each in newest(journal, whose=whose) if isinstance(each, Record)]

    assert (on("c3d4"), on("e5f6")) == ([RUN], [])


@pytest.mark.parametrize(("kept", "read"), [(0, 4), (7, 8)])
def test_no_more_is_looked_through_than_may_be_undone(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, kept: int, read: int
) -> None:
    monkeypatch.setattr(history, "_LOOKED_AT", 3)
    ids = [f"20261122-1204{number:02}-0000" for number in range(20)]
    for each in ids:
        start(journal, each, named_up_to=5)
        journal.append("run", "ended", run=each, outcome="done", tally={"removed": 3})
    seen: list[Record] = []

    def told() -> Iterator[Record]:
        for record in runs(journal):
            seen.append(record)
            yield record

    server = Server(frozenset({"a1b2"}), frozenset(), frozenset())
    trash = {ids[-kept]} if kept else set()
    last = history.last_to_undo(told(), server, trash)
    assert last.record is None
    assert len(last.passed_over) == max(3, kept)
    assert len(seen) == read


@pytest.mark.parametrize(("lost", "least", "in_part"), [(0, 480, False), (300, 180, True), (480, 0, True)])
def test_what_came_back_to_a_primary_that_was_replaced_is_uncertain(
    journal: Journal, *, lost: int, least: int, in_part: bool
) -> None:
    start(journal)
    journal.append("run", "ended", run=RUN, outcome="done", tally={"matched": 480, "removed": 480})
    journal.append("undo", "started", undo=UNDO, run=RUN, total=480, server="10.0.0.1:6379")
    outcome = "stopped" if lost else "done"
    journal.append("undo", "ended", undo=UNDO, run=RUN, outcome=outcome, restored=480, left=0, may_be_lost=lost)
    undo, run = runs(journal)
    assert (undo.removed_at_least, undo.removed_at_most) == (least, 480)
    assert (run.undone, run.undone_in_part) == (not in_part, in_part and least > 0)
    assert run.back is None or run.back.keys == least
    assert run.back is None or run.back.may_come is in_part
