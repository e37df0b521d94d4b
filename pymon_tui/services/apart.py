"""Connections to where a client's pool leads, and as whom it logs in, that are not the pool's own."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.server import url
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import link_error
from pymon_tui.server.session import Session
from pymon_tui.server.writing import guarded

_SECONDS = 5.0


def connection_apart(redis: Redis, protocol: int) -> AbstractConnection:
    """A connection that is yet to be made, with answers in bytes, and that isn't made anew by itself.

    It has no timeout but the one of connecting: who asks has one of their own.
    """
    pool = redis.connection_pool
    options = {
        **pool.connection_kwargs,
        "protocol": protocol,
        "decode_responses": False,
        "socket_timeout": None,
        "socket_connect_timeout": endpoint_of(redis).connect_timeout,
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_error": [],
        "retry_on_timeout": False,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    options.pop("maint_notifications_pool_handler", None)
    made: AbstractConnection = guarded(pool.connection_class)(**options)
    return made


async def pipe_apart(redis: Redis) -> Pipe:
    """A connection for bulk work, which knows nothing of who answers (``Pipe.identity``); to be closed.

    Raises:
        LinkError: If there is none.
    """
    endpoint = endpoint_of(redis)
    connection = connection_apart(redis, protocol=2)
    try:
        async with asyncio.timeout(endpoint.connect_timeout + endpoint.command_timeout):
            await connection.connect()  # type: ignore[no-untyped-call]
        return Pipe(Session(connection, endpoint))
    except (RedisError, OSError) as error:
        await connection.disconnect(nowait=True)
        raise link_error(error, endpoint) from None
    except BaseException:
        await connection.disconnect(nowait=True)
        raise


def endpoint_of(redis: Redis) -> Endpoint:
    """Where the client's pool leads, for what is said of it; without credentials, and without how TLS is verified."""
    known = redis.connection_pool.connection_kwargs
    seconds = float(known.get("socket_timeout") or _SECONDS)
    return Endpoint(
        host=str(known.get("host") or url.DEFAULT_HOST),
        port=int(known.get("port") or url.DEFAULT_PORT),
        socket=known.get("path"),
        db=int(known.get("db") or 0),
        username=known.get("username"),
        connect_timeout=float(known.get("socket_connect_timeout") or seconds),
        command_timeout=seconds,
    )
