"""A server that is there and not as it was: restarted, loading, busy, full, readonly, crowded, without commands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pymon_tui.model.action import Action, NotDone
from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.query import Reason
from pymon_tui.model.text import safe
from pymon_tui.readings.info import INFO
from pymon_tui.readings.metrics import COMMANDS, MISSES, NET_INPUT, USED_MEMORY
from pymon_tui.readings.persistence import PERSISTENCE
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.ui.screens.status import banner
from tests.conftest import StartServer
from tests.demo.waiting import wait_until
from tests.faults.conftest import StartNode
from tests.faults.watching import ALL, away, away_by, gaps, heard, known, live, rates, until, watching
from tests.servers.clients import client_of
from tests.servers.node import Node

WRITE = Action(safe("Write"), ("SET", "key", "value"), safe("A key."), "set")


def at(node: Node) -> Endpoint:
    return Endpoint(socket=node.server.socket, connect_timeout=2.0, command_timeout=2.0)


async def test_a_restart_that_counts_anew(node: Node) -> None:
    async with watching(at(node)) as watch:
        async with client_of(node.server) as client:
            for _ in range(500):
                await client.ping()
        await watch.until(heard)
        await watch.ticks(3)
        node.kill()
        node.start()
        after = await watch.until(lambda snapshot: live(snapshot) and bool(snapshot.history.events()))
        assert [event.text for event in after.history.events()] == ["restarted"]
        later = await watch.ticks(4)
        assert None in later.history.samples(COMMANDS.name, 0, later.history.end)
        assert all(0 <= rate < 100_000 for rate in rates(later, COMMANDS.name))


@pytest.mark.parametrize(("saved", "said"), [(False, "3 000 → 0 keys"), (True, "3 000 → 1 000 keys, of a snapshot ")])
async def test_a_restart_that_lost_keys_says_how_many(node: Node, saved: bool, said: str) -> None:  # noqa: FBT001
    async with client_of(node.server) as client:
        await client.mset({f"kept:{number}": "x" for number in range(1_000)})
        if saved:
            # A server that hasn't saved since its start has the start for the time of its last snapshot.
            await asyncio.to_thread(wait_until, lambda: _has_saved(node))
        await client.mset({f"lost:{number}": "x" for number in range(2_000)})
    async with watching(at(node)) as watch:
        await watch.until(heard)
        await watch.ticks(3)
        node.kill()
        node.start()
        after = await watch.until(lambda snapshot: any(said in event.text for event in snapshot.history.events()))
        # In one line, or where it was seen while it loaded, in two.
        assert after.history.events()[0].text.startswith("restarted")


def _has_saved(node: Node) -> bool:
    """Save once more; whether that was in a later second than the start."""
    node.ask("SAVE")
    told = node.ask("INFO")
    return bool(told["rdb_last_save_time"] > told["server_time_usec"] // 1_000_000 - told["uptime_in_seconds"])


@asynccontextmanager
async def loaded(node: Node) -> AsyncIterator[None]:
    """Somebody reads from this server, again and again."""
    over = asyncio.Event()

    async def read() -> None:
        async with client_of(node.server) as client:
            while not over.is_set():
                await client.mget(["key"] * 20)

    reading = asyncio.create_task(read())
    try:
        yield
    finally:
        over.set()  # redis-py may lose a cancellation
        await reading


async def test_counters_that_are_reset_under_load_are_a_hole_and_no_restart(node: Node) -> None:
    async with watching(at(node)) as watch, loaded(node):
        await watch.until(heard)
        before = await watch.ticks(10)
        node.ask("CONFIG", "RESETSTAT")
        reset = await watch.until(lambda snapshot: bool(snapshot.history.events()))
        assert reset.history.latest(USED_MEMORY.name) is not None  # what is no counter goes on
        after = await watch.ticks(5)
        assert [event.text for event in after.history.events()] == ["counters reset"]
        for counter in (COMMANDS, MISSES, NET_INPUT):
            assert None in after.history.samples(counter.name, after.history.end - 6, after.history.end)
            assert min(rates(after, counter.name)) >= 0
            assert max(rates(after, counter.name)) <= 10 * max(rates(before, counter.name))
        assert watch.said == []


@pytest.mark.needs("enable-debug-command")
async def test_a_server_that_loads_says_how_far_it_is(start_node: StartNode) -> None:
    node = start_node({"loading-process-events-interval-bytes": "1024", "enable-debug-command": "yes"})
    async with client_of(node.server) as client, watching(at(node)) as watch:
        await client.mset({f"key:{number}": "x" * 20 for number in range(4_000)})
        before = await watch.until(heard)
        await client.config_set("key-load-delay", "400")
        loading = asyncio.create_task(client.execute_command("DEBUG", "RELOAD"))  # type: ignore[no-untyped-call]
        shown = await watch.until(lambda snapshot: bool(_persistence(snapshot) and _persistence(snapshot).loading))
        assert live(shown)
        (line,) = banner(shown, shown.at)
        said = "".join(piece.text for piece in line)
        assert re.fullmatch(r"the server is loading its data: \d+ %, done in .+", said)
        for gap in gaps(shown).values():
            assert gap.detail.startswith("LOADING")
        await loading
        await watch.until(lambda snapshot: heard(snapshot) and not _persistence(snapshot).loading)
        after = await watch.until(lambda snapshot: not gaps(snapshot))
        assert watch.said == []
        assert known(after) >= known(before)


def _persistence(snapshot: Any) -> Any:
    return getattr(snapshot.reading(PERSISTENCE), "value", None)


@pytest.mark.usefixtures("soon")
async def test_a_script_that_does_not_end_is_said_and_the_picture_stays(start_node: StartNode) -> None:
    node = start_node({"lua-time-limit": "20"})
    async with watching(at(node)) as watch, client_of(node.server) as client:
        before = await watch.until(heard)
        script = asyncio.ensure_future(client.eval("while true do end", 0))
        lost = await watch.until(away_by(Trouble.SILENT))
        assert watch.lost.what == "the server is busy with a script or a function"
        assert known(lost) >= known(before)
        assert not gaps(lost)
        async with client_of(node.server) as other:
            await other.script_kill()
        await asyncio.gather(script, return_exceptions=True)
        await watch.until(heard)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"maxmemory": "1"}, "OOM"),
        ({"min-replicas-to-write": "1"}, "NOREPLICAS"),
        ({"replicaof": "127.0.0.1 1"}, "READONLY"),
    ],
    ids=["OOM", "NOREPLICAS", "READONLY"],
)
async def test_a_server_that_takes_no_writes_is_watched_all_the_same(
    start_node: StartNode, config: dict[str, str], code: str
) -> None:
    node = start_node(config)
    async with watching(at(node)) as watch:
        await watch.until(heard)
        outcome = await watch.source.act(WRITE)
        assert isinstance(outcome, NotDone)
        assert code in outcome.what
        await watch.ticks(2)
        assert watch.said == []
        assert not gaps(watch.newest)


async def test_a_server_that_cannot_save_takes_no_writes_and_says_so(own_server: StartServer) -> None:
    server = own_server({"save": "3600 100000000"})
    Path(server.socket).with_name("dump.rdb").mkdir()  # where the server would put its snapshot
    async with watching(Endpoint(socket=server.socket)) as watch, client_of(server) as client:
        await watch.until(heard)
        await client.bgsave()
        failed = await watch.until(lambda snapshot: _persistence(snapshot).rdb_last_bgsave_status == "err")
        assert live(failed)
        outcome = await watch.source.act(WRITE)
        assert isinstance(outcome, NotDone)
        assert "MISCONF" in outcome.what
        assert watch.said == []


async def test_a_full_server_is_said_left_alone_and_come_back_to(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Trouble] = []

    def noted(trouble: Trouble, *_: object) -> float:
        waited.append(trouble)
        return 0.05

    for place in ("state.monitor", "server.listener"):
        monkeypatch.setattr(f"pymon_tui.{place}.backoff", noted)
    async with watching(at(node)) as watch, client_of(node.server) as client:
        await watch.until(heard)
        await client.config_set("maxclients", "1")
        await client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]
        await watch.until(away_by(Trouble.CROWDED))
        assert watch.lost.what == "the server has no free connection: max number of clients reached"
        assert Trouble.CROWDED in waited
        await client.config_set("maxclients", "100")
        await watch.until(heard)


async def test_a_server_that_was_full_before_us_is_hardly_troubled(node: Node) -> None:
    node.ask("CONFIG", "SET", "maxclients", "1")
    async with watching(Endpoint(port=node.port)) as watch:
        feed = (await watch.until(away_by(Trouble.CROWDED))).feed
        await until(lambda: isinstance(feed.status, Lost))
        for lost in (watch.newest.link, feed.status):
            assert isinstance(lost, Lost)
            assert (lost.trouble, lost.tries) == (Trouble.CROWDED, 1)
            assert lost.next_try - lost.since > 5
        # Each of us tried once; to hear why it was turned away, it may have come a second time.
        assert node.ask("INFO", "stats")["rejected_connections"] <= 4
        node.ask("CONFIG", "SET", "maxclients", "100")
        watch.source.poke()
        await watch.until(heard)


# What managed services leave out

RENAMED = {
    "CONFIG": {"slowlog_settings"},
    "SLOWLOG": {"slowlog"},
    "CLIENT": {"clients"},
    "PUBSUB": {"channels"},
    "INFO": {query.name for query in ALL if query.command is INFO},
    "HELLO": set(),
    "COMMAND": set(),
    "PING": set(),
    "TYPE": set(),
    "ROLE": set(),
}


@pytest.mark.parametrize("command", RENAMED)
async def test_a_renamed_command_is_missed_by_what_needs_it(start_node: StartNode, command: str) -> None:
    node = start_node({"rename-command": f'{command} ""'})
    async with watching(at(node)) as watch:
        await watch.until(lambda snapshot: away(snapshot) or RENAMED[command] <= gaps(snapshot).keys())
        if command != "INFO":
            await watch.until(heard)
            await watch.ticks(3)
        assert RENAMED[command] <= gaps(watch.newest).keys()
        assert {gap.reason for gap in gaps(watch.newest).values()} <= {Reason.MISSING}
        assert watch.said == []


ALL_BLOCKED = ("CONFIG", "CLIENT", "SLOWLOG", "COMMAND", "CLUSTER", "ACL", "LATENCY", "MEMORY", "OBJECT", "ROLE")


async def test_a_server_with_next_to_nothing_still_shows_what_there_is(start_node: StartNode) -> None:
    names = "\nrename-command ".join(f'{command} ""' for command in ALL_BLOCKED)
    node = start_node({"rename-command": names})
    node.ask_all([("SET", f"cache:{number}", "x") for number in range(20)])
    async with watching(at(node)) as watch:
        await watch.until(heard)
        shown = await watch.ticks(3)
    assert watch.said == []
    assert {"server", "memory", "hits", "keyspace"} <= known(shown)
    assert all(gap.remedy for gap in gaps(shown).values())
