"""The ways through the screens of invalidation: from a pattern to a run and its account, and back by an undo."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from textual.app import App

from pymon_tui.invalidation import past, report, wording
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.screens.invalidate.confirming import typing
from pymon_tui.ui.screens.invalidate.draft import Draft, typed
from pymon_tui.ui.screens.invalidate.form import FormScreen, Start
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.plan import Go, PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.keys.screen import KeysScreen
from pymon_tui.ui.widgets.ink import Line, label, span


class Journey:
    """Each way is awaited in a worker, and ends on the monitor again."""

    def __init__(self, app: App[Any], site: Site) -> None:
        self._app = app
        self._site = site

    async def invalidate(self, pattern: Pattern | None) -> None:
        """Form, plan, run; the form begins with this pattern."""
        draft, start = Draft(pattern=typed((pattern,)) if pattern is not None else ""), "pattern"
        while True:
            wanted = await self._app.push_screen_wait(FormScreen(self._site, draft, _start(start)))
            if wanted is None:
                return None
            draft = wanted
            answer = await self._judge(draft)
            if isinstance(answer, Go):
                return await self._carry_out(answer.removal)
            if answer == "journal":
                return await self.journal()
            start = answer

    async def list_keys(self, pattern: Pattern) -> None:
        """The keys of a pattern; from one of them, or from all, to an invalidation and back."""
        await self._app.push_screen_wait(KeysScreen(self._site, pattern, self.invalidate))

    async def journal(self) -> None:
        """The journal, and what is chosen there."""
        while (chosen := await self._app.push_screen_wait(JournalScreen(self._site))) is not None:
            if chosen.what == "undo":
                await self._app.push_screen_wait(UndoScreen(self._site, chosen.record))
            else:
                await self._resume(chosen.record)

    async def undo_last(self) -> None:
        """Undo the newest run of this server that can be undone."""
        try:
            last = await self._site.desk.last_to_undo()
        except (LinkError, Refused, StateError) as error:
            self._app.notify(safe(str(error)), severity="error", markup=False)
            return
        if last.record is not None:
            await self._app.push_screen_wait(UndoScreen(self._site, last.record, last.passed_over))
        else:
            place = self._site.desk.endpoint.label
            why = safe(f"the journal has no run on {place} to undo")
            if last.passed_over:
                why = past.nothing_to_undo(last, place, lambda _: "J lists it")
            self._app.notify(why, markup=False)

    async def _judge(self, draft: Draft) -> Go | str:
        """The plan, for as long as it is tried out in dry runs."""
        options = self._site.desk.options("unlink", expire=0.0, jitter=0.0, undo=True, dry_run=False)
        plan = None
        while True:
            answer = await self._app.push_screen_wait(PlanScreen(self._site, draft, options, plan))
            if not isinstance(answer, Go) or not answer.removal.options.dry_run:
                return answer
            await self._app.push_screen_wait(RunScreen(self._site, answer.removal))
            plan, options = answer.plan, replace(answer.removal.options, dry_run=False)

    async def _carry_out(self, removal: WholeRemoval) -> None:
        after = await self._app.push_screen_wait(RunScreen(self._site, removal))
        if after == "journal":
            await self.journal()
        elif after == "undo":
            await self._undo(removal.id)

    async def _undo(self, run: str) -> None:
        """Undo this run, whichever came after it."""
        try:
            record = await asyncio.to_thread(self._site.desk.record, run)
        except StateError as error:
            self._app.notify(safe(str(error)), severity="error", markup=False)
            return
        if record is None:
            self._app.notify(safe(f"the journal has no run {run}"), severity="error", markup=False)
        else:
            await self._app.push_screen_wait(UndoScreen(self._site, record))

    async def _resume(self, record: Record) -> None:
        desk = self._site.desk
        try:
            verdict = await desk.judge_resume(record)
            removal = await desk.resumed(record, verdict)
        except (OrderError, LinkError, Refused, StateError) as error:
            self._app.notify(safe(str(error)), severity="error", markup=False)
            return
        lines = (
            (span(f"go on with {units.keys(removal.order.planned, about=True)}", "strong"),),
            (span(join(" ", list(record.patterns))),),
            (
                label("on "),
                span(self._site.place_of(record.db)),
                label(f"   {wording.words_of(record).are} by then: {wording.counted_keys(record)}"),
            ),
            *((span(row.text, row.severity),) for row in report.resume_rows(verdict, removal.options)),
        )
        if await self._confirmed(verdict, safe(f"Resume run {record.id}?"), lines):
            await self._carry_out(removal)

    async def _confirmed(self, verdict: Verdict, title: SafeText, lines: tuple[Line, ...]) -> bool:
        if not verdict.typed:
            return await self._app.push_screen_wait(QuestionScreen(title, lines, "go on", "leave everything"))
        return await self._app.push_screen_wait(typing(verdict, title, lines)) is not None


def _start(field: str) -> Start:
    return "preset" if field == "preset" else "pattern"
