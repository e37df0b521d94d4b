"""What a node of a cluster answers about a key that another one has, or is about to get."""

from __future__ import annotations

from dataclasses import dataclass

from redis.exceptions import ResponseError

from pymon_tui.model.deployment import Address

_WORDS = ("MOVED ", "ASK ", "TRYAGAIN")


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a key is to be asked for.

    Attributes:
        asks: Whether only this once, with ASKING before it (ASK); else from now on (MOVED).
        address: Where; the node that answered where it doesn't know its own name.
    """

    asks: bool
    address: Address


def is_redirect(error: ResponseError) -> bool:
    """Whether the key's slot is served elsewhere, or on its way from one node to another."""
    return str(error).startswith(_WORDS)


def redirect_of(error: ResponseError, host: str) -> Redirect | None:
    """Where MOVED or ASK leads to; ``host`` answered. None for any other error."""
    words = str(error).split(" ")
    if len(words) != 3 or words[0] not in ("MOVED", "ASK"):
        return None
    name, _, port = words[2].rpartition(":")
    if not port.isdecimal():
        return None
    # A server that prefers names says "?" of a node that has none.
    return Redirect(words[0] == "ASK", Address(host if name in ("", "?") else name.strip("[]"), int(port)))
