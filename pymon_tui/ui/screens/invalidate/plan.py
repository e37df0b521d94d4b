"""The preview of a removal: made while one looks, then to be judged, changed, tried and confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from pymon_tui.invalidation import report, wording
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.cluster.planning import WholePlanning
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.given_up import PlanCancelled
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import PatternError
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.named_keys import named_key
from pymon_tui.ui.screens.hints import Named, named
from pymon_tui.ui.screens.invalidate import keys, plan_text
from pymon_tui.ui.screens.invalidate.draft import Draft
from pymon_tui.ui.screens.invalidate.live import Frame, LiveScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.type_ahead import Asking
from pymon_tui.ui.widgets.field import Field
from pymon_tui.ui.widgets.ink import Facts, Line, Prose, label, span
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.table import Listed, Table

SPREADS = (60.0, 600.0, 3_600.0)
"""Seconds over which keys may be made to expire."""
_FIRST_END, _LEAST_LINES = 1.0, 6  # seconds; lines that plan and namespaces have


@dataclass(frozen=True, slots=True, eq=False)
class Go:
    """A run that was confirmed, or a dry run, and the plan that it is of."""

    removal: WholeRemoval
    plan: Plan


Answer = Go | Literal["pattern", "preset", "journal"]
"""What follows: a run, the form with the cursor in a field, or the journal."""


class PlanScreen(Asking, LiveScreen[Answer]):
    """What would go, where, and how it would be done. Nothing is removed before it closes with a ``Go``."""

    BINDINGS: ClassVar[list[BindingType]] = keys.PLAN

    DEFAULT_CSS = """
    PlanScreen {
        & #sides { height: 8; display: none; }
        & #sides > .frame { width: 1fr; height: 100%; }
        & #samples { height: 1fr; min-height: 4; display: none; }
        & #confirm { display: none; }
        & #typing { height: 1; display: none; }
        & #typing > Facts { width: auto; }
        & #typing > Field { width: 1fr; }
        &.-typing #typing { display: block; }
        &.-ready #sides, &.-ready #samples, &.-ready #confirm { display: block; }
        &.-ready #looking { display: none; }
        &.-ready #what { border: round $ink-frame; border-title-color: $ink-label; }
    }
    """

    def __init__(self, site: Site, draft: Draft, options: Options, plan: Plan | None) -> None:
        """``plan`` is one that was made already, or None to make it."""
        self._draft = draft
        self._options = options
        self._selection = site.desk.selection(draft.patterns, draft.filters, every=draft.every)
        self._plan = plan
        self._verdict: Verdict | None = None  # as it is shown: what is agreed to
        self._planning: WholePlanning | None = None
        self._failed: SafeText | None = None
        super().__init__(site)

    def body(self) -> Iterable[Widget]:
        """What was asked for; what would go, by namespace, some of it; and the confirmation."""
        what = _frame(
            "Invalidate", Prose(plan_text.asked(self._draft, self._selection)), classes="frame -first", id="what"
        )
        what.border_subtitle = Content(safe(self.site.place))
        yield what
        yield _frame("Plan", Prose(id="progress"), id="looking")
        yield Horizontal(
            _frame("Plan", Facts(id="facts"), id="plan"),
            _frame("Namespaces", Facts(id="names"), id="namespaces"),
            id="sides",
        )
        yield _frame("Samples", Table(plan_text.SAMPLES, id="keys", empty="nothing matches"), id="samples")
        yield _frame(
            "Confirm",
            Facts(id="how"),
            Prose(id="troubles"),
            Prose(id="question"),
            Horizontal(Facts(id="what-to-type"), Field(id="typed"), id="typing"),
            id="confirm",
        )

    async def on_mount(self) -> None:
        """Make the plan, or show it."""
        if self._plan is None:
            self.make()
        else:
            self._show(self._plan)

    @work(exclusive=True, group="plan")
    async def make(self) -> None:
        """Look at all keys, and show what would go."""
        self._plan = self._verdict = self._failed = None
        self.remove_class("-ready")
        desk = self.site.desk
        planning = self._planning = desk.planning(self._selection, self._options.mode, undo=self._options.undo)
        try:
            plan = await planning.run()
        except PlanCancelled:
            self.dismiss("pattern")
            return
        except (LinkError, Refused, PatternError) as error:
            self._planning, self._failed = None, safe(str(error))
            self.look()
        else:
            self._planning = None
            self._show(plan)
        self.refresh_bindings()

    def look(self) -> None:
        """How far the plan has come, or why it hasn't."""
        progress = self.query_one("#progress", Prose)
        if self._failed is not None:
            again = label(f"{named_key(self, 'plan.again', 'r')} looks again")
            progress.show(((span("there is no plan: ", "act"), span(self._failed)), (again,)))
        elif self._planning is not None:
            progress.show(plan_text.looking_lines(self._planning.progress, progress.size.width))
        elif self._plan is not None and self._verdict is not None:
            self._fill(self._plan, self._verdict)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What writes needs a plan that can be carried out, and is absent under read-only."""
        plan = self._plan
        ready = plan is not None and not self.has_class("-typing")
        if action in ("go", "dry_run") and plan is not None:
            options = replace(self._options, dry_run=action == "dry_run")
            if not self.site.desk.judge(plan, options).begins:
                return False
        if action in ("go", "mode", "undo"):
            return ready and not self.site.read_only
        if action in ("dry_run", "preset", "journal"):
            return ready
        return action != "again" or (self._planning is None and not self.has_class("-typing"))

    def show_keys(self) -> None:
        """The keys that work now; while one types, those of the field."""
        if self.has_class("-typing"):
            does = wording.words(self._options.mode).do.capitalize()
            self.query_one(KeyBar).hints = named(self, (Named("", does, "enter"), Named("plan.back", "Back")))
        else:
            super().show_keys()

    def action_go(self) -> None:
        """Ask for the confirmation."""
        plan, verdict = self._plan, self._verdict
        if plan is None or verdict is None:
            return
        if verdict.typed:
            self.query_one("#what-to-type", Facts).show((plan_text.typed_text(plan, self._options, verdict),))
            self._say(plan_text.several(verdict))
            self.add_class("-typing")
            self.query_one("#typed", Field).focus()
            self.refresh_bindings()
        else:
            self._ask(plan, verdict)

    def action_dry_run(self) -> None:
        """Do everything but the removing."""
        if self._plan is not None:
            self._begin(self._plan, replace(self._options, dry_run=True))

    def action_mode(self) -> None:
        """The next way for keys to go."""
        spreads = (0.0, *SPREADS)
        jitter = spreads[(spreads.index(self._options.jitter) + 1) % len(spreads)]
        mode: Literal["unlink", "expire"] = "expire" if jitter else "unlink"
        expire = _FIRST_END if jitter else 0.0
        self._change(replace(self._options, mode=mode, expire=expire, jitter=jitter))

    def action_undo(self) -> None:
        """Keep what is removed, or don't."""
        self._change(replace(self._options, undo=not self._options.undo))

    def action_preset(self) -> None:
        """Back to the form, where a preset is chosen."""
        self.dismiss("preset")

    def action_journal(self) -> None:
        """To the journal."""
        self.dismiss("journal")

    def action_again(self) -> None:
        """Make the plan anew."""
        self.make()

    def action_back(self) -> None:
        """From the typing to the keys, from a plan that is being made to none, or to the form."""
        if self.has_class("-typing"):
            self.remove_class("-typing")
            self.query_one("#typed", Field).value = ""
            if self._plan is not None:
                self._show(self._plan)
        elif self._planning is not None:
            self._planning.cancel()
        else:
            self.dismiss("pattern")

    @property
    def options(self) -> Options:
        """How it would go about it."""
        return self._options

    @on(Input.Submitted, "#typed")
    def _typed(self, event: Input.Submitted) -> None:
        plan, verdict = self._plan, self._verdict
        if plan is None or verdict is None:
            return
        if verdict.is_confirmed_by(event.value):
            self._begin(plan, self._options, verdict)
        elif verdict.typed:
            self.query_one("#what-to-type", Facts).show((plan_text.not_typed(verdict),))
            self.app.bell()

    @work(group="ask")
    async def _ask(self, plan: Plan, agreed: Verdict) -> None:
        verb = wording.words(self._options.mode).do
        lines = (
            (span(f"{verb} {report.matching(plan)}", "strong"),),
            (span(self._selection.shown),),
            (label("from "), span(self.site.place)),
        )
        if await self.app.push_screen_wait(QuestionScreen(safe("Invalidate?"), lines, verb, "leave everything")):
            self._begin(plan, self._options, agreed)

    def _begin(self, plan: Plan, options: Options, agreed: Verdict | None = None) -> None:
        preset = self._draft.preset.name if self._draft.preset is not None else None
        try:
            removal = self.site.desk.removal(plan, options, preset, None, agreed)
        except OrderError as error:
            self.remove_class("-typing")
            self._say((span(str(error), "act"),))
            self.app.bell()
        else:
            self.dismiss(Go(removal, plan))

    def _change(self, options: Options) -> None:
        """Go about it in another way; what was not asked of the server then is asked by a new plan."""
        before, self._options = self._options, options
        plan = self._plan
        if plan is None:
            return
        may_go = before.mode == options.mode or plan.removal_problem is None
        asked_undo = plan.undo_possible or plan.undo_problem is not None
        if may_go and (asked_undo or not options.undo):
            self._show(plan)
        else:
            self.make()

    def _show(self, plan: Plan) -> None:
        self._plan = plan
        self.query_one("#what Prose", Prose).show(plan_text.asked(self._draft, self._selection, plan))
        self.ask_anew()
        self.add_class("-ready")
        self.query_one("#keys", Table).show(Listed(plan.samples, lambda sample: sample.key))
        self.query_one("#plan").border_subtitle = Content(safe(plan_text.scanned(plan)))
        more = f"{units.whole(len(plan.samples))} of {units.whole(plan.matched)}, escaped"
        self.query_one("#samples").border_subtitle = Content(safe(more))
        self._verdict = verdict = self.site.desk.judge(plan, self._options)
        self.query_one("#troubles", Prose).show(plan_text.troubles(plan, verdict))
        self._say(plan_text.asks(plan, self._options, verdict))
        self.query_one("#keys").focus()
        self.look()

    def _fill(self, plan: Plan, verdict: Verdict) -> None:
        """What depends on how much room there is, which is known once the frames are laid out."""
        how = self.query_one("#confirm")
        self.query_one("#how", Facts).show(
            plan_text.confirm_lines(self._options.under(plan.rules), verdict, how.content_size.width)
        )
        facts, names = self.query_one("#plan"), self.query_one("#namespaces")
        lines = plan_text.plan_lines(plan, facts.content_size.width)
        self.query_one("#facts", Facts).show(lines)
        room = max(_LEAST_LINES, len(lines))
        self.query_one("#sides").styles.height = room + 2
        self.query_one("#names", Facts).show(plan_text.namespace_lines(plan, names.content_size.width, room))

    def _say(self, line: Line) -> None:
        self.query_one("#question", Prose).show((line,) if line else ())
        self.refresh_bindings()


def _frame(title: str, *widgets: Widget, id: str, classes: str = "frame") -> Frame:  # noqa: A002
    frame = Frame(*widgets, id=id, classes=classes)
    frame.border_title = Content(title)
    return frame
