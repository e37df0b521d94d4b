"""Tests start programs as a person does, however they themselves were started."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import killed_at_exit

_ROOT = Path(__file__).parent.parent
_SAY = "import signal; print([signal.getsignal(n) is signal.SIG_IGN for n in (2, 3, 1)])"
_START = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_SAY!r}], check=True)"


def _ignore() -> None:
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("before", "ignored"),
    [
        ("", "[True, True, True]"),
        ("from tests.processes import unignore_signals; unignore_signals();", "[False, False, False]"),
    ],
)
def test_what_a_background_shell_ignores_is_heard_again(before: str, ignored: list[bool]) -> None:
    command = [sys.executable, "-c", before + _START]
    told = subprocess.run(command, preexec_fn=_ignore, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(ignored)


def test_a_process_that_hears_no_signal_ends_with_its_test() -> None:
    deaf = "import signal, sys; signal.signal(15, signal.SIG_IGN); print('up', flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", deaf], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with pytest.raises(RuntimeError), killed_at_exit(process):
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        raise RuntimeError
    assert process.returncode == -signal.SIGKILL
