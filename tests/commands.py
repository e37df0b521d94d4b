"""The program's subcommands, run in this process as its user would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from pymon_tui import cli

Run: TypeAlias = Callable[..., tuple[int, str, str]]
"""Runs a subcommand with these arguments; returns its exit code and what it wrote."""


def running(subcommand: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs this subcommand with an empty configuration, which is made in the folder."""
    config = folder / "config.toml"
    config.touch(mode=0o600)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["--config", str(config), subcommand, *arguments])
        written = capsys.readouterr()
        return code, written.out, written.err

    return run
