"""How a server is doing that can be spoken to: how far away it is, what time it has, and what part it plays."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter, time

from pymon_tui.doctor.finding import Finding, Mark
from pymon_tui.model import units
from pymon_tui.model.query import Reply
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.replication import parse_replication
from pymon_tui.readings.server import parse_server
from pymon_tui.readings.topology import is_cluster
from pymon_tui.server.reasons import A_SENTINEL, ASK_IT_FOR_ITS_SERVER, is_sentinel
from pymon_tui.server.session import Session

PINGS = 5
APART = 5.0
"""Seconds that two clocks may differ by; more, and what one says of a time means little to the other."""

_SAME = 0.001  # seconds


async def round_trip(session: Session, *, may: Callable[[str], bool]) -> Finding:
    """The median of a few PINGs.

    Raises:
        LinkError: If the link is lost.
    """
    step, title = "round_trip", "round trip"
    if not may("ping"):
        return Finding(step, title, Mark.OPEN, safe("not measured: PING is refused"))
    seconds = []
    for _ in range(PINGS):
        await session.ask([("PING",)])
        seconds.append(session.waited)
    return Finding(step, title, Mark.GOOD, safe(f"{units.milliseconds(median(seconds))}, the median of {PINGS} PINGs"))


async def clock(session: Session, *, may: Callable[[str], bool]) -> Finding:
    """The server's clock and ours.

    Raises:
        LinkError: If the link is lost.
    """
    step, title = "clock", "clock"
    if not may("time"):
        return Finding(step, title, Mark.OPEN, safe("not compared: TIME is refused"))
    began = perf_counter()
    (reply,) = await session.ask([("TIME",)])
    ours, on_the_way = time(), (perf_counter() - began) / 2
    if not isinstance(reply, list) or len(reply) != 2:
        why = "TIME is refused" if isinstance(reply, Exception) else "TIME tells no time"
        return Finding(step, title, Mark.OPEN, safe(f"not compared: {why}"))
    ahead = int(reply[0]) + int(reply[1]) / 1e6 + on_the_way - ours
    apart = abs(ahead)
    if apart <= max(on_the_way, _SAME):
        return Finding(step, title, Mark.GOOD, safe(f"as ours, within {units.milliseconds(max(on_the_way, _SAME))}"))
    shown = units.duration(apart) if apart >= APART else units.milliseconds(apart)
    said = safe(f"{shown} {'ahead of' if ahead > 0 else 'behind'} ours")
    if apart >= APART:
        return Finding(step, title, Mark.BAD, said, safe("set the one that is wrong (NTP)"))
    return Finding(step, title, Mark.GOOD, said)


def topology(info: Info | None) -> Finding:
    """Who answers, its role, and whether it is a node of a cluster."""
    step, title = "topology", "topology"
    if info is None:
        return Finding(step, title, Mark.OPEN, safe("not known: INFO is refused, or can't be read"))
    server, replication = parse_server(info), parse_replication(info)
    who = f"{server.product} {server.version}"
    if is_sentinel(info):
        return Finding(step, title, Mark.BAD, safe(f"{who}, {A_SENTINEL}"), ASK_IT_FOR_ITS_SERVER)
    kind = "a node of a cluster" if is_cluster(info) else "no cluster"
    if replication.role == "replica":
        said = f"{who}, replica of {replication.primary or 'a primary that it does not name'}, {kind}"
        if replication.link_down:
            return Finding(step, title, Mark.BAD, safe(f"{said}; the link to it is down"), safe("look at its primary"))
        return Finding(step, title, Mark.GOOD, safe(said))
    replicas = replication.connected_slaves or 0
    with_replicas = f"{replicas} replica{'s' * (replicas != 1)}" if replicas else "no replica"
    return Finding(step, title, Mark.GOOD, safe(f"{who}, {_role(replication.role)}, {with_replicas}, {kind}"))


def info_of(reply: Reply) -> Info | None:
    """INFO's answer; None where it is none."""
    try:
        return parse_info(reply) if isinstance(reply, bytes) else None
    except ValueError:
        return None


def _role(role: SafeText | None) -> str:
    return role or "of no role that INFO tells"
