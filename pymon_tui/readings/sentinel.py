"""What a Sentinel says of a primary that it watches: where it is, who copies it, and who watches with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymon_tui.model.deployment import Address
from pymon_tui.model.query import Reply

MOST = 256
"""Replicas, and Sentinels, that are read of one answer."""

DOWN = frozenset({"s_down", "o_down", "disconnected"})
"""Flags of a node that a Sentinel can't reach."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A node as a Sentinel sees it.

    Attributes:
        address: What it announces.
        run_id: Of a Sentinel: its own id (``SENTINEL MYID``); empty where it isn't told.
        flags: Such as ``slave``, ``s_down``, ``disconnected``.
    """

    address: Address
    run_id: str
    flags: frozenset[str]

    @property
    def is_down(self) -> bool:
        """Whether this Sentinel can't reach it."""
        return not self.flags.isdisjoint(DOWN)


@dataclass(frozen=True, slots=True)
class Watch:
    """What ``SENTINEL MASTER`` tells of the primary.

    Attributes:
        epoch: Of its configuration: the greater one is right.
        quorum: Sentinels that must agree that it is down.
        others: Sentinels that watch it besides this one.
        flags: Such as ``master``, ``o_down``, ``failover_in_progress``.
    """

    epoch: int
    quorum: int
    others: int
    flags: frozenset[str]


def parse_address(reply: Reply) -> Address | None:
    """The answer to SENTINEL GET-MASTER-ADDR-BY-NAME; None where it knows no such name.

    Raises:
        ValueError: If it is something else.
    """
    if reply is None:
        return None
    if not isinstance(reply, list) or len(reply) != 2 or not all(isinstance(word, bytes) for word in reply):
        raise ValueError("SENTINEL GET-MASTER-ADDR-BY-NAME answered with something other than an address")
    host, port = map(_decoded, reply)
    if not host or not port.isdecimal():
        raise ValueError("SENTINEL GET-MASTER-ADDR-BY-NAME answered with something other than an address")
    return Address(host, int(port))


def parse_watch(reply: Reply) -> Watch:
    """The answer to SENTINEL MASTER.

    Raises:
        ValueError: If it is no map of texts.
    """
    told = _map(reply)
    return Watch(
        _number(told, "config-epoch"), _number(told, "quorum"), _number(told, "num-other-sentinels"), _flags(told)
    )


def parse_seen(reply: Reply) -> tuple[Seen, ...]:
    """The answer to SENTINEL REPLICAS or SENTINEL SENTINELS.

    Raises:
        ValueError: If it is no list of maps of texts.
    """
    if not isinstance(reply, list):
        raise ValueError("SENTINEL answered with something other than a list")
    told = [_map(one) for one in reply[:MOST]]
    return tuple(
        Seen(Address(one["ip"], _number(one, "port")), one.get("runid", ""), _flags(one))
        for one in told
        if one.get("ip") and _number(one, "port")
    )


def _map(reply: Any) -> Mapping[str, str]:
    pairs: list[tuple[Any, Any]]
    if isinstance(reply, dict):
        pairs = list(reply.items())
    elif isinstance(reply, list) and len(reply) % 2 == 0:
        pairs = list(zip(reply[::2], reply[1::2], strict=True))
    else:
        raise ValueError("SENTINEL answered with something other than a map")
    return {
        _decoded(name): _decoded(value) for name, value in pairs if isinstance(name, bytes) and isinstance(value, bytes)
    }


def _flags(told: Mapping[str, str]) -> frozenset[str]:
    return frozenset(filter(None, told.get("flags", "").split(",")))


def _number(told: Mapping[str, str], name: str) -> int:
    value = told.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() else 0


def _decoded(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")
