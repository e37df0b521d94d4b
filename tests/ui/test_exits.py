"""However the program ends, the terminal is as it was and nothing is left behind."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from tests.demo.waiting import wait_until
from tests.ui.pty_run import PtyRun

ENTER = b"\x1b[?1049h"
"""To the alternate screen."""
LEAVE = b"\x1b[?1049l"
"""Back from the alternate screen."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for the demo's files, which must be empty in the end; short, for it holds a socket."""
    with tempfile.TemporaryDirectory(prefix="pm") as name:
        yield Path(name)


def demo(folder: Path, *, login: bool = True) -> PtyRun:
    """The demo, once it shows its server."""
    run = PtyRun(["demo"], environ={"TMPDIR": str(folder)}, login=login)
    run.until(lambda: b"valkey" in run.output or b"redis" in run.output)
    return run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_terminal(folder: Path, number: signal.Signals) -> None:
    with demo(folder) as run:
        run.signal(number)
        assert run.ended() == 128 + number
        assert run.output.rstrip().endswith(b"l")
        assert LEAVE in run.output
    wait_until(lambda: not os.listdir(folder))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("arguments", [["-p", "1"], ["demo"]])
def test_a_signal_restores_the_terminal_that_was_just_taken(
    folder: Path, arguments: list[str], number: signal.Signals
) -> None:
    with PtyRun(arguments, environ={"TMPDIR": str(folder)}) as run:
        run.until(lambda: ENTER in run.output)
        run.signal(number)
        assert run.ended() == 128 + number
        assert LEAVE in run.output
    wait_until(lambda: not os.listdir(folder))


@pytest.mark.parametrize("key", [b"q", b"\x03"])
def test_a_key_quits(folder: Path, key: bytes) -> None:
    with demo(folder) as run:
        run.send(key)
        assert run.ended() == 0
        assert LEAVE in run.output
    wait_until(lambda: not os.listdir(folder))


@pytest.mark.parametrize("login", [True, False])
def test_a_dropped_line_leaves_nothing(folder: Path, *, login: bool) -> None:
    with demo(folder, login=login) as run:
        run.hang_up()
        wait_until(lambda: run.process.poll() is not None)
    wait_until(lambda: not os.listdir(folder))


def test_a_kill_leaves_nothing(folder: Path) -> None:
    with demo(folder) as run:
        assert os.listdir(folder)
        run.process.kill()
        wait_until(lambda: run.process.poll() is not None)
    wait_until(lambda: not os.listdir(folder))


@pytest.mark.parametrize(
    "keys", ["3q", "q3", "8q", "q9", "345678q", "qi", "6jq2", "234\x1b56q", "n3q", "q/", "\x11\x10x"]
)
def test_keys_in_the_packet_that_leaves_do_no_harm(server: EmbeddedServer, keys: str) -> None:
    with PtyRun(["-s", server.socket], size=(80, 24)) as run:
        run.until(lambda: b"valkey" in run.output)
        run.send(keys.encode())
        assert run.ended() == 0
        assert b"unforeseen" not in run.output
