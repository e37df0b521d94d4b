"""How fast a run may go: page size and pauses from what other clients feel and what the server has to digest."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.invalidation.evictions import Evictions
from pymon_tui.invalidation.memory import Memory
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

SMALLEST, FIRST, LARGEST = 250, 1_000, 4_000
"""Keys of a page (SCAN's COUNT): the least that the brake goes down to, what it begins with, and the most.

Smaller pages than that hold nobody up less, and cost both sides more.
"""

FIRST_AFAR = 2_500
"""Keys of the first page at most where the server is far away: a page is asked for only once the last has come."""

LAG = 64 * 2**20
"""Bytes that replicas may fall further behind; the server cuts a replica off at 256 MB by default."""
LAZYFREE = 200_000
"""Objects that may wait to be freed (``lazyfree_pending_objects``) before they are waited for."""
BLOCKED = 20
"""Clients that may block beyond those that did at the start (``blocked_clients``)."""

BEARABLE = 0.7
"""The share of the ceiling that others may wait for again and again: there is room for what comes between two looks."""

_NEAR = 0.0005  # seconds of a round trip that ``FIRST`` keys are enough for: the server is about as long at them
_LONGEST_PAUSE = 0.25
_FIRST_PAUSE = 0.001
_SLIGHT = 0.5  # of the ceiling: a page that holds the server up for less isn't why others wait for longer than that
_STEEPEST = 1.5  # times as many keys as before, at most, while a server far away is felt out


@dataclass(frozen=True, slots=True)
class Feeling:
    """What the server's other clients feel at one moment, and what it has to digest.

    Attributes:
        ping_p99: Seconds, over the last second or two; None before there are enough answers.
        lag: Bytes that the slowest replica is behind; None without replicas.
        lazyfree: Objects that wait to be freed (``lazyfree_pending_objects``).
        blocked: Clients in a blocking command (``blocked_clients``).
        ping_p50: Seconds, the median of the same answers.
        shared: Whether a PING would wait behind the run's own bytes on their way: it tells nothing then, and isn't
            told.
        memory: Of the server, as of the last look; None before there was one.
        evicting: Keys evicted in a second, between the last two looks (``evicted_keys``); None where that isn't known.
        looks: How many times INFO was asked, so that a new look can be told from the last.
        held: Seconds that the server itself lately took for all that is asked about a page, on average; None where
            that isn't known, or isn't needed to judge a PING.
    """

    ping_p99: float | None = None
    lag: int | None = None
    lazyfree: int = 0
    blocked: int = 0
    ping_p50: float | None = None
    shared: bool = False
    held: float | None = None
    memory: Memory | None = None
    evicting: float | None = None
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """What the brake allows now.

    Attributes:
        page: Keys to look at for one page.
        pause: Seconds to wait after each page.
        hold: Whether nothing is to be removed until the next look.
        why: What it does and for what reason; empty when it doesn't brake.
        share: Of the room that replies may take on the server, from 0 to 1.
    """

    page: int
    pause: float
    hold: bool
    why: SafeText
    share: float = 1.0


def first_page(round_trip: float | None) -> int:
    """Keys of a page before it is felt what one does to others, by the seconds of a round trip; None if unknown."""
    return max(FIRST, min(FIRST_AFAR, int(FIRST * (round_trip or 0.0) / _NEAR)))


class Brake:
    """Slows down quickly and speeds up slowly, as a sender on a shared line does."""

    def __init__(self, idle: Feeling, ceiling: float) -> None:
        """Begin from what was felt before the run; ``ceiling`` is the seconds that PING's p99 may rise by."""
        self._idle = idle
        self._slight = _SLIGHT * ceiling
        self._limit = (idle.ping_p99 or 0.0) + ceiling
        self._aim = (idle.ping_p99 or 0.0) + BEARABLE * ceiling
        self._page = first_page(idle.ping_p50)
        self._pause = 0.0
        self._holding = ""
        self._evictions = Evictions(idle.evicting or 0.0)
        self._feels_out = (idle.ping_p50 or 0.0) > _NEAR  # until it has been too much once

    @property
    def first(self) -> Pace:
        """What it allows before anything is felt of the run."""
        return Pace(self._page, self._pause, hold=False, why=safe(""))

    @property
    def limit(self) -> float:
        """Seconds that PING's p99 is to stay under."""
        return self._limit

    def pace(self, felt: Feeling) -> Pace:
        """Judge what is felt now. To be called once for each new feeling, a few times a second."""
        evicted = self._evictions.judge(felt.evicting, felt.looks)
        share = self._evictions.share
        self._holding = self._held(felt)
        if holding := self._holding or evicted:
            return Pace(self._page, self._pause, hold=True, why=safe(f"holding: {holding}"), share=share)
        strained = felt.blocked - self._idle.blocked > BLOCKED
        over = felt.ping_p99 is not None and felt.ping_p99 > self._limit
        elsewhere = over and felt.held is not None and felt.held < self._slight
        if strained or (over and not elsewhere):
            self._slow_down(felt.ping_p99 if over else None)
        elif felt.shared or elsewhere:
            self._be_careful(FIRST if felt.shared else max(FIRST, self._page))
        elif felt.ping_p99 is not None and felt.ping_p99 < self._aim:
            self._speed_up(felt.ping_p99)
        return Pace(self._page, self._pause, hold=False, why=self._why(felt, over=over, strained=strained), share=share)

    def _held(self, felt: Feeling) -> str:
        # What is being held is waited for until half of it is done, lest it start and stop all the time.
        share = 0.5 if self._holding else 1.0
        lag = (felt.lag or 0) - (self._idle.lag or 0)
        if lag > LAG * share:
            return f"a replica is {units.bytes_(felt.lag)} behind"
        if felt.lazyfree > LAZYFREE * share:
            return f"{units.count(felt.lazyfree)} objects wait to be freed"
        return ""

    def _slow_down(self, p99: float | None) -> None:
        """To what would have been felt little enough of, and by no more than half; by half where p99 isn't why."""
        self._feels_out = False
        if self._page > SMALLEST:
            share = 0.5 if p99 is None else max(0.5, self._share(p99))
            self._page = max(SMALLEST, int(self._page * share))
        else:
            self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, self._pause * 2))

    def _speed_up(self, p99: float) -> None:
        if self._pause:
            self._pause = self._pause / 2 if self._pause > _FIRST_PAUSE else 0.0
        elif self._feels_out:
            # Each page there costs a round trip: smaller ones than need be are felt in the run's time from the first.
            self._page = min(LARGEST, int(self._page * min(_STEEPEST, self._share(p99))))
        else:
            self._page = min(LARGEST, self._page + self._page // 10)

    def _be_careful(self, most: int) -> None:
        """Towards what a run begins with, and no further: nobody would tell if that was too much."""
        self._pause = self._pause / 2 if self._pause > _FIRST_PAUSE else 0.0
        self._page = min(most, self._page + self._page // 10)

    def _share(self, p99: float) -> float:
        """The share of a page that would be felt as much as is aimed at: the longer a page, the longer a PING waits."""
        idle = self._idle.ping_p99 or 0.0
        felt = p99 - idle
        return (self._aim - idle) / felt if felt > 0 else _STEEPEST

    def _why(self, felt: Feeling, *, over: bool, strained: bool) -> SafeText:
        what = f"page {self._page}" + (f", pausing {units.milliseconds(self._pause)}" if self._pause else "")
        if over:
            ping = f"{what}: PING p99 is {units.milliseconds(felt.ping_p99)}"
            return safe(f"{ping}, a page takes {units.milliseconds(felt.held)}" if felt.held is not None else ping)
        if strained:
            return safe(f"{what}: {felt.blocked} clients block, {self._idle.blocked} did before")
        if felt.shared:
            return safe(f"{what}: PINGs share the run's ssh, and can't be judged")
        return safe(what if self._page < FIRST or self._pause else "")
