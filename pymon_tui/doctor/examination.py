"""A connection, looked at step by step until one fails without which the next makes no sense."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from pymon_tui.doctor.finding import Finding, failed
from pymon_tui.doctor.permitted import permissions
from pymon_tui.doctor.running import clock, info_of, round_trip, topology
from pymon_tui.doctor.sentinels import asked
from pymon_tui.doctor.way import Arrival, arrived, connected, named, secured
from pymon_tui.permissions.users import READ_OF
from pymon_tui.readings.topology import is_cluster
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.known import known_to
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.rights import Answer, rights
from pymon_tui.server.session import Session

_KEYS: Mapping[str, bytes] = {name: families[0].glob.replace(b"*", b"0") for name, families in READ_OF.items()}
"""A key to try each of these with: others needn't be readable."""


async def examine(
    endpoint: Endpoint, channels: Sequence[bytes], met: Callable[[str], None] = lambda _run_id: None
) -> AsyncIterator[Finding]:
    """Each step's finding as soon as it is there.

    Args:
        channels: What is to be listened to.
        met: Told the run id of the server's process, where that is told.
    """
    if endpoint.service is not None:
        told = await asked(endpoint, endpoint.service)
        for finding in told.findings:
            yield finding
        if told.primary is None:
            return
        endpoint = told.primary
    async for finding in _reached(endpoint):
        yield finding
        if finding.ends:
            return
    arrival = await arrived(endpoint)
    for finding in arrival.findings:
        yield finding
    if arrival.session is None:
        return
    try:
        async for finding in _spoken_to(arrival.session, arrival, endpoint, channels, met):
            yield finding
    except LinkError as error:
        yield failed("permissions", "permissions", error)
    finally:
        await arrival.session.close()


async def _reached(endpoint: Endpoint) -> AsyncIterator[Finding]:
    yield await named(endpoint)
    for finding in await connected(endpoint):
        yield finding
    yield await secured(endpoint)


async def _spoken_to(
    session: Session, arrival: Arrival, endpoint: Endpoint, channels: Sequence[bytes], met: Callable[[str], None]
) -> AsyncIterator[Finding]:
    known = await known_to(session)
    (told,) = await session.ask([("INFO", "all")])
    info = info_of(told)
    if info is not None and (run_id := info.text("run_id")):
        met(run_id)
    heard = {"info": told, "acl|whoami": arrival.whoami}
    found = await rights(session, arrival.user, known, heard=heard, keys=_KEYS, channels=channels)
    in_cluster = info is not None and is_cluster(info)
    for finding in permissions(
        found,
        arrival.user,
        channels,
        selectors=known.selectors,
        cluster=in_cluster,
        read_only=endpoint.read_only,
    ):
        yield finding
    refused = {right.sent.name for right in found if right.answer in (Answer.DENIED, Answer.MISSING)}
    yield await round_trip(session, may=lambda name: name not in refused)
    yield await clock(session, may=lambda name: name not in refused)
    yield topology(info)
