"""One notification, as it is published, kept, and read again; without a connection."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from pymon_tui.model.query import Argument
from pymon_tui.services.keys import NOTIFICATIONS_CHANNEL, NOTIFICATIONS_RECENT

KEPT = 100
"""Notifications that are kept of each user, the newest."""

LIFE = cast(int, NOTIFICATIONS_RECENT.life)
"""Seconds that a user's notifications are kept after the newest of them."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

_log = logging.getLogger(__name__)


class Level(StrEnum):
    """How much a notification matters."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Notification:
    """What a user is told.

    Attributes:
        id: What tells it from every other; a notification that arrives twice has the same.
        user_id: Whom it is for.
        level: How much it matters.
        title: A few words.
        message: What happened.
        project: The name of the project that it is about, if it is about one.
        at: When it was published; with a time zone.
    """

    id: str
    user_id: str
    level: Level
    title: str
    message: str
    project: str | None
    at: datetime

    def payload(self) -> bytes:
        """The JSON object that is published and kept; its ``timestamp`` is ISO 8601.

        Raises:
            ValueError: If a text isn't valid Unicode.
        """
        members = {
            "id": self.id,
            "user_id": self.user_id,
            "level": self.level,
            "title": self.title,
            "message": self.message,
            "project": self.project,
            "timestamp": self.at.isoformat(),
        }
        return _ENCODER.encode(members).encode()


def new_id() -> str:
    """What no other notification is told by."""
    return secrets.token_hex(16)


def publishing(notification: Notification) -> tuple[tuple[Argument, ...], ...]:
    """The commands that keep and publish it, to be sent between MULTI and EXEC: so who reads later gets the same.

    Raises:
        ValueError: If the user's id is empty, or a text isn't valid Unicode.
    """
    key, payload = NOTIFICATIONS_RECENT.key(user_id=notification.user_id), notification.payload()
    return (
        ("LPUSH", key, payload),
        ("LTRIM", key, 0, KEPT - 1),
        ("EXPIRE", key, LIFE),
        ("PUBLISH", NOTIFICATIONS_CHANNEL.key(user_id=notification.user_id), payload),
    )


def parse_notification(payload: bytes | str, user_id: str) -> Notification:
    """What ``Notification.payload`` wrote. The channel or key tells whose it is, whatever the payload says.

    Raises:
        ValueError: If it isn't a notification; the text repeats nothing of it.
    """
    try:
        read = json.loads(payload)
    except (ValueError, RecursionError):
        raise ValueError("a notification should be JSON") from None
    if not isinstance(read, dict):
        raise ValueError("a notification should be a JSON object")
    try:
        at = datetime.fromisoformat(_text(read, "timestamp"))
        level = Level(_text(read, "level"))
    except ValueError:
        raise ValueError("a notification should have a level and the time of its publication") from None
    if at.tzinfo is None:
        raise ValueError("the time of a notification should have a time zone")
    project = _text(read, "project") if read.get("project") is not None else None
    return Notification(_id(read), user_id, level, _text(read, "title"), _text(read, "message"), project, at)


def readable(payloads: Iterable[bytes | str], user_id: str) -> tuple[Notification, ...]:
    """Those of the payloads that are notifications, each once, in their order; the others are logged."""
    found: dict[str, Notification] = {}
    for payload in payloads:
        try:
            notification = parse_notification(payload, user_id)
        except ValueError as error:
            _log.warning("what can't be read as a notification is left out: %s", error)
        else:
            found.setdefault(notification.id, notification)
    return tuple(found.values())


def _text(read: dict[str, object], name: str) -> str:
    value = read.get(name)
    if not isinstance(value, str):
        raise ValueError(f"a notification should have a text as its {name}")
    return value


def _id(read: dict[str, object]) -> str:
    value = read.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(read, "id")
