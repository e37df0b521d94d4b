"""Other processes that a journal or a lock is shared with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def started(script: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """A Python process that runs this script; it is up when it has printed its first line.

    Whatever it prints after that it prints when it has read a line: ``ended`` sends one.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline(), process.communicate()[1]
    return process


def ended(process: subprocess.Popen[str]) -> str:
    """What it printed after its first line; it must have gone well."""
    out, errors = process.communicate("\n", timeout=60)
    assert process.returncode == 0, errors
    return out


def killed(process: subprocess.Popen[str]) -> None:
    """Gone by SIGKILL, and waited for."""
    process.kill()
    process.communicate()
