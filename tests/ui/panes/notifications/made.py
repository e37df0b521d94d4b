"""Notifications, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime

from pymon_tui.application.recent import Kept
from pymon_tui.services.notification import Level, Notification
from tests.script import WALL as SCRIPTED

WALL = SCRIPTED + 100.0
"""The moment of a scripted snapshot, in Unix seconds."""


def payload_of(name: str) -> bytes:
    """A notification that has this id."""
    at = datetime.fromtimestamp(WALL, UTC)
    return Notification(name, "7", Level.WARNING, f"title of {name}", "", None, at).payload()


def kept_of(name: str, *, ago: float, user: str = "7") -> Kept:
    """The same, as it is kept for a user, of some seconds ago."""
    payload = payload_of(name)
    return Kept(f"notifications:{user}".encode(), name, WALL - ago, payload, len(payload))
