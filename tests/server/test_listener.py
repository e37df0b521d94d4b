"""The listener on real servers: what arrives, what is lost, and what it says of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import ssl
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.feed import PAYLOAD_LIMIT, Feed, Message
from pymon_tui.model.link import Live, Lost, Trouble
from pymon_tui.model.query import Reason, Unavailable
from pymon_tui.server import clock
from pymon_tui.server.backoff import backoff
from pymon_tui.server.endpoint import Endpoint, Tls
from tests.conftest import StartServer, client_of
from tests.demo.waiting import a_moment
from tests.server.fake import CERT, KEY, serving
from tests.server.listening import at, listening, live, marks, messages, until
from tests.servers.idling import idling

FLOOD = """
for number = 1, ARGV[1] do redis.call("PUBLISH", "flood:" .. number % 50, ARGV[2]) end
"""


async def send(redis: Redis, *words: str) -> None:
    await redis.execute_command(*words)  # type: ignore[no-untyped-call]


async def errors_of(redis: Redis) -> object:
    return (await redis.info("errorstats"), (await redis.info("stats")).get("total_error_replies", 0))


async def test_a_command_is_refused_once_and_not_for_each_name(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("me", enabled=True, nopass=True, commands=["+@all", "-psubscribe"], channels=["*"])
    await redis.config_resetstat()
    async with listening(Endpoint(socket=server.socket, username="me"), b"a:*", b"b:*", b"c", b"d") as (listener, feed):
        await until(lambda: listener.held_since.keys() == {b"c", b"d"})
        (mark,) = marks(feed)
        assert mark.startswith("not followed: a:*, b:*: ")
    assert (await redis.info("stats"))["total_error_replies"] == 1


async def test_messages_arrive_as_they_were_sent(any_redis: Redis, any_server: EmbeddedServer) -> None:
    async with listening(at(any_server), b"\xff\x00:*", b"plain", b"\\[") as (listener, feed):
        await until(live(feed))
        sent = [
            (b"\xff\x00:\r\n", b"\x1b[2J\x00\xfe"),
            (b"plain", b""),
            (b"[", b"*3\r\n$7\r\nmessage\r\n"),
            (b"plain", b"1"),
        ]
        for channel, payload in sent:
            await any_redis.publish(channel, payload)
        await any_redis.publish("plain:not", "ours")
        await until(lambda: feed.seen == 4)
        assert messages(feed) == sent
        assert feed.dropped == 0
        (client,) = [found for found in await any_redis.client_list() if int(found["id"]) == listener.client_id]
        assert client["name"] == "pymon-tui"
    assert await errors_of(any_redis) == ({}, 0)


async def test_a_message_that_matches_several_patterns_is_one(redis: Redis, server: EmbeddedServer) -> None:
    async with listening(at(server), b"a*", b"ab", b"*b", b"*") as (listener, feed):
        await until(live(feed))
        sent = [("ab", "1"), ("ab", "1"), ("a", "1"), ("ab", "1"), ("x", "1"), ("x", "1")]
        for channel, payload in sent:
            await redis.publish(channel, payload)
        await until(lambda: feed.seen >= 6)
        await listener.watch([b"*b", b"*"])
        await until(lambda: listener.patterns == (b"*b", b"*") and live(feed)())
        for channel, payload in sent:
            await redis.publish(channel, payload)
        await redis.publish("end", "")
        await until(lambda: messages(feed)[-1][0] == b"end")
        assert feed.seen == 13


async def test_a_huge_payload_is_cut_and_its_size_kept(redis: Redis, server: EmbeddedServer) -> None:
    async with listening(at(server), b"*") as (_, feed):
        await until(live(feed))
        await redis.publish("huge", b"x" * 10_000_000)
        await until(lambda: feed.seen == 1)
        (message,) = feed.newest()
        assert isinstance(message, Message)
        assert (message.size, message.payload) == (10_000_000, b"x" * PAYLOAD_LIMIT)


async def test_a_flood_is_counted_exactly_and_kept_in_bounds(redis: Redis, server: EmbeddedServer) -> None:
    await redis.config_set("client-output-buffer-limit", "pubsub 0 0 0")
    feed = Feed(capacity=500, byte_capacity=50_000)
    async with listening(at(server), b"flood:*", feed=feed):
        await until(live(feed))
        for _ in range(4):
            await redis.eval(FLOOD, 0, "50000", "y" * 200)
        await until(lambda: feed.seen >= 200_000)
        assert feed.seen == 200_000
        assert len(feed) <= 50_000 / 200
        assert 0 < feed.dropped < 200_000
        await redis.publish("flood:end", "")
        await until(lambda: feed.seen == 200_001)


async def test_comes_back_after_a_kill_and_marks_the_gap(redis: Redis, server: EmbeddedServer) -> None:
    async with listening(at(server), b"a:*", b"b") as (listener, feed):
        await until(live(feed))
        first = listener.client_id
        await send(redis, "CLIENT", "KILL", "ID", str(first))
        await until(lambda: live(feed)() and listener.client_id not in (None, first))
        await redis.publish("a:1", "again")
        await redis.publish("b", "too")
        await until(lambda: feed.seen == 2)
        assert messages(feed) == [(b"a:1", b"again"), (b"b", b"too")]
        assert marks(feed) == [
            f"connection lost: {server.socket} closed the connection",
            "gap: reconnected after less than a second, messages in between are lost",
        ]
    assert await errors_of(redis) == ({}, 0)


async def test_a_connection_that_is_lost_soon_again_has_not_come_back(
    redis: Redis, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, tries = 0.0, []
    monkeypatch.setattr(clock, "now", lambda: now)
    async with listening(at(server), b"*") as (listener, feed):
        for held in (0.0, 9.0, 9.9, 10.0):
            await until(live(feed))
            now += held
            await send(redis, "CLIENT", "KILL", "ID", str(listener.client_id))
            await until(lambda: isinstance(feed.status, Lost))
            assert isinstance(feed.status, Lost)
            tries.append(feed.status.tries)
            listener.wake()
    assert tries == [1, 2, 3, 1]


async def test_where_each_try_counts_for_a_lock_a_listener_tries_less_often_than_a_poller(
    redis: Redis, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: 0.0)
    endpoint = Endpoint(socket=server.socket, username="nobody", password=SecretStr("pw"))
    async with listening(endpoint, b"*") as (_, feed):
        await until(lambda: isinstance(feed.status, Lost))
        assert isinstance(feed.status, Lost)
        assert feed.status.trouble is Trouble.LOCKED
    polls_at_most_after = max(backoff(Trouble.LOCKED, 1, random.Random(seed)) for seed in range(100))
    assert feed.status.next_try > 1.5 * polls_at_most_after


async def test_what_is_held_is_held_since_this_connection(
    redis: Redis, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 5.0
    monkeypatch.setattr(clock, "now", lambda: now)
    async with listening(at(server), b"news") as (listener, feed):
        await until(live(feed))
        assert listener.held_since == {b"news": 5.0}
        now = 8.0
        await send(redis, "CLIENT", "KILL", "ID", str(listener.client_id))
        await until(lambda: isinstance(feed.status, Lost))
        assert listener.held_since == {}
        listener.wake()
        await until(live(feed))
        assert listener.held_since == {b"news": 8.0}


async def test_where_nothing_is_followed_there_is_no_gap(redis: Redis, server: EmbeddedServer) -> None:
    async with listening(at(server), b"news") as (listener, feed):
        for followed in ([b"news"], [], [b"news"]):
            await until(live(feed))
            await listener.watch(followed)
            await send(redis, "CLIENT", "KILL", "ID", str(listener.client_id))
            await until(lambda: isinstance(feed.status, Lost))
            listener.wake()
        await until(live(feed))
        assert [mark.split(":")[0] for mark in marks(feed)] == ["connection lost", "gap"] * 2


@pytest.mark.needs("client|no-touch")  # of the age of INFO's counter of those it cut off
async def test_says_that_the_server_cut_us_off(redis: Redis, server: EmbeddedServer) -> None:
    async with listening(at(server), b"flood:*") as (listener, feed):
        await until(live(feed))
        first = listener.client_id
        await redis.config_set("client-output-buffer-limit", "pubsub 1mb 0 0")
        await redis.eval(FLOOD, 0, "20000", "y" * 200)
        await until(lambda: live(feed)() and listener.client_id not in (None, first))
        assert marks(feed)[1].endswith(
            "the server had cut us off, probably for reading too slowly (client-output-buffer-limit)"
        )


async def test_notices_a_frozen_server(own_server: StartServer) -> None:
    server = own_server()
    async with listening(at(server), b"*", ping_every=0.2, pong_timeout=0.2) as (_, feed):
        await until(live(feed))
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await until(lambda: isinstance(feed.status, Lost))
            assert isinstance(feed.status, Lost)
            assert feed.status.trouble is Trouble.SILENT
            assert feed.status.what == f"no sign of life from {server.socket} for 0s"
            assert len(marks(feed)) == 1
        finally:
            os.kill(pid, signal.SIGCONT)
        await until(live(feed))
        assert len(marks(feed)) == 2


async def test_silence_alone_is_no_loss(redis: Redis, server: EmbeddedServer) -> None:
    async with listening(at(server), b"*", ping_every=0.01, pong_timeout=0.3) as (listener, feed):
        await until(live(feed))
        first = listener.client_id
        pings = (await redis.info("commandstats"))["cmdstat_ping"]["calls"]
        while (await redis.info("commandstats"))["cmdstat_ping"]["calls"] < pings + 3:
            await a_moment()
        assert listener.client_id == first
        assert len(feed) == 0
        assert isinstance(feed.status, Live)
        assert 0 < feed.status.rtt < 5


class BlackHole:
    """A proxy that stops to forward anything when it is shut, and says nothing of it."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.shut = False
        self._server = server

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_server = await asyncio.open_unix_connection(self._server.socket)
        try:
            await asyncio.gather(self._forward(reader, to_server), self._forward(behind, writer))
        finally:
            to_server.transport.abort()

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if not self.shut:
                sink.write(data)


