"""The words of a command line that lead to a server, to be printed where a command follows another one."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.url import redact, split_password

_PROGRAM = "pymon-tui"

_FLAGS = {
    "url": "-u", "host": "-h", "port": "-p", "socket": "-s", "db": "-n", "username": "--user", "tls": "--tls",
    "cacert": "--cacert", "cert": "--cert", "key": "--key", "sni": "--sni", "insecure": "--insecure", "ssh": "--ssh",
    "sentinels": "--sentinel", "service": "--service", "sentinel_user": "--sentinel-user", "map": "--map",
}  # fmt: skip
_WHOLE = ("-u", "-s", "--sentinel", "--service", "--profile")
_ASKED = {"password": "--askpass", "sentinel_password": "--sentinel-askpass"}

_TCP = re.compile(r"(?P<host>\[[^\]]+\]|[^\s/:]+):(?P<port>\d{1,5})")


def words_of(flags: Mapping[str, Any], *, profile: str | None = None, config: str | None = None) -> tuple[str, ...]:
    """The flags as they are typed again; a password isn't among them: it is asked for where it was given.

    Args:
        flags: Settings by name, as the command line gave them; others than those that lead to a server are left out.
        profile: The profile that was named on the command line.
        config: The settings file that was named there.
    """
    asked = {name for name in _ASKED if flags.get(name) is not None}
    words: list[str] = []
    for name, flag in _FLAGS.items():
        value = flags.get(name)
        if name == "url" and isinstance(value, str):
            value, password = split_password(value)
            asked |= {"password"} if password is not None else set()
            if redact(value) != value:  # broken in a way that hides where a secret ends
                continue
        if value is True:
            words.append(flag)
        elif isinstance(value, list | tuple):
            words += [word for each in value for word in (flag, str(each))]
        elif value not in (None, False):
            words += [flag, str(value)]
    words += [flag for name, flag in _ASKED.items() if name in asked]
    words += ["--profile", profile] if profile is not None else []
    return (*words, *(("--config", config) if config is not None else ()))


def words_to(address: str) -> tuple[str, ...]:
    """The words that lead to an address as the journal has it; none where it tells too little."""
    far, _, via = address.partition(" via ")
    through = ("--ssh", via) if via else ()
    if (found := _TCP.fullmatch(far)) is not None:
        return ("-h", found["host"].removeprefix("[").removesuffix("]"), "-p", found["port"], *through)
    return ("-s", far, *through) if far.startswith("/") else ()


def words_then(way: Sequence[str], address: str) -> tuple[str, ...]:
    """The words that led to an address; where they don't name a server whole, variables did, and the address does."""
    if any(flag in way for flag in _WHOLE):
        return tuple(way)
    there = words_to(address)
    if not there:
        return tuple(way)
    kept, words = [], iter(way)
    for word in words:
        if word in there and word.startswith("-"):
            next(words, None)
        else:
            kept.append(word)
    return (*there, *kept)


def command(way: Sequence[str], *words: str) -> SafeText:
    """A command of this program on the server that the way leads to, as a shell takes it: whole, and of safe text."""
    text = " ".join(map(_quoted, (_PROGRAM, *way, *words)))
    return safe(text, len(text))


def journal_command(way: Sequence[str], run: str) -> SafeText:
    """The command that tells all of a run or an undo; it needs no password: it can do without the server."""
    return command([word for word in way if word not in _ASKED.values()], "journal", run)


def _quoted(word: str) -> str:
    """A word as a shell takes it; by the codes of its bytes, as bash and zsh read them, where it isn't safe to show."""
    if safe(word, len(word)) == word:
        return shlex.quote(word)
    return "$'" + "".join(f"\\x{byte:02x}" for byte in os.fsencode(word)) + "'"
