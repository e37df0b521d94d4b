"""What another client of the server feels during a run: PINGs on a connection of its own, and a look at INFO."""

from __future__ import annotations

import asyncio
import math
import random
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from time import monotonic

from pymon_tui.invalidation.brake import Feeling
from pymon_tui.invalidation.memory import Memory, evicted_of
from pymon_tui.invalidation.packing import pack, pack_all
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.model.link import Trouble
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.replication import parse_replication
from pymon_tui.server.backoff import backoff
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.ssh_process import NoTunnel
from pymon_tui.server.tunnel import Tunnel, tunnel_to

BEAT = 0.01
"""Seconds between two PINGs: 100 of them a second cost the server a ten-thousandth of a core."""

WINDOW = 1.5
"""Seconds that a percentile is taken over: long enough for a hundred answers, short enough to act on."""

_LOOK = 1.0  # seconds between two looks at INFO
_SOON = 0.3  # seconds until the second look: what is evicted before a run is known by its start
_TURN = 0.05  # seconds between two looks whether it is to end
_ENOUGH = 0.4  # seconds of answers that make a percentile: forty, and few where each is waited for long
_SWITCH = 0.001  # seconds until a thread that wants to run is let run; five times that is Python's default
_interval = sys.getswitchinterval()  # before the first of them
_PING = pack(b"PING")
_ASKED = [(b"INFO", b"replication"), (b"INFO", b"memory"), (b"INFO", b"clients"), (b"INFO", b"stats")]
_ASKED_BEHIND_SSH = [*_ASKED, (b"INFO", b"commandstats")]
_OF_A_PAGE = (
    "scan",
    "unlink",
    "del",
    "dump",
    "pttl",
    "expire",
    "pexpire",
    "pexpireat",
    "exists",
    "type",
    "memory|usage",
    "memory",  # the same before Redis 7
    "object|idletime",
    "object",
)


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
        is_on_its_way: Whether it isn't known yet if ssh has a line of its own for it.
        unjudged: Why what others feel couldn't be told for some of the time; empty where it could.
        least: Seconds that the quickest PING took; None before there was one.
        most: Seconds that the slowest one took, but for the first on a connection; None before there was one.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.feeling = Feeling()
        self.role = ""
        self.is_on_its_way = endpoint.via is not None
        self.unjudged: SafeText = safe("")
        self.least: float | None = None
        self.most: float | None = None
        self._endpoint = endpoint
        self._is_refused = False
        self._evicted: tuple[int, float] | None = None  # keys and when, as of the last look
        self._spent = (0, 0.0)  # pages and seconds, as of the last look
        self._seen: deque[tuple[float, float]] = deque()
        self._felt_since = 0.0
        self._begun = self._ended = self._forgets = False

    @contextmanager
    def beating(self) -> Iterator[Pulse]:
        """Feel it for as long as the context lasts; where it is felt already, for as long as it is."""
        if self._begun:
            yield self
            return
        self._begun = True
        thread = threading.Thread(target=asyncio.run, args=(self._until_ended(),), name="pulse", daemon=True)
        with _switching():
            thread.start()
            try:
                yield self
            finally:
                self._ended = True

    def forget(self) -> None:
        """Feel anew: what was felt until now came of another pace."""
        self._forgets = True

    @property
    def reference(self) -> Feeling:
        """What is felt without a run, as far as that is known by now: by few PINGs, where there are no more.

        The median is that of the quickest: a plan that is made meanwhile makes others wait, and the way no longer.
        """
        felt = self.feeling
        if felt.shared:
            return felt
        p99 = felt.ping_p99 if felt.ping_p99 is not None else self.most
        return replace(felt, ping_p99=p99, ping_p50=self.least if self.least is not None else felt.ping_p50)

    async def _until_ended(self) -> None:
        beating = asyncio.create_task(self._beat())
        while not self._ended and not beating.done():
            await asyncio.wait([beating], timeout=_TURN)
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating

    async def _beat(self) -> None:
        lane = tunnel_to(replace(self._endpoint, apart=True))
        if lane is None:
            await _again_and_again(partial(open_pipe, self._endpoint), self._feel)
            return
        with lane.held():
            await _again_and_again(partial(self._open_beside, lane), self._feel)

    async def _open_beside(self, lane: Tunnel) -> Pipe:
        """A connection that goes beside the run's, or through the same ssh where there is no other.

        Raises:
            LinkError: If the server isn't reached.
        """
        has_lane = await self._has(lane)
        pipe = await open_pipe(replace(self._endpoint, apart=has_lane))
        self.feeling = Feeling(shared=not has_lane)
        return pipe

    async def _has(self, lane: Tunnel) -> bool:
        if self._is_refused:
            return False
        try:
            await lane.socket(self._endpoint.connect_timeout)
        except NoTunnel as error:
            self._is_refused = error.failure.trouble is Trouble.REFUSED  # each try may count for a lock there
            self.unjudged = safe(f"the ceiling wasn't judged: PINGs had no ssh of their own: {error.failure.what}")
            return False
        finally:
            self.is_on_its_way = False
        return True

    async def _feel(self, pipe: Pipe) -> None:
        try:
            await self._ask(pipe, shares=self.feeling.shared)
        except LinkError:
            self._lose()
            raise

    async def _ask(self, pipe: Pipe, *, shares: bool) -> None:
        looked = 0.0
        asked = _ASKED if self._endpoint.via is None else _ASKED_BEHIND_SSH
        beat = _LOOK if shares else BEAT
        while True:
            began = monotonic()
            await pipe.ask(_PING, 1)
            now = monotonic()
            if not shares:
                self._note(now, now - began)
            if now - looked >= (_SOON if self.feeling.looks == 1 else _LOOK):
                texts = [answer for answer in await pipe.ask(pack_all(asked), len(asked)) if isinstance(answer, bytes)]
                looked = now if texts else math.inf  # who may not know is an entry in the ACL LOG each time it asks
                self._look(b"\r\n".join(texts))
            await asyncio.sleep(max(0.0, began + beat - monotonic()))

    def _note(self, now: float, seconds: float) -> None:
        seen = self._seen
        if self._forgets:
            self._forgets = False
            self._seen.clear()
            self.feeling = replace(self.feeling, ping_p99=None, ping_p50=None)
        self.least = min(seconds, self.least or seconds)
        if seen:
            self.most = max(seconds, self.most or 0.0)
        else:
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
            held=self._held(info),
            memory=Memory.of(info),
            evicting=self._evicting(info),
            looks=self.feeling.looks + 1,
        )

    def _evicting(self, info: Info) -> float | None:
        before, evicted = self._evicted, evicted_of(info)
        self._evicted = (evicted, monotonic()) if evicted is not None else None
        if before is None or self._evicted is None or self._evicted[0] < before[0]:  # its statistics were reset
            return None
        return (self._evicted[0] - before[0]) / max(_TURN, self._evicted[1] - before[1])

    def _held(self, info: Info) -> float | None:
        """How long the server was at a page since the last look: ssh, and the line it takes, delay a PING as well."""
        known = [found for name in _OF_A_PAGE if (found := info.statistic(name)) is not None]
        pages, spent = (info.statistic("scan") or (0, 0))[0], sum(usec for _, usec in known) / 1e6
        (pages_before, spent_before), self._spent = self._spent, (pages, spent)
        if self._endpoint.via is None or not 0 < pages_before < pages:
            return None
        return (spent - spent_before) / (pages - pages_before)

    def _lose(self) -> None:
        """Nothing is felt any more; what was last felt must not hold a run up for ever."""
        self._seen.clear()
        self._evicted = None
        self.feeling = Feeling()


async def _again_and_again(opens: Callable[[], Awaitable[Pipe]], work: Callable[[Pipe], Awaitable[None]]) -> None:
    """Do work that knows no end on a connection, and on another whenever that is lost."""
    tries, dice = 0, random.Random()
    while True:
        try:
            pipe = await opens()
            tries = 0
            try:
                await work(pipe)
            finally:
                await pipe.close()
        except LinkError as error:
            tries += 1
            await asyncio.sleep(backoff(error.trouble, tries, dice))


def _whole(info: Info, field: str) -> int:
    return info.integer(field) or 0
