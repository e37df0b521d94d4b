"""Places among the settings: Sentinels, and where announced addresses can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pymon_tui.model.deployment import Address
from pymon_tui.server import url

SENTINEL_PORT = 26_379


def sentinels(value: Any) -> tuple[Address, ...]:
    """``HOST[:PORT]``, several in a list, or in one text with blanks between them.

    Raises:
        ValueError: If one of them is no such place.
    """
    return tuple(dict.fromkeys(_place(text, SENTINEL_PORT) for text in _texts(value)))


def mapped(value: Any) -> tuple[tuple[Address, Address], ...]:
    """``ANNOUNCED=REACHED``, each ``HOST:PORT``, in a list or one text; or a table of the same.

    Raises:
        ValueError: If one of them is no such place, or an address is mapped twice.
    """
    if isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        parts = [text.partition("=") for text in _texts(value)]
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


def _texts(value: Any) -> Iterable[Any]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list | tuple):
        return value
    raise ValueError("should be a list")
