"""The application's connections: one pool for all its services, that waits, repeats and recovers by itself."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from pymon_tui.server import url
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.server.writing import GuardedConnection, SocketConnection, TcpConnection, guard_one, guarded

CONNECTIONS = 20
"""Connections of one pool, at most; who asks for one more waits until another is free."""
WAIT = 5.0
"""Seconds until a free connection isn't waited for any longer, which then is a `redis.ConnectionError`."""
RETRIES = 2
"""Times that a command, or an attempt to connect, is repeated after a lost connection or a timeout."""
HEALTH_CHECK = 30
"""Seconds after which an idle connection is asked with PING before it is used."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds before a retry, with jitter


def connect(server: str | Endpoint, *, name: str) -> Redis:
    """A client with a pool of its own; it connects at its first command, and is to be closed with ``aclose``.

    Replies are bytes, in RESP3. A command whose answer is lost is sent again, so it may be carried out twice.

    Args:
        server: ``redis://``, ``rediss://`` or ``unix://`` URL, ``host``, ``host:port`` or the path of a socket, which
            have timeouts of 5 s; or where the server is by the settings (``Settings.endpoint``), timeouts included.
        name: What its connections are called in CLIENT LIST.

    Raises:
        ValueError: If the address can't be read, or leads through ssh; the message shows no password.
    """
    endpoint = _endpoint(url.parse(server)) if isinstance(server, str) else server
    if endpoint.via is not None:
        raise ValueError("an application connects to its server directly, and not through ssh")
    pool = BlockingConnectionPool(
        max_connections=CONNECTIONS,
        timeout=WAIT,
        db=endpoint.db,
        username=endpoint.username,
        password=endpoint.password.get_secret_value() if endpoint.password else None,
        socket_connect_timeout=endpoint.connect_timeout,
        socket_timeout=endpoint.command_timeout,
        retry=Retry(ExponentialWithJitterBackoff(base=_FIRST_PAUSE, cap=_LONGEST_PAUSE), RETRIES),
        health_check_interval=HEALTH_CHECK,
        client_name=name,
        protocol=3,
        legacy_responses=False,
        # Older servers would count the commands behind these as errors at each connection.
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        **_place(endpoint),
    )
    return Redis.from_pool(pool)


def connect_from(environment: Mapping[str, str], *, name: str) -> Redis:
    """A client of the server that ``REDIS_URL`` names, or of ``redis://127.0.0.1:6379`` where it isn't set.

    Args:
        environment: Such as ``os.environ``.
        name: What its connections are called in CLIENT LIST.

    Raises:
        ValueError: If ``REDIS_URL`` can't be read; the message shows no password.
    """
    try:
        return connect(environment.get("REDIS_URL") or url.DEFAULT_HOST, name=name)
    except ValueError as error:
        raise ValueError(f"REDIS_URL: {error}") from None


def guard(redis: Redis) -> Redis:
    """The client. The connections of its pool report a write to a lost link as a lost link, and lose no cancellation.

    Those of `connect` do so anyway. On Python 3.12.1 and 3.13.0 those of redis-py raise an AttributeError; on 3.11 a
    task that is cancelled while they send may go on.
    """
    pool = redis.connection_pool
    pool.connection_class = guarded(pool.connection_class)
    for connection in (*pool._available_connections, *pool._in_use_connections):
        guard_one(connection)
    return redis


async def reply_of(redis: Redis, *command: str | bytes | float) -> Any:
    """The reply to one command with its strings as bytes, whatever the client decodes."""
    return await redis.execute_command(*command, NEVER_DECODE=True)  # type: ignore[no-untyped-call]


async def replies_of(pipeline: Pipeline) -> list[Any]:
    """The replies to all commands of a pipeline.

    Raises:
        redis.RedisError: The first error among them, in the server's words: redis-py would quote the command, and with
            it the value that was to be written.
    """
    replies = await pipeline.execute(raise_on_error=False)
    for reply in replies:
        if isinstance(reply, RedisError):
            raise reply
    return replies


class _TlsConnection(SSLConnection, GuardedConnection):
    """A TLS connection that may verify, and ask for (SNI), another name than the host's."""

    def __init__(self, server_name: str, **options: Any) -> None:
        super().__init__(**options)
        self._server_name = server_name

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "server_hostname": self._server_name}


def _place(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.socket is not None:
        return {"connection_class": SocketConnection, "path": endpoint.socket}
    place = {"host": endpoint.host, "port": endpoint.port, "socket_keepalive": True}
    if endpoint.tls is None:
        return {"connection_class": TcpConnection, **place}
    tls = endpoint.tls
    return {
        "connection_class": _TlsConnection,
        **place,
        "server_name": tls.server_name or endpoint.host,
        "ssl_ca_certs": tls.ca_certs,
        "ssl_certfile": tls.certfile,
        "ssl_keyfile": tls.keyfile,
        "ssl_cert_reqs": ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE,
        "ssl_check_hostname": tls.verify,
        # As `pymon_tui.server.wire`: what is verified doesn't depend on the Python.
        "ssl_exclude_verify_flags": [ssl.VerifyFlags.VERIFY_X509_STRICT],
        "ssl_include_verify_flags": [ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN],
    }


def _endpoint(address: url.Address) -> Endpoint:
    tls = Tls(
        ca_certs=address.cacert,
        certfile=address.cert,
        keyfile=address.key,
        server_name=None,
        verify=not address.insecure,
    )
    return Endpoint(
        host=address.host or url.DEFAULT_HOST,
        port=address.port or url.DEFAULT_PORT,
        socket=address.socket,
        db=address.db or 0,
        username=address.username,
        password=SecretStr(address.password) if address.password else None,
        tls=tls if address.tls else None,
        via=address.ssh,
    )
