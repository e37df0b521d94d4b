"""When a run may name more keys: a person's pause, what other clients feel, a rate, a question that is open."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from pymon_tui.invalidation.account import NOTHING, State
from pymon_tui.invalidation.bounds import Rate
from pymon_tui.invalidation.brake import BEARABLE, FIRST, Brake, Pace
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.model.text import SafeText, safe

_LOOK = 0.5  # seconds between two judgements of the brake
_IDLE = 1.5  # seconds at most for what is felt before a run
_TURN = 0.05  # seconds between two looks at what is waited for
_LATELY = 3.0  # seconds that a speed is taken over


class Cancelled(Exception):  # noqa: N818 - what a person wanted
    """The run is to end."""


class Stopped(Exception):  # noqa: N818 - what was found out
    """The run can't go on. Its text is one line."""


class Pacer:
    """Lets a run through when its time has come, and says what it is waiting for.

    Attributes:
        state: What the run does.
        doing: What it does where nothing holds it up: it removes, or counts what is left.
        why: Why it does that, where it isn't plain.
        pulse: What other clients feel.
        pace: What the brake allows.
        idle_p99: What their PING took before the run, in seconds; None where it is unknown.
        cancelled: Whether the run is to end.
        ended_by: Why it is, where nobody wanted that; else empty.
    """

    def __init__(self, pulse: Pulse, ceiling: float, rate: Rate | None) -> None:
        self.state: State = "starting"
        self.doing: State = "running"
        self.why: SafeText = NOTHING
        self.pulse = pulse
        self.pace = Pace(FIRST, 0.0, hold=False, why=NOTHING)
        self.idle_p99: float | None = None
        self.paused = False
        self._ceiling = ceiling
        self._rate = rate
        self._brake: Brake | None = None
        self._judged_at = 0.0
        self.cancelled = False
        self.ended_by = ""
        self._answered = False
        self._named: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    @property
    def limit(self) -> float | None:
        """Seconds that PING's p99 is to stay under; None before the start."""
        return self._brake.limit if self._brake is not None else None

    @property
    def bearable(self) -> float:
        """Seconds that the server may be held up for again and again without anybody's PING being over the ceiling."""
        return BEARABLE * self._ceiling

    @property
    def most(self) -> int | None:
        """Keys that may be named at once so that the rate is kept; None without one."""
        return None if self._rate is None else self._rate.most

    @property
    def speed(self) -> float:
        """Keys named in a second, lately."""
        (first, before), (_, now) = self._named[0], self._named[-1]
        seconds = time.monotonic() - first
        return (now - before) / seconds if seconds > 0 else 0.0

    def cancel(self, why: str = "") -> None:
        """Raise Cancelled where the run next asks, or Stopped where there is a reason that nobody has chosen."""
        self.cancelled, self.ended_by = True, why

    def answer(self) -> None:
        """Somebody has answered the open question with yes."""
        self._answered = True

    async def feel_idle(self, *, brief: bool = False) -> None:
        """Wait until it is known what the server's clients feel without the run, or can't be.

        A ``brief`` run, which is over before the brake could act, waits only until it is known whether anything can be
        felt: it begins at the first pace, and is judged from the first feeling on.
        """
        while self.pulse.is_on_its_way:
            await self._turn()
        until = time.monotonic() + _IDLE
        while self._is_felt_soon and not brief and time.monotonic() < until:
            await self._turn()
        if not brief or self._is_felt:
            self._refer()
        self.state = self.doing

    async def gate(self) -> None:
        """Wait until keys may be named.

        Raises:
            Cancelled: If the run is to end.
        """
        began = time.monotonic()
        while True:
            self._judge()
            rated = self._rate.next_at if self._rate is not None else 0.0
            left = max(began + self.pace.pause, rated) - time.monotonic()
            if self.paused:
                self.state, self.why = "paused", safe("paused by you")
            elif self.pace.hold:
                self.state, self.why = "holding", self.pace.why
            else:
                self.state, self.why = self.doing, self.pace.why
                if left <= 0:
                    break
            await self._turn(left if left > 0 else _TURN)
        if self.cancelled:
            raise self._end

    async def ask(self, question: str, is_open: Callable[[], bool]) -> None:
        """Wait until somebody says yes, here or where the same was asked: then the question isn't open any more.

        Raises:
            Cancelled: If the run is to end.
        """
        self._answered = False
        self.state, self.why = "asking", safe(question)
        while not self._answered and is_open():
            await self._turn()
        self.state, self.why = self.doing, NOTHING

    async def wait(self, seconds: float) -> None:
        """Wait for something that takes its time.

        Raises:
            Cancelled: If the run is to end.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await self._turn(left)

    def named(self, keys: int) -> None:
        """Count keys that have just been named."""
        now = time.monotonic()
        self._named.append((now, self._named[-1][1] + keys))
        while self._named[0][0] < now - _LATELY and len(self._named) > 2:
            self._named.popleft()
        if self._rate is not None:
            self._rate.named(keys, now)

    @property
    def _is_felt_soon(self) -> bool:
        return self.pulse.feeling.ping_p99 is None and not self.pulse.feeling.shared

    @property
    def _is_felt(self) -> bool:
        return bool(self.pulse.feeling.looks) or self.pulse.feeling.ping_p99 is not None

    def _refer(self) -> None:
        """Take what is felt for what is felt without the run."""
        self.idle_p99 = self.pulse.feeling.ping_p99
        self._brake = Brake(self.pulse.reference, self._ceiling)
        self.pace = self._brake.first

    def _judge(self) -> None:
        if self._brake is None and self.state != "starting" and self._is_felt:
            self._refer()
        now = time.monotonic()
        if self._brake is None or now - self._judged_at < _LOOK:
            return
        self._judged_at = now
        before, self.pace = self.pace, self._brake.pace(self.pulse.feeling)
        if self.pace.page < before.page or self.pace.pause > before.pause:
            self.pulse.forget()

    async def _turn(self, longest: float = _TURN) -> None:
        if self.cancelled:
            raise self._end
        await asyncio.sleep(min(longest, _TURN))

    @property
    def _end(self) -> Cancelled | Stopped:
        return Stopped(self.ended_by) if self.ended_by else Cancelled()
