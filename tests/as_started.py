"""What a process finds when it starts: ``python -m tests.as_started FILE ARGUMENTS`` writes it into the file."""

from __future__ import annotations

import gc
import json
import locale
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TextIO


def told() -> dict[str, object]:
    """All that differs where a process is not started as it should be."""
    umask = os.umask(0)
    os.umask(umask)
    return {
        "arguments": sys.argv[2:],
        "orig_argv": sys.orig_argv[1:],
        "main": sys.modules["__main__"].__name__,
        "folder": str(Path.cwd()),
        "environ": dict(os.environ),
        "time zone": time.tzname,
        "encoding": [locale.setlocale(locale.LC_CTYPE), sys.getfilesystemencoding(), sys.flags.utf8_mode],
        "streams": [_stream(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "their own": [sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
        "descriptors": [number for number in range(64) if _is_open(number)],
        "signals": {number.name: str(signal.getsignal(number)) for number in signal.valid_signals() if number < 32},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "leads": [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()],
        "umask": umask,
        "threads": threading.active_count(),
        "collector": [gc.isenabled(), gc.get_threshold()],
        "optimized": sys.flags.optimize,
    }


def _stream(stream: TextIO | None) -> object:
    if stream is None:
        return None
    how = stream.encoding, stream.errors, stream.line_buffering, stream.isatty(), stream.fileno(), stream.name
    return *map(str, how), type(stream.buffer).__name__, str(stream)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(told()), encoding="utf-8")
    sys.exit(len(sys.argv) - 2)
