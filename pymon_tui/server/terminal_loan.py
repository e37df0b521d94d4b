"""Our terminal, lent to a child that has something to ask, as a shell lends it to its jobs."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from collections.abc import Iterator
from typing import Self


class TerminalLoan:
    """The terminal that controls us, while we are in its foreground."""

    def __init__(self, descriptor: int) -> None:
        """Lend the terminal behind ``descriptor``, which is ours to close."""
        self._descriptor = descriptor

    @classmethod
    def of_ours(cls) -> Self | None:
        """The terminal that we can lend; None where there is none, or another job has it."""
        try:
            descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        except OSError:
            return None
        try:
            if os.tcgetpgrp(descriptor) == os.getpgrp():
                return cls(descriptor)
        except OSError:
            pass  # it has hung up
        os.close(descriptor)
        return None

    def close(self) -> None:
        """Let go of the terminal."""
        os.close(self._descriptor)

    @contextlib.contextmanager
    def lent_to(self, group: int) -> Iterator[None]:
        """Give the terminal to a process group, Ctrl+C included; afterwards it is ours again, and as it was.

        To be used in the main thread.
        """
        modes = termios.tcgetattr(self._descriptor)
        # Who takes the terminal back, or writes on it, from the background would be stopped for that.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            with contextlib.suppress(OSError):  # the group has ended already
                os.tcsetpgrp(self._descriptor, group)
            yield
        finally:
            with contextlib.suppress(OSError, termios.error):  # it has hung up
                os.tcsetpgrp(self._descriptor, os.getpgrp())
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, modes)  # a killed child left no echo, say
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
