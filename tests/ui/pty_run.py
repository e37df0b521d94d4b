"""The program on a terminal of its own: a pty whose other end is read."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.forked import interpreter, start

DEADLINE = 30.0


class PtyRun:
    """``pymon-tui ARGUMENTS``, or another module, on a pty of some size; ``output`` is all it wrote."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        module: str = "pymon_tui",
        size: tuple[int, int] = (80, 24),
        environ: Mapping[str, str] | None = None,
        login: bool = True,
        folder: Path | None = None,
        anew: bool = False,
    ) -> None:
        """Start it.

        Args:
            login: The pty controls the session, as after a login, so that its end is a SIGHUP.
            folder: Where it is started; by default where we are.
            anew: By a new interpreter, where forking one that has imported the program would do otherwise.
        """
        self.output = b""
        self._home = tempfile.TemporaryDirectory(prefix="pymon-home-")
        self._ours, theirs = pty.openpty()
        width, height = size
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.process = (interpreter if anew else start)(
            arguments,
            streams=[theirs] * 3,
            module=module,
            environ={**_environ(self._home.name), **(environ or {})},
            folder=folder,
            session="login" if login else "own",
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()
        self._home.cleanup()

    def send(self, keys: bytes) -> None:
        """Type these keys."""
        os.write(self._ours, keys)

    def until(self, done: Callable[[], bool]) -> None:
        """Read what it writes until ``done``.

        Raises:
            AssertionError: If that takes longer than any machine should.
        """
        end = time.monotonic() + DEADLINE
        while not done():
            assert time.monotonic() < end, f"gave up waiting; the last it wrote: {self.output[-500:]!r}"
            self.read(0.05)

    def ended(self) -> int:
        """Read to the end; the exit code."""
        self.until(lambda: self.process.poll() is not None)
        while self.read(0.0):
            pass
        return self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close our end, as a dropped SSH line does."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def read(self, seconds: float) -> bool:
        """Read once, waiting at most so long; whether anything came."""
        readable, _, _ = select.select([self._ours], [], [], seconds)
        if not readable:
            return False
        try:
            data = os.read(self._ours, 65_536)
        except OSError:  # the other end is closed
            return False
        self.output += data
        return bool(data)


def _environ(home: str) -> dict[str, str]:
    """The environment of somebody who has set nothing, at home in an empty folder."""
    # pytest's workers say how large a terminal is, which would beat how large this one is.
    ours = ("PYMON_", "REDIS", "XDG_", "NO_COLOR", "TEXTUAL", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
