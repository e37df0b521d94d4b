"""Processes that a test starts: with the signals of a person's terminal, and gone at its end whatever happens."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import AnyStr

_IGNORED_IN_THE_BACKGROUND = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def unignore_signals() -> None:
    """Let the programs that we start hear what a shell in the background, or nohup, has us ignore.

    exec keeps ignored signals ignored and resets handled ones to the default. SIGHUP and SIGQUIT get a handler that
    does nothing, so that a run under nohup goes on when its terminal closes.
    """
    for number in _IGNORED_IN_THE_BACKGROUND:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else lambda *_: None)


@contextmanager
def killed_at_exit(process: subprocess.Popen[AnyStr]) -> Iterator[subprocess.Popen[AnyStr]]:
    """The process, which is killed at the end if it still runs: a Popen's own end waits for it, perhaps for ever."""
    with process:
        try:
            yield process
        finally:
            process.kill()
