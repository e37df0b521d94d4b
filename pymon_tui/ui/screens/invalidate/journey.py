"""The ways through the screens of invalidation: from a pattern to a run and its account, and back by an undo."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from textual.app import App

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import join, safe
from pymon_tui.ui.screens.invalidate import records
from pymon_tui.ui.screens.invalidate.draft import Draft, typed
from pymon_tui.ui.screens.invalidate.form import FormScreen, Start
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.plan import Go, PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.keys.screen import KeysScreen
from pymon_tui.ui.widgets.ink import label, span


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
                return await self._carry_out(answer.removal, answer.options)
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
            record = await asyncio.to_thread(self._last_to_undo)
        except StateError as error:
            self._app.notify(safe(str(error)), severity="error", markup=False)
            return
        if record is None:
            self._app.notify("no run of this server can be undone", markup=False)
        else:
            await self._app.push_screen_wait(UndoScreen(self._site, record))

    def _last_to_undo(self) -> Record | None:
        return records.last_to_undo(self._site.desk.kept(), self._site.desk.endpoint)

    async def _judge(self, draft: Draft) -> Go | str:
        """The plan, for as long as it is tried out in dry runs."""
        options = self._site.desk.options("unlink", expire=0.0, jitter=0.0, undo=True, dry_run=False)
        plan = None
        while True:
            answer = await self._app.push_screen_wait(PlanScreen(self._site, draft, options, plan))
            if not isinstance(answer, Go) or not answer.options.dry_run:
                return answer
            await self._app.push_screen_wait(RunScreen(self._site, answer.removal, answer.options))
            plan, options = answer.plan, replace(answer.options, dry_run=False)

    async def _carry_out(self, removal: WholeRemoval, options: Options) -> None:
        after = await self._app.push_screen_wait(RunScreen(self._site, removal, options))
        if after == "journal":
            await self.journal()
        elif after == "undo":
            await self.undo_last()

    async def _resume(self, record: Record) -> None:
        try:
            removal = self._site.desk.resumed(record)
        except OrderError as error:
            self._app.notify(safe(str(error)), severity="error", markup=False)
            return
        lines = (
            (span(f"go on with about {units.whole(removal.order.planned)} keys", "strong"),),
            (span(join(" ", list(record.patterns))),),
            (label("on "), span(self._site.place), label(f"   {records.keys(record)} were removed by then")),
        )
        question = QuestionScreen(safe(f"Resume run {record.id}?"), lines, "go on", "leave everything")
        if await self._app.push_screen_wait(question):
            await self._carry_out(removal, removal.options)


def _start(field: str) -> Start:
    return "preset" if field == "preset" else "pattern"
