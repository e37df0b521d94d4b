"""A write to a connection that is gone is a lost link, whichever transport, redis-py's way or Python it goes by."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, Connection, ConnectionPool, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.packing import pack
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.model.link import Trouble
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.stream import Stream
from pymon_tui.server.wire import connection_to
from pymon_tui.server.writing import GuardedConnection, SocketConnection, closed, write
from pymon_tui.services.apart import connection_apart
from pymon_tui.services.cache import Cache
from pymon_tui.services.connection import connect, guard
from pymon_tui.services.following import _pool_of_one
from pymon_tui.services.invalidating import Invalidator
from pymon_tui.services.notifications import Notifications
from pymon_tui.services.sessions import Sessions
from pymon_tui.services.stats import Stats
from tests.faults.watching import until
from tests.servers.proxy import Proxy, proxied

RAISED = (AttributeError("'NoneType' object has no attribute '_add_writer'"), RuntimeError("closed"), TypeError("None"))


@pytest.fixture
async def line(server: EmbeddedServer) -> AsyncIterator[Proxy]:
    """A line to the run's server."""
    async with proxied(server.socket) as proxy:
        yield proxy


@pytest.fixture
def endpoint(line: Proxy) -> Endpoint:
    """Where the line begins."""
    return Endpoint(port=line.port)


@dataclass
class Broken(asyncio.WriteTransport):
    """A transport that raises at a write, and says afterwards whether it is closing."""

    error: Exception
    closes: bool
    closing: bool = False
    written: list[bytes] = field(default_factory=list)

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.closing = self.closes
        raise self.error


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_a_closed_transport_raises_is_a_lost_connection(error: Exception) -> None:
    with pytest.raises(RedisConnectionError, match="the connection is closed"):
        write(Broken(error, closes=True), b"PING\r\n")


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_an_open_transport_raises_is_a_mistake_of_ours(error: Exception) -> None:
    with pytest.raises(type(error)):
        write(Broken(error, closes=False), b"PING\r\n")


