"""Every action of the monitor, by every door to a server that another profile guards: as a run there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from redis.asyncio import Redis

from pymon_tui import cli
from pymon_tui.application.notification_actions import notify
from pymon_tui.application.session_actions import delete, extend, log_out
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.journal.journal import Journal
from pymon_tui.model.action import Action, Done, NotDone, Outcome
from pymon_tui.readings.clients.client import parse_client
from pymon_tui.readings.slowlog_settings import change_threshold, reset_slowlog
from pymon_tui.services.notification import Level
from pymon_tui.services.session import new_id
from pymon_tui.services.sessions import Sessions
from pymon_tui.settings.load import load
from pymon_tui.settings.model import Settings
from pymon_tui.state.fleet import Fleet
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.panes.clients.kill import kill
from pymon_tui.ui.panes.notifications.asked import publish
from tests.conftest import StartServer
from tests.ui.stage import monitor_of, until

READ_ONLY = "read_only = true"
PROFILES = """
protected = ["session:*"]
[profiles.prod]
environment = "production"
host = "127.0.0.1"
port = {port}
{rails}
[profiles.dev]
environment = "dev"
host = "localhost"
port = {port}
"""
SESSION = new_id()

Make: TypeAlias = Callable[[int], Action]

ACTIONS: dict[str, Make] = {
    "kill": lambda client: kill(parse_client(b"id=%d addr=/socket:0" % client)),
    "reset the slow log": lambda _: reset_slowlog(),
    "change the threshold": lambda _: change_threshold(20_000),
    "extend": lambda _: extend(SESSION, "kim", timedelta(hours=8)),
    "end a session": lambda _: delete(SESSION, "kim", 1.0),
    "log out": lambda _: log_out("kim", [SESSION]),
    "publish": lambda _: publish("news hello"),
    "notify": lambda _: notify("kim", Level.INFO, "a", "", id="id", at=datetime(2026, 11, 22, tzinfo=UTC)),
}
REMOVING = ("end a session", "log out")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the guarded server is, with the settings that are read there."""

    server: EmbeddedServer
    folder: Path

    def config(self, rails: str) -> None:
        """Write the settings file, with these rails of production."""
        (self.folder / "config.toml").write_text(PROFILES.format(port=self.server.port, rails=rails))
        (self.folder / "config.toml").chmod(0o600)

    def settings(self, profile: str | None = None, **flags: Any) -> Settings:
        """What a command line with these flags means."""
        config = self.folder / "config.toml"
        return load(flags, profile=profile, environ={}, dotenv=None, config=config, warn=lambda _: None)

    @asynccontextmanager
    async def fleet(self, settings: Settings) -> AsyncIterator[Fleet]:
        """The live source of these settings, once it has met the server."""
        fleet = cli._source(settings.endpoint, settings, self.folder / "state")
        async with aclosing(fleet.snapshots()) as snapshots:
            async for snapshot in snapshots:
                if snapshot.environment == "production":
                    break
            yield fleet

    def last(self) -> tuple[str, object]:
        """The newest entry of the journal: what came of it, and in which environment."""
        *_, entry = Journal(self.folder / "state").entries()
        return entry.event, entry.fields["environment"]


@pytest.fixture
def place(own_server: StartServer, tmp_path: Path) -> Place:
    return Place(own_server({"repl-diskless-sync-delay": "0"}, tcp=True), tmp_path)


async def by_another_profile(place: Place, _: StartServer) -> Settings:
    return place.settings("dev")


async def by_another_name(place: Place, _: StartServer) -> Settings:
    return place.settings(host="localhost", port=place.server.port)


async def by_its_socket(place: Place, _: StartServer) -> Settings:
    """The profile has led to the process once."""
    async with place.fleet(place.settings("prod")):
        return place.settings(socket=place.server.socket, port=place.server.port)


async def by_a_replica(place: Place, start: StartServer) -> Settings:
    replica = start(tcp=True)
    async with Redis(unix_socket_path=replica.socket) as client:
        await client.replicaof("127.0.0.1", str(place.server.port))
    return place.settings(host="127.0.0.1", port=replica.port)


DOORS = {each.__name__: each for each in (by_another_profile, by_another_name, by_its_socket, by_a_replica)}


async def changes(redis: Redis) -> object:
    """What each of the actions would change, by what the server tells of it."""
    clients = {client["id"] for client in await redis.client_list() if client["name"] == "victim"}
    threshold = await redis.config_get("slowlog-log-slower-than")
    keys = {key: (await redis.type(key), await redis.persist(key)) for key in await redis.keys()}
    return clients, threshold, keys


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
async def test_nothing_is_sent_where_a_run_would_be_refused(place: Place, own_server: StartServer, door: Any) -> None:
    place.config(READ_ONLY)
    settings = await door(place, own_server)
    async with (
        Redis(port=settings.endpoint.port, decode_responses=True) as redis,
        Redis(port=settings.endpoint.port, client_name="victim", single_connection_client=True) as victim,
        place.fleet(settings) as fleet,
    ):
        number = await victim.client_id()
        assert fleet.read_only  # so the keys are absent
        before = await changes(redis)
        for name, make in ACTIONS.items():
            outcome: Outcome = await fleet.act(make(number))
            assert isinstance(outcome, NotDone), name
            assert not outcome.unknown
            if outcome.what.endswith(" is a replica"):  # where nobody asks for a guard any more
                assert door is by_a_replica
                continue
            assert outcome.what.endswith(" was not sent: profile prod is read-only")
            assert place.last() == ("refused", "production"), name
        assert await changes(redis) == before
        assert await victim.client_id() == number  # it was never disconnected


@pytest.mark.parametrize("name", ACTIONS)
async def test_what_removes_a_protected_key_is_refused_and_nothing_else(place: Place, name: str) -> None:
    place.config("")
    async with (
        Redis(unix_socket_path=place.server.socket, decode_responses=True) as redis,
        Redis(unix_socket_path=place.server.socket) as victim,
        place.fleet(place.settings("dev")) as fleet,
    ):
        session = (await Sessions(redis).create("kim", {})).id
        await redis.rename(f"session:{session}", f"session:{SESSION}")
        await redis.zadd("user:sessions:kim", {SESSION: 2_000_000_000_000})
        await redis.zrem("user:sessions:kim", session)
        assert not fleet.read_only
        outcome = await fleet.act(ACTIONS[name](await victim.client_id()))
        assert await redis.exists(f"session:{SESSION}") == 1
        if name in REMOVING:
            assert isinstance(outcome, NotDone)
            assert "was not sent: protected session:* (" in outcome.what
            assert "config.toml" in outcome.what
            assert outcome.what.endswith("names a key that it would remove")
            assert await redis.zcard("user:sessions:kim") == 1
        else:
            assert isinstance(outcome, Done), outcome
        assert place.last() == ("refused" if name in REMOVING else "done", "production")


async def test_the_title_says_production_and_the_keys_are_absent(place: Place) -> None:
    """At the first start, by an address that is spelled in another way than the profile spells it."""
    place.config(READ_ONLY)
    settings = place.settings(host="localhost", port=place.server.port)
    app = PymonApp(settings, *cli._ways_to_servers(settings, place.folder / "state"))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: monitor_of(app).read_only)
        monitor = monitor_of(app)
        shown = "".join(str(piece.text) for piece in monitor.query_one("TitleBar").right)  # type: ignore[attr-defined]
        assert "PRODUCTION" in shown
        assert "read-only" in shown
        active = {one.binding.id for one in app.active_bindings.values()}
        assert not active & {"undo_run", "undo"}
