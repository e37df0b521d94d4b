"""Channels and their subscribers, from the raw replies and from real servers."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Ready, Reply
from pymon_tui.readings.channels import (
    CHANNELS,
    MOST,
    PUBSUB_NUMSUB,
    SUBSCRIPTIONS,
    Channel,
    Channels,
    Subscriptions,
    decode_channels,
    decode_numsub,
    parse_subscriptions,
)
from pymon_tui.readings.info import Info
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller
from tests.demo.waiting import a_moment
from tests.server.listening import at, listening, live, until


@pytest.mark.parametrize("reply", [[b"b", 2, b"a", 2, b"gone", 0, b"\xff", 7], {b"\xff": 7, b"b": 2, b"a": 2}])
def test_most_subscribers_first_then_by_name(reply: Reply) -> None:
    assert decode_numsub(reply).channels == (Channel(b"\xff", 7), Channel(b"a", 2), Channel(b"b", 2))


@pytest.mark.parametrize("reply", [[b"c%03d" % (number * 7 % 999) for number in range(999)], {b"only"}, []])
def test_the_first_names_are_asked_for(reply: Reply) -> None:
    names = decode_channels(reply)
    assert names == tuple(sorted(reply)[:MOST])
    assert PUBSUB_NUMSUB.arguments(None, names) == ("PUBSUB", "NUMSUB", *names)


def test_nothing_is_asked_before_the_names_are_known() -> None:
    assert PUBSUB_NUMSUB.arguments(None, None) == ()


REPLIES = st.recursive(
    st.none() | st.integers() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=2), inner, max_size=2),
)


@given(REPLIES)
def test_an_odd_reply_is_a_value_error_and_nothing_else(reply: Reply) -> None:
    for decode in (decode_channels, decode_numsub):
        with contextlib.suppress(ValueError):
            decode(reply)


@pytest.mark.parametrize("reply", [None, b"c", [b"c"], [b"c", b"1"], {b"c": None}, [1, 1]])
def test_what_is_no_numsub_is_refused(reply: Reply) -> None:
    with pytest.raises(ValueError, match=r"^PUBSUB NUMSUB answered"):
        decode_numsub(reply)


def test_counts_come_from_info() -> None:
    info = Info({"pubsub_channels": "3", "pubsub_patterns": "1"})
    assert parse_subscriptions(info) == Subscriptions(3, 1)
    assert parse_subscriptions(Info({"a": "b"})) == Subscriptions(None, None)


async def test_a_real_server_tells(any_redis: Redis, any_server: EmbeddedServer) -> None:
    poller = Poller([CHANNELS, SUBSCRIPTIONS])
    session, _ = await open_session(Endpoint(socket=any_server.socket))

    async def channels() -> object:
        poller.refresh()
        for now in (0.0, 1.0):  # the names, then their subscribers
            await poller.tick(session, now, 1.0, {CHANNELS.name, SUBSCRIPTIONS.name})
        reading = poller.readings[CHANNELS.name]
        assert isinstance(reading, Ready)
        assert isinstance(reading.value, Channels)
        return reading.value.channels

    try:
        async with (
            listening(at(any_server), b"a", b"\xff") as (_, one),
            listening(at(any_server), b"a", b"p*") as (_, two),
        ):
            await until(lambda: live(one)() and live(two)())
            assert await channels() == (Channel(b"a", 2), Channel(b"\xff", 1))
            subscriptions = poller.readings[SUBSCRIPTIONS.name]
            assert isinstance(subscriptions, Ready)
            assert subscriptions.value == Subscriptions(pubsub_channels=2, pubsub_patterns=1)
        while await any_redis.pubsub_channels():
            await a_moment()
        assert await channels() == ()
    finally:
        await session.close()
