"""Passwords on the command line, where every user of the machine can read them.

Standard library only, and run before anything else, so that the time in which ``ps`` shows one is short.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from pymon_tui.server.url import split_password

_VARIABLE = "_PYMON_TUI_HANDED"


def shows_password(arguments: Sequence[str]) -> bool:
    """Whether a URL among the arguments holds a password."""
    return _cleaned(arguments)[1] is not None


def restart_without_password(arguments: Sequence[str]) -> None:
    """Replace this process by one whose arguments hold no password; returns only if none of them does.

    Process id and terminal stay. The password goes along in the environment, which only its owner can read.

    Raises:
        OSError: If the interpreter can't be started once more.
    """
    cleaned, password = _cleaned(arguments)
    if password is None:
        return
    sys.stderr.flush()
    command = [*sys.orig_argv[: len(sys.orig_argv) - len(arguments)], *cleaned]
    os.execve(sys.executable, command, {**os.environ, _VARIABLE: password})


def handed_password() -> str | None:
    """The password of the URL that this process was restarted with; taken out, so that no child inherits it."""
    return os.environ.pop(_VARIABLE, None)


def _cleaned(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    password = None
    cleaned: list[str] = []
    words_are_patterns = False  # which may look like anything
    for before, argument in zip(("", *arguments), arguments, strict=False):
        flag = next((flag for flag in ("--url=", "-u") if argument.startswith(flag)), "")
        bare, found = split_password(argument.removeprefix(flag))
        words_are_patterns = words_are_patterns or argument == "invalidate"
        is_url = flag or before in ("-u", "--url") or not words_are_patterns
        if found is None or before == "--channels" or not is_url:
            cleaned.append(argument)
        else:
            cleaned.append(flag + bare)
            password = found
    return cleaned, password
