"""Places among the settings: Sentinels, and where announced addresses can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymon_tui.model.deployment import Address
from pymon_tui.server import url
from pymon_tui.settings.lists import items

SENTINEL_PORT = 26_379


def sentinels(value: Any) -> tuple[Address, ...]:
    """``HOST[:PORT]``, several as ``lists.items`` takes them.

    Raises:
        ValueError: If one of them is no such place.
    """
    return tuple(dict.fromkeys(_place(text, SENTINEL_PORT) for text in items(value)))


def mapped(value: Any) -> tuple[tuple[Address, Address], ...]:
    """``ANNOUNCED=REACHED``, each ``HOST:PORT``, as ``lists.items`` takes them; or a table of the same.

    Raises:
        ValueError: If one of them is no such place, or an address is mapped twice.
    """
    if isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        parts = [text.partition("=") for text in items(value)]
        pairs = [(announced, reached) for announced, _, reached in parts]
    found: dict[Address, Address] = {}
    for announced, reached in pairs:
        if (address := _place(announced, None)) in found:
            raise ValueError(f"{address} is mapped twice")
        found[address] = _place(reached, None)
    return tuple(found.items())


def _place(text: Any, default_port: int | None) -> Address:
    if not isinstance(text, str):
        raise ValueError("should be a text")
    return Address(*url.place(text, default_port))
