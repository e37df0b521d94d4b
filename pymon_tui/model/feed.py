"""A bounded buffer of a live stream, which counts what it saw and what it dropped."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from pymon_tui.model.link import Connecting, Link
from pymon_tui.model.query import Unavailable
from pymon_tui.model.text import SafeText

PAYLOAD_LIMIT = 16_384
"""Bytes kept of one payload: enough for its detail view; a payload can have 512 MB."""

CHANNEL_LIMIT = 4_096
"""Bytes kept of one channel's name; it can be as long as a payload."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One Pub/Sub message: when it came (Unix seconds), its channel and payload, and the payload's full size in bytes.

    Of the payload the first ``PAYLOAD_LIMIT`` bytes are kept, of the channel the first ``CHANNEL_LIMIT``.
    """

    serial: int
    at: float
    channel: bytes
    payload: bytes
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """Something that happened to the stream itself, such as a gap; ``text`` says what."""

    serial: int
    at: float
    text: SafeText


Entry: TypeAlias = Message | Mark


@dataclass(frozen=True, slots=True)
class Coverage:
    """At how many of a cluster's primaries key events are heard: each tells of its own keys alone.

    Attributes:
        heard: Those that are listened to.
        primaries: All that serve slots.
        why: What is wrong with one that isn't; empty where nothing is known to be.
    """

    heard: int
    primaries: int
    why: SafeText


class Feed:
    """The newest entries of a stream, bounded in number and in bytes, whatever arrives.

    Attributes:
        seen: Messages that arrived, kept or not.
        dropped: Messages that arrived and were never kept (counted only, while too many came at once).
        status: The state of the connection that fills it, or why it can't be filled.
        patterns: The channels and patterns that it is to be filled from.
        coverage: Where the key events among them are heard in a cluster; None elsewhere, and where none are wanted.
    """

    def __init__(self, *, capacity: int = 2_000, byte_capacity: int = 4_000_000) -> None:
        self.seen = 0
        self.dropped = 0
        self.status: Link | Unavailable = Connecting(0.0)
        self.patterns: tuple[bytes, ...] = ()
        self.coverage: Coverage | None = None
        self._capacity = capacity
        self._byte_capacity = byte_capacity
        self._bytes = 0
        self._serial = 0
        self._entries: deque[Entry] = deque()

    @property
    def serial(self) -> int:
        """The serial of the newest entry: it differs when there is something new to draw."""
        return self._serial

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, channel: bytes, payload: bytes, at: float) -> None:
        """Keep one message and forget the oldest ones beyond the bounds."""
        self.seen += 1
        message = Message(self._next(), at, channel[:CHANNEL_LIMIT], payload[:PAYLOAD_LIMIT], len(payload))
        self._bytes += len(message.channel) + len(message.payload)
        self._append(message)

    def count(self, messages: int) -> None:
        """Count messages that arrived but are not kept."""
        self.seen += messages
        self.dropped += messages

    def mark(self, text: SafeText, at: float) -> None:
        """Keep a line that says what happened to the stream itself."""
        self._append(Mark(self._next(), at, text))

    def newest(self, most: int | None = None) -> tuple[Entry, ...]:
        """The newest entries, newest first; all of them, or ``most``."""
        entries = reversed(self._entries)
        if most is None:
            return tuple(entries)
        return tuple(entry for entry, _ in zip(entries, range(most), strict=False))

    def clear(self) -> None:
        """Forget the entries; the counts stay."""
        self._entries.clear()
        self._bytes = 0
        self._serial += 1

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _append(self, entry: Entry) -> None:
        entries = self._entries
        entries.append(entry)
        while len(entries) > self._capacity or self._bytes > self._byte_capacity:
            oldest = entries.popleft()
            if isinstance(oldest, Message):
                self._bytes -= len(oldest.payload) + len(oldest.channel)
