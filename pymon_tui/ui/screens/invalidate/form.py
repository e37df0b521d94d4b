"""Which keys are to go: a pattern or a preset, filters, and while one types an estimate of how many that are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar, Literal

from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from pymon_tui.invalidation.pattern import PatternError
from pymon_tui.invalidation.presets import Preset
from pymon_tui.invalidation.selection import EveryKey, Selection, check
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.model.text import safe
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.screens.hints import Named, named
from pymon_tui.ui.screens.invalidate import form_text, keys
from pymon_tui.ui.screens.invalidate.draft import TYPES, Draft
from pymon_tui.ui.screens.invalidate.live import LiveScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.invalidate.typed import ANY
from pymon_tui.ui.widgets.field import Field
from pymon_tui.ui.widgets.ink import Facts, Line, Prose, label
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.picker import Picker

NO_PRESET = "none"
NO, YES = "no", "yes"

_TYPING_SECONDS = 0.2
"""How long nothing is typed before the server is asked."""

_PLAN, _NEXT = Named("form.plan", "Plan", "enter"), Named("invalidation.next", "Next field")
_CLEAR, _BACK = Named("form.clear", "Clear"), Named("form.back", "Back")
_HELP = Named("invalidation.help", "Help")

Start = Literal["pattern", "preset"]


class FormScreen(LiveScreen[Draft | None]):
    """Answers with what was typed, which makes a selection; None goes back to the monitor."""

    BINDINGS: ClassVar[list[BindingType]] = keys.FORM

    DEFAULT_CSS = """
    FormScreen {
        & .row { height: 1; }
        & .row > Facts { width: 11; }
        & .row > Field { width: 1fr; }
        & .row > .small { width: 1fr; }
        & .row > Picker { width: 14; }
        & #values { height: auto; }
        & .row > .name { width: auto; padding: 0 1 0 1; }
        & #every { display: none; }
        & #every.-shown { display: block; }
        & #meaning { height: 1fr; }
    }
    """

    def __init__(self, site: Site, draft: Draft, start: Start) -> None:
        """``start`` is the field that has the focus first."""
        self._draft = draft
        self._start: Start = start
        self._may_plan = self._holds = False
        super().__init__(site)

    @property
    def _presets(self) -> tuple[Preset, ...]:
        return self.site.desk.rules.presets

    def body(self) -> Iterable[Widget]:
        """The form, the estimate, and what the patterns mean."""
        draft = self._draft
        names = [NO_PRESET, *(preset.name for preset in self._presets)]
        chosen = draft.preset.name if draft.preset is not None else NO_PRESET
        form = Vertical(
            _row(
                "pattern", Field(draft.pattern, placeholder="user:cache:*", select_on_focus=False, id="pattern"), "own"
            ),
            _row("preset", Picker(names, chosen, id="preset")),
            Vertical(id="values", classes="frameless"),
            Horizontal(
                Facts([(label("type"),)]),
                Picker(TYPES, draft.type, id="type"),
                *_small("expiry", draft.expiry),
                *_small("idle", draft.idle),
                *_small("larger", draft.larger),
                classes="row",
            ),
            _row("all keys", Picker((NO, YES), YES if draft.every else NO, id="all"), "every"),
            classes="frame -first",
        )
        form.border_title = Content("Invalidate")
        form.border_subtitle = Content(safe(self.site.place))
        estimate = Vertical(Prose(form_text.WAITING, id="estimate"), classes="frame")
        estimate.border_title = Content("Estimate")
        meaning = Vertical(Prose(id="words"), id="meaning", classes="frame")
        yield form
        yield estimate
        yield meaning

    async def on_mount(self) -> None:
        """The cursor stands where one goes on; what is typed takes the place of a pattern that was suggested."""
        await self._show_values()
        self.query_one("#preset" if self._draft.preset is not None else f"#{self._start}").focus()
        self.query_one("#pattern", Field).select_all()
        self._changed()

    @property
    def draft(self) -> Draft:
        """What the form holds now."""
        return replace(
            self._draft,
            pattern=self._text("pattern"),
            type=self.query_one("#type", Picker).chosen,
            expiry=self._text("expiry"),
            idle=self._text("idle"),
            larger=self._text("larger"),
            every=self.query_one("#all", Picker).chosen == YES,
            values={field.name or "": field.value for field in self.query_one("#values").query(Field)},
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A plan is made of what can be used, and what is empty stays so."""
        if action == "plan":
            return self._may_plan or None
        return self._holds or None if action == "clear" else True

    def show_keys(self) -> None:
        """The keys that work while one types."""
        wanted = (*((_PLAN,) if self._may_plan else ()), _NEXT, _CLEAR, _BACK, _HELP)
        self.query_one(KeyBar).hints = named(self, wanted)

    def action_plan(self) -> None:
        """Close with what is typed, if it can be used."""
        draft = self.draft
        try:
            self._selection(draft)
        except PatternError as error:
            self._say(form_text.WAITING if draft.is_empty else form_text.wrong(safe(str(error))))
            self.app.bell()
        else:
            self.dismiss(draft)

    def action_clear(self) -> None:
        """Empty every field."""
        for field in self.query(Field):
            field.value = ""
        for picker in self.query(Picker):
            picker.choose(picker.words[0])
        self.query_one("#own").display = True
        self.query_one("#pattern").focus()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_plan()

    @on(Picker.Changed, "#preset")
    async def _choose_preset(self, message: Picker.Changed) -> None:
        name = message.picker.chosen
        chosen = next((preset for preset in self._presets if preset.name == name), None)
        self._draft = replace(self.draft, preset=chosen)
        await self._show_values()

    @on(Input.Changed)
    @on(Picker.Changed)
    def _changed(self) -> None:
        """Say what is meant now, and ask how many keys that are once nothing is typed for a moment."""
        draft, rules = self.draft, self.site.desk.rules
        catch_all = self._may_plan = False
        self.workers.cancel_group(self, "estimate")
        words = form_text.presets(rules.presets, rules.protected)
        if draft.preset is not None:
            words = form_text.templates(draft.preset, rules.protected)
        try:
            if draft.is_empty:
                self._say(form_text.WAITING)
            else:
                words = (*form_text.meaning(draft.patterns, rules.protected), *form_text.HOW)
                catch_all = draft.is_catch_all
                self.estimate(self._selection(draft))
                self._may_plan = True
        except EveryKey as error:
            self._say(form_text.wrong(safe(f"{error}; choose all keys if all of them are to go")))
        except PatternError as error:
            self._say(form_text.wrong(safe(str(error))))
        self.query_one("#words", Prose).show(words)
        self.query_one("#meaning").border_title = Content("How to say it" if draft.is_empty else "What it means")
        self.query_one("#every").set_class(catch_all, "-shown")
        chosen = any(picker.chosen != picker.words[0] for picker in self.query(Picker))
        self._holds = chosen or any(field.value for field in self.query(Field))
        self.refresh_bindings()

    @work(exclusive=True, group="estimate")
    async def estimate(self, selection: Selection) -> None:
        """Ask how many keys are meant; what is typed next ends it."""
        await asyncio.sleep(_TYPING_SECONDS)
        self._say(form_text.ASKING)
        try:
            self._say(form_text.estimated(await self.site.desk.estimate(selection)))
        except (LinkError, Refused) as error:
            self._say(form_text.wrong(safe(f"no estimate: {error}")))

    def _selection(self, draft: Draft) -> Selection:
        selection = self.site.desk.selection(draft.patterns, draft.filters, every=draft.every)
        check(selection)
        return selection

    async def _show_values(self) -> None:
        """A row for each parameter of the preset, which takes the place of the pattern."""
        preset = self._draft.preset
        values = self.query_one("#values", Vertical)
        await values.remove_children()
        for name in preset.parameters if preset is not None else ():
            await values.mount(_row(name, Field(self._draft.values.get(name, ""), name=name)))
        self.query_one("#own").display = preset is None

    def _say(self, lines: tuple[Line, ...]) -> None:
        for prose in self.query("#estimate").results(Prose):  # none, when the answer comes as the form closes
            prose.show(lines)

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Field).value


def _row(name: str, field: Widget, own: str | None = None) -> Horizontal:
    return Horizontal(Facts([(label(name),)]), field, classes="row", id=own)


def _small(name: str, value: str) -> tuple[Widget, Widget]:
    field = _field(name, value, ANY)
    field.add_class("small")
    return Facts([(label(name),)], classes="name"), field


def _field(name: str, value: str, example: str) -> Field:
    return Field(value, placeholder=example, select_on_focus=False, id=name)
