"""Which guard rails hold: those of each profile whose server is the one that will be written to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.invalidation.rules import Guard, Rules
from pymon_tui.journal.met import Met
from pymon_tui.server.endpoint import Endpoint

_RESOLVE_SECONDS = 1.0
_LOOPBACK = "loopback"


async def rules_of(found: Found, endpoint: Endpoint, rules: Rules, met: Met) -> Rules:
    """The rules for what was found behind ``endpoint``: the strictest of its own and of each profile that means it.

    A profile means it whose address is that of one of its nodes, or which led to one of these server processes before.
    """
    run_ids = [one.run_id for one in found.primaries if one.run_id]
    if endpoint.name is not None and any(guard.profile == endpoint.name for guard in rules.guards):
        await asyncio.to_thread(met.note, endpoint.name, run_ids)
    if not rules.guards:
        return rules
    led = await asyncio.to_thread(met.profiles, run_ids)
    addresses = {endpoint.address, *found.addresses, *(one.endpoint.address for one in found.primaries)}
    if endpoint.watched is not None:
        addresses.add(f"service {endpoint.watched.name}")
    meant = [guard for guard in rules.guards if guard.profile in led or await _is_at(guard, addresses)]
    return rules.under(meant)


async def _is_at(guard: Guard, addresses: set[str]) -> bool:
    if guard.address is None:
        return False
    if guard.address in addresses:
        return True
    wanted = await _places(guard.address)
    if not wanted:
        return False
    for address in addresses:
        if not wanted.isdisjoint(await _places(address)):
            return True
    return False


async def _places(address: str) -> frozenset[str]:
    """Every IP address and port that ``host:port`` leads to from here, this machine's own as one; empty for others."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or " " in address or address.startswith("/"):
        return frozenset()
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            told = await asyncio.get_running_loop().getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError, TimeoutError):
        return frozenset()
    return frozenset(f"{_named(str(where[0]))} {port}" for *_, where in told)


def _named(ip: str) -> str:
    return _LOOPBACK if ipaddress.ip_address(ip.partition("%")[0]).is_loopback else ip
