"""Subscriptions where the server or the ACL lets us do less than we would like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.query import Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.subscriber import refusal, subscription
from tests.conftest import StartServer
from tests.demo.waiting import a_moment
from tests.server.fake import bulk, endpoint_at, serving, speaking
from tests.server.listening import at, listening, live, marks, until

HELLO = b"*2\r\n" + bulk(b"id") + b":7\r\n"


@given(st.binary())
def test_only_a_wildcard_makes_a_pattern(name: bytes) -> None:
    verb = b"PSUBSCRIBE" if set(name) & set(b"*?[\\") else b"SUBSCRIBE"
    assert subscription(name) == (verb, name)


def test_a_refusal_says_what_to_do() -> None:
    asked = [subscription(b"a\x1b*"), subscription(b"b")]
    no_channel = refusal(asked, NoPermissionError("NOPERM no permissions to access a channel"), safe("mon"))
    assert no_channel.remedy == "ACL SETUSER mon &a\\x1b* &b"
    no_command = refusal(asked, NoPermissionError("NOPERM no permissions to run 'psubscribe'"), safe("mon"))
    assert no_command.remedy == "ACL SETUSER mon +psubscribe +subscribe (and &a\\x1b* &b if it lacks them)"
    missing = refusal(asked[:1], ResponseError("ERR unknown command 'PSUBSCRIBE'"), safe("mon"))
    assert (missing.reason, missing.remedy) == (
        Reason.MISSING,
        "this server has no PSUBSCRIBE, or it is renamed",
    )


async def test_speaks_resp2_where_there_is_no_hello(own_server: StartServer) -> None:
    server = own_server({"rename-command": 'HELLO ""'})
    async with listening(at(server), b"a*", b"b", ping_every=0.01, pong_timeout=0.5) as (listener, feed):
        await until(live(feed))
        first = listener.client_id
        async with Redis(unix_socket_path=server.socket, protocol=2, driver_info=None) as client:
            pings = 0
            while pings < 3:  # RESP2 answers them in another form while subscribed
                pings = (await client.info("commandstats"))["cmdstat_ping"]["calls"]
                await a_moment()
            await client.publish("a1", "m")
            await client.publish("b", "m")
            await until(lambda: feed.seen == 2)
            await listener.watch([])
            await until(lambda: listener.patterns == ())
            while await client.pubsub_channels() or await client.pubsub_numpat():
                await a_moment()
        assert (listener.client_id, marks(feed)) == (first, [])


async def test_says_that_the_command_is_missing(own_server: StartServer) -> None:
    server = own_server({"rename-command": 'PSUBSCRIBE ""'})
    async with listening(at(server), b"a*") as (_, feed):
        await until(lambda: isinstance(feed.status, Unavailable))
        assert isinstance(feed.status, Unavailable)
        assert feed.status.reason is Reason.MISSING
        assert feed.status.remedy == "this server has no PSUBSCRIBE, or it is renamed"


async def user(redis: Redis, server: EmbeddedServer, *rules: str) -> Endpoint:
    words = ("ACL", "SETUSER", "mon", "on", ">pw", "&*", "+@all", *rules)
    await redis.execute_command(*words)  # type: ignore[no-untyped-call]
    return Endpoint(socket=server.socket, username="mon", password=SecretStr("pw"))


async def test_repeats_a_subscription_where_it_may_not_ping(redis: Redis, server: EmbeddedServer) -> None:
    endpoint = await user(redis, server, "-ping", "-info")
    async with listening(endpoint, b"a", ping_every=0.01, pong_timeout=0.3) as (listener, feed):
        await until(live(feed))
        first = listener.client_id
        calls = 0
        while calls < 3:
            calls = (await redis.info("commandstats"))["cmdstat_subscribe"]["calls"]
            await a_moment()
        await redis.publish("a", "m")
        await until(lambda: feed.seen == 1)
        refused = {entry["object"]: entry["count"] for entry in await redis.acl_log()}
        assert refused == {"info": 1, "ping": 1}
        assert (listener.client_id, marks(feed)) == (first, [])


async def test_connects_again_where_it_may_not_unsubscribe(redis: Redis, server: EmbeddedServer) -> None:
    endpoint = await user(redis, server, "-unsubscribe")
    async with listening(endpoint, b"a", b"b") as (listener, feed):
        await until(live(feed))
        first = listener.client_id
        await listener.watch([b"b"])
        await until(lambda: live(feed)() and listener.client_id not in (None, first))
        assert await redis.pubsub_channels() == ["b"]


@pytest.mark.parametrize(
    ("answer", "trouble", "what"),
    [
        (b"-BUSY a script is running\r\n", Trouble.SILENT, "no subscription for now: BUSY a script is running"),
        (b"-ERR \xff\x1b\r\n", Trouble.REFUSED, "ERR"),
        (b"HTTP/1.1 400\r\n", Trouble.FOREIGN, "does not speak Redis"),
        (b">1\r\n$8\r\npmessage\r\n", Trouble.FOREIGN, "does not speak Redis"),
        (b"*0\r\n", Trouble.FOREIGN, "does not speak Redis"),
        (b">4\r\n$8\r\npmessage\r\n:1\r\n:2\r\n:3\r\n", Trouble.FOREIGN, "does not speak Redis"),
    ],
)
async def test_a_server_that_answers_oddly_is_left(answer: bytes, trouble: Trouble, what: str) -> None:
    def reply(command: list[bytes]) -> bytes | None:
        replies = {b"HELLO": HELLO, b"SUBSCRIBE": answer, b"PING": b"+PONG\r\n"}
        return replies.get(command[0], b"+OK\r\n")

    async with serving(speaking(reply)) as port, listening(endpoint_at(port), b"a") as (_, feed):
        await until(lambda: isinstance(feed.status, Lost))
        assert isinstance(feed.status, Lost)
        assert feed.status.trouble is trouble
        assert what in feed.status.what
        assert marks(feed) == []


async def test_pushes_nobody_asked_for_are_passed_over() -> None:
    def reply(command: list[bytes]) -> bytes | None:
        odd = b">2\r\n" + bulk(b"invalidate") + b"*0\r\n"
        confirmed = b">3\r\n" + bulk(b"subscribe") + bulk(b"a") + b":1\r\n"
        message = b">3\r\n" + bulk(b"message") + bulk(b"a") + bulk(b"m")
        replies = {b"HELLO": HELLO, b"SUBSCRIBE": odd + confirmed + message, b"PING": b"+PONG\r\n+PONG\r\n"}
        return replies.get(command[0], b"+OK\r\n")

    async with serving(speaking(reply)) as port, listening(endpoint_at(port), b"a") as (_, feed):
        await until(live(feed))
        assert feed.seen == 1


async def test_says_that_we_may_be_too_slow_where_the_server_does_not_count_it() -> None:
    confirmed = b">3\r\n" + bulk(b"subscribe") + bulk(b"a") + b":1\r\n"
    message = b">3\r\n" + bulk(b"message") + bulk(b"a") + bulk(b"m" * 2_000_000)
    pongs = iter([b"+PONG\r\n"])  # the second PING is answered by closing

    def reply(command: list[bytes]) -> bytes | None:
        if command[0] == b"PING":
            return next(pongs, None)
        return {b"HELLO": HELLO, b"SUBSCRIBE": confirmed + message}.get(command[0], b"+OK\r\n")

    async with (
        serving(speaking(reply)) as port,
        listening(endpoint_at(port), b"a", ping_every=0.01, pong_timeout=5.0) as (_, feed),
    ):
        await until(lambda: len(marks(feed)) > 0)
        assert marks(feed)[0].endswith(", perhaps because we read too slowly")


async def test_listens_behind_a_proxy_that_closes_on_what_it_does_not_know() -> None:
    confirmed = b"*3\r\n" + bulk(b"psubscribe") + bulk(b"a*") + b":1\r\n"
    message = b"*4\r\n" + bulk(b"pmessage") + bulk(b"a*") + bulk(b"ab") + bulk(b"m")
    known = {b"PSUBSCRIBE": confirmed + message, b"PING": b"*2\r\n" + bulk(b"pong") + bulk(b"")}

    async with (
        serving(speaking(lambda command: known.get(command[0]))) as port,
        listening(endpoint_at(port), b"a*", ping_every=0.01, pong_timeout=5.0) as (listener, feed),
    ):
        await until(lambda: live(feed)() and feed.seen == 1)
        assert listener.client_id is None