async def test_notices_a_dead_network(redis: Redis, server: EmbeddedServer) -> None:
    hole = BlackHole(server)
    async with serving(hole.serve) as port:
        endpoint = Endpoint(port=port, connect_timeout=0.2, command_timeout=0.2)
        async with listening(endpoint, b"*", ping_every=0.2, pong_timeout=0.2) as (listener, feed):
            await until(live(feed))
            hole.shut = True
            await until(lambda: isinstance(feed.status, Lost) and feed.status.tries > 1)
            hole.shut = False
            listener.retry()
            await until(live(feed))
            await redis.publish("c", "m")
            await until(lambda: feed.seen == 1)
            assert len(marks(feed)) == 2


async def test_listens_through_tls(redis: Redis, server: EmbeddedServer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    async with serving(BlackHole(server).serve, tls=context) as port:
        endpoint = Endpoint(host="localhost", port=port, tls=Tls(ca_certs=CERT))
        async with listening(endpoint, b"*") as (_, feed):
            await until(live(feed))
            await redis.publish("c", b"x" * 3_000_000)
            for number in range(1_000):
                await redis.publish("c", str(number))
            await until(lambda: feed.seen == 1_001)


async def test_survives_a_restart(own_server: StartServer) -> None:
    server = own_server()
    async with listening(at(server), b"*") as (listener, feed):
        await until(live(feed))
        server.stop()
        await until(lambda: isinstance(feed.status, Lost) and feed.status.tries > 1)
        assert listener.client_id is None
        server.start()
        await until(live(feed))
        async with client_of(server) as client:
            await client.publish("c", "m")
        await until(lambda: feed.seen == 1)
        assert [mark.split(":")[0] for mark in marks(feed)] == ["connection lost", "gap"]


async def test_watch_asks_only_for_what_differs(redis: Redis, server: EmbeddedServer) -> None:
    async def followed() -> tuple[list[str], int]:
        return sorted(map(str, await redis.pubsub_channels())), await redis.pubsub_numpat()

    async with listening(at(server), b"a", b"b", b"p*") as (listener, feed):
        await until(live(feed))
        assert await followed() == (["a", "b"], 1)
        await redis.config_resetstat()
        await listener.watch([b"b", b"c", b"p*", b"q?"])
        await holds(followed, (["b", "c"], 2))
        stats = await redis.info("commandstats")
        calls = {name: stats[f"cmdstat_{name}"]["calls"] for name in ("subscribe", "psubscribe", "unsubscribe")}
        assert calls == {"subscribe": 1, "psubscribe": 1, "unsubscribe": 1}
        assert "cmdstat_punsubscribe" not in stats
        await listener.watch([])
        await holds(followed, ([], 0))
        assert isinstance(feed.status, Live)
        assert listener.patterns == ()


async def holds(ask: Callable[[], Awaitable[object]], expected: object) -> None:
    async with asyncio.timeout(30):
        while await ask() != expected:
            await a_moment()


DENIED = [
    (["-@all", "+@connection", "+info"], "ACL SETUSER mon +psubscribe (and &secret:* if it lacks them)"),
    (["+@all", "resetchannels", "&open:*"], "ACL SETUSER mon &secret:*"),
]


@pytest.mark.parametrize(("rules", "remedy"), DENIED)
async def test_a_refusal_is_said_and_not_repeated(
    redis: Redis, server: EmbeddedServer, rules: list[str], remedy: str
) -> None:
    await send(redis, "ACL", "SETUSER", "mon", "on", ">pw", *rules)
    endpoint = Endpoint(socket=server.socket, username="mon", password=SecretStr("pw"))
    async with listening(endpoint, b"secret:*") as (listener, feed):
        await until(lambda: isinstance(feed.status, Unavailable))
        assert isinstance(feed.status, Unavailable)
        assert feed.status.reason is Reason.DENIED
        assert feed.status.remedy == remedy
        first = listener.client_id
        await send(redis, "CLIENT", "KILL", "ID", str(first))
        await until(lambda: isinstance(feed.status, Unavailable) and listener.client_id not in (None, first))
        assert [entry["count"] for entry in await redis.acl_log()] == [1]
        await send(redis, "ACL", "SETUSER", "mon", "+psubscribe", "resetchannels", "&secret:*")
        listener.retry()
        await until(live(feed))
        await redis.publish("secret:1", "m")
        await until(lambda: feed.seen == 1)


async def test_what_is_allowed_is_followed_beside_what_is_not(redis: Redis, server: EmbeddedServer) -> None:
    await send(redis, "ACL", "SETUSER", "mon", "on", ">pw", "+@all", "resetchannels", "&open:*")
    endpoint = Endpoint(socket=server.socket, username="mon", password=SecretStr("pw"))
    async with listening(endpoint, b"secret:*", b"open:*", b"news") as (listener, feed):
        await until(live(feed))
        await redis.publish("open:1", "m")
        await until(lambda: feed.seen == 1)
        assert len(marks(feed)) == 1
        assert marks(feed)[0].startswith("not followed: secret:*, news: NOPERM")
        assert marks(feed)[0].endswith("ACL SETUSER mon &secret:* &news")
        await listener.watch([b"open:*"])
        await redis.publish("open:1", "m")
        await until(lambda: feed.seen == 2)


async def test_a_time_limit_of_a_proxy_is_kept_by_a_sign_of_life(
    server: EmbeddedServer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pymon_tui.server.listener._BRIEF", 0.05)
    async with (
        idling(server.socket, 0.5) as proxy,
        listening(Endpoint(port=proxy.port), b"news", ping_every=5.0) as (_, feed),
    ):
        await until(lambda: proxy.closed == 1)
        await until(lambda: proxy.accepted == 2 and isinstance(feed.status, Live))
        heard = proxy.heard
        await until(lambda: proxy.heard >= heard + 6)  # signs of life, each half a limit after the other
        assert (proxy.closed, proxy.accepted) == (1, 2)
        await redis.publish("news", "heard")
        await until(lambda: feed.seen == 1)
