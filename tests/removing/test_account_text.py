"""What a run is said to have done, and the exit code that it deserves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pymon_tui.invalidation.account import Mode, Outcome, Result, Tally
from pymon_tui.invalidation.freed import Freed
from pymon_tui.invalidation.restore_account import Failure, RestoreResult, RestoreTally
from pymon_tui.model.text import safe
from pymon_tui.removing.account_text import no_run, run_code, run_lines, undo_code, undo_lines
from pymon_tui.removing.follow_up import FollowUp
from tests.removing.test_plan_text import PLAN
from tests.ui.scripted_desk import record_of

RUN = "20261122-120411-7c3f"

DONE = Result(
    run=RUN,
    outcome="done",
    why=safe(""),
    tally=Tally(matched=12_031, removed=12_017, already_gone=14),
    left=3,
    freed=Freed(50_540_544, "run"),
    seconds=4.12,
    undo=Path("kept"),
    undo_bytes=32_505_856,
    undo_left_out=2,
    dry_run=False,
    oversized_keys=(b"big\x1b[2J",),
)


@pytest.mark.parametrize(
    ("outcome", "tally", "code"),
    [
        ("done", Tally(matched=3, removed=2, already_gone=1), 0),
        ("done", Tally(matched=3, removed=2, refused=1), 1),
        ("done", Tally(matched=3, refused=3), 4),
        ("done", Tally(matched=3, removed=2, unknown=1), 1),
        ("cancelled", Tally(matched=3, removed=3), 1),
        ("stopped", Tally(), 1),
        ("stopped", Tally(matched=3, refused=3), 1),
    ],
)
def test_only_what_is_whole_is_done(outcome: Outcome, tally: Tally, code: int) -> None:
    assert run_code(replace(DONE, outcome=outcome, tally=tally)) == code


def test_a_run_that_is_done() -> None:
    assert (
        "\n".join(run_lines(DONE, "unlink", FollowUp()))
        == f"""\
run {RUN}: done in 4.1 s
  matched            12 031
  removed            12 017
  already gone           14
  protected               0
  refused                 0
  unknown                 0
  left                    3   match now: refused, or written meanwhile
  freed           about 48.2 MiB
  undo            31.0 MiB kept
  for good        2 keys without an undo: too big, or no room for it
                  pymon-tui undo {RUN}
  too big for the undo:
    big\\x1b[2J"""
    )


@pytest.mark.parametrize(
    ("mode", "dry_run", "did"),
    [
        ("expire", False, "  given an end       12 017"),
        ("unlink", True, "  would remove       12 031"),
        ("expire", True, "  would expire       12 031"),
    ],
)
def test_what_was_done_is_called_what_it_is(mode: Mode, dry_run: bool, did: str) -> None:  # noqa: FBT001
    head, *lines = run_lines(replace(DONE, dry_run=dry_run), mode, FollowUp())
    assert did in lines
    assert head == ("dry run: done in 4.1 s" if dry_run else f"run {RUN}: done in 4.1 s")


def test_a_run_that_was_stopped() -> None:
    keys = tuple(b"key:%d" % number for number in range(100))
    tally = Tally(matched=2_000, removed=0, refused=1_999, unknown=1)
    stopped = replace(
        DONE, outcome="stopped", why=safe("the server was restarted"), tally=tally, left=None, undo=None,
        undo_left_out=0, oversized_keys=(), refused_keys=keys, seconds=125.0,
    )  # fmt: skip
    lines = run_lines(stopped, "unlink", FollowUp())
    assert lines[:2] == [f"run {RUN}: stopped in 2m 5s", "  the server was restarted"]
    assert "  unknown                 1   may be removed or not: the answer was lost" in lines
    assert "  left            not counted" in lines
    assert lines[-23:-20] == ["  refused, and there:", "    key:0", "    key:1"]
    assert lines[-2:] == ["    and 1 979 more", f"  go on           pymon-tui invalidate --resume {RUN}"]


def test_an_undo() -> None:
    result = RestoreResult(
        undo="20261122-130000-0000",
        run=RUN,
        outcome="stopped",
        why=safe("OOM command not allowed"),
        total=10,
        tally=RestoreTally(restored=4, skipped=1, expired=1, failed=1),
        torn=True,
        failures=(Failure(safe("a"), safe("NOPERM")),),
        seconds=1.0,
        unrecorded=None,
    )
    assert (
        "\n".join(undo_lines(result, record_of(), ("-h", "cache"), elsewhere=False))
        == f"""\
undo of run {RUN}: stopped in 1.0 s
  kept                   10
  restored                4
  there already           0
  skipped                 1   there by now or changed since, and left as they are
  expired                 1
  failed                  1
  why             OOM command not allowed
  left            3 keys still to come: undo the run again
  torn            the end of the trash is missing: the run was cut off there, or the file
  go on           pymon-tui -h cache undo {RUN}
                  pymon-tui -h cache undo {RUN} --replace replaces what is there
  failed:
    a: NOPERM"""
    )
    whole = replace(result, outcome="done", total=6, tally=RestoreTally(4, 1, 1, 0), torn=False)
    assert undo_code(whole) == 0
    assert undo_code(replace(whole, unrecorded=safe("No space left on device"))) == 1
    others = (replace(whole, torn=True), replace(whole, total=7), replace(whole, tally=RestoreTally(4, 1, 0, 1)))
    assert [undo_code(other) for other in (result, *others)] == [1, 1, 1, 1]


def test_what_a_capped_plan_leaves_is_not_known() -> None:
    assert no_run(replace(PLAN, capped=True), "capped", dry_run=False)["left"] is None
    assert no_run(PLAN, "no", dry_run=False)["left"] == PLAN.matched


def test_what_a_failover_may_take_back_is_counted_and_not_certain() -> None:
    result = replace(DONE, may_be_lost=7)
    assert run_code(result) == 1
    line = "7 keys written about when Sentinels named this server last, or since: the new primary may have them still"
    assert f"  may be lost     {line}" in run_lines(result, "unlink", FollowUp())
    undone = RestoreResult(
        undo="20261122-130000-0000",
        run=RUN,
        outcome="stopped",
        why=safe("replaced"),
        total=10,
        tally=RestoreTally(restored=10),
        torn=False,
        failures=(),
        seconds=1.0,
        unrecorded=None,
        may_be_lost=3,
    )
    lines = undo_lines(undone, record_of(), ("-h", "cache"), elsewhere=True)
    assert any(line.startswith("  may be lost     3 keys written") for line in lines)
    assert f"  go on           pymon-tui -h cache undo {RUN} --elsewhere" in lines


def test_where_nobody_can_be_asked_who_answers_that_is_said() -> None:
    lines = run_lines(DONE, "unlink", FollowUp(("-h", "cache"), unasked=safe("cache:6379 refuses connections")))
    assert (
        "                  cache:6379 refuses connections; if another server process answers by then, "
        "undo with --elsewhere"
    ) in lines
