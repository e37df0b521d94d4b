"""Real servers for the tests: one for the whole run, cleaned before each test, and others to break."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from pymon_tui.demo.embedded import EmbeddedServer, NoServer
from tests.servers.kinds import EMBEDDED, KINDS, binary_of


class StartServer(Protocol):
    """What the fixture `own_server` is: starts another server with these directives, on TCP too if asked."""

    def __call__(self, config: Mapping[str, str] | None = None, *, tcp: bool = False) -> EmbeddedServer: ...


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of servers on each kind with ``-m servers``; without, those that ask for `any_server`."""
    wide = "servers" in metafunc.config.getoption("markexpr")
    if "any_server" in metafunc.fixturenames or (wide and "server_kind" in metafunc.fixturenames):
        metafunc.parametrize("server_kind", tuple(KINDS), indirect=True, scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test that runs on a server."""
    if isinstance(item, pytest.Function) and "server_kind" in item.fixturenames:
        item.add_marker("servers")


def client_of(server: EmbeddedServer) -> Redis:
    """A client that answers in text, fails at once, and causes no error reply when it connects."""
    return Redis(
        unix_socket_path=server.socket,
        decode_responses=True,
        encoding_errors="surrogateescape",
        legacy_responses=False,
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        retry=Retry(NoBackoff(), 0),
        socket_timeout=10,
    )


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home: tests neither read nor write what the person who runs them has there."""
    empty = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(empty))
    for name in [name for name in os.environ if name.startswith(("XDG_", "PYMON_", "REDIS", "NO_COLOR"))]:
        monkeypatch.delenv(name)
    return empty


@pytest.fixture(scope="session")
def server_kind(request: pytest.FixtureRequest) -> str:
    """The kind of server that the test runs on."""
    return str(getattr(request, "param", EMBEDDED))


@pytest.fixture(scope="session")
def start_once() -> Iterator[Callable[[str], EmbeddedServer]]:
    """From a kind to the run's server of that kind, started when first asked for."""
    with ExitStack() as stack:
        running: dict[str, EmbeddedServer] = {}

        def start(kind: str) -> EmbeddedServer:
            if kind not in running:
                running[kind] = stack.enter_context(EmbeddedServer(binary=binary_of(kind)))
            return running[kind]

        yield start


@pytest.fixture(scope="session")
def server(server_kind: str, start_once: Callable[[str], EmbeddedServer]) -> EmbeddedServer:
    """The run's server, on a unix socket. To be asked, filled and configured, not to be stopped."""
    return start_once(server_kind)


@pytest.fixture(scope="session")
def any_server(server: EmbeddedServer) -> EmbeddedServer:
    """As `server`, in every run on each kind of server there is here in turn."""
    return server


@pytest.fixture(scope="session")
def initial_configs() -> dict[str, dict[str, str]]:
    """The directives of each shared server before any test changed one, by its socket."""
    return {}


@pytest.fixture
async def redis(server: EmbeddedServer, initial_configs: dict[str, dict[str, str]]) -> AsyncIterator[Redis]:
    """A client of the run's server, which is empty, configured as it started, and has counted nothing."""
    async with client_of(server) as client:
        await _make_clean(client, initial_configs, server.socket)
        yield client


@pytest.fixture
def any_redis(any_server: EmbeddedServer, redis: Redis) -> Redis:
    """As `redis`, in every run on each kind of server there is here in turn."""
    return redis


async def _make_clean(client: Redis, initial_configs: dict[str, dict[str, str]], socket: str) -> None:
    config = {str(name): str(value) for name, value in (await client.config_get("*")).items()}
    for name, value in initial_configs.setdefault(socket, config).items():
        if config[name] != value:
            await client.config_set(name, value)
    for user in await client.acl_users():
        if user != "default":
            await client.acl_deluser(str(user))
    await client.flushall()
    await client.slowlog_reset()
    await client.acl_log_reset()
    await client.latency_reset()
    await client.config_resetstat()


@pytest.fixture
def own_server(server_kind: str) -> Iterator[StartServer]:
    """Starts servers that a test may stop, kill, pause or lock; they are gone at its end."""
    binary = binary_of(server_kind)
    with ExitStack() as running:

        def start(config: Mapping[str, str] | None = None, *, tcp: bool = False) -> EmbeddedServer:
            # Another process may take the port between our look and the server's start; then look again.
            for attempt in reversed(range(3)):
                try:
                    return running.enter_context(EmbeddedServer(config, port=free_port() if tcp else 0, binary=binary))
                except NoServer:
                    if not tcp or attempt == 0:
                        raise
            raise AssertionError("unreachable")

        yield start


def free_port() -> int:
    """A TCP port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
