"""Where addresses lead to from here: one server may be spelled as a name, as an IP address, or as a path."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections.abc import Collection, Iterable
from struct import Struct
from threading import Thread
from typing import Literal

from pymon_tui.server import clock

_RESOLVE_SECONDS = 1.0
_HERE = "this machine"
_VIA = " via "
_CREDENTIALS = Struct("3i")  # pid, uid, gid

LONGEST = 2.0
"""Seconds for all names that may lead to one server: a journal of years has hundreds that nobody knows any more."""


async def places_of(addresses: Collection[str]) -> dict[str, frozenset[str] | None]:
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


def is_here(places: Collection[str]) -> bool:
    """Whether one of these places is on this machine."""
    return any(place.startswith((_HERE, "/")) for place in places)


def listener(address: str) -> int | None:
    """The process that listens on this unix socket; None for another address, and where that can't be known. Blocks."""
    if not _is_path(address) or not hasattr(socket, "SO_PEERCRED"):
        return None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_RESOLVE_SECONDS)
            line.connect(address)
            told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except OSError:
        return None
    pid, *_ = _CREDENTIALS.unpack(told)
    return pid or None  # 0 for one that we can't see


def port_of(address: str) -> int | None:
    """The port of ``host:port``, also of one that ssh leads to; None of a path or a service."""
    _, _, port = address.partition(_VIA)[0].rpartition(":")
    return int(port) if port.isdecimal() else None


def tunnels(one: str, other: str) -> Literal["apart", "same", "unknown"]:
    """What addresses tell of two servers, where ssh leads to one of them or to both; ``apart`` where to neither.

    From where one ssh leads to, all names of that machine are the same.
    """
    (near, _, via), (far, _, also) = one.partition(_VIA), other.partition(_VIA)
    if not via and not also:
        return "apart"
    if via == also:
        if port_of(one) is not None and port_of(one) == port_of(other) and _is_loopback(near) and _is_loopback(far):
            return "same"
        return "unknown" if port_of(one) in (None, port_of(other)) else "apart"
    return "unknown"


def _is_loopback(address: str) -> bool:
    found = _split(address)
    if found is None:
        return False
    try:
        return found[0] == "localhost" or ipaddress.ip_address(found[0]).is_loopback
    except ValueError:
        return False


class Spellings:
    """The addresses of one server, and others that lead to the same place.

    Whether one does is looked up once. Only what has the same port is looked up: nothing else can be the same. Once
    looking up has taken ``LONGEST`` seconds in all, what is left counts as another server, unless its process tells.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        self._known = dict.fromkeys(addresses, True)
        self._ports = {found[1] for address in self._known if (found := _split(address))}
        self._paths = {_file(address) for address in self._known if _is_path(address)}
        self._places: frozenset[str] | None = None
        self._left = LONGEST

    @property
    def hints(self) -> tuple[str, ...]:
        """Texts one of which is in each address that is the same one."""
        return (*(f":{port}" for port in self._ports), *(os.path.basename(path) for path in self._paths))

    def same(self, address: str) -> bool:
        """Whether this address leads there, too. Blocks, where it has to be looked up for the first time."""
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = self._leads_there(address)
        return known

    def _leads_there(self, address: str) -> bool:
        if _is_path(address):
            return _file(address) in self._paths
        found = _split(address)
        if found is None or found[1] not in self._ports or self._left <= 0:
            return False
        began = clock.now()
        try:
            return self._is_one_place(address)
        finally:
            self._left -= clock.now() - began

    def _is_one_place(self, address: str) -> bool:
        if self._places is None:
            named = [each for each, known in self._known.items() if known and _split(each)]
            self._places = frozenset[str]().union(*(_looked_up(each) for each in named))
        return not self._places.isdisjoint(_looked_up(address))


def _looked_up(address: str) -> frozenset[str]:
    """As ``places_of``, of one address; empty where that can't be found out in time."""
    found, told = _split(address), list[frozenset[str]]()
    if found is None:
        return frozenset()
    host, port = found

    def look() -> None:
        try:
            told.append(_named_places(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), port))
        except (OSError, UnicodeError, OverflowError):
            return

    thread = Thread(target=look, daemon=True)  # a name server that doesn't answer must not hold the end of the program
    thread.start()
    thread.join(_RESOLVE_SECONDS)
    return told[0] if told else frozenset()


def _is_path(address: str) -> bool:
    return "/" in address and _VIA not in address


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
    return _named_places(told, port)


def _named_places(told: Iterable[tuple[object, ...]], port: int) -> frozenset[str]:
    return frozenset(f"{_named(str(where[0]))} {port}" for *_, where in told if isinstance(where, tuple))


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
