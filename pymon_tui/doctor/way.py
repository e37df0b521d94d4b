"""The way to a server: its name, a connection, its certificate, the hand-shake, the login, the database."""

from __future__ import annotations

import asyncio
import ipaddress
from contextlib import suppress
from dataclasses import dataclass, replace
from time import time

from pymon_tui.doctor.finding import NOTHING, Finding, Mark, failed
from pymon_tui.model import units
from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Reply
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server import reach
from pymon_tui.server.connection import open_session, select
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.session import Session

SOON = 14.0
"""Days before its end from which on a certificate is to be renewed."""

_DAY = 86_400
_FORMS = {
    Handshake.RESP3: "RESP3",
    Handshake.RESP2: "RESP2: HELLO is unknown or not allowed, which costs nothing here",
    Handshake.BARE: "RESP2 without CLIENT, on which the connection is closed: a proxy?",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who is there, and as whom we have come.

    Attributes:
        findings: Of the hand-shake, the login and the database.
        session: On the endpoint's database; None where one of them ends it.
        user: Whom the server knows us as.
        whoami: What it answered to ACL WHOAMI.
    """

    findings: tuple[Finding, ...]
    session: Session | None
    user: SafeText
    whoami: Reply = None


async def named(endpoint: Endpoint) -> Finding:
    """Which addresses the host has."""
    step, title = "name", "name"
    if endpoint.via is not None:
        return Finding(step, title, Mark.OPEN, safe(f"{endpoint.far} is looked up by {endpoint.via}"))
    if endpoint.socket is not None:
        return Finding(step, title, Mark.OPEN, safe("a unix socket has none"))
    if _is_address(endpoint.host):
        return Finding(step, title, Mark.OPEN, safe(f"{endpoint.host} is an address"))
    try:
        found = await reach.addresses(endpoint)
    except LinkError as error:
        return failed(step, title, error)
    return Finding(step, title, Mark.GOOD, safe(f"{endpoint.host} is {', '.join(found)}"))


async def connected(endpoint: Endpoint) -> tuple[Finding, ...]:
    """Whether somebody takes connections there; of a name with several addresses, at each of them."""
    places: tuple[str, ...] = ()
    if endpoint.via is None and endpoint.socket is None and not _is_address(endpoint.host):
        with suppress(LinkError):  # it had some a moment ago
            places = await reach.addresses(endpoint)
    if len(places) < 2:
        return (await _connected(endpoint),)
    tried = await asyncio.gather(*(_connected(replace(endpoint, host=place)) for place in places))
    if all(one.ends for one in tried):
        return (*(replace(one, ends=False) for one in tried[:-1]), tried[-1])
    remedy = f"others have it: clients that try no other wait for it; mend it, or take it from {endpoint.host}"
    return tuple(replace(one, ends=False, remedy=safe(remedy)) if one.ends else one for one in tried)


async def _connected(endpoint: Endpoint) -> Finding:
    step = "connection"
    title = "ssh" if endpoint.via is not None else "socket" if endpoint.socket is not None else "TCP"
    try:
        peer, seconds = await reach.connect(endpoint)
    except LinkError as error:
        return failed(step, title, error)
    # ssh takes our connection itself; whether the far side takes one is seen when it is spoken to.
    what = f"{endpoint.via} is there" if endpoint.via is not None else f"{peer} takes connections"
    return Finding(step, title, Mark.GOOD, safe(f"{what}, in {units.milliseconds(seconds)}"))


async def secured(endpoint: Endpoint) -> Finding:
    """Whose certificate it is, who says so, and for how long."""
    step, title = "tls", "TLS"
    if endpoint.tls is None:
        return Finding(step, title, Mark.OPEN, safe(_plain(endpoint)))
    try:
        shown = await reach.certificate(endpoint)
    except LinkError as error:
        return failed(step, title, error)
    if not endpoint.tls.verify:
        return await _unverified(endpoint, endpoint.tls, shown.version)
    return _verified(shown)


def _plain(endpoint: Endpoint) -> str:
    if endpoint.via is not None:
        return f"none; ssh encrypts as far as {endpoint.via}"
    return (
        "a unix socket needs none" if endpoint.socket is not None else "none (--tls): who is in between can read along"
    )


def _verified(shown: reach.Certificate) -> Finding:
    days = ((shown.ends_at or 0.0) - time()) / _DAY
    said = safe(f"{shown.version}, {shown.subject}, signed by {shown.issuer}, {int(days)} days left")
    if days < SOON:
        return Finding("tls", "TLS", Mark.BAD, said, safe("renew the server's certificate"))
    return Finding("tls", "TLS", Mark.GOOD, said)


async def _unverified(endpoint: Endpoint, tls: Tls, version: SafeText) -> Finding:
    """``--insecure``: what would be said without it."""
    said = f"{version}, not verified (--insecure)"
    try:
        shown = await reach.certificate(replace(endpoint, tls=replace(tls, verify=True)))
    except LinkError as error:
        return Finding("tls", "TLS", Mark.BAD, safe(f"{said}: {error.what}"), error.remedy)
    remedy = safe("leave --insecure out")
    return Finding("tls", "TLS", Mark.BAD, safe(f"{said}, though {shown.subject} can be"), remedy)


async def arrived(endpoint: Endpoint) -> Arrival:
    """Greet the server, log in, and select the database."""
    nobody = safe(endpoint.username or "default")
    try:
        session, handshake = await open_session(replace(endpoint, db=0))
    except LinkError as error:
        return Arrival(_turned_away(error), None, nobody)
    findings = [Finding("handshake", "hand-shake", Mark.GOOD, safe(_FORMS[handshake]))]
    try:
        (whoami,) = await session.ask([("ACL", "WHOAMI")])
        user = safe(whoami) if isinstance(whoami, bytes) else nobody
        how = "" if endpoint.logs_in else ", without a login"
        findings.append(Finding("login", "login", Mark.GOOD, safe(f"as {user}{how}")))
        await select(session, endpoint.db)
    except LinkError as error:
        await session.close()
        step = "login" if len(findings) == 1 else "database"
        return Arrival((*findings, failed(step, step, error)), None, nobody)
    except BaseException:
        await session.close()
        raise
    findings.append(Finding("database", "database", Mark.GOOD, safe(str(endpoint.db))))
    return Arrival(tuple(findings), session, user, whoami)


def _turned_away(error: LinkError) -> tuple[Finding, ...]:
    if error.trouble not in (Trouble.LOCKED, Trouble.REFUSED, Trouble.UNTRUSTED):
        return (failed("handshake", "hand-shake", error),)
    answered = Finding("handshake", "hand-shake", Mark.GOOD, safe("Redis' protocol is spoken"), NOTHING)
    return (answered, failed("login", "login", error))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
