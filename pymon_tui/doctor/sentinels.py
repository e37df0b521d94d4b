"""The Sentinels that know where a server is: who of them answers, what they say, and whether they say the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pymon_tui.doctor.finding import Finding, Mark, failed
from pymon_tui.model.deployment import Address
from pymon_tui.model.link import Trouble
from pymon_tui.model.text import join, safe
from pymon_tui.server.endpoint import Endpoint, Service
from pymon_tui.server.opinions import Naming, proved, ranked
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.sentinel import Opinion, nobody_tells, open_sentinel, opinion, sentinel_at

_STEP, _TITLE = "sentinel", "Sentinel"


@dataclass(frozen=True, slots=True)
class SentinelReport:
    """What they were found to say.

    Attributes:
        findings: One of each Sentinel that the user named, and one of all together.
        primary: Where the primary is; None where none of them tells.
    """

    findings: tuple[Finding, ...]
    primary: Endpoint | None


async def asked(endpoint: Endpoint, service: Service) -> SentinelReport:
    """Ask each Sentinel of the service, side by side."""
    findings: list[Finding] = []
    failures: dict[Address, LinkError] = {}
    told: dict[Address, Opinion] = {}
    said = await asyncio.gather(*(_told(endpoint, service, address) for address in service.sentinels))
    for address, one in zip(service.sentinels, said, strict=True):
        if isinstance(one, LinkError):
            failures[address] = one
            findings.append(Finding(_STEP, _TITLE, Mark.BAD, one.what, one.remedy))
        else:
            told[address] = one
            findings.append(_one(address, service, one))
    if not told:
        return SentinelReport((*findings, failed(_STEP, service.name, nobody_tells(service.name, failures))), None)
    named = ranked(told)
    findings.append(_together(service, told, named[0].told))
    primary, passed = await _believed(endpoint, service, named)
    findings += [Finding(_STEP, service.name, Mark.BAD, error.what, error.remedy) for error in passed]
    return SentinelReport(tuple(findings), primary)


async def _told(endpoint: Endpoint, service: Service, address: Address) -> Opinion | LinkError:
    try:
        session = await open_sentinel(sentinel_at(endpoint, service, address))
        try:
            return await opinion(session, service.name, set())
        finally:
            await session.close()
    except LinkError as error:
        return error


async def _believed(
    endpoint: Endpoint, service: Service, named: tuple[Naming, ...]
) -> tuple[Endpoint, tuple[LinkError, ...]]:
    """Where every other command goes, and why not to those that are named before it; the first, where to none."""
    passed: list[LinkError] = []
    for naming in named if len(named) > 1 else ():
        try:
            return await proved(endpoint, service, naming), tuple(passed)
        except LinkError as error:
            if error.trouble is Trouble.LOCKED:
                return endpoint.at(naming.primary), tuple(passed)
            passed.append(error)
    return endpoint.at(named[0].primary), ()


def _one(address: Address, service: Service, told: Opinion) -> Finding:
    said = f"{address} says that {service.name} is at {told.primary}"
    if told.watch is None:
        return Finding(_STEP, _TITLE, Mark.GOOD, safe(said))
    said += f", watched by {told.watch.others + 1} with a quorum of {told.watch.quorum}"
    if told.quorum is not None and not told.quorum[1]:
        return Finding(_STEP, _TITLE, Mark.BAD, safe(f"{said}; {told.quorum[0]}"), safe("start the other Sentinels"))
    return Finding(_STEP, _TITLE, Mark.GOOD, safe(said))


def _together(service: Service, told: dict[Address, Opinion], best: Opinion) -> Finding:
    places = tuple(dict.fromkeys(safe(str(one.primary)) for one in told.values()))
    if len(places) > 1:
        remedy = safe(f"a failover may be on its way; the newest says {best.primary}")
        return Finding(_STEP, service.name, Mark.BAD, safe(f"they name {join(' and ', places)}"), remedy)
    return Finding(_STEP, service.name, Mark.GOOD, safe(f"the primary is {places[0]}"))
