"""What is typed into the pane's prompts, and what is made of it: patterns to follow, a message to publish."""

from __future__ import annotations

from pymon_tui.model.action import Action
from pymon_tui.model.text import safe


def patterns_text(patterns: tuple[bytes, ...]) -> str:
    """The patterns as a line that can be edited; a blank within one is shown as ``?``, which stands for it."""
    return " ".join(map(_word, patterns))


def typed_patterns(text: str, patterns: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The patterns of an edited line. One that was left as it stood stays the bytes that it was."""
    known = {_word(pattern): pattern for pattern in patterns}
    return tuple(known.get(word, word.encode("utf-8", "replace")) for word in text.split())


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


def _word(pattern: bytes) -> str:
    return safe(pattern, 1_000).replace(" ", "?")
