"""A run while it goes: how far it is, what other clients feel, what it does to the hit rate; then its account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar, Literal

from textual import work
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from pymon_tui.invalidation import wording
from pymon_tui.invalidation.account import Progress, Result
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.lock import Locked
from pymon_tui.model.history import History
from pymon_tui.model.metric import Kind, Metric
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.aftermath import aftermath
from pymon_tui.readings.hits import hit_rates
from pymon_tui.readings.metrics import HITS, MISSES
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.aftermath_text import aftermath_line, marked
from pymon_tui.ui.named_keys import named_key
from pymon_tui.ui.screens.invalidate import keys, run_text
from pymon_tui.ui.screens.invalidate.confirming import typing
from pymon_tui.ui.screens.invalidate.live import LiveScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.type_ahead import Asking
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.ink import Facts, Prose, label, span, text_of
from pymon_tui.ui.widgets.scale import shares, times
from pymon_tui.ui.widgets.timespan import WHILE_RUNNING, Timeline, ranged

_PING: Metric[None] = Metric("ping", Kind.GAUGE, lambda _: None)
_KEPT = 600
"""Looks that the brake's graph remembers: more than it shows."""

After = Literal["journal", "undo"] | None
"""What follows when it is closed."""


class RunScreen(Asking, LiveScreen[After]):
    """Carries a run out. It stays until the run has ended; then it shows the account.

    Attributes:
        felt: What other clients felt at each look, in seconds.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.RUN

    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    RunScreen {
        & #brake, & #hits { height: 1fr; min-height: 4; }
    }
    """

    def __init__(self, site: Site, removal: WholeRemoval) -> None:
        self._removal = removal
        self._options = removal.options
        self._shown: SafeText = removal.order.selection.shown
        self._result: Result | None = None
        self._failed: SafeText | None = None
        self._offers_undo = False
        self._state = "starting"
        self._asked: SafeText | None = None  # the question that is shown
        self._growth: Verdict | None = None  # how it is confirmed, where that is by typing
        self.felt = History((_PING,), _KEPT)
        super().__init__(site)

    @property
    def result(self) -> Result | None:
        """The account, once there is one."""
        return self._result

    def body(self) -> Iterable[Widget]:
        """The run, the brake and the hit rate."""
        run = Vertical(Prose(id="progress"), id="run", classes="frame -first")
        run.border_title = Content(run_text.title(self._shown, self._options.mode, dry_run=self._options.dry_run))
        # A dry run leaves no trace: its name is in no journal.
        name = "dry run" if self._options.dry_run else f"run {self._removal.id}"
        run.border_subtitle = Content(safe(f"{self.site.place} · {name}"))
        self._pings = Graph("info")
        brake = Vertical(Facts(id="felt"), self._pings, id="brake", classes="frame")
        brake.border_title = Content("Brake")
        self._shares = Graph("good")
        hits = Vertical(Facts(id="took"), self._shares, id="hits", classes="frame")
        hits.border_title = Content("Hit rate")
        for graph in (self._pings, self._shares):
            graph.glyphs = self.site.glyphs
        yield from (run, brake, hits)

    async def on_mount(self) -> None:
        """Begin."""
        self.carry_out()

    @work(exclusive=True, group="run")
    async def carry_out(self) -> None:
        """Await the run's end. A screen that goes away cancels it, and it writes down how far it came."""
        try:
            result = await self._removal.run()
            self._offers_undo = await self._can_be_undone(result)
            self._result = result
        except (LinkError, OrderError, Refused, Locked, StateError) as error:
            self._failed = safe(str(error))
        self.look()
        if self._result is not None:
            self._note(run_text.noted(self._result, self._options.mode))
            self.site.source.poke()
        self.app.bell()
        self.refresh_bindings()

    async def _can_be_undone(self, result: Result) -> bool:
        """Whether ``u`` leads to an undo here: where it didn't come to its end, another server may answer by now."""
        if result.undo is None or result.outcome == "done":
            return result.undo is not None
        try:
            desk = await self.site.desk.at_present()
            record = await asyncio.to_thread(desk.record, result.run)
            if record is None or await desk.other_server(record) is not None:
                return False
            return (await desk.judge_undo(record, replace=False)).begins
        except (LinkError, Refused, StateError):  # nobody knows: the undo asks again, and says it
            return True

    def look(self) -> None:
        """How it stands."""
        progress = self._removal.progress
        if progress.state != self._state:
            if self._state == "starting" and self._failed is None:
                self._note(safe(f"{wording.words(self._options.mode).doing} {self._shown}"))
            self._state = progress.state
            self.refresh_bindings()
        asked = progress.why if progress.state == "asking" else None
        if asked != self._asked:
            self._asked = asked
            growth = self._removal.growth if asked is not None else None
            self._growth = growth if growth is not None and growth.typed else None
            self.ask_anew()
        lines = self.query_one("#progress", Prose)
        if self._failed is not None:
            lines.show(run_text.not_begun(self._failed))
        elif self._result is not None:
            undo = named_key(self, "run.undo", "u") if self._offers_undo else ""
            lines.show(run_text.result_lines(self._result, self._options.mode, undo=undo))
            self.query_one("#run").border_title = Content(self._ended(self._result))
        else:
            mode, dry_run, rights = self._options.mode, self._options.dry_run, self._removal.order.rights
            said = run_text.progress_lines(
                progress,
                mode,
                lines.size.width,
                dry_run=dry_run,
                rights=rights,
                typed=self._growth is not None,
                answers=(named_key(self, "run.go_on", "y"), named_key(self, "run.no", "n")),
            )
            lines.show(said)
        over = self._failed is not None or self._result is not None
        self.felt.record(self.site.clock(), {_PING.name: None if over else progress.felt.ping_p99}, {})
        self.query_one("#felt", Facts).show((run_text.brake_line(progress),))
        newest = self.site.newest()
        if newest is not None:
            self.felt.align(newest.wall - newest.at)
            self._draw_hits(newest)
        self.draw_pings(progress)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done to a run that goes, and what can be done after it."""
        over = self._result is not None or self._failed is not None
        if action == "pause" or action == "cancel":
            return not over and (action == "cancel" or self._state not in ("starting", "asking"))
        if action in ("go_on", "no"):
            return not over and self._state == "asking"
        if action == "undo":
            return self._result is not None and self._offers_undo
        if action in ("details", "dismiss"):
            return over and (action == "dismiss" or self._result is not None)
        return True

    def action_pause(self) -> None:
        """Pause, or go on."""
        if self._state == "paused":
            self._removal.resume()
        else:
            self._removal.pause()

    def action_go_on(self) -> None:
        """Yes, as many keys may go, or go for good, as were shown. Where a yes isn't enough, the pattern is typed."""
        if self._asked is None:
            return
        if self._growth is not None:
            self._type(self._asked, self._growth)
        else:
            self._removal.go_on(self._asked)

    @work(group="type", exclusive=True)
    async def _type(self, asked: SafeText, growth: Verdict) -> None:
        """Have the pattern typed for this question: it answers no other one, whatever has been asked since."""
        what = (span(safe(asked.removesuffix("?"), 400)),)
        typed = await self.app.push_screen_wait(typing(growth, safe("Go on?"), (what,)))
        if typed is not None:
            self._removal.go_on(asked, typed)

    def action_no(self) -> None:
        """No, no more keys may go."""
        self._removal.cancel()

    def action_cancel(self) -> None:
        """End here."""
        self._removal.cancel()

    def action_undo(self) -> None:
        """Bring the keys back."""
        self.dismiss("undo")

    def action_details(self) -> None:
        """The whole account."""
        if self._result is not None:
            lines = run_text.account(self._result, self._shown, self._options.mode)
            copied = safe("\n".join(text_of(line) for line in lines), 100_000)
            self.app.push_screen(
                ReaderScreen(safe("Dry run" if self._result.dry_run else f"Run {self._result.run}"), lines, copied)
            )

    async def action_leave(self) -> None:
        """Close; a run that goes on is ended first, if that is wanted."""
        if self._result is not None or self._failed is not None:
            self.dismiss(None)
        else:
            self._ask_to_cancel()

    @work(group="ask", exclusive=True)
    async def _ask_to_cancel(self) -> None:
        done = f"What is {wording.words(self._options.mode).are} by now stays so"
        undo = ", and can be undone" if self._options.undo and not self._options.dry_run else ""
        what = (span("The run is under way."), label("" if self._options.dry_run else f" {done}{undo}."))
        question = QuestionScreen(safe("Cancel the run?"), (what,), "cancel it", "let it go on")
        if await self.app.push_screen_wait(question):
            self._removal.cancel()

    def draw_pings(self, progress: Progress) -> None:
        """Draw what other clients felt, and the seconds that it is to stay under."""
        time = Timeline(self.felt.view(), WHILE_RUNNING, self._pings.size.width, self._pings.a_cell)
        columns, limit, felt = time.columns(_PING.name), progress.limit, progress.felt.ping_p99
        scale = times(columns, limit)
        self._pings.tone = "warn" if limit is not None and felt is not None and felt > limit else "info"
        self._pings.show(columns, scale, ticks=time.ticks(), line=limit)
        self._frame("#brake", run_text.brake_words(progress), ranged(scale, self._pings, WHILE_RUNNING))

    def _draw_hits(self, newest: Snapshot) -> None:
        time = Timeline(newest.history, WHILE_RUNNING, self._shares.size.width, self._shares.a_cell)
        found = hit_rates(time.columns(HITS.name), time.columns(MISSES.name))
        scale = shares(found)
        self._shares.show(found, scale, marks=time.marks(), ticks=time.ticks())
        took = aftermath(newest.history, newest.wall)
        self.query_one("#took", Facts).show((aftermath_line(took),))
        self._frame("#hits", marked(took, newest.wall), ranged(scale, self._shares, WHILE_RUNNING))

    def _frame(self, selector: str, said: SafeText, edges: SafeText) -> None:
        """Write the lower edge of a frame: what is to be said, and what its graph's edges are."""
        figure = Content(safe(f"{said}   " if said else ""))
        self.query_one(selector).border_subtitle = figure + Content.styled(edges, "$ink-faint")

    def _note(self, text: SafeText) -> None:
        if not self._options.dry_run:
            self.site.source.note(text, self._removal.id)

    def _ended(self, result: Result) -> SafeText:
        done = "Dry run of" if result.dry_run else wording.words(self._options.mode).done.capitalize()
        return safe(f"{done} {self._shown}")
