"""The undo of a run that gave keys an end: who still has that end gets the former one back, whatever the value is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from redis.exceptions import ResponseError

from pymon_tui.invalidation.knowing import knowledge_of
from pymon_tui.invalidation.payload import has_ended
from pymon_tui.invalidation.pipe import Answer, Line
from pymon_tui.invalidation.portions import Copy, Portion
from pymon_tui.invalidation.restore_account import Failure, RestoreTally
from pymon_tui.invalidation.returning import NEVER, Returning, Sent, Settled, ends_as
from pymon_tui.invalidation.trash_format import HAS_FORMER, IS_OTHERS, State
from pymon_tui.journal.records import Record
from pymon_tui.model.text import safe

_GONE = -2
MOVED = 1_000
"""Milliseconds by which MIGRATE may shift an end: it sends what is left of the key's life, by two clocks."""

_SURE = 1_000  # milliseconds before its end in which it isn't certain that a key was gone before that
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
    """Keys of a portion by what is to be done with them: ``gone`` are those that others removed."""

    absent: list[Copy] = field(default_factory=list)
    gone: list[Copy] = field(default_factory=list)
    given: list[Copy] = field(default_factory=list)
    as_it_was: list[Copy] = field(default_factory=list)
    changed: list[Copy] = field(default_factory=list)
    expired: int = 0


class Reending(Returning):
    """As ``Returning``, for the trash of an ``expire`` run. A key is known by its end, and never by its value.

    Args:
        compares: Whether a key that has its former end may have been given that by an undo before, or never another.
        elsewhere: Whether this may be another server than the one that the run was on.
        window: Where the ends lie of keys whose own isn't known; None where nobody knows.
        marked: Whether the trash tells which keys were given an end at all, and which.
        unnoted: Whether notes of earlier undos are lost. A missing key without a note isn't restored then.
        slack: Milliseconds by which the end of a key may differ from the one that it was given.
    """

    def __init__(
        self,
        pipe: Line,
        *,
        replace: bool,
        compares: bool,
        again: bool,
        elsewhere: bool,
        window: Window | None,
        marked: bool = True,
        unnoted: bool = False,
        slack: int = 0,
    ) -> None:
        super().__init__(pipe, replace=replace, compares=compares, again=again)
        self._elsewhere = elsewhere
        self._window, self._marked, self._unnoted = window, marked, unnoted
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
        spans = await self._told(sent.alive, sent.answers, exact=self._exact)
        self._exact = (await knowledge_of(self._pipe)).ends is not False  # the first portion goes alone
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
        settled = Settled(RestoreTally(failed=len(failures)), failures, None).plus(self._left(found))
        settled = settled.plus(await self._given_back(found.given))
        if self._replace:
            return settled.plus(await self._replaced(sent.portion, [*found.absent, *found.changed]))
        absent = self._restore(sent.portion, found.absent, replace=False)
        return settled.plus(await self._restored(absent, of=len(found.absent)))

    def _left(self, found: _Found) -> Settled:
        """What needs nothing: keys that have their former end, and those of others, which stay as they are."""
        states = dict.fromkeys((copy.place for copy in found.as_it_was), HAS_FORMER)
        states |= dict.fromkeys((copy.place for copy in found.gone if self._due(copy) > self.now + _SURE), IS_OTHERS)
        skipped = len(found.gone)
        if not self._replace:
            skipped += len(found.changed)
            # Where the end isn't known that the run gave it, it may be the run's all the same.
            others = (copy.place for copy in found.changed if copy.given or not self._marked)
            states |= dict.fromkeys(others, IS_OTHERS)
        tally = self._as_they_were(len(found.as_it_was)).plus(RestoreTally(skipped=skipped, expired=found.expired))
        return Settled(tally, (), None, states)

    async def _replaced(self, portion: Portion, copies: Sequence[Copy]) -> Settled:
        """Bring these back, whatever others made of them."""
        sent = self._restore(portion, copies, replace=True)
        settled = await self._restored(sent, of=len(copies))
        are_back = not settled.failures and settled.refusal is None
        return replace(settled, found=dict.fromkeys((copy.place for copy in sent.alive if are_back), HAS_FORMER))

    def _sorted(self, copies: Sequence[Copy], spans: Sequence[Answer]) -> _Found:
        found = _Found()
        for copy, span in zip(copies, spans, strict=True):
            if isinstance(span, ResponseError):
                continue
            if span == _GONE:
                self._sort_absent(copy, found)
            elif span != NEVER and self._is_given(copy, *span):
                found.given.append(copy)
            elif self._may_be_as_it_was(copy) and ends_as(copy, span):
                found.as_it_was.append(copy)
            else:
                found.changed.append(copy)
        return found

    def _sort_absent(self, copy: Copy, found: _Found) -> None:
        """What was deleted before the end that it was given, or had that no more, is gone by another's doing."""
        now = self.now
        if self._unnoted and not copy.found and not self._replace:
            found.gone.append(copy)
        elif self._is_known(copy):
            if copy.found == HAS_FORMER and 0 < copy.end <= now:
                found.expired += 1
            else:
                found.gone.append(copy)
        elif self._due(copy) <= now or has_ended(copy.payload, now):
            found.absent.append(copy)
        else:
            found.gone.append(copy)

    def _due(self, copy: Copy) -> int:
        """The end that it was given; where that isn't known, the first that it can be."""
        if copy.given or self._window is None or not self._marked:
            return copy.given
        return self._window.first + self.now - int(time.time() * 1000)

    def _is_known(self, copy: Copy) -> bool:
        """Whether an undo before found that the end that the run gave it is no more, which is to be kept to."""
        if self._replace:
            return False
        return copy.found == IS_OTHERS or (copy.found == HAS_FORMER and not self._elsewhere)

    def _may_be_as_it_was(self, copy: Copy) -> bool:
        """Not if others changed it, or it is known to have been given an end that no undo may have taken back."""
        return copy.found == HAS_FORMER or (copy.found != IS_OTHERS and (self._compares or not copy.given))

    def _is_given(self, copy: Copy, first: int, last: int) -> bool:
        if copy.given:
            return first - self._slack <= copy.given <= last + self._slack
        if self._marked:
            return False  # others may have given it any end
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
        states: dict[tuple[int, int], State] = {}
        for copy, each in zip(copies, answers, strict=True):
            if not isinstance(each, ResponseError):
                states[copy.place] = HAS_FORMER if each == 1 else IS_OTHERS
        back = sum(state == HAS_FORMER for state in states.values())
        tally = RestoreTally(restored=back, skipped=len(states) - back, failed=len(failures))
        return Settled(tally, tuple(failures), None, states)
