"""Killing one client: the exact command, and what it does to whom."""

from __future__ import annotations

import re

from pymon_tui.model import units
from pymon_tui.model.action import Action
from pymon_tui.model.text import safe
from pymon_tui.readings.clients import Client

_TCP = re.compile(r"(\[[0-9a-fA-F:.%a-z]+\]|[0-9.]+):[1-9][0-9]*")


def kill(client: Client) -> Action:
    """``CLIENT KILL ID … ADDR …`` of one client: a server that is started again counts its ids from the beginning."""
    # Of a unix socket all clients have one address; it may also hold what is shown by a code.
    addr = ("ADDR", str(client.addr)) if client.addr is not None and _TCP.fullmatch(client.addr) else ()
    return Action(
        name=safe(f"Kill {_what(client)}"),
        command=("CLIENT", "KILL", "ID", client.id, *addr),
        effect=safe(_effect(client)),
        acl="client|kill",
        counts=safe("killed"),
        none=safe("there is no such client any more"),
        node=client.node,
    )


def _what(client: Client) -> str:
    return "replica" if client.is_replica else "link to the primary" if client.is_primary else "client"


def _effect(client: Client) -> str:
    # The dialog has one line for it: what tells whom it is about comes first.
    if client.is_replica:
        return f"this is replica {client.address}; it will resync"
    if client.is_primary:
        return f"this is our primary {client.address}; its link is made anew"
    who = f"{client.address} {client.name}" if client.name else str(client.address)
    return f"closes {who}, idle {units.age(client.idle)}"
