"""Our own connection, ended by others, again and again: it is made anew, and nothing of the old one is left."""

from __future__ import annotations

import asyncio
import gc

import pytest

from pymon_tui.model.link import Live, Lost
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.clients import CLIENTS
from pymon_tui.server.endpoint import CLIENT_NAME, Endpoint
from tests.faults.watching import away, heard, hurried, live, marks, open_files, until, watching
from tests.servers.clients import client_of
from tests.servers.node import Node
from tests.servers.proxy import Proxy

RECONNECTS = 200


@pytest.mark.usefixtures("soon")
async def test_it_is_killed_by_an_administrator(node: Node) -> None:
    async with watching(Endpoint(socket=node.server.socket)) as watch:
        before = await watch.until(heard)
        await watch.until(lambda snapshot: len(snapshot.own_ids) == 2)
        node.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        node.ask("CLIENT", "KILL", "TYPE", "pubsub")
        after = await watch.until(
            lambda snapshot: snapshot.own_ids.isdisjoint(before.own_ids) and len(snapshot.own_ids) == 2
        )
        assert watch.said == []  # it was asked once more, and answered
        assert after.history.events() == ()  # it is no restart


@pytest.mark.usefixtures("soon")
async def test_it_is_no_client_of_the_picture_that_is_kept_of_a_frozen_server(node: Node) -> None:
    def others(snapshot: Snapshot) -> int:
        listed = snapshot.value(CLIENTS)
        assert listed is not None
        return len(listed.without(snapshot.own_ids))

    endpoint = Endpoint(socket=node.server.socket, connect_timeout=0.3, command_timeout=0.3)
    async with watching(endpoint) as watch:
        await watch.until(lambda snapshot: heard(snapshot) and len(snapshot.own_ids) == 2)
        before = others(await watch.ticks(2))
        node.pause()
        try:
            await watch.until(away)
            await until(lambda: isinstance(watch.newest.feed.status, Lost))
            tries = watch.lost.tries
            await watch.until(lambda snapshot: isinstance(snapshot.link, Lost) and snapshot.link.tries > tries)
            assert others(watch.newest) == before
        finally:
            node.resume()


@pytest.mark.usefixtures("soon")
async def test_it_is_closed_for_being_idle(node: Node) -> None:
    async with watching(Endpoint(socket=node.server.socket)) as watch:
        before = await watch.until(heard)
        watch.source.set_interval(3_600)  # nothing is asked, and the server hangs up
        node.ask("CONFIG", "SET", "timeout", "1")
        named = f"name={CLIENT_NAME}"
        await until(lambda: named not in node.ask("CLIENT", "LIST", "TYPE", "normal"))
        node.ask("CONFIG", "SET", "timeout", "0")
        watch.source.set_interval(0.05)
        await watch.until(lambda snapshot: bool(snapshot.own_ids - before.own_ids) and heard(snapshot))
        await watch.ticks(2)
        assert watch.said == []


@pytest.mark.usefixtures("soon")
@pytest.mark.needs("client|no-touch")  # of the age of INFO's counter of those it cut off
async def test_its_feed_is_cut_off_for_what_it_has_not_read(node: Node, line: Proxy) -> None:
    async with watching(Endpoint(port=line.port)) as watch:
        await watch.until(heard)
        node.ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 65536 0 0")
        async with client_of(node.server) as client:
            await client.eval("for i = 1, 400 do redis.call('PUBLISH', 'news', string.rep('x', 4096)) end", 0)
        feed = watch.newest.feed
        await until(lambda: len(marks(watch.newest)) == 2)
        assert "client-output-buffer-limit" in marks(watch.newest)[1]
        await until(lambda: isinstance(feed.status, Live))
        assert live(watch.newest)


async def test_hundreds_of_reconnects_leave_nothing(
    node: Node, line: Proxy, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried(monkeypatch, 0.0005)
    async with watching(endpoint) as watch:
        await watch.until(heard)
        files, tasks = await _settled(line)
        while line.accepted < 2 * RECONNECTS:  # the poller's and the listener's
            await until(lambda: len(line._open()) > 0)
            accepted = line.accepted
            line.cut()
            await until(lambda: line.accepted > accepted)  # noqa: B023 - it is over before the next one
        await watch.until(heard)
        await watch.ticks(2)
        assert await _settled(line) == (files, tasks)
        named = node.ask("CLIENT", "LIST").count(f"name={CLIENT_NAME}")
        assert named == 2
    assert len(asyncio.all_tasks()) <= tasks


async def _settled(line: Proxy) -> tuple[int, int]:
    """The descriptors and tasks there are, once those of connections that have ended are gone."""
    await until(lambda: len(line._links) == 2)
    gc.collect()
    return open_files(), len(asyncio.all_tasks())
