"""A node of a deployment that a person names: by any name of it, or by whatever address its host stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pymon_tui.model.deployment import Address
from pymon_tui.server.dial import looked_up
from pymon_tui.server.endpoint import Endpoint

_DEFAULT_PORT = 6379


class Sought:
    """The node that is wanted, and what its name and those of the nodes stand for, as far as was looked up.

    Attributes:
        name: What was typed.
    """

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        """``endpoint`` is how the deployment is reached: behind ssh, names are those of the other side."""
        self.name = name
        self._wanted = _address(name)
        self._endpoint = endpoint
        self._places: dict[Address, frozenset[Address]] = {}

    async def look_up(self, names: Iterable[str]) -> None:
        """Ask what the hosts stand for of what is wanted and of these names, unless one of them is meant literally.

        What ssh leads to isn't asked: names are those of the other side then.
        """
        told = list(names)
        if self._endpoint.via or self.name in told or self._wanted is None:
            return
        asked = {address for name in (self.name, *told) if (address := _address(name)) is not None}
        await asyncio.gather(*(self._look_up(address) for address in asked - self._places.keys()))

    def is_among(self, names: Iterable[str]) -> bool:
        """Whether a node of these names is the one."""
        told = set(names)
        if self.name in told:
            return True
        wanted = self._stands_for(self._wanted)
        return any(wanted & self._stands_for(_address(name)) for name in told)

    def _stands_for(self, address: Address | None) -> frozenset[Address]:
        return frozenset() if address is None else self._places.get(address, frozenset()) | {address}

    async def _look_up(self, address: Address) -> None:
        try:
            async with asyncio.timeout(self._endpoint.connect_timeout):
                found = await looked_up(address.host, address.port)
        except (OSError, UnicodeError):  # a name that nobody knows is itself alone
            found = ()
        self._places[address] = frozenset(Address(str(place[0]), address.port) for *_, place in found)


def _address(name: str) -> Address | None:
    """``HOST:PORT``, ``[IPv6]:PORT``, or a host with the usual port; None of a path, and of what can be neither."""
    if not name or "/" in name:
        return None
    host, _, port = name.rpartition(":") if name.count(":") == 1 or "]:" in name else (name, "", "")
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5):
        return None
    return Address(host.strip("[]"), int(port or _DEFAULT_PORT))
