"""The commands, run in this process on the run's server, and what they leave in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from tests.servers.clients import InitialConfigs, client_of, make_clean


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command ended with, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


Command = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run doesn't wait to feel what the idle server is like: how fast it may go is not what is tested here."""
    monkeypatch.setattr("pymon_tui.invalidation.pacing._IDLE", 0.0)


@pytest.fixture
def db(server: EmbeddedServer, initial_configs: InitialConfigs) -> Iterator[Redis]:
    """A client of the run's server, which is empty, configured as it started, and knows one user."""

    async def clean() -> None:
        async with client_of(server) as client:
            await make_clean(client, initial_configs, server.socket)

    asyncio.run(clean())
    with Redis(unix_socket_path=server.socket) as client:
        yield client


@pytest.fixture
def pymon(server: EmbeddedServer, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs ``pymon-tui -s SOCKET ARGUMENTS`` without a terminal; an empty socket names no server."""
    config = tmp_path / "config.toml"
    config.touch(mode=0o600)

    def run(*arguments: str, socket: str = server.socket) -> Ran:
        capsys.readouterr()
        code = cli.run([*(["-s", socket] if socket else []), "--config", str(config), *arguments])
        written = capsys.readouterr()
        return Ran(code, written.out, written.err)

    return run


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person at the terminal, who gives these answers in turn and is gone after them."""
    given: list[str] = []
    monkeypatch.setattr("pymon_tui.removing.exit_code.can_ask", lambda: True)
    monkeypatch.setattr("pymon_tui.removing.console._read", lambda: f"{given.pop(0)}\n".encode() if given else b"")
    return given


def keys_of(db: Redis) -> set[bytes]:
    """All keys of the database."""
    keys: list[bytes] = db.keys("*")  # type: ignore[assignment]
    return set(keys)


def fill(db: Redis, prefix: str, count: int) -> None:
    """So many strings under this prefix."""
    db.mset({f"{prefix}{number}": "x" * 50 for number in range(count)})


def let(db: Redis, *rules: str) -> None:
    """A user called pymon, without a password, may do this and nothing else."""
    db.execute_command("ACL", "SETUSER", "pymon", "reset", "on", "nopass", *rules)  # type: ignore[no-untyped-call]
