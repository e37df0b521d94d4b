"""How many keys a run may name, and how fast, on however many nodes it goes on."""

from __future__ import annotations

from typing import Protocol

from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.model import units
from pymon_tui.model.text import safe

_SLICES = 5  # parts of a second that a rate is kept in

GROWTH = 1.1
"""Times the count that a person has agreed to may match before that person is asked again."""


class Judge(Protocol):
    """Judges how it is confirmed that so many keys go in all."""

    def __call__(self, keys: int, *, loses: bool) -> Verdict: ...


class Bounds:
    """How many keys may go in all.

    Attributes:
        planned: Keys that the plan found.
        cap: Keys that may go at most.
        agreed: Keys that a person has agreed to let go.
        question: What a person was asked last, by whichever part of the run; it names the most keys.
        verdict: How that question is confirmed; None before the first one, or where nobody judges it.
    """

    def __init__(self, planned: int, cap: int, again: int = 0, judge: Judge | None = None) -> None:
        """Take what a plan allows.

        Args:
            planned: Keys that the plan found.
            cap: Keys that may go at most.
            again: Keys that the run which this one goes on with has given their end, and that match still.
            judge: The verdict on so many keys in all; ``loses`` tells whether some went that weren't kept.
        """
        self.planned = planned
        self.cap = cap
        self.agreed = planned
        self.question = ""
        self.verdict: Verdict | None = None
        self._judge = judge
        self._loses = False
        self._again = again
        self._matched: dict[str, int] = {}
        self._sooner: dict[str, int] = {}

    @property
    def unasked(self) -> float:
        """Keys that may match before a person is asked."""
        return max(self.planned * GROWTH, self.agreed) + self._found_again

    @property
    def _found_again(self) -> int:
        return min(self._again, sum(self._sooner.values()))

    def matched(self, run: str, keys: int, sooner: int = 0) -> int:
        """Note that so many match in this run, or part of one; returns how many that are in all.

        ``sooner`` are those of them that have an end before the one that they would be given, or may have one.
        """
        self._matched[run], self._sooner[run] = keys, sooner
        return sum(self._matched.values())

    def ask(self, matched: int, *, loses: bool = False) -> int:
        """Put the question whether ``matched`` keys may go; returns how many may before it is put again.

        ``loses`` is whether keys go by now that no undo brings back, though one was wanted.
        """
        most = min(2 * matched, self.cap)  # not asked again for every few keys, nor left alone with whatever comes
        found, planned = units.keys(matched - self._found_again), units.whole(self.planned)
        self.question = f"{found} match by now, and the plan said {planned}: go on, up to {units.whole(most)}?"
        self._loses = self._loses or loses
        self.verdict = self._judge(most, loses=self._loses) if self._judge is not None else None
        return most

    def is_confirmed(self, question: str, typed: str) -> bool:
        """Whether this is the question that stands, and what was typed confirms it, where something is to be typed."""
        verdict = self.verdict
        confirms = verdict is None or not verdict.typed or verdict.is_confirmed_by(typed)
        return question == safe(self.question) and confirms


class Rate:
    """Keys a second at most.

    Attributes:
        next_at: When the next key may be named, in monotonic seconds.
    """

    def __init__(self, per_second: float, nodes: int) -> None:
        """``nodes`` share it."""
        self.next_at = 0.0
        self._per_second = per_second
        self._nodes = nodes

    @property
    def most(self) -> int:
        """Keys that may be named at once."""
        return max(1, int(self._per_second / _SLICES / self._nodes))

    def named(self, keys: int, now: float) -> None:
        """Count keys that have just been named."""
        self.next_at = max(now, self.next_at) + keys / self._per_second
