"""Work on keys begins on the server that Sentinels name, and on no other that takes itself for the primary."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pymon_tui.invalidation.cluster.primaries import find
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.named import Named
from pymon_tui.invalidation.restore import Restore
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import runs
from pymon_tui.model.deployment import Address
from pymon_tui.removing.follow_up import asked
from pymon_tui.server.endpoint import Service
from pymon_tui.server.opinions import primary_of
from pymon_tui.server.reasons import LinkError
from pymon_tui.settings import load
from pymon_tui.settings.desk import desk_of
from tests.conftest import StartServer
from tests.invalidation.cluster.clusters import RULES, removal_of
from tests.invalidation.removing import under_way
from tests.server.fake import endpoint_at
from tests.server.listening import until
from tests.servers.node import Node
from tests.servers.sentinels import SERVICE, Sentinels

KEYS = {f"cache:{number}" for number in range(6_000)}


async def test_a_primary_that_sentinels_do_not_name_is_not_written_to_and_never_done(
    sentinels: Sentinels, own_server: StartServer, tmp_path: Path
) -> None:
    service = Service(SERVICE, tuple(Address("127.0.0.1", node.port) for node in sentinels.sentinels))
    primary = await primary_of(replace(endpoint_at(0), service=service), service)
    assert [one.endpoint for one in (await find(primary)).primaries] == [primary]
    assert primary.watched == service
    cut_off = own_server(tcp=True)  # as an old primary is on the wrong side of a broken line
    with pytest.raises(LinkError) as caught:
        await find(primary.at(Address("127.0.0.1", cut_off.port)))
    assert caught.value.what == (
        f"127.0.0.1:{cut_off.port} is not the primary of {SERVICE} any more: that is {primary.address}"
    )
    replica = sentinels.replicas()[0]
    found = await find(primary.at(Address("127.0.0.1", replica.port)))
    assert [one.endpoint for one in found.primaries] == [primary]
    same = await find(
        primary.at(Address("localhost", primary.port))
    )  # at another address, and yet the one that is named
    assert same.primaries[0].endpoint.host == "localhost"

    node = next(node for node in sentinels.servers if node.port == primary.port)
    node.ask_all([("SET", key, "value") for key in KEYS])
    removal = await removal_of(await desk_under(sentinels, tmp_path))
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 300)
        for sentinel in sentinels.sentinels:  # as after a failover that the old primary has not heard of
            sentinel.ask("SENTINEL", "REMOVE", SERVICE)
            sentinel.ask("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", replica.port, 2)
        result = await task
    removed = result.tally.removed
    assert (result.outcome, result.left) == ("stopped", None)
    assert 300 < removed < len(KEYS)  # it asks while it goes on
    assert 0 < result.may_be_lost <= removed
    assert result.why.startswith(f"{primary.address} is not the primary of {SERVICE} any more: that is ")
    (record,) = runs(Journal(tmp_path))
    assert (record.state, record.undo_path) == ("stopped", result.undo)
    assert (record.removed_at_least, record.removed_at_most) == (removed - result.may_be_lost, removed)
    assert result.undo is not None
    undo = Restore(
        primary,
        result.undo,
        Journal(tmp_path),
        ceiling=10.0,
        replace=False,
        elsewhere=False,
        read_only=False,
        named=Named(primary, record.run_id or ""),
    )
    back = await undo.run()
    assert (back.outcome, back.tally.restored, back.why) == ("stopped", removed, result.why)
    assert back.may_be_lost == removed

    for node in sentinels.sentinels:
        node.kill()
    with pytest.raises(LinkError, match=f"no Sentinel tells the primary of {SERVICE}"):
        await find(primary)


def keys_of(node: Node) -> set[str]:
    return set(node.ask("KEYS", "*"))


async def test_an_old_primary_that_comes_back_in_the_middle_is_left_alone(sentinels: Sentinels, tmp_path: Path) -> None:
    old = sentinels.primary()
    old.ask_all([("SET", key, "value") for key in (*KEYS, "other:1")])
    old.replicated(2)
    desk = await desk_under(sentinels, tmp_path)
    removal = await removal_of(desk)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 300)
        old.pause()
        new = await sentinels.failed_over(old)
        old.resume()  # it goes on as a primary, until it is told otherwise
        result = await task
    await sentinels.settled()

    assert (result.outcome, result.left) == ("stopped", None)
    moved = f"is not the primary of {SERVICE} any more: that is {new.address}|has become a replica"
    assert re.search(moved, result.why)
    gone = len(KEYS) + 1 - len(keys_of(new))
    # Replicas may not have had the last of what was answered.
    assert result.tally.removed - 1_000 <= gone <= result.tally.removed + result.tally.unknown
    assert "other:1" in keys_of(new)
    after = await asyncio.to_thread(asked, desk, result.run)
    assert f" undo {result.run} --elsewhere" in after.undo(result.run)
    assert after.resume(result.run) == (
        f"run {result.run} can't be resumed: another server process answers at {new.address} than the plan was made on "
        f"({old.address}); plan anew"
    )

    again = await (await removal_of(await desk_under(sentinels, tmp_path))).run()
    assert (again.outcome, again.left) == ("done", 0)
    assert keys_of(new) == {"other:1"}


async def desk_under(sentinels: Sentinels, folder: Path) -> Desk:
    """The desk of a person who has named a Sentinel; it works slowly enough to be met in the middle."""
    service = Service(SERVICE, tuple(Address("127.0.0.1", node.port) for node in sentinels.sentinels))
    primary = await primary_of(replace(endpoint_at(0), service=service), service)
    return Desk(replace(primary, command_timeout=0.5), replace(RULES, rate=4_000.0), folder)


async def test_the_sentinels_of_a_production_profile_are_asked_where_its_server_is(
    sentinels: Sentinels, own_server: StartServer, tmp_path: Path
) -> None:
    told = ", ".join(f'"127.0.0.1:{node.port}"' for node in sentinels.sentinels)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[profiles.prod]\nenvironment = "production"\nsentinels = [{told}]\nservice = "{SERVICE}"\n'
        'protected = ["keep:*"]\n'
    )
    settings = load({}, profile=None, environ={}, dotenv=None, config=config, warn=print)
    primary, replica = sentinels.primary().port, sentinels.replicas()[0].port
    for port, guarded in ((primary, ("prod",)), (replica, ("prod",)), (own_server(tcp=True).port, ())):
        rules = await desk_of(endpoint_at(port), settings, tmp_path).rules_here()
        assert rules.guarded_by == guarded
        assert rules.notes == ()
    # One that is behind the others hides nothing from the rails, whatever it names.
    behind = sentinels.sentinels[0]
    behind.ask("SENTINEL", "REMOVE", SERVICE)
    behind.ask("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", own_server(tcp=True).port, 2)
    assert (await desk_of(endpoint_at(primary), settings, tmp_path).rules_here()).guarded_by == ("prod",)
    for sentinel in sentinels.sentinels:
        sentinel.stop()
    rules = await desk_of(endpoint_at(primary), settings, tmp_path).rules_here()
    assert rules.guarded_by == ()
    assert rules.notes == (
        "profile prod: it can't be found out where its server is, so its guard rails may be missing",
    )


async def test_a_sentinel_itself_is_no_place_for_keys(sentinels: Sentinels) -> None:
    port = sentinels.sentinels[0].port
    with pytest.raises(LinkError) as caught:
        await find(endpoint_at(port))
    assert str(caught.value) == (
        f"127.0.0.1:{port} is a Sentinel: it has no keys; "
        "--sentinel HOST:PORT --service NAME is the way to a server that it watches"
    )
