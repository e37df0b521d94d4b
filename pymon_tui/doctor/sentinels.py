"""The Sentinels that know where a server is: who of them answers, what they say, and whether they say the same."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.doctor.finding import Finding, Mark, failed
from pymon_tui.model.deployment import Address
from pymon_tui.model.text import join, safe
from pymon_tui.server.endpoint import Endpoint, Service
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
    """Ask each Sentinel of the service."""
    findings: list[Finding] = []
    failures: dict[Address, LinkError] = {}
    told: list[Opinion] = []
    for address in service.sentinels:
        try:
            session = await open_sentinel(sentinel_at(endpoint, service, address))
            try:
                one = await opinion(session, service.name, set())
            finally:
                await session.close()
        except LinkError as error:
            failures[address] = error
            findings.append(Finding(_STEP, _TITLE, Mark.BAD, error.what, error.remedy))
        else:
            told.append(one)
            findings.append(_one(address, service, one))
    if not told:
        return SentinelReport((*findings, failed(_STEP, service.name, nobody_tells(service.name, failures))), None)
    best = max(told, key=lambda one: one.epoch)
    return SentinelReport((*findings, _together(service, told, best)), endpoint.at(best.primary))


def _one(address: Address, service: Service, told: Opinion) -> Finding:
    said = f"{address} says that {service.name} is at {told.primary}"
    if told.watch is None:
        return Finding(_STEP, _TITLE, Mark.GOOD, safe(said))
    said += f", watched by {told.watch.others + 1} with a quorum of {told.watch.quorum}"
    if told.quorum is not None and not told.quorum[1]:
        return Finding(_STEP, _TITLE, Mark.BAD, safe(f"{said}; {told.quorum[0]}"), safe("start the other Sentinels"))
    return Finding(_STEP, _TITLE, Mark.GOOD, safe(said))


def _together(service: Service, told: list[Opinion], best: Opinion) -> Finding:
    places = tuple(dict.fromkeys(safe(str(one.primary)) for one in told))
    if len(places) > 1:
        remedy = safe(f"a failover may be on its way; the newest says {best.primary}")
        return Finding(_STEP, service.name, Mark.BAD, safe(f"they name {join(' and ', places)}"), remedy)
    return Finding(_STEP, service.name, Mark.GOOD, safe(f"the primary is {places[0]}"))
