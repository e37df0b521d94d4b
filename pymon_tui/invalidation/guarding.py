"""Which guard rails hold: those of each profile whose server is the one that will be written to."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections.abc import Collection
from dataclasses import replace

from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.invalidation.rules import Rules
from pymon_tui.journal.met import Met
from pymon_tui.server.endpoint import Endpoint

_RESOLVE_SECONDS = 1.0
_HERE = "this machine"


async def rules_of(found: Found, endpoint: Endpoint, rules: Rules, met: Met) -> Rules:
    """The rules for what was found behind ``endpoint``: the strictest of its own and of each profile that means it.

    A profile means it whose address is that of one of its nodes, a replica of it among them, or which led to one of
    these server processes before. Of one whose host can't be resolved nobody knows: the rules name it.
    """
    run_ids = [one.run_id for one in found.primaries if one.run_id]
    if endpoint.name is not None and any(guard.profile == endpoint.name for guard in rules.guards):
        await asyncio.to_thread(met.note, endpoint.name, run_ids)
    if not rules.guards and rules.gone is None:
        return rules
    led = await asyncio.to_thread(met.profiles, run_ids)
    rules = rules.remembering(led)
    addresses = {
        endpoint.address,
        *found.addresses,
        *found.replicas,
        *(one.endpoint.address for one in found.primaries),
    }
    if endpoint.watched is not None:
        addresses.add(service := f"service {endpoint.watched.name}")
        addresses.add(f"{service} via {endpoint.via}" if endpoint.via else service)
    known = [guard for guard in rules.guards if guard.profile in led or guard.address in addresses]
    open_ = [guard for guard in rules.guards if guard not in known and guard.address is not None]
    places = (
        await _places({*addresses, *(guard.address for guard in open_ if guard.address is not None)}) if open_ else {}
    )
    here = frozenset[str]().union(*(places.get(address) or () for address in addresses))
    unresolved, meant = [], set(known)
    for guard in open_:
        there = places.get(guard.address or "", frozenset())
        if there is None:
            unresolved.append(guard.profile)
        elif not here.isdisjoint(there):
            meant.add(guard)
    strict = rules.under(guard for guard in rules.guards if guard in meant)
    return replace(strict, unresolved=tuple(unresolved))


async def _places(addresses: Collection[str]) -> dict[str, frozenset[str] | None]:
    """Where each ``host:port`` leads to from here, all looked up at once; None where that can't be found out in time.

    Of a place the IP address and the port, this machine's own as one; of a socket the file that its path leads to.
    """
    files = {address: frozenset((_file(address),)) for address in addresses if _is_path(address)}
    tasks = {address: asyncio.create_task(_place(*found)) for address in addresses if (found := _split(address))}
    if tasks:
        _, late = await asyncio.wait(tasks.values(), timeout=_RESOLVE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return files | {address: None if task.cancelled() else task.result() for address, task in tasks.items()}


def _is_path(address: str) -> bool:
    return "/" in address and " via " not in address


def _file(path: str) -> str:
    return os.path.realpath(path)


def _split(address: str) -> tuple[str, int] | None:
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or " " in address or _is_path(address):
        return None
    return host, int(port)


async def _place(host: str, port: int) -> frozenset[str] | None:
    try:
        told = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError):
        return None
    return frozenset(f"{_named(str(where[0]))} {port}" for *_, where in told)


def _named(ip: str) -> str:
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return _HERE if address.is_loopback or address.is_unspecified or _is_ours(address) else str(address)


def _is_ours(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an interface of this machine has the address: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
