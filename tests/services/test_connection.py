"""The pool: its settings apply, it recovers, and it shows no password."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.services.connection import CONNECTIONS, RETRIES, connect, connect_from
from tests.conftest import StartServer


@pytest.fixture
async def client(server: EmbeddedServer, redis: Redis) -> AsyncIterator[Redis]:
    async with connect(f"unix://{server.socket}?db=3", name="py-monitor") as client:
        yield client


async def test_it_introduces_itself_and_is_in_its_database(client: Redis) -> None:
    info = await client.client_info()
    assert (info["name"], info["db"], info["resp"]) == ("py-monitor", 3, "3")
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
