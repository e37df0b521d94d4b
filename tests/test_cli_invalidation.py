"""Invalidation from a shell: questions on a terminal, signals, pipes, and what is left of a run that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import Record, runs
from tests.demo.waiting import wait_until
from tests.forked import completed
from tests.processes import killed_at_exit
from tests.ui.pty_run import DEADLINE, PtyRun

SLOW = ("--rate", "250")


@pytest.fixture
def db(server: EmbeddedServer) -> Iterator[Redis]:
    """A client of the run's server, which holds 500 keys."""
    with Redis(unix_socket_path=server.socket) as client:
        client.flushall()
        client.mset({f"a:{number}": "x" * 50 for number in range(500)})
        yield client


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of every program that a test starts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "pymon-tui"


def on_a_terminal(server: EmbeddedServer, *arguments: str) -> PtyRun:
    """The program with this server, on a terminal."""
    return PtyRun(["-s", server.socket, *arguments], environ={"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]})


def in_a_script(server: EmbeddedServer, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The program with this server, without a terminal, to its end."""
    return completed("-s", server.socket, *arguments, timeout=DEADLINE)


def left(db: Redis) -> int:
    """How many keys there are."""
    return int(db.dbsize())


def record(state: Path) -> Record:
    """The newest run of the journal."""
    return next(each for each in runs(Journal(state)) if each.kind == "run")


def test_a_yes_on_the_terminal(server: EmbeddedServer, db: Redis, state: Path) -> None:
    with on_a_terminal(server, "invalidate", "a:*") as run:
        run.until(lambda: b"[y/N] " in run.output)
        assert b"matches    500 keys\r\n" in run.output
        assert left(db) == 500
        run.send(b"y\n")
        assert run.ended() == 0
        assert b"removed               500" in run.output
    assert left(db) == 0


@pytest.mark.parametrize(("keys", "code"), [(b"n\n", 1), (b"\n", 1), (b"\x04", 1), (b"\x03", 130)])
def test_anything_else_on_the_terminal(server: EmbeddedServer, db: Redis, state: Path, keys: bytes, code: int) -> None:
    with on_a_terminal(server, "invalidate", "a:*") as run:
        run.until(lambda: b"[y/N] " in run.output)
        run.send(keys)
        assert run.ended() == code
        assert b"Traceback" not in run.output
    assert left(db) == 500
    assert not state.exists()


def test_what_was_typed_before_there_was_a_question_is_no_answer(
    server: EmbeddedServer, db: Redis, state: Path
) -> None:
    with on_a_terminal(server, "invalidate", "a:*") as run:
        run.send(b"y\ny\n")
        run.until(lambda: b"[y/N] " in run.output)
        run.send(b"n\n")
        assert run.ended() == 1
    assert left(db) == 500
    assert not state.exists()


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\x03", 1)])
def test_keys_that_came_since_the_plan_are_asked_about(
    server: EmbeddedServer, db: Redis, state: Path, answer: bytes, code: int
) -> None:
    with on_a_terminal(server, "invalidate", "a:*") as run:
        run.until(lambda: b"[y/N] " in run.output)
        db.mset({f"a:more:{number}": 1 for number in range(200)})
        run.send(b"y\n")
        run.until(lambda: run.output.count(b"? [y/N] ") == 2)
        assert b"700 keys match by now, and the plan said 500: go on" in run.output
        run.send(answer)
        assert run.ended() == code
    assert record(state).state == ("done" if code == 0 else "cancelled")
    assert record(state).removed_at_least == 700 - left(db)
    assert (left(db) == 0) == (code == 0)


def test_ctrl_c_ends_a_run_with_a_true_account(server: EmbeddedServer, db: Redis, state: Path) -> None:
    with on_a_terminal(server, "invalidate", "a:*", "--yes", "--json", *SLOW) as run:
        run.until(lambda: left(db) < 450 and b"\r" in run.output)
        run.send(b"\x03")
        assert run.ended() == 1
        told = json.loads(run.output.splitlines()[-1].rpartition(b"\x1b[K")[2])
    assert told["outcome"] == "cancelled"
    assert told["removed"] == 500 - left(db)
    assert 0 < left(db) < 450
    assert record(state).state == "cancelled"


def test_nohup_outlives_its_terminal(server: EmbeddedServer, db: Redis, state: Path) -> None:
    with script(server, "invalidate", "a:*", "--yes", *SLOW, under=["nohup"]) as run:
        wait_until(lambda: left(db) < 450)
        run.send_signal(signal.SIGHUP)
        run.communicate(timeout=DEADLINE)
    assert (run.returncode, left(db)) == (0, 0)


def script(
    server: EmbeddedServer, *arguments: str, under: Sequence[str] = ()
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """The program with this server, without a terminal, under way; ``under`` another one that becomes it."""
    process = subprocess.Popen(
        [*under, sys.executable, "-m", "pymon_tui", "-s", server.socket, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return killed_at_exit(process)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_a_run_that_is_cut_off_goes_on_and_comes_back(
    server: EmbeddedServer, db: Redis, state: Path, number: signal.Signals
) -> None:
    with script(server, "invalidate", "a:*", "--yes", *SLOW) as run:
        wait_until(lambda: left(db) < 450)
        run.send_signal(number)
        out, err = run.communicate(timeout=DEADLINE)
    assert out == b""
    cut = record(state)
    there = left(db)
    assert cut.state == "interrupted"
    assert cut.removed_at_least <= 500 - there
    assert cut.removed_at_most is None or 500 - there <= cut.removed_at_most
    if number is not signal.SIGKILL:
        assert run.returncode == 1
        assert f"go on with: pymon-tui -s {server.socket} invalidate --resume {cut.id}\n".encode() in err
    done = in_a_script(server, "invalidate", "--resume", cut.id, "--yes", "--json", "--profile", "fast")
    assert done.returncode == 2  # there is no such profile: nothing is done by halves
    with on_a_terminal(server, "invalidate", "--resume", cut.id) as resumed:
        resumed.until(lambda: b"go on with about " in resumed.output)
        resumed.send(b"y\n")
        assert resumed.ended() == 0
    assert left(db) == 0
    for each in (record(state).id, cut.id):  # the newest part first
        assert in_a_script(server, "undo", each, "--yes").returncode == 0
    assert left(db) == 500


def test_a_script_gets_json_and_no_escape_codes(server: EmbeddedServer, db: Redis, state: Path) -> None:
    done = in_a_script(server, "invalidate", "a:*", "--yes", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["removed"] == 500
    assert b"\x1b" not in done.stderr
    assert b"\r" not in done.stderr
    undone = in_a_script(server, "undo", "--yes", "--json")
    assert (undone.returncode, undone.stderr) == (0, b"")
    assert json.loads(undone.stdout)["restored"] == 500
    assert left(db) == 500


def test_any_terminal_s_encoding_will_do(
    server: EmbeddedServer, db: Redis, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.set("b:안녕", 1)
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = in_a_script(server, "invalidate", "b:*", "--dry-run")
    assert done.returncode == 0
    assert rb"b:\uc548\ub155" in done.stdout
