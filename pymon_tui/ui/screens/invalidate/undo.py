"""The way back: which run, how many keys, onto which server; then how it goes and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from pymon_tui.invalidation import past, report, wording
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.outlook import Outlook
from pymon_tui.invalidation.restore_account import RestoreProgress, RestoreResult, RestoreTally
from pymon_tui.invalidation.restore_part import OtherServer, RestoreError
from pymon_tui.invalidation.restore_report import passed_rows, restore_troubles, restored_rows
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.invalidation.trash import TrashError
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.lock import Locked
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.screens.hints import Named
from pymon_tui.ui.screens.invalidate import keys, records
from pymon_tui.ui.screens.invalidate.confirming import typing
from pymon_tui.ui.screens.invalidate.live import LOOK_SECONDS
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run_text import beside
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.window import Question, Window
from pymon_tui.ui.type_ahead import Asking
from pymon_tui.ui.widgets.bar_line import bar_line
from pymon_tui.ui.widgets.ink import BLANK, Line, Prose, label, span

_NAMED = 8
"""Keys that could not be restored and are named."""
_NEWER = 3
"""Newer runs that can't be undone and are named."""


class UndoScreen(Asking, Window[None]):
    """Asks, brings the keys back, and stays with the account of it."""

    BINDINGS: ClassVar[list[BindingType]] = keys.UNDO

    DEFAULT_CSS = """
    UndoScreen > .frame { padding: 1 2; }
    """

    def __init__(self, site: Site, record: Record, passed_over: Sequence[tuple[Record, SafeText]] = ()) -> None:
        """``passed_over`` are newer runs that can't be undone, and why."""
        self._site = site
        self._record = record
        self._passed_over = passed_over
        self._replace = self._elsewhere = self._warned = self._begins = False
        self._kept: int | None = None
        self._why: SafeText | None = None
        self._verdict: Verdict | None = None
        self._restore: WholeRestore | None = None
        self._result: RestoreResult | None = None
        self._outlook: Outlook | None = None
        self._asked: SafeText | None = None
        self._held: ExitStack | None = None  # keeps the trash while the question stands
        super().__init__()

    @property
    def result(self) -> RestoreResult | None:
        """The account, once there is one."""
        return self._result

    @property
    def is_judged(self) -> bool:
        """Whether it is known what holds of it, or why that isn't."""
        return self._verdict is not None or self._why is not None

    @property
    def asks_again(self) -> bool:
        """Whether there was something to know before, which is shown, and asked about."""
        return self._warned and not self._begins and self._why is not None

    def compose(self) -> ComposeResult:
        """The question first."""
        frame = Question(())
        frame.border_title = Content(safe(f"Undo run {self._record.id}"))
        yield frame

    def on_mount(self) -> None:
        """Ask."""
        self.set_interval(LOOK_SECONDS, self._look)
        self._look()
        self.judge()

    def on_unmount(self) -> None:
        """No question stands any more."""
        self._let_go()

    @work(exclusive=True, group="count")
    async def count(self) -> None:
        """Count in the trash what would come back."""
        self._kept = await self._site.desk.kept(self._record, replace=self._replace)
        self._look()

    @work(exclusive=True, group="judge")
    async def judge(self) -> None:
        """Ask what holds of it as it is set now, and show that before anybody says yes."""
        desk, self._verdict = self._site.desk, None
        if self._held is None:
            self._held = desk.hold(self._record)
        try:
            # Some of its trash may have gone since the journal was read.
            now = await asyncio.to_thread(desk.record, self._record.id)
            self._record = self._record if now is None else now
            self.count()
            verdict = await desk.judge_undo(self._record, replace=self._replace)
            self._why = verdict.why or None
            if verdict.begins and (other := await desk.other_server(self._record)) is not None:
                self._elsewhere, self._why = True, other
            self._verdict = verdict  # what is shown of it is all that holds
        except (LinkError, Refused, StateError) as error:
            self._why = safe(str(error))
        self._look()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Before, while it goes, and after it."""
        if action in ("start", "replace"):
            refused = action == "start" and self._verdict is not None and not self._verdict.begins
            return not self._begins and self._result is None and not refused
        return self._restore is not None if action == "cancel" else True

    def offered(self) -> tuple[Named, ...]:
        """What one can do before, while it goes, and after it."""
        if self._result is not None:
            return (Named("undo.leave", "close"),)
        if self._restore is not None:
            return (Named("undo.cancel", "cancel"),)
        return (
            Named("undo.start", "restore them here anyway" if self._elsewhere else "bring them back"),
            Named("undo.replace", "leave them" if self._replace else "replace them"),
            Named("undo.leave", "leave everything", "n"),
        )

    def action_replace(self) -> None:
        """Replace keys that are there by now, or leave them."""
        self._replace = not self._replace
        self.ask_anew()
        self._look()
        self.judge()

    def action_start(self) -> None:
        """Bring the keys back; the second time also to another server, if that was asked."""
        self.bring_back()

    def action_cancel(self) -> None:
        """End here."""
        if self._restore is not None:
            self._restore.cancel()

    def action_leave(self) -> None:
        """Close. An undo that goes on is ended first: what is back stays, and it can be gone on with."""
        if self._restore is not None:
            self._restore.cancel()
        else:
            self.dismiss(None)

    @work(exclusive=True, group="undo")
    async def bring_back(self) -> None:
        """Await the undo's end. A window that goes away cancels it, and it writes down how far it came."""
        desk = self._site.desk
        self._begins = True  # and no other way: what was judged is what is done
        self.refresh_bindings()
        try:
            verdict = await desk.judge_undo(self._record, replace=self._replace)
            self._verdict = verdict
            restore = desk.restore(self._record, replace=self._replace, elsewhere=self._elsewhere, agreed=verdict)
            if restore is None or not verdict.begins:
                self._why = verdict.why
            elif await self._may_begin(restore) and await self._confirmed(verdict):
                restore.agree(self._outlook, asks=True)
                self._restore, self._why = restore, None
                self._tell(await restore.run())
        except OtherServer as error:
            self._elsewhere, self._why = True, safe(str(error))
        except (LinkError, RestoreError, Refused, Locked, TrashError, StateError) as error:
            self._why = safe(str(error))
        self._restore, self._begins = None, False
        self.ask_anew()
        self._look()
        self.refresh_bindings()

    async def _may_begin(self, restore: WholeRestore) -> bool:
        """Whether a person knows what it costs: the first time, what there is to know is shown, and asked."""
        if self._warned:
            return True
        self._warned = True
        self._outlook = await restore.outlook()
        warnings = self._outlook.warnings
        self._why = join("; ", list(warnings)) if warnings else None
        return not warnings

    async def _confirmed(self, verdict: Verdict) -> bool:
        """Whether the pattern was typed, where the yes that was said isn't enough."""
        if not verdict.typed:
            return True
        title, what = safe(f"Undo run {self._record.id}?"), tuple(self._replaced(verdict))
        return await self.app.push_screen_wait(typing(verdict, title, what)) is not None

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()

    def _tell(self, result: RestoreResult) -> None:
        self._result = result
        self._let_go()
        self._site.source.note(safe(f"restored {units.keys(result.tally.restored)}"), result.undo)
        self._site.source.poke()

    def _look(self) -> None:
        lines = self.query_one("#lines", Prose)
        if self._result is not None:
            lines.show(result_lines(self._result, self._record))
        elif self._restore is not None:
            self._ask_what_it_asks(self._restore)
            lines.show(progress_lines(self._restore.progress, lines.size.width))
        else:
            lines.show(self._question())
        self.show_keys()

    def _ask_what_it_asks(self, restore: WholeRestore) -> None:
        """Put each question of the undo once."""
        progress = restore.progress
        asked = progress.why if progress.state == "asking" else None
        if asked != self._asked:
            self._asked = asked
            if asked is not None:
                self.answer(restore, asked)

    @work(exclusive=True, group="answer")
    async def answer(self, restore: WholeRestore, asked: SafeText) -> None:
        """Have a question of the undo answered: it goes on, or ends there."""
        title = safe(f"Undo run {self._record.id}?")
        question = QuestionScreen(title, ((span(asked, "act"),),), "go on", "end it here")
        if await self.app.push_screen_wait(question):
            restore.go_on(asked)
        else:
            restore.cancel()

    def _question(self) -> tuple[Line, ...]:
        record = self._record
        verdict = self._verdict
        place = self._site.place_of(record.db)
        kept = wording.counted_keys(record) if self._kept is None else units.keys(self._kept)
        differs = self._kept is not None and record.removed != (self._kept, self._kept)
        of = f" of {wording.counted(record)} that were {wording.words_of(record).are}" if differs else ""
        return (
            (span(f"bring back {kept}", "strong"), *((label(of),) if of else ())),
            (span(past.what_text(record)),),
            (
                label("onto "),
                span(place),
                label(f"   {wording.words_of(record).are} {records.when(record)} by {record.user}"),
            ),
            *(self._replaced(verdict) if verdict is not None else ((label("looking whether it can be undone"),),)),
            *((span(f"{row.name}: {row.text}", row.severity),) for row in passed_rows(self._passed_over[:_NEWER])),
            *((BLANK, (span(self._why, "act"),)) if self._why is not None else ()),
        )

    @staticmethod
    def _replaced(verdict: Verdict) -> Sequence[Line]:
        """What becomes of keys that are there by now."""
        return [(label(f"{row.name} "), span(row.text, row.severity)) for row in report.undo_rows(verdict)]


