"""The undo of a run that gave keys an end: who still has that end gets the former one back, whatever the value is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from redis.exceptions import ResponseError

from pymon_tui.invalidation.knowing import knowledge_of
from pymon_tui.invalidation.payload import has_ended
from pymon_tui.invalidation.pipe import Answer, Line
from pymon_tui.invalidation.portions import Copy, Portion
from pymon_tui.invalidation.restore_account import Failure, RestoreTally
from pymon_tui.invalidation.returning import NEVER, Returning, Sent, Settled, ends_as
from pymon_tui.journal.records import Record
from pymon_tui.model.text import safe

_GONE = -2
MOVED = 1_000
"""Milliseconds by which MIGRATE may shift an end: it sends what is left of the key's life, by two clocks."""

_SLACK = 2.0  # seconds between what the journal and the server call now


@dataclass(frozen=True, slots=True)
class Window:
    """When the ends are that a run gave whose exact ends aren't known (unix ms, of the clock here)."""

    first: int
    last: int

    @classmethod
    def of(cls, run: Record | None, written: float) -> Self | None:
        """The window of a run; None where the journal doesn't tell.

        Args:
            run: The run, if the journal knows it.
            written: When its trash was written last (unix seconds).
        """
        told = run.started.get("options") if run is not None else None
        if run is None or not isinstance(told, Mapping):
            return None
        expire, jitter = told.get("expire"), told.get("jitter")
        if not isinstance(expire, int | float) or not isinstance(jitter, int | float):
            return None
        began = run.started_at.timestamp()
        seconds = run.result.get("seconds") if run.result is not None else None
        ended = max(written, began + seconds if isinstance(seconds, int | float) else began)
        return cls(int(1000 * (began + expire - _SLACK)), int(1000 * (ended + expire + jitter + _SLACK)))


@dataclass(slots=True, eq=False)
class _Found:
    """Keys of a portion by what is to be done with them."""

    absent: list[Copy]
    given: list[Copy]
    as_it_was: int
    changed: list[Copy]


class Reending(Returning):
    """As ``Returning``, for the trash of an ``expire`` run. A key is known by its end, and never by its value.

    Args:
        compares: Whether a key that has its former end may have been given that by an undo before, or never another.
        window: Where the ends lie of keys whose own isn't known; None where nobody knows.
        slack: Milliseconds by which the end of a key may differ from the one that it was given.
    """

    def __init__(
        self, pipe: Line, *, replace: bool, compares: bool, again: bool, window: Window | None, slack: int = 0
    ) -> None:
        super().__init__(pipe, replace=replace, compares=compares, again=again)
        self._window = window
        self._slack = slack
        self._exact = True  # whether the server knows PEXPIRETIME, which Redis has from 7 on

    async def look_at_the_clock(self) -> None:
        await super().look_at_the_clock()
        self._exact = (await knowledge_of(self._pipe)).ends is not False

    def send(self, portion: Portion) -> Sent:
        """Ask when the keys of a portion end."""
        return Sent(portion, portion.copies, self._ask_ends(portion.copies, exact=self._exact))

    async def settle(self, sent: Sent) -> Settled:
        """Give the keys their ends back, and restore those that have ended by the run."""
        assert sent.answers is not None  # there is no portion without keys
        spans = self._spans(await sent.answers, exact=self._exact)
        command = "PEXPIRETIME" if self._exact else "PTTL"
        refusal = self._refusals.for_all(command, sent.alive, spans)
        if refusal is not None:
            return Settled(RestoreTally(), (), refusal)
        failures = tuple(
            Failure(safe(copy.key), self._refusals.why(command, span))
            for copy, span in zip(sent.alive, spans, strict=True)
            if isinstance(span, ResponseError)
        )
        found = self._sorted(sent.alive, spans)
        tally = self._as_they_were(found.as_it_was).plus(RestoreTally(failed=len(failures)))
        # What was deleted before the end that it was given is not the run's doing.
        now = self.now
        absent = [copy for copy in found.absent if copy.given <= now or has_ended(copy.payload, now)]
        tally = tally.plus(RestoreTally(skipped=len(found.absent) - len(absent)))
        if not self._replace:
            tally = tally.plus(RestoreTally(skipped=len(found.changed)))
        settled = Settled(tally, failures, None).plus(await self._given_back(found.given))
        settled = settled.plus(await self._restored(self._restore(sent.portion, absent, replace=False), of=len(absent)))
        if self._replace:
            changed = self._restore(sent.portion, found.changed, replace=True)
            settled = settled.plus(await self._restored(changed, of=len(found.changed)))
        return settled

    def _sorted(self, copies: Sequence[Copy], spans: Sequence[Answer]) -> _Found:
        found = _Found([], [], 0, [])
        for copy, span in zip(copies, spans, strict=True):
            if isinstance(span, ResponseError):
                continue
            if span == _GONE:
                found.absent.append(copy)
            elif span != NEVER and self._is_given(copy, *span):
                found.given.append(copy)
            elif self._may_be_as_it_was(copy) and ends_as(copy, span):
                found.as_it_was += 1
            else:
                found.changed.append(copy)
        return found

    def _may_be_as_it_was(self, copy: Copy) -> bool:
        """Not if it is known to have been given an end, and no undo may have taken that back."""
        return self._compares or not copy.given

    def _is_given(self, copy: Copy, first: int, last: int) -> bool:
        if copy.given:
            return first - self._slack <= copy.given <= last + self._slack
        window, ahead = self._window, self.now - int(time.time() * 1000)
        earlier = not copy.end or last < copy.end  # a run never gives a later end than there is
        return window is not None and earlier and window.first + ahead <= last and first <= window.last + ahead

    async def _given_back(self, copies: Sequence[Copy]) -> Settled:
        """Give these keys their former ends."""
        if not copies:
            return Settled(RestoreTally(), (), None)
        later = (b"GT",) if self._exact else ()
        answers = await self._ask(
            (b"PEXPIREAT", copy.key, b"%d" % copy.end, *later) if copy.end else (b"PERSIST", copy.key)
            for copy in copies
        )
        failures: list[Failure] = []
        for command, some in (("PEXPIREAT", True), ("PERSIST", False)):
            rows = [(copy, each) for copy, each in zip(copies, answers, strict=True) if bool(copy.end) is some]
            refusal = self._refusals.for_all(command, [copy for copy, _ in rows], [each for _, each in rows])
            if refusal is not None:
                back = sum(each == 1 for each in answers if not isinstance(each, ResponseError))
                return Settled(RestoreTally(restored=back), (), refusal)
            failures += [
                Failure(safe(copy.key), self._refusals.why(command, each))
                for copy, each in rows
                if isinstance(each, ResponseError)
            ]
        # Whoever is gone by now, or was given another end since we looked, is left alone.
        left = sum(each == 0 for each in answers if not isinstance(each, ResponseError))
        back = len(copies) - left - len(failures)
        return Settled(RestoreTally(restored=back, skipped=left, failed=len(failures)), tuple(failures), None)
