"""The whole program, through an ``ssh`` that may ask on the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from tests.demo.waiting import wait_until
from tests.server.fake_ssh import FakeSsh
from tests.ui.pty_run import PtyRun

BASTION = "me@bastion"


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSsh]:
    program = FakeSsh(tmp_path, monkeypatch)
    yield program
    wait_until(lambda: not program.left())


def asked(run: PtyRun) -> None:
    run.until(lambda: b"me@bastion's password: " in run.output)


def test_a_password_is_asked_for_on_the_terminal(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    fake_ssh.does("ask")
    with PtyRun([f"ssh://{BASTION}/{server.socket}", "once"]) as run:
        asked(run)
        run.until(lambda: b"Two factors are needed here." in run.output)
        run.send(b"sesame\n")
        assert run.ended() == 0
    assert f"{server.socket} via {BASTION}" in run.output.decode()
    (start,) = fake_ssh.starts
    assert "BatchMode=yes" not in start["words"]


def test_a_wrong_password_is_no_server(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    fake_ssh.does("ask")
    with PtyRun(["-s", server.socket, "--ssh", BASTION]) as run:
        asked(run)
        run.send(b"open\n")
        assert run.ended() == 3
    last = run.output.decode().splitlines()[-1]
    assert last.startswith("pymon-tui: ssh to me@bastion failed: Permission denied (password); check the")


@pytest.mark.parametrize("command", [["once"], ["invalidate", "x", "--yes"], ["undo", "--yes"]])
def test_control_c_is_an_answer(server: EmbeddedServer, fake_ssh: FakeSsh, command: list[str]) -> None:
    fake_ssh.does("ask")
    patient = {"PYMON_CONNECT_TIMEOUT": "60"}
    with PtyRun(["-s", server.socket, "--ssh", BASTION, *command], environ=patient) as run:
        asked(run)
        run.send(b"\x03")
        assert run.ended() == 130
        assert termios.tcgetattr(run._ours)[3] & termios.ECHO  # which ssh had turned off


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_of_a_question(server: EmbeddedServer, fake_ssh: FakeSsh, number: signal.Signals) -> None:
    fake_ssh.does("ask")
    with PtyRun(["-s", server.socket, "--ssh", BASTION]) as run:
        asked(run)
        run.signal(number)
        assert run.ended() == -number
        wait_until(lambda: not fake_ssh.left())


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, b"q"])
def test_the_monitor_leaves_nothing_behind(
    server: EmbeddedServer, fake_ssh: FakeSsh, end: signal.Signals | bytes
) -> None:
    with PtyRun(["-s", server.socket, "--ssh", BASTION]) as run:
        run.until(lambda: b"valkey" in run.output or b"redis" in run.output)
        assert fake_ssh.left()
        if isinstance(end, bytes):
            run.send(end)
        else:
            run.signal(end)
        run.ended()
        wait_until(lambda: not fake_ssh.left())


def test_the_monitor_can_not_ask_again_and_says_so(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    fake_ssh.does("ask")
    with PtyRun(["-s", server.socket, "--ssh", BASTION], size=(200, 50)) as run:
        asked(run)
        run.send(b"sesame\n")
        run.until(lambda: b"valkey" in run.output or b"redis" in run.output)
        os.kill(fake_ssh.starts[0]["pid"], signal.SIGKILL)
        run.until(lambda: b"Permission denied" in run.output)
        assert "BatchMode=yes" in fake_ssh.starts[1]["words"]
        fake_ssh.does("forward")
        run.send(b"r")  # somebody has added the key
        run.until(lambda: len(fake_ssh.starts) > 2 and fake_ssh.sockets()[-1].exists())
        run.send(b"q")
        assert run.ended() == 0


def test_nobody_is_asked_where_there_is_no_terminal(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    fake_ssh.does("ask")
    done = subprocess.run(
        [sys.executable, "-m", "pymon_tui", "-s", server.socket, "--ssh", BASTION, "once"],
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Permission denied (publickey,password); it can't ask here" in done.stderr
    assert len(done.stderr.splitlines()) == 1
