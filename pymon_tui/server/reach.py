"""The way to a server, a stretch at a time: its name, a connection, a certificate. Nobody has logged in yet."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from pymon_tui.model.link import Trouble
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.dial import looked_up
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError, greeting_closed, link_error
from pymon_tui.server.session import Session
from pymon_tui.server.ssh_process import NoTunnel
from pymon_tui.server.tunnel import tunnel_to
from pymon_tui.server.wire import connection_to


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server shows of itself, as it was verified.

    Attributes:
        version: Of TLS, as ``TLSv1.3``.
        subject: The common name, or what there is in its place; None where it was not verified.
        issuer: Who has signed it; None where it was not verified.
        ends_at: Until when it is valid (Unix seconds); None where it was not verified.
    """

    version: SafeText
    subject: SafeText | None
    issuer: SafeText | None
    ends_at: float | None


async def addresses(endpoint: Endpoint) -> tuple[str, ...]:
    """The addresses of the host, each once, in the system's order.

    Raises:
        LinkError: If it has none, or nobody says so in time.
    """
    try:
        async with asyncio.timeout(endpoint.connect_timeout):
            found = await looked_up(endpoint.host, endpoint.port)
    except TimeoutError:
        what = f"no address of {endpoint.host} within {endpoint.connect_timeout:g} s"
        raise LinkError(Trouble.SILENT, what, "check this machine's DNS") from None
    except UnicodeError:
        raise LinkError(Trouble.UNREACHABLE, f"{endpoint.host} can't be a name", "check the address") from None
    except OSError as error:
        raise link_error(error, endpoint) from None
    return tuple(dict.fromkeys(str(place[0]) for *_, place in found))


async def connect(endpoint: Endpoint) -> tuple[SafeText, float]:
    """Make a connection, through ssh where that leads there, and close it.

    Returns:
        The other side's address, and the seconds it took.

    Raises:
        LinkError: If none can be made.
    """
    began = perf_counter()
    async with _connection(replace(endpoint, tls=None)) as connection:
        took = perf_counter() - began
        assert connection._writer is not None
        peer = connection._writer.get_extra_info("peername")
    if isinstance(peer, tuple):
        return safe(f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"), took
    return safe(endpoint.address), took


async def certificate(endpoint: Endpoint) -> Certificate:
    """Make a TLS connection, as the endpoint says it is verified, and close it.

    Raises:
        LinkError: If none can be made, such as for a certificate that isn't trusted.
    """
    async with _connection(endpoint) as connection:
        assert connection._writer is not None
        secured = connection._writer.get_extra_info("ssl_object")
        version, shown = secured.version(), secured.getpeercert()
        await _heard(connection, endpoint)
    return Certificate(
        version=safe(version or "TLS"),
        subject=_name(shown.get("subject")) if shown else None,
        issuer=_name(shown.get("issuer")) if shown else None,
        ends_at=ssl.cert_time_to_seconds(shown["notAfter"]) if shown else None,
    )


async def _heard(connection: AbstractConnection, endpoint: Endpoint) -> None:
    """Wait for an answer to anything: who wants our certificate takes the connection, and says so afterwards.

    Raises:
        LinkError: If that is what is said.
    """
    session = Session(connection, endpoint)
    try:
        await session.send([("PING",)])
        await session.receive()
    except (RedisError, OSError) as error:
        lost = link_error(error, endpoint)
        if lost.trouble is Trouble.UNREACHABLE:
            raise greeting_closed(endpoint) from None
        if lost.trouble is Trouble.UNTRUSTED:
            raise lost from None
        # Silence, or another language, is no matter of TLS.


@asynccontextmanager
async def _connection(endpoint: Endpoint) -> AsyncIterator[AbstractConnection]:
    """A connection on which nothing is said; gone at the end."""
    tunnel = tunnel_to(endpoint)
    try:
        path = await tunnel.socket(endpoint.connect_timeout) if tunnel else None
        connection = connection_to(endpoint, path)
        await connection.connect()  # type: ignore[no-untyped-call]
    except NoTunnel as error:
        raise LinkError(error.failure.trouble, error.failure.what, error.failure.remedy) from None
    except (RedisError, OSError) as error:
        raise link_error(error, endpoint) from None
    try:
        yield connection
    finally:
        with suppress(RedisError, OSError):  # it may be gone already
            await connection.disconnect(nowait=True)


def _name(parts: Any) -> SafeText:
    """A name of a certificate: its common name, else its organisation, else all there is."""
    told = {key: value for part in parts or () for key, value in part}
    return safe(told.get("commonName") or told.get("organizationName") or ", ".join(told.values()), 80)