def progress_lines(progress: RestoreProgress, width: int) -> tuple[Line, ...]:
    """How far an undo is."""
    share = progress.tally.settled / progress.total if progress.total else 0.0
    text = span(f"{100 * share:.0f}%".rjust(6))
    lines: list[Line] = [(*bar_line(share, max(0, width - 6), "accent"), text), _counts(progress.tally)]
    if progress.why:
        lines.append((span(f"{progress.state}: {progress.why}", "warn"),))
    return tuple(lines)


def result_lines(result: RestoreResult, record: Record) -> tuple[Line, ...]:
    """What came of an undo of a run."""
    were = "was" if result.total == 1 else "were"
    lines: list[Line] = [
        (
            span(result.outcome, "good" if result.is_whole else "warn"),
            label(f"  {units.keys(result.total)} {were} kept, {units.took(result.seconds)}"),
        ),
        _counts(result.tally),
    ]
    lines += [(span(row.text, row.severity),) for row in restore_troubles(result)]
    lines += [(label(f"{row.name} "), span(row.text, row.severity)) for row in past.unkept_rows(record)]
    lines += [(span(key), label("  too big for the undo")) for key in record.oversized_keys[:_NAMED]]
    lines += [(span(each.key), label(f"  {each.why}")) for each in result.failures[:_NAMED]]
    return tuple(lines)


def _counts(tally: RestoreTally) -> Line:
    return beside(restored_rows(tally))
