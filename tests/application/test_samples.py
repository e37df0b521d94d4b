"""Which keys are asked about, and what is remembered of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.application.groups import DATABASE_SIZE, KEY_GROUPS
from pymon_tui.application.samples import (
    ENOUGH,
    KEY_BYTES,
    KEY_LIVES,
    MOST_AT_ONCE,
    Known,
    Refused,
    decode_pttl,
    decode_usage,
    next_sample,
)
from pymon_tui.application.walk import Walk, decode_page
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Answers, Ready, Unavailable
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller


def walk(*keys: bytes) -> Walk:
    return decode_page([b"0", list(keys)])


def feed(number: int) -> bytes:
    return b"feed:%d" % number


def test_of_each_group_enough_are_asked_about_a_few_at_a_time() -> None:
    keys = [*map(feed, range(400)), *(b"session:%d" % number for number in range(5))]
    known: dict[bytes, int | Refused] = {}
    for _ in range(10):
        asked = next_sample(known, walk(*keys))
        assert len(asked) <= MOST_AT_ONCE
        known |= dict.fromkeys(asked, 1)
    assert len(known) == ENOUGH + 5


def test_old_ones_are_asked_about_again_but_for_those_we_may_not_touch() -> None:
    known: Known = {feed(1): 10, feed(2): Refused.REFUSED, feed(3): 10}
    assert next_sample(known, walk(feed(3), feed(2), feed(1), feed(4))) == (feed(4), feed(1), feed(3))


def test_keys_of_the_rest_are_not_asked_about() -> None:
    assert next_sample({}, walk(b"12", b"13")) == ()


def test_what_the_server_answers() -> None:
    answers = Answers([(("MEMORY", "USAGE", b"a"), 56), (("MEMORY", "USAGE", b"b"), None)], (("PTTL", b"c"),), 1.0)
    assert decode_usage(answers) == {b"a": 56, b"b": None, b"c": Refused.REFUSED}
    lives = Answers([(("PTTL", b"a"), -1), (("PTTL", b"b"), -2), (("PTTL", b"c"), 900)], (), 1.0)
    assert decode_pttl(lives) == {b"a": -1, b"b": None, b"c": 900}


@pytest.mark.parametrize("reply", [b"1", [], 1.5])
def test_another_reply_is_unreadable(reply: Any) -> None:
    with pytest.raises(ValueError, match="MEMORY USAGE answered"):
        decode_usage(Answers([(("MEMORY", "USAGE", b"a"), reply)], (), 1.0))


QUERIES = (KEY_GROUPS, KEY_BYTES, KEY_LIVES, DATABASE_SIZE)
NAMES = {query.name for query in QUERIES}


async def readings(server: EmbeddedServer, ticks: int, **login: Any) -> Poller:
    poller = Poller(QUERIES)
    session, _ = await open_session(Endpoint(socket=server.socket, **login))
    try:
        for now in range(ticks):
            await poller.tick(session, now, 1, NAMES)
    finally:
        await session.close()
    return poller


async def test_a_server_tells_bytes_and_lives_of_its_keys(server: EmbeddedServer, redis: Redis) -> None:
    await redis.set("feed:1", "x" * 100)
    await redis.set("feed:2", "x", px=60_000)
    poller = await readings(server, 2)
    sizes, lives, total = (poller.readings[query.name] for query in (KEY_BYTES, KEY_LIVES, DATABASE_SIZE))
    assert isinstance(sizes, Ready)
    assert isinstance(lives, Ready)
    assert isinstance(total, Ready)
    assert sizes.value == {key: await redis.memory_usage(key) for key in (b"feed:1", b"feed:2")}
    assert lives.value[b"feed:1"] == -1
    assert 0 < lives.value[b"feed:2"] <= 60_000
    assert total.value == 2


@pytest.mark.needs("memory|usage")
async def test_what_may_not_be_touched_is_known_after_one_refusal(server: EmbeddedServer, redis: Redis) -> None:
    await redis.mset({f"{name}:{number}": "x" for name in ("mine", "theirs") for number in range(30)})
    await redis.acl_setuser("half", enabled=True, passwords=["+pw"], keys=["mine:*"], commands=["+@all"])
    poller = await readings(server, 6, username="half", password=SecretStr("pw"))
    sizes = poller.readings[KEY_BYTES.name]
    assert isinstance(sizes, Ready)
    assert sum(value is Refused.REFUSED for value in sizes.value.values()) == 30
    refused = (await redis.info("commandstats"))["cmdstat_memory|usage"]["rejected_calls"]
    assert refused == 1


async def test_a_refusal_leaves_the_rest(server: EmbeddedServer, redis: Redis) -> None:
    await redis.set("feed:1", "x")
    commands = ["+@all", "-memory", "-dbsize"]
    await redis.acl_setuser("half", enabled=True, passwords=["+pw"], keys=["*"], commands=commands)
    poller = await readings(server, 3, username="half", password=SecretStr("pw"))
    assert isinstance(poller.readings[KEY_GROUPS.name], Ready)
    assert isinstance(poller.readings[KEY_LIVES.name], Ready)
    for query in (KEY_BYTES, DATABASE_SIZE):
        assert isinstance(poller.readings[query.name], Unavailable)
