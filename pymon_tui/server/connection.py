"""The only place that opens a connection: address and credentials in, a session that answers out."""

from __future__ import annotations

from dataclasses import replace

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from pymon_tui.model.link import Trouble
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake, greet, must_be_selected
from pymon_tui.server.reasons import LinkError, greeting_closed, link_error
from pymon_tui.server.session import Session
from pymon_tui.server.ssh_process import NoTunnel
from pymon_tui.server.tunnel import Tunnel, tunnel_to
from pymon_tui.server.wire import connection_to, peer_of


async def open_session(endpoint: Endpoint, handshake: Handshake = Handshake.RESP3) -> tuple[Session, Handshake]:
    """Connect, and greet the server in the fullest form it understands; also returns it, to begin with next time.

    Where the server is reached through ssh, that is started if it doesn't run.

    Raises:
        LinkError: With what failed, why and what to do.
    """
    greeted = await _attempted(endpoint, handshake)
    if greeted is None and handshake is not Handshake.BARE:
        bare = await _attempted(endpoint, Handshake.BARE)
        greeted = bare and await _fuller(endpoint, handshake, bare)
    if greeted is None:
        raise greeting_closed(endpoint)
    return greeted


async def _fuller(
    endpoint: Endpoint, handshake: Handshake, bare: tuple[Session, Handshake]
) -> tuple[Session, Handshake]:
    """The session in its fuller form, where the bare one was needed only for a moment.

    A line that was cut looks like a proxy that takes nothing else, and for as long as the bare session holds we would
    be nameless there, and our looking would count as use.
    """
    try:
        fuller = await _attempted(endpoint, handshake)
    except LinkError:
        return bare
    except BaseException:
        await bare[0].close()
        raise
    if fuller is not None:
        await bare[0].close()
    return fuller or bare


async def _attempted(endpoint: Endpoint, handshake: Handshake) -> tuple[Session, Handshake] | None:
    """A session that is greeted in this form; None where the connection was closed in the middle of that.

    Raises:
        LinkError: If it fails in another way.
    """
    tunnel = tunnel_to(endpoint)
    try:
        connection = await _connection(endpoint, tunnel)
        greeted = await _greeted(endpoint, connection, handshake)
    except NoTunnel as error:
        raise LinkError(error.failure.trouble, error.failure.what, error.failure.remedy) from None
    except _Closed:
        return None
    if tunnel:
        tunnel.stood()
    return greeted


async def select(session: Session, db: int) -> None:
    """Select a database; 0 is selected already, on a connection that has selected none.

    Raises:
        LinkError: If it can't be selected, or the link is lost.
    """
    if db:
        (answer,) = await session.ask([("SELECT", db)])
        must_be_selected(answer, replace(session.endpoint, db=db))


class _Closed(Exception):  # noqa: N818 - what happened, and no error yet
    """The connection was made and then closed in the middle of the greeting."""


async def _connection(endpoint: Endpoint, tunnel: Tunnel | None) -> AbstractConnection:
    if tunnel is None:
        return connection_to(endpoint)
    connection = connection_to(endpoint, await tunnel.socket(endpoint.connect_timeout))
    tunnel.carry(connection)
    return connection


async def _greeted(
    endpoint: Endpoint, connection: AbstractConnection, handshake: Handshake
) -> tuple[Session, Handshake]:
    session = Session(connection, endpoint)
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
    except (RedisError, OSError) as error:
        raise link_error(error, endpoint) from None
    session.account.connected(None if endpoint.via else peer_of(connection))
    session.account.lines.add(session)
    try:
        greeted = await greet(session, connection, handshake)
        session.is_bare = greeted is Handshake.BARE
        return session, greeted
    except (RedisConnectionError, ConnectionError) as error:
        await session.close()
        lost = link_error(error, endpoint)
        if lost.trouble is not Trouble.UNREACHABLE:  # such as the alert of a server that wants our certificate
            raise lost from None
        raise _Closed from None
    except (RedisError, OSError) as error:
        await session.close()
        raise link_error(error, endpoint) from None
    except BaseException:
        await session.close()
        raise
