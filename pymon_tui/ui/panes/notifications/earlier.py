"""The notifications that were kept before the feed began, as entries that stand below its own; none of them twice."""

from __future__ import annotations

from contextlib import suppress
from itertools import takewhile

from pymon_tui.application.recent import RECENT, Kept, Recent, identity
from pymon_tui.invalidation.pattern import Pattern, PatternError, matcher
from pymon_tui.model import units
from pymon_tui.model.feed import Entry, Mark, Message
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.services.notification import LIFE

RULE_SERIAL = 0
"""The serial of the line between what came and what was kept; those of what was kept are negative."""

_Name = tuple[bytes, str | bytes]
"""A channel, and what tells a notification from its others."""


class Earlier:
    """What is kept, less what the feed has as well.

    Each entry of the feed is looked at once for one reading of the lists, however often the feed is drawn.
    """

    def __init__(self) -> None:
        self._recent: Recent | None = None
        self._patterns: tuple[bytes, ...] = ()
        self._newest = 0
        self._left: dict[_Name, Kept] = {}
        self._serials: dict[_Name, int] = {}
        self._lowest = RULE_SERIAL
        self._shown: tuple[Entry, ...] = ()

    def below(self, feed: tuple[Entry, ...], snapshot: Snapshot) -> tuple[Entry, ...]:
        """A line, and below it what was kept in the day before, newest first; nothing where nothing is left of it.

        Of channels that aren't followed there is nothing. While nothing changes, it is the same tuple.

        Args:
            feed: The entries of the snapshot's feed that are shown, newest first.
            snapshot: It has what was read of the lists.
        """
        reading, patterns = snapshot.reading(RECENT), snapshot.feed.patterns
        recent = reading.value if isinstance(reading, Ready) else self._recent
        changed = recent is not self._recent or patterns != self._patterns
        if changed and recent is not None:
            self._recent, self._patterns, self._newest = recent, patterns, 0
            self._left = _followed(recent, patterns)
        for entry in takewhile(lambda entry: entry.serial > self._newest, feed):
            if isinstance(entry, Message) and self._left:
                name = (entry.channel, identity(entry.channel, entry.payload))
                changed = self._left.pop(name, None) is not None or changed
        self._newest = feed[0].serial if feed else self._newest
        oldest = snapshot.wall - LIFE
        old = [name for name, kept in self._left.items() if kept.at is not None and kept.at < oldest]
        for name in old:
            del self._left[name]
        if changed or old:
            self._shown = self._entries()
        return self._shown

    def _entries(self) -> tuple[Entry, ...]:
        self._serials = {name: serial for name, serial in self._serials.items() if name in self._left}
        if not self._left:
            return ()
        messages = (self._message(name, kept) for name, kept in self._left.items())
        return (
            Mark(RULE_SERIAL, 0.0, safe(f"live above, {units.count(len(self._left))} kept before that below")),
            *messages,
        )

    def _message(self, name: _Name, kept: Kept) -> Message:
        # The serial stays, so that the cursor stays on its row while more lists are read.
        if name not in self._serials:
            self._lowest -= 1
            self._serials[name] = self._lowest
        return Message(self._serials[name], kept.at or 0.0, kept.channel, kept.payload, kept.size)


def _followed(recent: Recent, patterns: tuple[bytes, ...]) -> dict[_Name, Kept]:
    globs = []
    for pattern in patterns:
        with suppress(PatternError):  # such as a channel's name of a megabyte
            globs.append(Pattern(pattern))
    follows = matcher(tuple(globs)) if globs else None
    return {
        (kept.channel, kept.id): kept for kept in recent.notifications if follows is not None and follows(kept.channel)
    }
