"""One node of a deployment: what it tells, and what is told of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pymon_tui.model.deployment import Address, Kind, Layout, Member, Role
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import History
from pymon_tui.model.link import Link, Live, Lost, Trouble
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.clients import CLIENTS, ClientTable, parse_clients
from pymon_tui.readings.topology import CLUSTER_SHARDS
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.state.followed import Followed
from tests.script import ready, snapshot
from tests.state.test_fleet import follow


async def followed(endpoint: Endpoint) -> Followed:
    """A node that nobody asks anything."""
    return Followed("10.0.0.1:6379", follow(endpoint, (), Feed()), asyncio.create_task(asyncio.sleep(0)))


def linked(link: Link, at: float) -> Snapshot:
    return snapshot({}, at=at, link=link)


async def test_it_is_said_when_it_is_lost_and_for_how_long_it_was() -> None:
    one = await followed(Endpoint())
    away = Lost(Trouble.UNREACHABLE, safe("it refuses connections"), safe(""), 40.0, 41.0, 1)
    assert one.take(linked(Live(10.0, 0.001), 39.0)) is None
    assert one.take(linked(away, 40.0)) == "10.0.0.1:6379 is lost: it refuses connections"
    assert one.take(linked(replace(away, tries=2), 70.0)) is None
    assert one.take(linked(Live(130.0, 0.001), 130.0)) == "10.0.0.1:6379 is back after 1m 30s"
    assert one.take(linked(Live(130.0, 0.001), 131.0)) is None


async def test_a_process_that_is_another_one_is_told_with_what_it_has_lost() -> None:
    one, history = await followed(Endpoint()), History(())
    history.record(39.0, {}, {})
    history.note(safe("invalidated a:*"), 39.0, run="run")
    one.take(snapshot({}, at=39.0, link=Live(10.0, 0.001), history=history))
    away = Lost(Trouble.UNREACHABLE, safe("it refuses connections"), safe(""), 40.0, 41.0, 1)
    one.take(snapshot({}, at=40.0, link=away, history=history))
    history.record(47.0, {}, {})
    history.note(safe("restarted, 38 016 → 0 keys"), 47.0)
    back = snapshot({}, at=47.0, link=Live(47.0, 0.001), history=history)
    assert one.take(back) == "10.0.0.1:6379 is back after 7s, restarted, 38 016 → 0 keys"
    # A line that was only idle is no loss; the restart is told all the same.
    history.record(48.0, {}, {})
    history.note(safe("restarted"), 48.0)
    assert one.take(snapshot({}, at=48.0, link=Live(47.0, 0.001), history=history)) == "10.0.0.1:6379 restarted"
    assert one.take(snapshot({}, at=49.0, link=Live(47.0, 0.001), history=history)) is None


@pytest.mark.parametrize(("tls", "port"), [(None, 6379), (Tls(), 6380)])
async def test_others_are_where_they_speak_as_it_does(tls: Tls | None, port: int) -> None:
    one = await followed(Endpoint(tls=tls))
    member = Member(Address("10.0.0.2", 6379), "b", Role.PRIMARY, tls_port=6380)
    one.take(snapshot({CLUSTER_SHARDS: ready(Layout(Kind.CLUSTER, (member,), None))}))
    layout = one.teller.layout
    assert layout is not None
    assert [each.address for each in layout.members] == [Address("10.0.0.2", port)]


async def test_our_connections_are_ours_for_as_long_as_the_list_of_clients_has_them() -> None:
    one = await followed(Endpoint())
    away = Lost(Trouble.UNREACHABLE, safe("it refuses connections"), safe(""), 40.0, 41.0, 1)
    first, second = (Ready(parse_clients(b"id=7 name=a\nid=8 name=b\n"), at) for at in (39.0, 50.0))

    def shown(link: Link, listed: Ready[ClientTable], own_id: int, *listening: int) -> frozenset[int]:
        one.take(snapshot({CLIENTS: listed}, link=link, own_ids={own_id}))
        known = one.shown(frozenset(listening))
        assert known is not None
        return known.own_ids

    assert shown(Live(10.0, 0.001), first, 7, 8) == {7, 8}
    assert shown(away, first, 7) == {7, 8}, "the listener's line is lost with the poller's, and the picture is kept"
    assert shown(away, first, 9) == {7, 8, 9}, "a connection was made, and was lost before anything was told on it"
    assert shown(Live(50.0, 0.001), second, 10, 11) == {9, 10, 11}
    assert shown(Live(50.0, 0.001), replace(second, at=51.0), 10, 11) == {10, 11}
