"""Key events of a cluster: each node tells of its own keys alone, so all primaries are listened to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

from pymon_tui.model.feed import Coverage, Feed
from pymon_tui.model.link import Live, Lost
from pymon_tui.model.query import Unavailable
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.listener import Listener
from pymon_tui.state.shards import ShardNode, matching
from pymon_tui.state.tributary import Tributary

_PREFIX = b"__key"
"""What the channels of key events begin with: ``__keyspace@0__:name`` and ``__keyevent@0__:command``."""

_EVENTS = (b"__keyspace@0__:name", b"__keyevent@0__:set", b"__keyevent@0__:expired", b"__keyevent@0__:del")
"""Some of them, to know a pattern by that isn't made for them."""


def is_of_keys(pattern: bytes) -> bool:
    """Whether a channel or pattern is for key events, and for nothing that every node of a cluster tells."""
    return pattern.startswith(_PREFIX)


class KeyEvents:
    """Keeps a feed filled with the key events of a cluster; a connection to each primary while any are wanted."""

    def __init__(self, feed: Feed) -> None:
        """``feed`` says by its patterns what is followed, and is told at how many primaries that is."""
        self._feed = feed
        self._away: Mapping[str, SafeText] = {}  # why a node can't be reached
        self._listening: dict[str, tuple[Listener, asyncio.Task[None], Endpoint, Feed]] = {}

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """What is under way; none of it ends by itself."""
        return tuple(task for _, task, _, _ in self._listening.values())

    def client_id(self, node: str) -> int | None:
        """The id of our connection to this node; None while there is none."""
        found = self._listening.get(node)
        return found[0].client_id if found is not None else None

    def update(self, nodes: Sequence[ShardNode]) -> None:
        """Follow the key events of these nodes of a cluster that serve slots, and of no others."""
        patterns = tuple(filter(is_of_keys, self._feed.patterns))
        wanted = {node.name: node for node in nodes if node.slots} if patterns else {}
        primaries = {name: node.endpoint for name, node in wanted.items()}
        before, self._away = self._away, {name: node.away for name, node in wanted.items() if node.away is not None}
        was_followed = bool(self._listening)
        for name in [name for name, found in self._listening.items() if found[2] != primaries.get(name)]:
            self._listening.pop(name)[1].cancel()
        for name, endpoint in primaries.items():
            if name in self._listening:
                listener = self._listening[name][0]
                if name in before and name not in self._away:
                    listener.wake()
                if listener.patterns != patterns:
                    listener.follow(patterns)
                continue
            filled = Tributary(self._feed, f"key events of {name}")
            listener = Listener(endpoint, filled, patterns, doubt=wanted[name].doubt)
            self._listening[name] = (listener, asyncio.create_task(listener.run()), endpoint, filled)
            if was_followed:
                self._feed.mark(safe(f"key events of {name} are followed now; those before are lost"), time.time())
        serving = sum(bool(node.slots) for node in nodes)
        self._feed.coverage = self._coverage(primaries) or _by_chance(self._feed.patterns, serving)

    def retry(self) -> None:
        """Connect now where a connection is lost; what was refused is asked again."""
        for listener, _, _, _ in self._listening.values():
            listener.retry()

    def _coverage(self, primaries: Mapping[str, Endpoint]) -> Coverage | None:
        if not primaries:
            return None
        states = {name: filled.status for name, (_, _, _, filled) in self._listening.items()}
        # What the poller has noticed is so, too, while nothing is told by this connection's silence.
        told = {name: self._away.get(name) or _trouble(status) for name, status in states.items()}
        troubles = (f"{name}: {why}" for name, why in told.items() if why)
        heard = sum(isinstance(status, Live) and name not in self._away for name, status in states.items())
        return Coverage(heard, len(primaries), safe(next(troubles, "")))


def _by_chance(patterns: tuple[bytes, ...], serving: int) -> Coverage | None:
    """What is said of patterns that match key events among others: the one node that is listened to tells its own."""
    if serving < 2 or (wide := _wide(patterns)) is None:
        return None
    return Coverage(1, serving, safe(f"{safe(wide, 40)} hears those of one node, __key* those of all"))


@lru_cache(maxsize=4)
def _wide(patterns: tuple[bytes, ...]) -> bytes | None:
    """The first of the patterns that isn't made for key events, and matches some."""
    return next((name for name in patterns if not is_of_keys(name) and any(map(matching((name,)), _EVENTS))), None)


def _trouble(status: object) -> str:
    if isinstance(status, Lost):
        return status.what
    return f"{status.detail}; {status.remedy}" if isinstance(status, Unavailable) else ""
