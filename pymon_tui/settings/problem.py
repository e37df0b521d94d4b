"""What is wrong with a setting, in one line that says where it was set."""

from __future__ import annotations

from typing import Any

from pymon_tui.model.text import safe

_SECONDS = "a number of seconds from 0.1 to {}"
_YES_OR_NO = "true or false"
_EXPECTED = {
    "host": "a host name or an IP address",
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
    "channels": "a list of patterns",
    "keymap": "a table of binding = keys",
}
_SECRET = frozenset({"password", "url"})


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
