"""A person at the terminal, runs that don't wait to feel an idle server, and monitors that nobody looks at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from tests.doors.door import CommandLine, Screens
from tests.removing.conftest import _at_once as _at_once
from tests.removing.conftest import answers as answers
from tests.ui.stage import few_panes


@pytest.fixture(autouse=True)
def _few_panes() -> Iterator[None]:
    with few_panes():
        yield


@pytest.fixture
def db(apart: EmbeddedServer) -> Iterator[Redis]:
    """A client of the server that a module has apart."""
    with Redis(unix_socket_path=apart.socket) as client:
        yield client


@pytest.fixture
def command_line(answers: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CommandLine:
    """The command line, with a person who answers."""
    return CommandLine(answers, capsys, tmp_path)


@pytest.fixture
def screens(tmp_path: Path) -> Screens:
    """The screens."""
    return Screens(tmp_path)
