"""The walk through the keyspace: what it counts, what it keeps, and that it goes on."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.application.walk import KEPT, WALK, Walk, decode_page, go_on
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Query, Ready, itself
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller
from pymon_tui.services.keys import FAMILIES, MONITORING_RESULT, SESSION


def page(cursor: bytes, *keys: bytes) -> Walk:
    return decode_page([cursor, list(keys)])


def walked(*pages: Walk) -> Walk:
    walk: Walk | None = None
    for one in pages:
        walk = go_on(walk, one)
    assert walk is not None
    return walk


def test_keys_are_counted_to_their_family() -> None:
    met = page(b"0", b"session:a", b"session:b", b"monitoring:result:7", b"session:a:b", b"queue", b"\xff").going
    assert met.seen == 6
    assert met.counts == {SESSION.name: 2, MONITORING_RESULT.name: 1, None: 3}


def test_keys_of_no_family_are_counted_by_their_names() -> None:
    walk = walked(page(b"7", b"session:a", b"user:1", b"user:2"), page(b"0", b"user:3", b"queue"))
    assert walk.known.others.counts() == (("user:*", 3), ("queue", 1))
    assert go_on(walk, page(b"7", b"user:4")).going.others.counts() == (("user:*", 1),)


def test_a_round_ends_with_the_cursor_at_zero_and_the_next_begins_anew() -> None:
    first = walked(page(b"7", b"session:a"), page(b"0", b"session:b"))
    assert first.whole is not None
    assert first.whole.seen == 2
    second = go_on(first, page(b"7", b"session:c"))
    assert second.going.seen == 1
    assert second.known is first.whole
    assert second.keys(SESSION.name) == (b"session:a", b"session:b", b"session:c")
    third = go_on(second, page(b"0"))
    assert third.keys(SESSION.name) == (b"session:c",)


def test_before_the_first_round_ends_what_there_is_of_it_is_known() -> None:
    walk = walked(page(b"7", b"session:a"), page(b"9", b"session:a", b"session:b"))
    assert walk.whole is None
    assert walk.known.seen == 3
    assert walk.keys(SESSION.name) == (b"session:a", b"session:b")


def test_a_round_that_has_met_more_than_the_last_whole_one_is_known_before_its_end() -> None:
    walk = walked(page(b"0", b"session:a"), page(b"7", b"session:a"))
    assert walk.complete
    more = go_on(walk, page(b"9", b"session:b", b"session:c"))
    assert (more.known.seen, more.complete) == (3, False)
    assert go_on(more, page(b"0")).complete


def test_no_more_keys_are_kept_than_is_said() -> None:
    most = KEPT[SESSION.name]
    walk = walked(
        page(b"7", *(b"session:a%d" % number for number in range(most))),
        page(b"0", *(b"session:b%d" % number for number in range(5))),
    )
    assert len(walk.known.kept[SESSION.name]) == most
    assert walk.known.counts[SESSION.name] == most + 5


@pytest.mark.parametrize(("seen", "count"), [(100, 500), (25_000, 1_000), (9_000_000, 4_000)])
def test_the_page_grows_with_the_keyspace(seen: int, count: int) -> None:
    walk = page(b"7", *(b"%d" % number for number in range(100)))
    for _ in range(20):
        if walk.going.seen < seen:
            walk = Walk(walk.cursor, (), walk.going.joined(walk.going), None)
    asked = WALK.arguments(walk, None)
    assert isinstance(asked, tuple)
    assert count <= int(asked[3]) <= min(2 * count, 4_000)


@pytest.mark.parametrize("reply", [None, b"OK", [], [b"0"], [0, []], [b"0", b"key"], [b"0", [1]]])
def test_another_reply_is_unreadable(reply: Any) -> None:
    with pytest.raises(ValueError, match="SCAN answered"):
        decode_page(reply)


async def test_a_walk_through_a_server_meets_every_key(server: EmbeddedServer, redis: Redis) -> None:
    for family in FAMILIES:
        for number in range(200):
            await redis.set(family.key(**dict.fromkeys(family.parameters, f"v{number}")), 1)
    query: Query[Walk] = Query("walk", WALK, itself)
    poller = Poller([query])
    session, _ = await open_session(Endpoint(socket=server.socket))
    try:
        for now in range(20):
            await poller.tick(session, now, 1, {"walk"})
            reading = poller.readings["walk"]
            assert isinstance(reading, Ready)
            if (walk := reading.value).whole is not None:
                break
        else:
            pytest.fail("the walk came to no end")
    finally:
        await session.close()
    assert dict(walk.known.counts) == {family.name: 200 for family in FAMILIES}
    assert len(walk.keys(SESSION.name)) == 200
