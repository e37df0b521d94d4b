"""A program called ``ssh`` that forwards sockets on this machine, and fails in the ways that ssh does."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = r"""
import json, os, pathlib, signal, socket, sys, termios, threading, time
here = pathlib.Path(__file__).parent
how = (here / "how").read_text()
words = sys.argv[1:]

def tell(file, **what):
    with open(here / file, "a") as out:
        out.write(json.dumps(what) + "\n")

if "-G" in words:
    print("hostname bastion\ncontrolpath " + ("/run/ctl" if how == "master" else "none"))
    sys.exit()
if "-O" in words:
    tell("cancelled", words=words)
    os.kill(int((here / "master").read_text()), signal.SIGKILL)
    sys.exit()
if how == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
tell("started", words=words, environ=dict(os.environ), pid=os.getpid(), group=os.getpgrp(), session=os.getsid(0))

def end(text):
    sys.stderr.write(text + "\r\n")
    sys.stderr.flush()
    os._exit(255)

if how == "share" and "ControlPath=none" in words:
    end("me@bastion: Permission denied (publickey,password).")
if how == "ask":
    if "BatchMode=yes" in words:
        end("me@bastion: Permission denied (publickey,password).")
    sys.stderr.write("Two factors are needed here.\r\n")
    sys.stderr.flush()
    with open("/dev/tty", "r+b", buffering=0) as tty:
        modes = termios.tcgetattr(tty)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(tty, termios.TCSADRAIN, modes)
        tty.write(b"me@bastion's password: ")
        answer = tty.readline()
    if answer != b"sesame\n":
        end("me@bastion: Permission denied (password).")
if how.startswith("say "):
    end(how[4:])
if how == "hang":
    time.sleep(1000)

near, far = words[words.index("-L") + 1].split(":", 1)
if how == "master":
    if os.fork():
        time.sleep(0.1)
        os._exit(0)
    os.setsid()
    (here / "master").write_text(str(os.getpid()))
listening = socket.socket(socket.AF_UNIX)
listening.bind(near)
listening.listen()

def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for one in (source, sink):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

while True:
    client, _ = listening.accept()
    try:
        if far.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(far)
        else:
            host, port = far.rsplit(":", 1)
            server = socket.create_connection((host.strip("[]"), int(port)))
    except OSError as error:
        sys.stderr.write(f"channel 2: open failed: connect failed: {error.strerror}\r\n")
        sys.stderr.flush()
        client.close()
        continue
    for ends in ((client, server), (server, client)):
        threading.Thread(target=pump, args=ends, daemon=True).start()
"""


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    # Who has ended may still wait for init to notice; only Linux lets us see that.
    states = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        states += [state] if int(its_group) == group else []
    return any(state != "Z" for state in states) or not Path("/proc/self/stat").exists()


class FakeSsh:
    """The program, first on PATH.

    Attributes:
        folder: Where it is, and nothing else.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        program = folder / "ssh"
        program.write_text(f"#!{sys.executable} -SEs\n{_PROGRAM}")
        program.chmod(0o700)
        self.does("forward")
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def does(self, how: str) -> None:
        """What it does from its next start on.

        ``forward``; ``ask`` for the password "sesame" before, with the echo off, and it stays so; ``say WORDS`` and
        end; ``hang``; be ``stubborn``: forward and take no SIGTERM; hand the forwarding to a ``master`` and end;
        ``share``: forward, but for those who want a TCP connection of their own.
        """
        (self.folder / "how").write_text(how)

    @property
    def starts(self) -> Sequence[dict[str, Any]]:
        """Its ``words``, ``environ``, ``pid``, ``group`` and ``session``, for each start until now."""
        return self._told("started")

    @property
    def cancels(self) -> Sequence[list[str]]:
        """The words of each call that took a forwarding back from a master."""
        return [told["words"] for told in self._told("cancelled")]

    def sockets(self) -> list[Path]:
        """The socket of each start."""
        return [Path(start["words"][start["words"].index("-L") + 1].partition(":")[0]) for start in self.starts]

    def left(self) -> list[str]:
        """What hasn't gone of all that was started: folders, and members of the process groups."""
        left = [str(socket.parent) for socket in self.sockets() if socket.parent.exists()]
        return left + [f"process group {group}" for group in {start["group"] for start in self.starts} if _lives(group)]

    def _told(self, name: str) -> list[dict[str, Any]]:
        file = self.folder / name
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
