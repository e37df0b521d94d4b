"""What was just done to sessions and hasn't been read anew: with many of them, each has its turn only in a while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pymon_tui.application.sessions import Header, Life
from pymon_tui.ui.panes.sessions.rows import Lives


class Meanwhile:
    """What is known better than by the last answer, until there is a newer one."""

    def __init__(self) -> None:
        self._ended: dict[bytes, Header] = {}
        self._extended: dict[bytes, tuple[object, Life]] = {}

    def end(self, keys: Iterable[bytes], headers: Mapping[bytes, Header]) -> None:
        """These sessions have ended."""
        self._ended |= {key: headers[key] for key in keys if key in headers}

    def extend(self, key: bytes, life: Life, lives: Lives) -> None:
        """This session lives at least so long."""
        before = lives.get(key)
        if not isinstance(before, Life) or (before.pttl is not None and _end(before) < _end(life)):
            self._extended[key] = before, life

    def headers(self, headers: Mapping[bytes, Header]) -> Mapping[bytes, Header]:
        """What was answered, without what has ended since."""
        self._ended = {key: header for key, header in self._ended.items() if headers.get(key) is header}
        return {key: header for key, header in headers.items() if key not in self._ended} if self._ended else headers

    def lives(self, lives: Lives) -> Lives:
        """What was answered, and what was extended since."""
        self._extended = {key: both for key, both in self._extended.items() if lives.get(key) is both[0]}
        return {**lives, **{key: life for key, (_, life) in self._extended.items()}} if self._extended else lives


def _end(life: Life) -> float:
    return life.at + (life.pttl or 0) / 1000
