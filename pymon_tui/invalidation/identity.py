"""Who answers on a connection: the server's process, what it holds, and as whom it knows us."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.model.text import SafeText
from pymon_tui.readings.info import Info, parse_info

_REPLIDS = ("master_replid", "master_replid2")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which server process answers (``INFO server``, ``INFO replication``), and as whom it knows us.

    Attributes:
        run_id: Random for each start of a server (``run_id``); empty where the server doesn't tell.
        role: ``master`` or ``slave``; empty where the server doesn't tell.
        user: The ACL user (``ACL WHOAMI``); the endpoint's where the server doesn't tell.
        replids: Of the histories that it holds: its own first (``master_replid``), and that of the primary that it
            copied before (``master_replid2``).
    """

    run_id: str
    role: str
    user: SafeText
    replids: tuple[str, ...] = ()


def identity_of(server: object, replication: object, user: SafeText) -> Identity:
    """The identity that these answers to ``INFO server`` and ``INFO replication`` tell; an error tells nothing."""
    process, history = (
        parse_info(each) if isinstance(each, bytes) and each else Info({}) for each in (server, replication)
    )
    known = (history.text(name) or "" for name in _REPLIDS)
    return Identity(
        run_id=process.text("run_id") or "",
        role=history.text("role") or "",
        user=user,
        replids=tuple(replid for replid in known if replid.strip("0")),  # all zeroes stand for none
    )
