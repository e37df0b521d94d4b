"""How many keys a run may name, and how fast, on however many nodes it goes on."""

from __future__ import annotations

from typing import Protocol

from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.invalidation.way_back import Undo
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

_SLICES = 5  # parts of a second that a rate is kept in

GROWTH = 1.1
"""Times the count that a person has agreed to may match before that person is asked again."""


class Judge(Protocol):
    """Judges how it is confirmed that so many keys go in all, and so many of them without being kept for an undo."""

    def __call__(self, keys: int, *, lost: int) -> Verdict: ...


class Bounds:
    """How many keys may go in all, and how many of them without being kept for an undo that was wanted.

    Attributes:
        planned: Keys that the plan found.
        cap: Keys that may go at most.
        agreed: Keys that a person has agreed to let go.
        agreed_lost: Keys that a person has agreed to let go without being kept; None for as many as need be.
        question: What a person was asked last, by whichever part of the run; it names the most keys.
        verdict: How that question is confirmed; None before the first one, or where nobody judges it.
    """

    def __init__(
        self, planned: int, cap: int, again: int = 0, judge: Judge | None = None, undo: Undo | None = None
    ) -> None:
        """Take what a plan allows.

        Args:
            planned: Keys that the plan found.
            cap: Keys that may go at most.
            again: Keys that the run which this one goes on with has given their end, and that match still.
            judge: The verdict on so many keys in all, of which so many are lost.
            undo: What can be taken back, by the verdict that was agreed to; None where any key may go without that.
        """
        self.planned = planned
        self.cap = cap
        self.agreed = planned
        self.agreed_lost = None if undo is None else undo.unkept
        self.question = ""
        self.verdict: Verdict | None = None
        self._judge = judge
        self._undo = undo
        self._asked: tuple[int, int] | None = None  # keys that match, and keys that may go
        self._asked_lost: tuple[int, int] | None = None  # keys that are lost by now, and keys that may be
        self._again = again
        self._matched: dict[str, int] = {}
        self._sooner: dict[str, int] = {}
        self._lost: dict[str, int] = {}

    def judged(self, cap: int, judge: Judge, undo: Undo) -> Bounds:
        """The same of a run that is about to begin: with the cap that holds, who judges, and what may be lost."""
        return Bounds(self.planned, cap, self._again, judge, undo)

    @property
    def said_lost(self) -> int | None:
        """Keys that were said to go without being kept; None for as many as need be."""
        return None if self._undo is None else self._undo.not_kept

    @property
    def unasked(self) -> float:
        """Keys that may match before a person is asked."""
        return max(self.planned * GROWTH, self.agreed) + self._found_again

    @property
    def _found_again(self) -> int:
        return min(self._again, sum(self._sooner.values()))

    @property
    def unanswered(self) -> SafeText:
        """What ends the run where nobody is there to answer its question, and what to do."""
        nobody = f"{self.question} nobody is there to say so, and the run ends"
        if self._asked_lost is None:
            return safe(nobody, 400)
        return safe(f"{nobody}; raise trash_size or trash_key_size, or resume it at a terminal, which asks", 500)

    def as_json(self) -> dict[str, int | None]:
        """For the journal: what was agreed to, by which a resume is bound as well."""
        return {"lost_agreed": self.agreed_lost, "lost_said": self.said_lost, "cap": self.cap}

    def matched(self, run: str, keys: int, sooner: int = 0) -> int:
        """Note that so many match in this run, or part of one; returns how many that are in all.

        ``sooner`` are those of them that have an end before the one that they would be given, or may have one.
        """
        self._matched[run], self._sooner[run] = keys, sooner
        return sum(self._matched.values())

    def lost(self, run: str, keys: int) -> int:
        """Note that so many of this run, or part of one, go without being kept; returns how many in all."""
        self._lost[run] = keys
        return sum(self._lost.values())

    def allows(self, lost: int) -> bool:
        """Whether so many may go without being kept."""
        return self.agreed_lost is None or lost <= self.agreed_lost

    def ask(self, matched: int) -> None:
        """Put the question whether ``matched`` keys may go."""
        # Not asked again for every few keys, nor left alone with whatever comes.
        self._asked = matched, min(2 * matched, self.cap)
        self._put()

    def ask_loss(self, lost: int, *, full: bool) -> None:
        """Put the question whether ``lost`` keys may go without being kept; ``full`` where others follow them."""
        rest = max(0, self.planned - sum(self._matched.values()))
        self._asked_lost = lost, min(lost + (rest if full else min(lost, rest)), self.cap)
        self._put()

    def answer(self, question: str, typed: str) -> bool:
        """Take a yes: whether this is the question that stands, and what was typed confirms it, where it has to be."""
        verdict = self.verdict
        confirms = verdict is None or not verdict.typed or verdict.is_confirmed_by(typed)
        if question != safe(self.question) or not confirms:
            return False
        if self._asked is not None:
            self.agreed = max(self.agreed, self._asked[1])
        if self._asked_lost is not None and self.agreed_lost is not None:
            self.agreed_lost = max(self.agreed_lost, self._asked_lost[1])
        self._asked = self._asked_lost = None
        return True

    @property
    def _said(self) -> str:
        """How many keys were said to go without being kept."""
        lost = self.said_lost or 0
        if not lost:
            return "none were to be lost"
        about = self._undo is not None and self._undo.about
        return f"{'about ' * about}{units.whole(lost)} {'was' if lost == 1 else 'were'} to be lost"

    def _put(self) -> None:
        questions, most, lost = [], max(self.agreed, sum(self._matched.values())), sum(self._lost.values())
        if self._asked is not None:
            matched, most = self._asked
            found, planned = units.keys(matched - self._found_again), units.whole(self.planned)
            questions.append(f"{found} match by now, and the plan said {planned}: go on, up to {units.whole(most)}?")
        if self._asked_lost is not None:
            now, lost = self._asked_lost
            cant = f"{units.keys(now)} can't be kept for the undo (no room, or too big), and {self._said}"
            questions.append(f"{cant}: go on, up to {units.whole(lost)} for good?")
        self.question = " ".join(questions)
        self.verdict = self._judge(most, lost=lost) if self._judge is not None else None


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
