"""A run's entries in the journal: never behind by more than they say."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any

from pymon_tui.invalidation.account import LISTED, Result, Tally
from pymon_tui.invalidation.blocking import to_its_end
from pymon_tui.invalidation.bounds import GROWTH
from pymon_tui.invalidation.copies import Weighed
from pymon_tui.invalidation.sweep import Place
from pymon_tui.journal.journal import Journal

ALLOWANCE = 250_000
"""Keys that a run may name between two entries: a run that is killed is known to have removed no more than those."""

PERIOD = 2.0
"""Seconds between two entries at most, while keys are named."""


class Ledger:
    """Counts what becomes of the keys, and writes it down before more is done than the last entry allows.

    Without a journal it only counts: a dry run leaves no trace, and needs no folder for one.

    Attributes:
        tally: The counts so far.
        undo_left_out: Keys that went without being kept.
        refused_keys: Some of those that our user may not touch.
        oversized_keys: Some of those that went though they were too big to be kept.
        place: Where the pass goes on.
        trash_bytes: Of the trash file.
        unknown: Keys whose answers were lost.
        unknown_unkept: Those of them that aren't kept, though there is a trash.
        run: The id of the run, or of the part of one.
        places: Where in the trash the keys are whose answers were lost: block and index.
        ends: The ends that those keys were to be given (unix ms), where they are known.
        unkept: Keys that were named without being kept, though there is a trash.
        unknown_oversized: Those of them that are too big to be kept.
        weighed: What the keys took that were asked about before they went.
        done: Keys that are there, accounted for and behind ``place``: found again once the line is back, and left out.
    """

    def __init__(self, run: str, journal: Journal | None, place: Place, planned: int | None = None) -> None:
        """``planned`` keys are expected; where more turn up, entries come oftener. None where that isn't known."""
        self.tally = Tally()
        self.undo_left_out = 0
        self.refused_keys: list[bytes] = []
        self.oversized_keys: list[bytes] = []
        self.place = place
        self.trash_bytes = 0
        self.unknown: list[bytes] = []
        self.unkept = 0
        self.unknown_unkept: frozenset[bytes] = frozenset()
        self.unknown_oversized: frozenset[bytes] = frozenset()
        self.weighed = Weighed()
        self.places: dict[bytes, tuple[int, int]] = {}
        self.ends: dict[bytes, int] = {}
        self.done: set[bytes] = set()
        self._since: set[bytes] = set()  # accounted for and there, since the pass was at `place`
        self.run = run
        self._journal = journal
        self._named = 0
        self._expected = () if planned is None else (planned, ceil(planned * GROWTH))
        self._allowed = self._most
        self._unkept_allowed = 0
        self._written_at = time.monotonic()

    @property
    def standing(self) -> tuple[Place, int]:
        """How far the run is: it stays equal for as long as nothing is done."""
        return self.place, self.tally.removed

    async def start(self, told: Mapping[str, Any]) -> None:
        """Write down that the run begins, and with what.

        Raises:
            JournalError: If that can't be done; then nothing may begin.
        """
        fields = {"run": self.run, "named_up_to": self._allowed, "unkept_up_to": 0, **told}
        if self._journal is not None:
            await to_its_end(self._journal.append, "run", "started", **fields)

    async def allow(self, keys: int, *, unkept: int = 0) -> None:
        """To be awaited before so many keys are named, ``unkept`` of which are not in the trash though there is one.

        Raises:
            JournalError: If what was done so far can't be written down.
        """
        self._named += keys
        self.unkept += unkept
        if self.unkept > self._unkept_allowed:
            self._unkept_allowed = 2 * self.unkept
            await self._note()
        elif self._named > self._allowed or time.monotonic() - self._written_at > PERIOD:
            await self._note()

    def refuse(self, keys: Sequence[bytes]) -> None:
        """Count keys that our user may not touch."""
        self.tally.refused += len(keys)
        self._since.update(keys)
        self.refused_keys += keys[: LISTED - len(self.refused_keys)]

    def stay(self, keys: Iterable[bytes]) -> None:
        """Note keys that are accounted for, and there still."""
        self._since.update(keys)

    def move_on(self, place: Place) -> None:
        """Go on from here, with all before it accounted for."""
        self.place = place
        self._since.clear()

    def lose(self) -> None:
        """Go back to ``place``, where the line was lost."""
        self.done |= self._since
        self._since.clear()

    def list_oversized(self, keys: Sequence[bytes]) -> None:
        """Note keys that were too big to be kept and are gone, each once, however often it is found."""
        new = [key for key in keys if key not in self.oversized_keys]
        self.oversized_keys += new[: LISTED - len(self.oversized_keys)]

    def end(self, result: Result) -> None:
        """Write down the account of the whole; blocks for as long as the disk takes.

        Raises:
            JournalError: If that can't be done; the entries before still tell the most of it.
        """
        if self._journal is not None:
            self._journal.append("run", "ended", **result.as_json(), tally=result.tally.as_json())

    @property
    def _most(self) -> int:
        """Keys that may be named before the next entry: as many as are expected, and twice those that were after that.

        A few more may have come since the plan; still more go only once a person has agreed to it, or where keys are
        named again after a lost line.
        """
        most = self._named + ALLOWANCE
        if not self._expected:
            return most
        return min(most, next((bound for bound in self._expected if self._named <= bound), 2 * self._named))

    async def _note(self) -> None:
        self._allowed = self._most
        self._written_at = time.monotonic()
        if self._journal is None:
            return
        await to_its_end(
            self._journal.append,
            "run",
            "progress",
            run=self.run,
            **self.tally.as_json(),
            named_up_to=self._allowed,
            unkept_up_to=self._unkept_allowed,
            undo_left_out=self.undo_left_out,
            pattern_index=self.place.pattern,
            cursor=self.place.cursor,
            trash_bytes=self.trash_bytes,
        )
