"""The pool: its settings apply, it recovers, and it shows no password."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.services.connection import CONNECTIONS, RETRIES, connect, connect_from, replies_of
from tests.conftest import StartServer
from tests.server.fake import CERT, KEY, TRUSTED, endpoint_at, serving, speaking


@pytest.fixture
async def client(server: EmbeddedServer, redis: Redis) -> AsyncIterator[Redis]:
    async with connect(f"unix://{server.socket}?db=3", name="py-monitor") as client:
        yield client


async def test_it_introduces_itself_and_is_in_its_database(client: Redis) -> None:
    info = await client.client_info()
    assert (info["name"], info["db"]) == ("py-monitor", 3)
    assert info.get("resp", "3") == "3"  # Redis 6.2 doesn't say
    stats = await client.info("stats")
    assert stats["total_error_replies"] == 0


async def test_no_more_connections_than_the_pool_has(client: Redis, redis: Redis) -> None:
    await asyncio.gather(*(client.set(f"key:{number}", number) for number in range(20 * CONNECTIONS)))
    named = [each for each in await redis.client_list() if each["name"] == "py-monitor"]
    assert 1 < len(named) <= CONNECTIONS


async def test_a_cut_connection_is_made_anew(client: Redis, redis: Redis) -> None:
    before = await client.client_id()
    await redis.client_kill_filter(_id=str(before))
    assert await client.ping()
    assert await client.client_id() != before


async def test_a_server_that_is_gone_is_an_error_after_all(own_server: StartServer) -> None:
    gone = own_server()
    async with connect(gone.socket, name="py-monitor") as client:
        assert await client.ping()
        gone.stop()
        with pytest.raises(RedisConnectionError):
            await client.ping()


async def test_a_url_s_login_and_defaults() -> None:
    client = connect("rediss://mon:p%40ss@db.example:6380/2?ssl_cert_reqs=none", name="py-monitor")
    options = client.connection_pool.connection_kwargs
    assert [options[name] for name in ("host", "port", "db", "username", "password")] == [
        "db.example",
        6380,
        2,
        "mon",
        "p@ss",
    ]
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 5
    assert options["retry"].get_retries() == RETRIES
    connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    assert connection._connection_arguments()["server_hostname"] == "db.example"
    assert not connection.check_hostname


async def test_the_settings_endpoint() -> None:
    tls = Tls(server_name="inside.example")
    endpoint = Endpoint(host="10.0.0.1", password=SecretStr("hunter2"), tls=tls, command_timeout=2)
    pool = connect(endpoint, name="py-monitor").connection_pool
    arguments = pool.make_connection()._connection_arguments()  # type: ignore[no-untyped-call]
    assert (arguments["host"], arguments["server_hostname"]) == ("10.0.0.1", "inside.example")
    assert pool.connection_kwargs["socket_timeout"] == 2


async def test_the_environment(server: EmbeddedServer) -> None:
    async with connect_from({"REDIS_URL": f"unix://{server.socket}"}, name="py-monitor") as client:
        assert await client.ping()
    default = connect_from({}, name="py-monitor").connection_pool.connection_kwargs
    assert (default["host"], default["port"]) == ("127.0.0.1", 6379)


def test_an_address_that_can_t_be_read_shows_no_password() -> None:
    with pytest.raises(ValueError, match="REDIS_URL: ") as refused:
        connect_from({"REDIS_URL": "redis://mon:hunter2@db.example:none/0"}, name="py-monitor")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(("cert", "host", "tls"), TRUSTED.values(), ids=TRUSTED)
async def test_a_trusted_server_is_spoken_to(cert: str, host: str, tls: Tls) -> None:
    async with serving(ANSWERS, tls=_terminator(cert)) as port:
        endpoint = replace(endpoint_at(port), host=host, tls=tls)
        async with connect(endpoint, name="py-monitor") as client:
            assert await client.ping()


@pytest.mark.parametrize(("host", "tls"), [("localhost", Tls()), ("127.0.0.1", Tls(ca_certs=CERT))])
async def test_another_is_not(host: str, tls: Tls) -> None:
    async with serving(ANSWERS, tls=_terminator()) as port:
        endpoint = replace(endpoint_at(port), host=host, tls=tls)
        async with connect(endpoint, name="py-monitor") as client:
            with pytest.raises(RedisConnectionError):
                await client.ping()


@pytest.mark.parametrize("server", ["ssh://bastion/cache", Endpoint(via="bastion")])
def test_an_application_does_not_go_through_ssh(server: str | Endpoint) -> None:
    with pytest.raises(ValueError, match="directly, and not through ssh"):
        connect(server, name="app")


async def test_an_answer_that_doesn_t_come_is_asked_for_again() -> None:
    asked = 0

    def answer(command: list[bytes]) -> bytes | None:
        nonlocal asked
        if command[0] != b"GET":
            return _greeting(command)
        asked += 1
        return b"" if asked == 1 else b"$1\r\n1\r\n"

    async with serving(speaking(answer)) as port:
        endpoint = replace(endpoint_at(port), command_timeout=0.1)
        async with connect(endpoint, name="py-monitor") as client:
            assert await client.get("a") == b"1"
    assert asked == 2


async def test_an_error_of_a_pipeline_quotes_no_command(client: Redis) -> None:
    pipeline = client.pipeline(transaction=False)
    pipeline.set("a", "hunter2")
    pipeline.lpush("a", "hunter2")
    with pytest.raises(ResponseError) as refused:
        await replies_of(pipeline)
    assert "hunter2" not in str(refused.value)


def _greeting(command: list[bytes]) -> bytes:
    return {b"HELLO": b"%1\r\n+proto\r\n:3\r\n", b"PING": b"+PONG\r\n"}.get(command[0], b"+OK\r\n")


def _terminator(cert: str = CERT) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, KEY)
    return context


ANSWERS = speaking(_greeting)
