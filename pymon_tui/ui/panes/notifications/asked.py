"""What is typed into the pane's prompts, and what is made of it: patterns to follow, a message to publish."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from pymon_tui.application.notification_actions import notify
from pymon_tui.invalidation.pattern import Pattern, PatternError, literal
from pymon_tui.model.action import Action
from pymon_tui.model.text import safe
from pymon_tui.services.keys import NOTIFICATIONS_CHANNEL
from pymon_tui.services.notification import Level, new_id
from pymon_tui.ui.panes.notifications.rows import USER

LEVELS = tuple(level.value for level in Level)


def patterns_text(patterns: tuple[bytes, ...]) -> str:
    """The patterns as a line that can be edited; a blank within one is shown as ``?``, which stands for it."""
    return " ".join(map(_word, patterns))


def typed_patterns(text: str, patterns: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The patterns of an edited line. One that was left as it stood stays the bytes that it was."""
    known = {_word(pattern): pattern for pattern in patterns}
    return tuple(known.get(word, word.encode("utf-8", "replace")) for word in text.split())


def follows(patterns: tuple[bytes, ...], channel: bytes) -> bool:
    """Whether one of the patterns that are followed stands for this channel."""
    for pattern in patterns:
        with suppress(PatternError):  # a strange one is taken for one that doesn't
            if Pattern(pattern).matches(channel):
                return True
    return False


def with_channel(patterns: tuple[bytes, ...], channel: bytes) -> tuple[bytes, ...]:
    """What is to be followed so that this channel is, too."""
    return (*patterns, literal(channel))


def publish_text(channel: bytes | None) -> str:
    """The beginning of a line to publish: the channel, where it can be typed as it is."""
    shown = safe(channel, 1_000) if channel is not None else ""
    return f"{shown} " if shown and " " not in shown and shown.encode() == channel else ""


def wrong_publish(text: str) -> str | None:
    """What is wrong with a line to publish."""
    channel, blank, payload = text.strip().partition(" ")
    return None if channel and blank and payload else "a channel, a blank and a payload are needed"


def publish(text: str) -> Action:
    """The write that publishes a line which isn't wrong: a channel, and after the first blank the payload."""
    channel, _, payload = text.strip().partition(" ")
    return Action(
        safe("Publish"),
        ("PUBLISH", channel.encode("utf-8", "replace"), payload.lstrip().encode("utf-8", "replace")),
        safe("Every subscriber gets it now; it can't be undone."),
        "publish",
        safe("received it"),
    )


def user_of(channel: bytes) -> str | None:
    """The id of the user whose notifications come on this channel; None if it is none of Py_Monitor's."""
    values = NOTIFICATIONS_CHANNEL.values(channel)
    return values["user_id"] if values else None


def user_word(channel: bytes) -> str:
    """The word of a filter that keeps the notifications of this channel's user; without one, how it begins."""
    written = safe(channel.removeprefix(f"{NOTIFICATIONS_CHANNEL.prefix}:".encode()), 1_000)
    can_be_typed = user_of(channel) is not None and " " not in written and channel.endswith(written.encode())
    return f"{USER}{written}" if can_be_typed else USER


def notify_text(user_id: str | None) -> str:
    """The beginning of a line to a user: the id, where it can be typed as it is, and a level."""
    can_be_typed = user_id is not None and not any(character.isspace() for character in user_id)
    return f"{user_id} {Level.INFO.value} " if can_be_typed and safe(user_id or "") == user_id else ""


def without_user(text: str) -> str:
    """A filter's text without the words that name a user."""
    return " ".join(word for word in text.split() if not word.lower().startswith(USER))


def wrong_notify(text: str) -> str | None:
    """What is wrong with a line to a user."""
    _, level, title, _ = _parts(text)
    if level not in LEVELS:
        return f"a user's id, and then {', '.join(LEVELS[:-1])} or {LEVELS[-1]}, are needed"
    return None if title else "a title is needed"


def notify_now(text: str) -> Action:
    """The write that notifies a user of a line which isn't wrong, as of this moment."""
    user_id, level, title, message = _parts(text)
    return notify(user_id, Level(level), title, message, id=new_id(), at=datetime.now(UTC))


def _parts(text: str) -> tuple[str, str, str, str]:
    """The user's id, the level, the title and the message of a line; half a character is what stands for one."""
    words = text.encode("utf-8", "replace").decode().split(maxsplit=2)
    user_id, level, said = [*words, "", "", ""][:3]
    title, _, message = said.partition("|")
    return user_id, level.lower(), title.strip(), message.strip()


def _word(pattern: bytes) -> str:
    return safe(pattern, 1_000).replace(" ", "?")