@asynccontextmanager
async def reset_line() -> AsyncIterator[asyncio.StreamWriter]:
    """The writer of a TCP connection that its peer has reset, of which asyncio has taken notice."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        _, writer = await asyncio.open_connection(*door.getsockname())
        peer, _ = door.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        await until(writer.is_closing)
        try:
            yield writer
        finally:
            writer.close()


async def test_a_transport_that_was_reset_takes_nothing() -> None:
    async with reset_line() as writer:
        for _ in range(10):
            with pytest.raises(RedisConnectionError):
                write(writer.transport, b"PING\r\n")


async def _lost(connection: AbstractConnection, line: Proxy) -> None:
    """Reset the line, and wait until asyncio has seen it."""
    line.cut()
    writer = connection._writer
    assert writer is not None
    await until(writer.is_closing)


async def test_a_session_is_lost(line: Proxy, endpoint: Endpoint) -> None:
    session, _ = await open_session(endpoint)
    await _lost(session._connection, line)
    with pytest.raises(LinkError) as raised:
        await session.ask([(b"PING",)])
    assert raised.value.trouble is Trouble.UNREACHABLE
    await session.close()


async def test_a_pipe_is_lost(line: Proxy, endpoint: Endpoint) -> None:
    pipe = await open_pipe(endpoint)
    line.cut()
    await until(pipe._transport.is_closing)
    with pytest.raises(LinkError):
        await pipe.ask(pack(b"PING"), 1)
    with pipe.together():
        asked = pipe.ask(pack(b"PING"), 1)
    with pytest.raises(LinkError):
        await asked
    await pipe.close()


async def test_a_connection_of_the_services_is_lost(line: Proxy) -> None:
    async with connect(f"127.0.0.1:{line.port}", name="test") as client:
        connection = connection_apart(client, protocol=3)
        await connection.connect()  # type: ignore[no-untyped-call]
        await _lost(connection, line)
        with pytest.raises(RedisConnectionError):
            await connection.send_command(b"PING", check_health=False)


@pytest.mark.parametrize("commands", [1, 3])
async def test_a_client_of_the_services_comes_back_from_a_reset(line: Proxy, redis: Redis, commands: int) -> None:
    async with connect(f"127.0.0.1:{line.port}", name="test") as client:
        await redis.set("key", "before")
        await client.ping()
        (connection,) = client.connection_pool._available_connections
        await _lost(connection, line)
        pipeline = client.pipeline(transaction=False)
        for _ in range(commands):
            pipeline.get("key")
        assert await pipeline.execute() == [b"before"] * commands


async def test_a_pool_whose_connections_a_function_makes_is_guarded(line: Proxy, redis: Redis) -> None:
    def made(**named: Any) -> Connection:
        return Connection(**named)

    pool = ConnectionPool(host="127.0.0.1", port=line.port, connection_class=made)  # type: ignore[arg-type]
    async with guard(guard(Redis.from_pool(pool))) as client:
        connection = connection_apart(client, protocol=3)
        await connection.connect()  # type: ignore[no-untyped-call]
        await _lost(connection, line)
        with pytest.raises(RedisConnectionError):
            await connection.send_command(b"PING", check_health=False)
        await client.ping()
        (connection,) = client.connection_pool._available_connections
        assert isinstance(connection, GuardedConnection)
        followed = _pool_of_one(client.connection_pool)
        assert isinstance(followed.make_connection(), GuardedConnection)  # type: ignore[no-untyped-call]


async def test_a_connection_that_another_task_has_closed_is_lost(server: EmbeddedServer) -> None:
    async with connect(server.socket, name="test") as client:
        connection = connection_apart(client, protocol=3)
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.disconnect()
        with pytest.raises(RedisConnectionError):
            await connection._send_packed_command([b"PING\r\n"])


def _given(path: str) -> Redis:
    return guard(Redis(unix_socket_path=path))


@pytest.mark.parametrize("turns", range(1, 9))
@pytest.mark.parametrize("client_of", [partial(connect, name="test"), _given])
async def test_who_sends_can_be_cancelled_at_every_moment(
    server: EmbeddedServer, client_of: Callable[[str], Redis], turns: int
) -> None:
    async with client_of(server.socket) as client:
        connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        assert connection.socket_timeout
        sending = asyncio.create_task(connection.send_command("PING"))
        for _ in range(turns):
            await asyncio.sleep(0)
        was_sending = sending.cancel()
        await asyncio.wait([sending])
        assert sending.cancelled() == was_sending
        assert connection.is_connected != was_sending  # half a command may be on the line
        await connection.disconnect()


async def _never() -> None:
    await asyncio.Event().wait()


async def _fails(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "sent", [_never, partial(_fails, OSError(104, "reset")), partial(_fails, OSError("odd")), partial(_fails, closed())]
)
async def test_a_write_fails_as_one_of_redis_py(
    server: EmbeddedServer, sent: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[type[Exception], str]] = []
    for made in (UnixDomainSocketConnection, SocketConnection):
        connection = made(path=server.socket, socket_timeout=0.5)
        await connection.connect()  # type: ignore[no-untyped-call]
        connection.socket_timeout = 0.001
        monkeypatch.setattr(connection, "_send_packed_command", lambda _: sent())
        with pytest.raises(RedisError) as raised:
            await connection.send_packed_command("PING", check_health=False)
        assert not connection.is_connected
        told.append((raised.type, str(raised.value)))
    assert told[0] == told[1]


async def test_a_connection_that_sends_in_a_way_of_its_own_goes_on_doing_so(server: EmbeddedServer) -> None:
    sent: list[object] = []

    class Own(UnixDomainSocketConnection):
        async def send_packed_command(self, command: Any, **named: Any) -> None:  # type: ignore[override]
            sent.append(command)
            await super().send_packed_command(command, **named)

    pool = ConnectionPool(path=server.socket, connection_class=Own)
    async with guard(Redis.from_pool(pool)) as client:
        assert await client.ping()
        assert sent


TLS = Tls(verify=False)


@pytest.mark.parametrize("tunnel", [None, "/tunnel"])
@pytest.mark.parametrize("endpoint", [Endpoint(), Endpoint(socket="/s"), Endpoint(tls=TLS)], ids=["tcp", "unix", "tls"])
def test_every_connection_is_guarded(endpoint: Endpoint, tunnel: str | None) -> None:
    assert isinstance(connection_to(endpoint, tunnel), GuardedConnection)
    assert issubclass(connect(endpoint, name="test").connection_pool.connection_class, GuardedConnection)


async def test_a_stream_is_lost_without_a_word_to_who_writes(line: Proxy, endpoint: Endpoint) -> None:
    session, _ = await open_session(endpoint)
    stream = Stream(session, lambda replies: None)
    line.cut()
    await until(stream._transport.is_closing)
    stream.write([(b"PING",)])
    assert (await stream.lost).trouble is Trouble.UNREACHABLE
    await stream.close()


@pytest.mark.parametrize("service", [Cache, Stats, Sessions, Notifications, lambda redis: Invalidator(redis, None)])
async def test_a_service_guards_whatever_client_it_is_given(
    line: Proxy, redis: Redis, service: Callable[[Redis], object]
) -> None:
    async with Redis(port=line.port, single_connection_client=False) as client:
        await client.ping()  # a connection that is older than the service
        service(client)
        await client.ping()
        (connection,) = client.connection_pool._available_connections
        await _lost(connection, line)
        with suppress(RedisConnectionError):  # a client of redis-py's own may not try again
            await client.ping()
        assert isinstance(connection, GuardedConnection)
        assert await client.ping()


async def test_a_follower_guards_whatever_client_it_is_given(line: Proxy, redis: Redis) -> None:
    async with Redis(port=line.port) as client:
        assert isinstance(connection_apart(client, protocol=3), GuardedConnection)
        assert issubclass(_pool_of_one(client.connection_pool).connection_class, GuardedConnection)
