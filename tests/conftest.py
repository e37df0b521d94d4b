"""Real servers for the tests: one for the whole run, cleaned before each test, and others to break."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer, NoServer
from tests.processes import unignore_signals
from tests.servers.clients import InitialConfigs, make_clean
from tests.servers.clients import client_of as client_of
from tests.servers.kinds import EMBEDDED, KINDS, binary_of
from tests.servers.ports import free_port as free_port

pytest_plugins = [
    "tests.forked",
    "tests.lookups",
    "tests.servers.fixtures",
    "tests.servers.needs",
    "tests.ui.known",
    "tests.ui.settling",
]

# As many examples of each property as each run can afford; `--hypothesis-profile thorough` tries 200 times as many.
# However long they take: a machine that does something else for a fifth of a second says nothing of the program.
settings.register_profile(
    "quick",
    settings.get_profile(settings.get_current_profile_name()),
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=5_000)
settings.load_profile("quick")

unignore_signals()
# pytest-asyncio before 1.4 asks for the loop that was there before: none. Without this, Python 3.11 makes one then, and
# the collector finds it unclosed in any test behind one that sets another.
asyncio.set_event_loop(None)
# The collector looks through all objects of an app again and again: a fifteenth of the time of the tests of screens.
gc.set_threshold(100_000, 50, 50)

# The program is started hundreds of times, and would be compiled anew each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


class StartServer(Protocol):
    """What the fixture `own_server` is: starts another server with these directives, on TCP too if asked."""

    def __call__(self, config: Mapping[str, str] | None = None, *, tcp: bool = False) -> EmbeddedServer: ...


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of servers on each kind with ``-m servers``; without, those that ask for `any_server`."""
    wide = "servers" in metafunc.config.getoption("markexpr")
    if "any_server" in metafunc.fixturenames or (wide and "server_kind" in metafunc.fixturenames):
        metafunc.parametrize("server_kind", tuple(KINDS), indirect=True, scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test that runs on a server, and run each asynchronous one with `eager_tasks`."""
    if isinstance(item, pytest.Function) and "server_kind" in item.fixturenames:
        item.add_marker("servers")
    if isinstance(item, pytest.Function) and item.get_closest_marker("asyncio") is not None:
        item.fixturenames.insert(0, "eager_tasks")


@pytest.fixture
async def eager_tasks() -> None:
    """Tasks of the test's loop run to their first wait before `create_task` returns: Textual sets this on 3.12."""
    asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """What a command sets for its own process, such as the number of colours, isn't there for the tests behind it."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(autouse=True)
def home(environment: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
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
def initial_configs() -> InitialConfigs:
    """The directives of each shared server before any test changed one, by its socket."""
    return {}


@pytest.fixture
async def redis(server: EmbeddedServer, initial_configs: InitialConfigs) -> AsyncIterator[Redis]:
    """A client of the run's server, which is empty, configured as it started, and has counted nothing."""
    async with client_of(server) as client:
        await make_clean(client, initial_configs, server.socket)
        yield client


@pytest.fixture
def any_redis(any_server: EmbeddedServer, redis: Redis) -> Redis:
    """As `redis`, in every run on each kind of server there is here in turn."""
    return redis


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
