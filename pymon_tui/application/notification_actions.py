"""What the monitor can do with notifications: tell a user something, as the application does."""

from __future__ import annotations

from datetime import datetime

from pymon_tui.model.action import Action, Course, quoted
from pymon_tui.model.query import Reply
from pymon_tui.model.steps import Exchange, Steps
from pymon_tui.model.text import join, safe
from pymon_tui.services.notification import Level, Notification, publishing

_LONGEST = 280
"""Characters of the payload that are shown before it is sent."""


def notify(user_id: str, level: Level, title: str, message: str, *, id: str, at: datetime) -> Action:  # noqa: A002
    """Publish a notification to a user and keep it, as ``services.notifications`` does.

    Args:
        id: What tells it from every other.
        at: When it is published; with a time zone.

    Raises:
        ValueError: If the user's id is empty, or a text isn't valid Unicode.
    """
    notification = Notification(id, user_id, level, title, message, None, at)
    commands, payload = publishing(notification), notification.payload()

    # It is sent twice, and to be read once.
    shown = [
        join(" ", [safe("PAYLOAD") if argument == payload else quoted(argument) for argument in command])
        for command in commands
    ]

    def steps() -> Steps[Reply]:
        *_, received = yield Exchange(commands, atomic=True)
        return received

    return Action(
        safe("Notify user"),
        Course(steps, (safe("MULTI"), *shown, safe("EXEC"), safe(f"PAYLOAD {safe(payload, _LONGEST)}", _LONGEST))),
        safe(f"{quoted(user_id)} gets it now, and finds it among the recent ones for a day; it can't be undone."),
        "publish",
        safe("subscribers received it"),
    )
