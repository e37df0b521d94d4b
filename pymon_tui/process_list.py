"""Passwords on the command line, where every user of the machine can read them, and users that may be passwords.

Standard library only, and run before anything else, so that the time in which ``ps`` shows one is short.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from pymon_tui.server.url import split_password, split_user

_VARIABLE = "_PYMON_TUI_HANDED"
_USER_VARIABLE = "_PYMON_TUI_HANDED_USER"
_PASSWORDS_ELSEWHERE = ("--askpass", "--user")


def shows_password(arguments: Sequence[str]) -> bool:
    """Whether a URL among the arguments holds a password."""
    return _cleaned(arguments)[1] is not None


def restart_without_password(arguments: Sequence[str]) -> None:
    """Replace this process by one whose arguments hold no password; returns only if none of them does.

    Process id and terminal stay. The password goes along in the environment, which only its owner can read. So does
    the user of a URL where no password is in sight: redis-cli would take it for the password, and so may who wrote it.

    Raises:
        OSError: If the interpreter can't be started once more.
    """
    cleaned, password, user = _cleaned(arguments)
    handed = {_VARIABLE: password, _USER_VARIABLE: user}
    environment = {name: value for name, value in handed.items() if value is not None}
    if not environment:
        return
    sys.stderr.flush()
    command = [*sys.orig_argv[: len(sys.orig_argv) - len(arguments)], *cleaned]
    os.execve(sys.executable, command, {**os.environ, **environment})


def handed_password() -> str | None:
    """The password of the URL that this process was restarted with; taken out, so that no child inherits it."""
    return os.environ.pop(_VARIABLE, None)


def handed_user() -> str | None:
    """The user of the URL that this process was restarted with; taken out as the password is."""
    return os.environ.pop(_USER_VARIABLE, None)


def _cleaned(arguments: Sequence[str]) -> tuple[list[str], str | None, str | None]:
    password = user = None
    is_named = not set(arguments).isdisjoint(_PASSWORDS_ELSEWHERE) or "REDISCLI_AUTH" in os.environ
    cleaned: list[str] = []
    words_are_patterns = False  # which may look like anything
    for before, argument in zip(("", *arguments), arguments, strict=False):
        flag = next((flag for flag in ("--url=", "-u") if argument.startswith(flag)), "")
        bare, found = split_password(argument.removeprefix(flag))
        words_are_patterns = words_are_patterns or argument == "invalidate"
        is_url = flag or before in ("-u", "--url") or not words_are_patterns
        if before == "--channels" or not is_url:
            cleaned.append(argument)
        elif found is not None:
            cleaned.append(flag + bare)
            password = found
        else:
            bare, found = (bare, None) if is_named else split_user(bare)
            cleaned.append(flag + bare)
            user = user if found is None else found
    return cleaned, password, user
