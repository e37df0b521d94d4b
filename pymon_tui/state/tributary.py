"""What one of several connections sends, on its way into the feed of the deployment."""

from __future__ import annotations

from pymon_tui.model.feed import Feed
from pymon_tui.model.text import SafeText, safe


class Tributary(Feed):
    """Passes on what comes and what happens; its patterns and its status are its own."""

    def __init__(self, feed: Feed, what: str) -> None:
        """``what`` it carries, and from where, is told with what happens to it."""
        super().__init__(capacity=0)
        self._into = feed
        self._what = what

    def add(self, channel: bytes, payload: bytes, at: float) -> None:
        """Pass a message on."""
        self._into.add(channel, payload, at)

    def count(self, messages: int) -> None:
        """Pass on that messages came."""
        self._into.count(messages)

    def mark(self, text: SafeText, at: float) -> None:
        """Pass on what happened, and where."""
        self._into.mark(safe(f"{self._what}: {text}"), at)
