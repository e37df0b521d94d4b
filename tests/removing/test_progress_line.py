"""How work is followed: on a terminal in one line, elsewhere in few."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from pymon_tui.invalidation.account import Progress, State, Tally
from pymon_tui.invalidation.brake import Feeling, Pace
from pymon_tui.invalidation.planning import PlanProgress
from pymon_tui.invalidation.restore_account import RestoreProgress, RestoreTally
from pymon_tui.model.text import safe
from pymon_tui.removing.console import cells
from pymon_tui.removing.progress_line import ProgressLine, of_planning, of_removal, of_restore


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Gone(Terminal):
    """A terminal whose other end has hung up."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def running(tally: Tally, state: State, why: str) -> Progress:
    """A run at half of its way."""
    return Progress(
        state=state,
        why=safe(why),
        tally=tally,
        planned=12_031,
        scanned=600_000,
        total=1_200_000,
        seconds=2.0,
        keys_per_second=41_200.0,
        felt=Feeling(ping_p99=0.0019),
        idle_p99=0.0002,
        limit=0.0052,
        pace=Pace(400, 0.002, hold=False, why=safe("")),
        trash_bytes=0,
        undo_left_out=0,
    )


def test_a_terminal_has_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    line = ProgressLine(stream)
    line.show(safe("한글" * 20))
    first = stream.getvalue()
    assert first.startswith("\r")
    assert first.endswith("…\x1b[K")
    assert cells(first[1:-3]) <= 19
    line.clear()
    line.clear()
    assert stream.getvalue() == first + "\r\x1b[K"


@pytest.mark.parametrize(("stream", "term"), [(io.StringIO(), "xterm"), (Terminal(), "dumb"), (Terminal(), "")])
def test_elsewhere_a_line_comes_now_and_then(stream: io.StringIO, term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    now = [100.0]
    monkeypatch.setattr("pymon_tui.removing.progress_line.time.monotonic", lambda: now[0])
    line = ProgressLine(stream)
    for _ in range(41):
        now[0] += 0.25
        line.show(safe("half"))
    line.clear()
    assert stream.getvalue() == "half\nhalf\n"


def test_whoever_has_gone_doesn_t_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for stream in (Gone(), None):
        line = ProgressLine(stream)
        line.show(safe("half"))
        line.clear()


def test_what_is_said_of_a_plan() -> None:
    assert of_planning(PlanProgress(412_000, 1_210_448, 4_102, 7, 1.2)) == (
        "looking  34.0%  412 000 of 1 210 448 keys  4 102 match  7 protected"
    )
    assert of_planning(PlanProgress(412_000, None, 1, 0, 1.2)) == "looking  412 000 keys  1 match"


def test_what_is_said_of_a_run() -> None:
    tally = Tally(matched=7_602, removed=7_588, already_gone=14)
    assert of_removal(running(tally, "running", ""), "unlink", dry_run=False) == (
        "removing  7 588 of 12 031  50.0% done  14 gone  41.2k/s  2s left  PING 1.90 ms"
    )
    assert of_removal(running(tally, "running", ""), "expire", dry_run=False).startswith("letting expire  7 588 of ")
    assert of_removal(running(Tally(matched=5), "running", ""), "unlink", dry_run=True).startswith(
        "looking  5 of 12 031   0.0% done  41.2k/s"
    )
    braked = of_removal(running(tally, "running", "page 400: PING p99 is 6.10 ms"), "unlink", dry_run=False)
    assert braked.endswith("  2s left  page 400: PING p99 is 6.10 ms")
    held = of_removal(running(tally, "holding", "holding: a replica is 70.0 MiB behind"), "unlink", dry_run=False)
    assert held.startswith("holding  7 588 of 12 031  50.0% done  14 gone  PING 1.90 ms")
    assert held.endswith("a replica is 70.0 MiB behind")


def test_what_is_said_of_an_undo() -> None:
    progress = RestoreProgress("running", safe(""), 10, RestoreTally(restored=4, skipped=1), 1.0)
    assert of_restore(progress) == "restoring 50.0%  5 of 10  4 restored  1 skipped"
    assert of_restore(RestoreProgress("reconnecting", safe("no answer"), 10, RestoreTally(), 1.0)) == (
        "reconnecting  0.0%  0 of 10  no answer"
    )


def test_the_time_left_is_that_of_the_keys_where_a_rate_holds_them_back() -> None:
    ahead = replace(running(Tally(matched=100, removed=100), "running", ""), scanned=1_200_000, keys_per_second=100.0)
    assert (
        of_removal(ahead, "unlink", dry_run=False)
        == "removing  100 of 12 031   0.8% done  100/s  1m 59s left  PING 1.90 ms"
    )
