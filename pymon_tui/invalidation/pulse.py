"""What another client of the server feels during a run: PINGs on a connection of its own, and a look at INFO."""

from __future__ import annotations

import asyncio
import math
import random
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

from pymon_tui.invalidation.brake import Feeling
from pymon_tui.invalidation.pipe import Pipe, open_pipe, pack, pack_all
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.replication import parse_replication
from pymon_tui.server.backoff import backoff
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError

BEAT = 0.01
"""Seconds between two PINGs: 100 of them a second cost the server a ten-thousandth of a core."""

WINDOW = 1.5
"""Seconds that a percentile is taken over: long enough for a hundred answers, short enough to act on."""

_LOOK = 1.0  # seconds between two looks at INFO
_TURN = 0.05  # seconds between two looks whether it is to end
_ENOUGH = 0.4  # seconds of answers that make a percentile: forty, and few where each is waited for long
_SWITCH = 0.001  # seconds until a thread that wants to run is let run; five times that is Python's default
_interval = sys.getswitchinterval()  # before the first of them
_ASKED = pack_all([(b"INFO", b"replication"), (b"INFO", b"memory"), (b"INFO", b"clients")])


_switchers = 0  # pulses that are felt: a run on several nodes feels that of each


@contextmanager
def _switching() -> Iterator[None]:
    """Let threads take turns quickly, for as long as any pulse is felt."""
    global _switchers, _interval  # noqa: PLW0603 - the interval is the process's
    if not _switchers:
        _interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)
    _switchers += 1
    try:
        yield
    finally:
        _switchers -= 1
        if not _switchers:
            sys.setswitchinterval(_interval)


class Pulse:
    """Feels the server's pulse from a thread of its own.

    In the loop of the run, an answer would wait for the run's own work to be measured, and that work would slow the
    run down.

    Attributes:
        feeling: The newest; replaced as a whole, never changed.
        role: ``master`` or ``slave``, as of the last look; empty while unknown.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.feeling = Feeling()
        self.role = ""
        self._endpoint = endpoint
        self._seen: deque[tuple[float, float]] = deque()
        self._felt_since = 0.0
        self._ended = self._forgets = False

    @contextmanager
    def beating(self) -> Iterator[Pulse]:
        """Feel it for as long as the context lasts."""
        thread = threading.Thread(target=asyncio.run, args=(self._beat(),), name="pulse", daemon=True)
        with _switching():
            thread.start()
            try:
                yield self
            finally:
                self._ended = True

    def forget(self) -> None:
        """Feel anew: what was felt until now came of another pace."""
        self._forgets = True

    async def _beat(self) -> None:
        tries, next_try, dice = 0, 0.0, random.Random()
        while not self._ended:
            if monotonic() < next_try:
                await asyncio.sleep(_TURN)
                continue
            try:
                pipe = await open_pipe(self._endpoint)
                tries = 0
                try:
                    await self._feel(pipe)
                finally:
                    await pipe.close()
            except LinkError as error:
                self._lose()
                tries += 1
                next_try = monotonic() + backoff(error.trouble, tries, dice)

    async def _feel(self, pipe: Pipe) -> None:
        ping, looked = pack(b"PING"), 0.0
        while not self._ended:
            began = monotonic()
            await pipe.ask(ping, 1)
            now = monotonic()
            self._note(now, now - began)
            if now - looked >= _LOOK:
                texts = [answer for answer in await pipe.ask(_ASKED, 3) if isinstance(answer, bytes)]
                looked = now if texts else math.inf  # who may not know is an entry in the ACL LOG each time it asks
                self._look(b"\r\n".join(texts))
            await asyncio.sleep(max(0.0, began + BEAT - monotonic()))

    def _note(self, now: float, seconds: float) -> None:
        seen = self._seen
        if self._forgets:
            self._forgets = False
            self._seen.clear()
            self.feeling = replace(self.feeling, ping_p99=None, ping_p50=None)
        if not seen:
            self._felt_since = now - seconds
        seen.append((now, seconds))
        while seen[0][0] < now - WINDOW:
            seen.popleft()
        if now - self._felt_since >= _ENOUGH:
            ordered = sorted(seconds for _, seconds in seen)
            p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
            self.feeling = replace(self.feeling, ping_p99=p99, ping_p50=ordered[len(ordered) // 2])

    def _look(self, text: bytes) -> None:
        if not text:
            return
        info = parse_info(text)
        self.role = info.text("role") or ""
        self.feeling = replace(
            self.feeling,
            lag=parse_replication(info).lag_bytes,
            lazyfree=_whole(info, "lazyfree_pending_objects"),
            blocked=_whole(info, "blocked_clients"),
        )

    def _lose(self) -> None:
        """Nothing is felt any more; what was last felt must not hold a run up for ever."""
        self._seen.clear()
        self.feeling = Feeling()


def _whole(info: Info, field: str) -> int:
    return info.integer(field) or 0
