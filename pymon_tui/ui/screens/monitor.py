"""The monitor: lays the panes out, follows the source, hands snapshots down and routes actions up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.reactive import reactive

from pymon_tui.model.link import Live, Lost
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.state.source import Source
from pymon_tui.ui.named_keys import named_key
from pymon_tui.ui.panes import PANES, PANES_BY_KEY
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.acting import ActingScreen
from pymon_tui.ui.screens.help import help_screen
from pymon_tui.ui.screens.hints import hints_of
from pymon_tui.ui.screens.intervals import next_interval
from pymon_tui.ui.screens.nodes import stepped
from pymon_tui.ui.screens.overview import in_order, wanted
from pymon_tui.ui.screens.status import banner, left_title, locked, right_title
from pymon_tui.ui.screens.tab_line import TabTitle, tab_line
from pymon_tui.ui.widgets.graph import Glyphs
from pymon_tui.ui.widgets.ink import Prose
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.table import Table
from pymon_tui.ui.widgets.title_bar import TitleBar

WIDE = 100
"""Columns from which the overview has three panes in a row."""
NAMED = 180
"""Columns from which each pane's key has its name in the line of keys."""


class MonitorScreen(ActingScreen):
    """All panes of one source, or one of them in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "overview", "Overview", id="overview", tooltip="Show all panes"),
        *(
            Binding(key, f"pane({pane.NAME!r})", pane.TITLE, id=f"pane.{pane.NAME}", tooltip=f"{pane.TITLE} in full")
            for key, pane in PANES_BY_KEY.items()
        ),
        Binding("tab", "app.focus_next", "Next", show=False, id="next", tooltip="Focus the next pane"),
        Binding("shift+tab", "app.focus_previous", "Previous", show=False, id="previous", tooltip="The pane before"),
        Binding("enter,z", "open", "Open", id="open", tooltip="Open the pane, or the row in the open pane"),
        Binding("escape", "overview", "Back", show=False, id="back", tooltip="Back to the overview"),
        Binding("space", "pause", "Pause", id="pause", tooltip="Hold the picture; polling goes on"),
        Binding("plus,equals_sign", "interval(1)", "Slower", show=False, id="slower", tooltip="A longer interval"),
        Binding("minus", "interval(-1)", "Faster", show=False, id="faster", tooltip="A shorter interval"),
        Binding("r", "refresh", "Refresh", show=False, id="refresh", tooltip="Ask now, also what was refused"),
        Binding("question_mark", "help", "Help", id="help", tooltip="The keys that work here"),
        Binding("n", "node(1)", "Node", show=False, id="node.next", tooltip="The next node of the deployment"),
        Binding("N", "node(-1)", "Node before", show=False, id="node.previous", tooltip="The node before"),
        Binding("0", "node(None)", "All nodes", show=False, id="node.all", tooltip="All nodes together"),
        Binding("y", "copy", "Copy", show=False, id="copy", tooltip="Copy the row to the clipboard (OSC 52)"),
    ]

    AUTO_FOCUS = "Table"  # the first of all widgets may be a line to type into that isn't shown

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012

    paused: reactive[bool] = reactive(False, init=False)
    read_only: reactive[bool] = reactive(False, init=False)
    glyphs: reactive[Glyphs] = reactive[Glyphs]("blocks", init=False)

    class FirstAnswer(Message):
        """The server has answered for the first time, and its answer is drawn."""

    class FirstLost(Message):
        """The server could not be reached at the first try."""

        def __init__(self, lost: Lost) -> None:
            self.lost = lost
            super().__init__()

    def __init__(
        self, source: Source, clock: Callable[[], float], glyphs: Glyphs, tabs: Callable[[], Sequence[TabTitle]]
    ) -> None:
        """Make the monitor of one source.

        Args:
            source: What is looked at.
            clock: Gives monotonic seconds, as the source's snapshots have them.
            glyphs: What graphs are made of.
            tabs: Tells of all tabs, this one among them; none where it is alone.
        """
        self._clock = clock
        self.tabs = tabs
        self._was_left = self._is_settled = False
        self._newest: Snapshot | None = None
        self._open: str | None = None
        self._interval: float | None = None
        super().__init__(source)
        self.set_reactive(MonitorScreen.read_only, source.read_only)
        self.set_reactive(MonitorScreen.glyphs, glyphs)

    @property
    def newest(self) -> Snapshot | None:
        """The newest snapshot, shown or, while paused, kept back."""
        return self._newest

    def compose(self) -> ComposeResult:
        """A title, the panes, and the keys."""
        # Before anything has a style: with the first Resize everything would be styled once more.
        self.add_class("-wide" if self.app.size.width >= WIDE else "-narrow", update=False)
        yield TitleBar()
        yield Prose(id="banner")
        with Container(id="panes"):
            yield from (self._bound(pane()) for pane in in_order(PANES))
        yield KeyBar()

    def _bound(self, pane: Pane) -> Pane:
        return pane.data_bind(
            MonitorScreen.snapshot, MonitorScreen.paused, MonitorScreen.read_only, MonitorScreen.glyphs
        )

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Leave the styles as they are: everything got them when it was mounted, a moment ago."""
        event.refresh_styles = self._was_left

    def on_mount(self) -> None:
        """Begin to follow the source."""
        self.bindings_updated_signal.subscribe(self, lambda _: self._show_keys())
        self._want()
        self.call_after_refresh(self.follow)
        self.set_interval(1.0, self._show_age)

    def leave(self) -> None:
        """Another tab is shown: the source goes on, and nothing is drawn of it."""
        self._was_left = True
        self.workers.cancel_group(self, "follow")

    def come_back(self) -> None:
        """Draw again what the source has."""
        self.follow()

    @work(exclusive=True, group="follow")
    async def follow(self) -> None:
        """Take each snapshot of the source as it comes."""
        async with aclosing(self._source.snapshots()) as snapshots:
            async for snapshot in snapshots:
                known, link = snapshot.readings_known, snapshot.link
                if isinstance(link, Lost) and link.tries == 1 and not (known or self._is_settled):
                    self.post_message(self.FirstLost(link))
                # From now on what can't be reached is one node among others, that was stepped to.
                self._is_settled = self._is_settled or known or isinstance(link, Lost)
                first = known and (self._newest is None or not self._newest.readings_known)
                self._newest, self.read_only = snapshot, self._source.read_only
                if not self.paused:
                    self.snapshot = snapshot
                self.show_state()
                self.ask_for_password(snapshot, again=False)
                if first:
                    self.call_after_refresh(self.post_message, self.FirstAnswer())

    def watch_paused(self) -> None:
        """Catch up when the pause ends."""
        if not self.paused:
            self.snapshot = self._newest
        self.show_state()

    def action_overview(self) -> None:
        """Show the overview."""
        self.call_later(self._lay_out, None)

    def action_pane(self, name: str) -> None:
        """Show one pane in full."""
        self.call_later(self._lay_out, name)

    def action_open(self) -> None:
        """Open the focused pane in full; in full, the row under the cursor."""
        pane = self._focused_pane()
        if pane is None:
            return
        if self._open is None:
            self.call_later(self._lay_out, pane.NAME)
        elif (message := pane.opened()) is not None:
            self.post_message(message)

    def action_pause(self) -> None:
        """Hold the picture, or let it go on."""
        self.paused = not self.paused

    def action_interval(self, step: int) -> None:
        """A longer interval, or a shorter one."""
        # Counted from the last wish, and not from the last tick: two presses are two steps.
        current = self._interval or (self._newest.interval if self._newest is not None else 1.0)
        self._interval = next_interval(current, step)
        self._source.set_interval(self._interval)

    def action_refresh(self) -> None:
        """Ask now, also what was refused before; where a password is wanted, ask for that."""
        if self._newest is not None and locked(self._newest) is not None:
            self.ask_for_password(self._newest, again=True)
        else:
            self._source.poke()

    def action_node(self, step: int | None) -> None:
        """Show another node of the deployment, or all of them together."""
        if self._newest is not None and (fleet := self._newest.fleet) is not None:
            self._source.choose(stepped(fleet, step))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No step to another node where there is one alone, no way to where we are, nothing to open but what opens."""
        if action == "node":
            fleet = self._newest.fleet if self._newest is not None else None
            return fleet is not None and len(fleet.nodes) > 1
        if action in ("overview", "pane"):
            # None, and not False: it is a key that does nothing here, and not somebody else's.
            return None if self._open == (parameters[0] if parameters else None) else True
        if action == "open" and self.is_mounted:
            pane = self._focused_pane()
            return pane is not None and (self._open is None or pane.opening() is not None)
        return True

    def action_copy(self) -> None:
        """Copy the row under the cursor through the terminal, which works over SSH."""
        pane = self._focused_pane()
        text = pane.copied() if pane is not None else None
        if text is None:
            self.notify("nothing here to copy", markup=False)
        else:
            self.app.copy_to_clipboard(text)
            self.notify("copied", markup=False)

    def action_help(self) -> None:
        """The keys that work now, those of the focused pane first."""
        pane = self._focused_pane()
        title, about = (pane.TITLE, pane.ABOUT) if pane is not None else ("", "")
        self.app.push_screen(help_screen(self.app, title, about, self.active_bindings.values(), (self, self.app)))

    @on(Pane.Choose)
    async def _choose(self, message: Pane.Choose) -> None:
        self._source.choose(message.node)
        await self._lay_out(None)

    @on(Pane.Enlarge)
    async def _enlarge(self, message: Pane.Enlarge) -> None:
        await self._lay_out(message.name)

    @on(Table.Opened)
    def _open_row(self) -> None:
        if self._open is not None:  # else the pane's own double click opens it
            self.action_open()

    async def _lay_out(self, name: str | None) -> None:
        """One pane in full, or all of the overview. To be called as a message of the screen: panes are bound to it."""
        focused, panes = self._focused_pane(), self.query_one("#panes")
        if name is not None and not self.query(f"#pane-{name}"):
            (apart,) = (pane for pane in PANES if name == pane.NAME)
            await panes.mount(self._bound(apart()).add_class("-apart"))
        self._open = name
        panes.set_class(name is not None, "-one")
        for pane in self.query(Pane):
            pane.full = name == pane.NAME
        self._want()
        target = name or (focused.NAME if focused is not None and focused.IN_OVERVIEW else None)
        if target is not None:
            self._focus(self.query_one(f"#pane-{target}", Pane))
        self.refresh_bindings()

    def _focus(self, pane: Pane) -> None:
        focusable = [widget for widget in (pane, *pane.query("*")) if widget.focusable]
        shown = [widget for widget in focusable if all(node.display for node in widget.ancestors_with_self)]
        if focusable:
            self.set_focus((shown or focusable)[0])

    def _focused_pane(self) -> Pane | None:
        around = self.focused.ancestors_with_self if self.focused is not None else ()
        found = next((node for node in around if isinstance(node, Pane)), None)
        if found is None and self._open is not None:
            return self.query_one(f"#pane-{self._open}", Pane)
        return found

    def _want(self) -> None:
        """Tell the source which readings are looked at."""
        self._source.want(wanted(PANES, self._open))

    def _show_age(self) -> None:
        """Between snapshots only ages go on, and only where there is one to see."""
        newest, now = self._newest, self._clock()
        if newest is None:
            return
        self.ask_for_password(newest, again=False)
        if not self.paused and isinstance(newest.link, Lost):
            self.snapshot = newest.at_moment(now)  # the panes' ages go on with the banner's
        if self.paused or not isinstance(newest.link, Live) or now - newest.at > 2 * newest.interval + 0.5:
            self.show_state()

    def show_state(self) -> None:
        """Say in the title and the banner how things stand."""
        newest, now = self._newest, self._clock()
        if newest is None or not self.query(TitleBar):  # when the app is left, widgets go before the worker
            return
        bar = self.query_one(TitleBar)
        width, held = self.size.width, self.snapshot if self.paused else None
        bar.left = left_title(newest, width, tab_line(self.tabs(), width))
        bar.right = right_title(newest, held, now, width=width, read_only=self._source.read_only)
        lines = banner(newest, now, retry=named_key(self, "refresh", "r"))
        facts = self.query_one("#banner", Prose)
        facts.show(lines)
        facts.set_class(bool(lines), "-shown")
        self.set_class(isinstance(newest.link, Lost), "-stale")

    def _show_keys(self) -> None:
        """The keys that do something now: where to go first in the overview, what to do first in an open pane."""
        active = tuple(self.active_bindings.values())
        shown = [safe(self.app.get_key_display(one.binding)) for one in active]
        narrow = self._open is not None or self.size.width < NAMED
        self.query_one(KeyBar).hints = hints_of(active, shown, opened=self._open is not None, narrow=narrow)
