"""The report of an unforeseen error: what happened and where, without the values that variables had."""

from __future__ import annotations

import datetime
import errno
import os
import traceback
from pathlib import Path

from platformdirs import user_log_path

from pymon_tui import __version__
from pymon_tui.journal.folder import open_private
from pymon_tui.model.text import lines


def report(error: BaseException) -> str:
    """Append a report to the log, and return the one line that a user is told.

    Local variables are left out, for they hold passwords and other people's data.
    """
    error = getattr(error, "error", error)  # a worker's failure tells what failed in it
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return f"pymon-tui: no more files can be opened: {error.strerror}; allow more with ulimit -n"
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    text = "".join(traceback.format_exception(error))
    kind = type(error).__name__
    try:
        path = _append(f"{when} pymon-tui {__version__}\n" + "\n".join(lines(text)) + "\n")
    except OSError as failure:
        return f"pymon-tui: an unforeseen {kind} ended the program, and its report could not be written: {failure}"
    return f"pymon-tui: an unforeseen {kind} ended the program; the report is in {path}"


def _append(text: str) -> Path:
    path = user_log_path("pymon-tui") / "crash.log"
    descriptor = open_private(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with os.fdopen(descriptor, "w", encoding="utf-8") as log:
        log.write(text)
    return path
