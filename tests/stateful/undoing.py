"""Undos in the world, in any order, each held against the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.stateful.accounts import check_journal, same
from tests.stateful.doors import REFUSED, WRONG_USE, Cut, Told
from tests.stateful.keyspace import Span
from tests.stateful.model import (
    EXPIRED,
    RESTORED,
    SKIPPED,
    THERE,
    Different,
    Run,
    check_counts,
    check_keys,
    fates,
    undo_options,
)
from tests.stateful.removing import Removing


class Undoing(Removing):
    """The world with what brings keys back to it."""

    def undo(self, which: int, replaces: bool, elsewhere: bool, typed: bool, cut: Cut | None, waits: bool) -> None:  # noqa: FBT001
        """A run is undone, by its name: any of them, again, and over newer keys."""
        if not self.runs:
            return
        kept = [run for run in self.runs if run.kept] or self.runs
        run = self.runs[-1] if which == 5 else kept[-1 - which % len(kept)]
        if waits:
            self.let_time_pass()
        if cut is not None and cut.how == "line" and not self.doors.can_be_cut:
            cut = None
        begin = self.store.now()
        if typed and cut is None:
            told = self.doors.type_undo(run.id, replaces=replaces, elsewhere=elsewhere)
        else:
            typed, told = False, self.doors.undo(run.id, run.wish, replaces=replaces, elsewhere=elsewhere, cut=cut)
        broken = cut is not None and cut.how == "line"
        self._undone(run, told, begin, replaces=replaces, elsewhere=elsewhere, broken=broken)
        check_journal(self, typed=typed)

    def undo_the_last(self, replaces: bool) -> None:  # noqa: FBT001
        """``pymon-tui undo`` without a name."""
        last = self._last()
        begin = self.store.now()
        told = self.doors.type_undo(None, replaces=replaces, elsewhere=False)
        if last is None or last.process != self.process:
            if told.code not in (WRONG_USE, REFUSED):
                raise Different(f"undo of nothing ended with {told.code}: {told.account}")
            self.store.until_alone()
            self.look_around(set(), "undo refused", begin)
        else:
            if told.account is not None:
                same("the last run", told.account["run"], last.id)
            self._undone(last, told, begin, replaces=replaces, elsewhere=False, broken=False)
        check_journal(self, typed=True)

    # Holding it against the model

    def _undone(self, run: Run, told: Told, begin: int, *, replaces: bool, elsewhere: bool, broken: bool) -> None:
        self.store.until_alone()
        before = self.keys
        after = self.store.read()
        span = Span(begin, self.store.now())
        elsewhere = elsewhere or run.process == self.process
        sure = [name for name, kept in run.kept.items() if kept.went]
        if told.refused:
            if elsewhere and sure and not self._is_resumed(run):
                raise Different(f"undo of {run.id} was refused: {told.refused}")
            self.look_around(set(), "undo refused", begin)
            return
        if not elsewhere or (run.whole and not run.kept) or self._is_resumed(run):
            raise Different(f"undo of {run.id} wasn't refused: {told}")
        account, whole = self._account(told)
        goes_on = run.begun_again == (replaces, self.process)
        options = undo_options(run, before, span, replaces=replaces, goes_on=goes_on, whole=whole, broken=broken)
        check_keys(options, before, after, span)
        settled = fates(options, after, span)
        self.keys = after
        if account is not None:
            check_counts(account, settled, (RESTORED, SKIPPED, EXPIRED, THERE))
            same("failed", account["failed"], 0)
            same("total", account["total"], sum(account[each] for each in (RESTORED, SKIPPED, EXPIRED, THERE, "left")))
            if not len(sure) <= account["total"] <= len(run.kept):
                raise Different(f"total: {account['total']} instead of {len(sure)} to {len(run.kept)}")
            if whole:
                same("left", account["left"], 0)
                run.undone = run.undone or bool(account[RESTORED] or account[THERE] or not account[SKIPPED])
        run.may_be_back |= any(some & {RESTORED, THERE} for some in settled.values())
        run.is_back |= account is not None and bool(account[RESTORED] or account[THERE])
        for name, some in settled.items():
            run.kept[name].returned |= some == {RESTORED}
        run.came_to_an_end |= whole
        run.begun_again = None if whole else (replaces, self.process)
        self.forget({name for name, some in settled.items() if RESTORED in some}, "undo" if whole else "undo, cut off")

    def _account(self, told: Told) -> tuple[Mapping[str, Any] | None, bool]:
        """The account of an undo, and whether it came to its end: it may have when the program's end came too late."""
        account = told.account
        if account is None or account["outcome"] is not None:
            return account, account is not None and account["outcome"] == "done"
        record = next((record for record in self.doors.records() if record.id == account["undo"]), None)
        whole = record is not None and record.state == "done"
        return (record.result if record is not None and whole else None), whole

    def _is_resumed(self, run: Run) -> bool:
        """Whether a run that took this one up is to be undone before it."""
        later = [other for other in self.runs if other.id in run.resumed_by]
        return any((not other.came_to_an_end and self._has_trash(other)) or self._is_resumed(other) for other in later)

    def _has_trash(self, run: Run) -> bool:
        record = self.doors.record(run.id)
        return record.removed_at_most != 0 and record.undo_path is not None

    def _last(self) -> Run | None:
        """The last run that can be undone; none where one after it is undone already."""
        for run in reversed(self.runs):
            if self.doors.record(run.id).removed_at_most == 0:
                continue
            if run.undone:
                return None
            if self._has_trash(run) and not self._is_resumed(run):
                return run
        return None
