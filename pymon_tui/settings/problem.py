"""What is wrong with a setting, in one line that says where it was set."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from pymon_tui.model.text import safe

_SECONDS = "a number of seconds from 0.1 to {}"
_YES_OR_NO = "true or false"
_PATTERNS = 'a list of patterns, as a:*, b:* or ["a:*", "b:*"]'
_SIZE = 'a number of bytes, or a size as "256MiB"'
_EXPECTED = {
    "host": "a host name or an IP address",
    "ssh": "[USER@]HOST[:PORT], as ssh knows it, and without a password",
    "sentinels": "places as sentinel.example:26379, several with commas or blanks between them",
    "service": "the name that the Sentinels watch the primary under",
    "map": "ANNOUNCED=REACHED, each HOST:PORT, as 10.0.0.5:6379=localhost:7001; in the file a table of them",
    "port": "a number from 1 to 65535",
    "db": "the number of a database, from 0",
    "tls": _YES_OR_NO,
    "insecure": _YES_OR_NO,
    "read_only": _YES_OR_NO,
    "full_redraw": _YES_OR_NO,
    "connect_timeout": _SECONDS.format(600),
    "command_timeout": _SECONDS.format(600),
    "interval": _SECONDS.format(60),
    "color": "auto, truecolor, 256 or 16",
    "theme": "pymon-dark, pymon-light or pymon-16",
    "graph": "blocks, braille or ascii",
    "channels": _PATTERNS,
    "patterns": _PATTERNS,
    "protected": _PATTERNS,
    "max_keys": "a number of keys, from 1",
    "type_above": "a number of keys, from 0",
    "ping_ceiling": "a number of milliseconds from 0.1 to 1000",
    "rate": "a number of keys per second, from 1",
    "trash_size": _SIZE,
    "trash_key_size": _SIZE,
    "journal_keep": "a number of runs, undos and actions, from 1",
    "keymap": "a table of binding = keys",
}
_SECRET = frozenset({"password", "sentinel_password", "sentinels", "url", "ssh"})


class SettingsError(Exception):
    """A setting that cannot be used. Its text is one line for the user and never holds a secret.

    Attributes:
        setting: The name of the setting, as in the configuration file.
        source: Where it was set: ``--port``, ``PYMON_PORT``, ``.env``, ``/path/config.toml [profiles.prod]``.
        problem: What is wrong, and what to do.
    """

    def __init__(self, setting: str, source: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem} (from {source})")
        self.setting = setting
        self.source = source
        self.problem = problem


def not_as_expected(setting: str, source: str, value: Any) -> SettingsError:
    """The error for a value of the wrong kind or range; shows the value unless it is a secret."""
    problem = f"should be {_EXPECTED.get(setting, 'a text')}"
    if setting not in _SECRET:
        problem += f', not "{safe(str(value), limit=60)}"'
    return SettingsError(setting, source, problem)


def no_such_setting(name: str, source: str, known: Collection[str]) -> SettingsError:
    """The error for a name that is no setting where it stands; says the one that was probably meant."""
    near = get_close_matches(name, known, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return SettingsError(safe(name), source, f"no such setting{hint}")
