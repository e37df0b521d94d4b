"""A deployment under real Sentinels: found, followed through a failover, reached where its addresses are mapped to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from pydantic import SecretStr

from pymon_tui.model.deployment import Address, Kind, Role
from pymon_tui.model.link import Connecting, Live, Lost, Trouble
from pymon_tui.model.snapshot import SentinelView, Snapshot
from pymon_tui.server.endpoint import CLIENT_NAME, Endpoint, Service
from tests.demo.waiting import eventually
from tests.server.fake import endpoint_at
from tests.servers.node import Node
from tests.servers.proxy import proxied
from tests.servers.sentinels import SERVICE, Sentinels
from tests.state.test_fleet import all_live, changes, fleet_of, roles, view
from tests.state.test_monitor import until, watched


def address(node: Node) -> Address:
    return Address("127.0.0.1", node.port)


def under(named: Sequence[Address], service: str = SERVICE) -> Endpoint:
    return replace(endpoint_at(0), name="prod", service=Service(service, tuple(named)))


def told(snapshot: Snapshot) -> SentinelView:
    sentinels = view(snapshot).sentinels
    assert sentinels is not None
    return sentinels


def primary(snapshot: Snapshot) -> str | None:
    place = view(snapshot).primary
    return None if place is None else view(snapshot).nodes[place].member.id


async def nobody_left(sentinels: Sentinels) -> bool:
    """Whether we have no connection any more, to whomever."""
    nodes = [*sentinels.servers, *sentinels.sentinels]
    return not any(f"name={CLIENT_NAME} " in str(node.ask("CLIENT", "LIST")) for node in nodes)


async def test_all_are_found_from_one_and_a_failover_is_followed(sentinels: Sentinels) -> None:
    old = sentinels.primary()
    async with watched(fleet_of(under([address(sentinels.sentinels[0])]))) as snapshots:
        first = await anext(snapshots)
        assert isinstance(first.link, Connecting)
        assert first.node == "prod"
        one = await until(
            snapshots, lambda one: one.fleet is not None and all_live(one, 3) and told(one).answering == 3
        )
        assert (view(one).kind, told(one).service, told(one).known, told(one).quorum) == (Kind.SENTINEL, SERVICE, 3, 2)
        assert (told(one).problem, told(one).away) == (None, ())
        assert primary(one) == str(address(old)) == str(one.node)
        old.kill()
        one = await until(snapshots, lambda one: primary(one) != str(address(old)) and isinstance(one.link, Live))
        new = str(one.node)
        assert primary(one) == new
        assert f"switch-master main: {address(old)} to {new}" in changes(one)
        old.start()
        one = await until(snapshots, lambda one: roles(one)[str(address(old))] == "replica" and all_live(one, 3))
        assert str(one.node) == new
        returned = next(node.member for node in view(one).nodes if node.member.id == str(address(old)))
        assert (returned.role, returned.primary) == (Role.REPLICA, new)
    await eventually(lambda: nobody_left(sentinels))


async def test_what_no_sentinel_tells_is_said_until_one_does(sentinels: Sentinels) -> None:
    for one in sentinels.sentinels:
        one.kill()
    first, *others = sentinels.sentinels
    async with watched(fleet_of(under([address(first), address(others[0])]))) as snapshots:
        lost = (await until(snapshots, lambda snapshot: isinstance(snapshot.link, Lost))).link
        assert isinstance(lost, Lost)
        assert lost.what == (
            f"no Sentinel tells the primary of {SERVICE}: "
            f"{address(first)} refuses connections, {address(others[0])} refuses connections"
        )
        await asyncio.to_thread(first.start)
        found = await until(snapshots, lambda one: one.fleet is not None and all_live(one, 3))
        assert (told(found).answering, told(found).known) == (1, 2)  # it has just begun, and never met the third
        assert told(found).problem is not None
        assert any(f"{address(others[0])} refuses connections" in away for away in told(found).away)
        first.kill()
        gone = await until(snapshots, lambda one: told(one).answering == 0)
        assert isinstance(gone.link, Live)
        assert any(text.startswith(f"Sentinel {address(first)} is lost") for text in changes(gone))


async def test_a_service_that_nobody_knows_is_said(sentinels: Sentinels) -> None:
    async with watched(fleet_of(under([address(sentinels.sentinels[0])], "other"))) as snapshots:
        lost = (await until(snapshots, lambda snapshot: isinstance(snapshot.link, Lost))).link
        assert isinstance(lost, Lost)
        assert "watches no service other" in lost.what
        assert "--service" in lost.remedy


async def test_their_password_can_be_given_later(sentinels: Sentinels) -> None:
    node = sentinels.sentinels[0]
    node.ask("ACL", "SETUSER", "default", "resetpass", ">sesame")
    fleet = fleet_of(under([Address("127.0.0.1", 1), address(node)]))
    async with watched(fleet) as snapshots:
        lost = (await until(snapshots, lambda snapshot: isinstance(snapshot.link, Lost))).link
        assert isinstance(lost, Lost)
        assert lost.trouble is Trouble.LOCKED
        assert f"{address(node)}: the server wants a password" in lost.what
        assert "--sentinel-askpass" in lost.remedy
        fleet.log_in(SecretStr("sesame"))
        await until(snapshots, lambda one: one.fleet is not None and all_live(one, 3))


async def test_one_that_is_frozen_holds_nobody_up(sentinels: Sentinels) -> None:
    frozen, *others = sentinels.sentinels
    frozen.pause()
    try:
        endpoint = replace(under([address(one) for one in (frozen, *others)]), connect_timeout=0.5, command_timeout=0.5)
        async with watched(fleet_of(endpoint)) as snapshots:
            one = await until(
                snapshots, lambda one: one.fleet is not None and all_live(one, 3) and bool(told(one).away)
            )
            assert (told(one).answering, told(one).known) == (2, 3)
            assert told(one).away[0] == f"no answer from {address(frozen)} within 0.5 s"
            frozen.resume()
            one = await until(snapshots, lambda one: told(one).answering == 3)
            assert any(text.startswith(f"Sentinel {address(frozen)} is back after") for text in changes(one))
    finally:
        frozen.resume()


async def test_all_of_it_is_reached_where_it_is_mapped_to(sentinels: Sentinels) -> None:
    async with AsyncExitStack() as running:
        proxies = {
            address(node): await running.enter_async_context(proxied(node.port))
            for node in (*sentinels.servers, *sentinels.sentinels)
        }
        mapped = tuple((announced, Address("127.0.0.1", proxy.port)) for announced, proxy in proxies.items())
        named = Address("127.0.0.1", proxies[address(sentinels.sentinels[0])].port)
        async with watched(fleet_of(replace(under([named]), mapped=mapped))) as snapshots:
            one = await until(
                snapshots, lambda one: one.fleet is not None and all_live(one, 3) and told(one).answering == 3
            )
            reached = {str(node.snapshot.node) for node in view(one).nodes}
            assert reached == {str(dict(mapped)[address(node)]) for node in sentinels.servers}
            assert told(one).known == 3
            assert told(one).away == ()
        assert all(proxy.accepted for proxy in proxies.values())
        assert (
            proxies[address(sentinels.sentinels[0])].accepted == 1
        )  # and not a second time as one that others tell of
