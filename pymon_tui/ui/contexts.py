"""Where keys are pressed: for each place that can have the focus, the bindings that are active together there."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import App
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.screen import Screen

from pymon_tui.ui.keymap import Context, context
from pymon_tui.ui.panes import PANES
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.connect import ConnectScreen
from pymon_tui.ui.screens.invalidate import keys
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.password import PasswordScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.screens.window import Window
from pymon_tui.ui.widgets.field import Field
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.picker import Picker
from pymon_tui.ui.widgets.table import Table

_RUNNING = ("run.pause", "run.cancel", "run.interrupt")
_ASKING = ("run.go_on", "run.no")
_OVER = ("run.undo", "run.details", "run.journal", "run.quit")
_BEFORE, _DURING = ("undo.start", "undo.replace", "undo.quit"), ("undo.cancel",)


def contexts(app: type[App[int]]) -> tuple[Context, ...]:
    """Every context of this app, the monitor's first."""
    palette = Binding(app.COMMAND_PALETTE_BINDING, "command_palette", "Palette", priority=True)
    # Those with priority come first wherever the focus is, also in a window.
    above = [*(binding for _, binding in app._merge_bindings() if binding.priority), palette]
    found = [*_monitor(app), *_windows(), *_invalidation()]
    return tuple(Context((*one.bindings, *above), one.is_typing) for one in found)


def _monitor(app: type[DOMNode]) -> Iterator[Context]:
    for pane in PANES:
        yield context(Table, pane, MonitorScreen, app)
    # What else the monitor has is out of reach while one types.
    yield context(Field, FilterLine, is_typing=True)


def _windows() -> Iterator[Context]:
    yield context(VerticalScroll, ConfirmScreen)
    yield context(VerticalScroll, ReaderScreen)
    yield context(Table, ConnectScreen)
    for kind in (ConnectScreen, PasswordScreen, PromptScreen):
        yield context(Field, kind, is_typing=True)


def _invalidation() -> Iterator[Context]:
    yield context(Picker, keys.FORM, keys.EVERYWHERE, Screen)
    yield context(Field, keys.FORM, keys.EVERYWHERE, Screen, is_typing=True)
    yield context(Table, keys.PLAN, keys.EVERYWHERE, Screen)
    for never in ((*_ASKING, *_OVER), (*_RUNNING, *_OVER), (*_RUNNING, *_ASKING)):
        yield context(keys.RUN, keys.EVERYWHERE, Screen, without=never)
    yield context(VerticalScroll, keys.UNDO, Window, without=_BEFORE)
    yield context(VerticalScroll, keys.UNDO, Window, without=_DURING)
    yield context(Table, keys.JOURNAL, keys.EVERYWHERE, Screen)
    yield context(Table, keys.LIST, keys.EVERYWHERE, Screen)
    yield context(VerticalScroll, keys.QUESTION, Window)
