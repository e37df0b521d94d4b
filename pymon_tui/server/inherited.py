"""What the programs that we start inherit of our environment: all but what may hold a password."""

from __future__ import annotations

from collections.abc import Mapping

_OURS = ("REDIS", "VALKEY", "PYMON_", "_PYMON_")
"""What the names begin with that settings are read from; a URL may hold a password, too."""


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that settings are read from."""
    return {name: value for name, value in environ.items() if not name.startswith(_OURS)}
