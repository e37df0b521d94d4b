"""The program in a process of its own, forked from one that has imported it where that makes no difference.

It makes one to what looks at how an interpreter starts: at what is imported and when, at the command line or the
environment as other processes see them. Such a test starts an interpreter, and so do all tests in ``smoke``.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from tests.forking import SIZE

_OURS = ("PYMON_", "REDIS", "XDG_", "NO_COLOR", "TEXTUAL", "COLUMNS", "LINES")
"""Beginnings of the variables that tests and their runner set."""
_READ_EARLY = ("PYTHON", "PYDANTIC", "TEXTUAL", "LANG", "LC_")
"""Beginnings of the variables that the interpreter reads when it starts, or a package when it is imported."""
_AT_FIRST = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
"""The environment before any test: the one that needs the first process may have set others."""


class Process(Protocol):
    """What a test does with a process that it started: as ``subprocess.Popen`` has it."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...
    def send_signal(self, sig: int, /) -> None: ...


class Forked:
    """A process that was forked for us. As ``subprocess.Popen`` of the standard library."""

    def __init__(self, pid: int, ended: int) -> None:
        """``ended`` is a pipe that tells how it has ended."""
        self.pid = pid
        self._ended = ended
        self._code: int | None = None

    def __del__(self) -> None:
        if self._code is None:
            os.close(self._ended)

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        if self._code is None:
            with suppress(BlockingIOError):
                self._code = os.waitstatus_to_exitcode(*SIZE.unpack(os.read(self._ended, SIZE.size)))
                os.close(self._ended)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code once it has ended.

        Raises:
            subprocess.TimeoutExpired: If it goes on for longer.
        """
        if self._code is None:
            ended = select.poll()
            ended.register(self._ended, select.POLLIN)
            ended.poll(None if timeout is None else timeout * 1_000)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def kill(self) -> None:
        """End it at once, if it still runs."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)


class _Forks:
    """The process that forks; started when it is first needed."""

    def __init__(self) -> None:
        self._environ = _AT_FIRST
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=Path(__file__).parents[1],
                env=self._environ,
                start_new_session=True,
            )

    def can_be(self, environ: Mapping[str, str]) -> bool:
        """Whether an interpreter with this environment would have started as ours did."""
        return _early(environ) == _early(self._environ)

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        streams: Sequence[int],
        session: str,
    ) -> Forked:
        """A process of this module. The rest is as for ``start``."""
        closed = [number for number, stream in enumerate(streams) if stream < 0]
        told, telling = os.pipe()
        os.set_blocking(told, False)
        with open(os.devnull, "r+b") as nothing:
            asked = json.dumps(
                {
                    "module": module,
                    "arguments": list(arguments),
                    "environ": dict(environ),
                    "folder": str(folder),
                    "session": session,
                    "closed": closed,
                }
            ).encode()
            sent = [nothing.fileno() if stream < 0 else stream for stream in streams]
            socket.send_fds(self._ours, [SIZE.pack(len(asked))], [*sent, telling])
            self._ours.sendall(asked)
        os.close(telling)
        (pid,) = SIZE.unpack(self._ours.recv(SIZE.size, socket.MSG_WAITALL))
        return Forked(pid, told)

    def close(self) -> None:
        self._ours.close()
        self._process.wait()


_forks: list[_Forks] = []


@pytest.fixture(scope="session", autouse=True)
def forks_end() -> Iterator[None]:
    """End the process that forks, if there is one."""
    yield
    while _forks:
        _forks.pop().close()


def start(
    arguments: Sequence[str],
    *,
    streams: Sequence[int],
    module: str = "pymon_tui",
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    session: str = "",
) -> Process:
    """``python -m MODULE ARGUMENTS``.

    Args:
        streams: File descriptors for its stdin, stdout and stderr; -1 for one that is closed.
        environ: All of its environment; by default ours.
        folder: Where it is started; by default where we are.
        session: ``login``, so that stdin is the terminal of a session of its own, whose end is a SIGHUP; ``own`` for
            a session without one; or ``""`` for ours.
    """
    environ = os.environ if environ is None else environ
    if sys.platform == "linux" and not _forks:
        _forks.append(_Forks())
    if _forks and _forks[0].can_be(environ):
        return _forks[0].start(module, arguments, environ, folder or Path.cwd(), streams, session)
    return interpreter(arguments, streams=streams, module=module, environ=environ, folder=folder, session=session)


def interpreter(
    arguments: Sequence[str],
    *,
    streams: Sequence[int],
    module: str = "pymon_tui",
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    session: str = "",
) -> Process:
    """As ``start``, always by a new interpreter."""
    stdin, *out = streams
    closed = [number for number, stream in enumerate(streams) if stream < 0]

    def prepare() -> None:
        if session == "login":
            os.login_tty(os.dup(stdin))
        for number in closed:
            os.close(number)

    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=stdin,
        stdout=out[0] if out[0] >= 0 else None,
        stderr=out[1] if out[1] >= 0 else None,
        start_new_session=session == "own",
        preexec_fn=prepare,  # noqa: PLW1509 - no threads here
        cwd=folder,
        env=None if environ is None else dict(environ),
    )


def completed(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    stdout: int | None = None,
    timeout: float | None = None,
    anew: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    """``python -m pymon_tui ARGUMENTS`` without a terminal, to its end.

    Args:
        stdout: Where that goes, by default into what is returned; -1 to be closed.
        anew: By a new interpreter.
    """
    with open(os.devnull, "rb") as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        streams = [nothing.fileno(), out.fileno() if stdout is None else stdout, err.fileno()]
        process = (interpreter if anew else start)(arguments, streams=streams, environ=environ)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(["pymon-tui", *arguments], code, out.read(), err.read())


def _early(environ: Mapping[str, str]) -> dict[str, str]:
    early = {name: value for name, value in environ.items() if name.startswith(_READ_EARLY)}
    early.pop("PYTHONIOENCODING", None)  # which the forked process heeds itself
    return early
