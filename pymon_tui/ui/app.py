"""The program on the terminal: the composition root, which knows the settings, the sources and the screens."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from pymon_tui.demo.embedded import NoServer
from pymon_tui.demo.running import running_demo
from pymon_tui.journal.crash import report
from pymon_tui.model.link import Trouble
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings, SettingsError
from pymon_tui.settings.recent import remember
from pymon_tui.state.destination import NoPrimary
from pymon_tui.state.source import Source
from pymon_tui.ui.contexts import contexts
from pymon_tui.ui.keymap import completed, wrong_keymap
from pymon_tui.ui.leaving import LeavableApp, Leaving
from pymon_tui.ui.palette import ActionProvider
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.picture import save_picture
from pymon_tui.ui.places import places
from pymon_tui.ui.screens.connect import DEMO, Choice, ConnectScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.suggestion import suggested_by
from pymon_tui.ui.tabs import Tab, Tabs
from pymon_tui.ui.terminal import DiffedApp
from pymon_tui.ui.theme import SIXTEEN, THEMES
from pymon_tui.ui.ways import Ways, WaysOf

DEMO_SEED, DEMO_RATE = 1, 2_000
EndpointOf = Callable[[Choice, Endpoint], Endpoint]
"""Where a choice leads that is made while another server is looked at. Raises SettingsError."""


class PymonApp(LeavableApp[int], DiffedApp[int]):
    """The monitor of one deployment, or of several as tabs."""

    CSS_PATH = "app.tcss"
    TITLE = "pymon"
    COMMANDS: ClassVar[set[type[ActionProvider]]] = {ActionProvider}  # type: ignore[assignment]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "quit", "Quit", show=False, id="quit", tooltip="Leave"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, id="suspend", tooltip="To the shell; fg returns"),
        Binding("i", "invalidate", "Invalidate", id="invalidate", tooltip="Remove keys by pattern, after a preview"),
        Binding("J", "journal", "Journal", show=False, id="journal", tooltip="The runs until now; resume and undo"),
        Binding("u", "undo_run", "Undo run", show=False, id="undo_run", tooltip="Bring back what the last run removed"),
        Binding("c", "connect", "Connect", show=False, id="connect", tooltip="Look at another server"),
        Binding("[,ctrl+pageup", "tab(-1)", "Tab before", show=False, id="tab.previous", tooltip="The tab before"),
        Binding("],ctrl+pagedown", "tab(1)", "Next tab", show=False, id="tab.next", tooltip="The next tab"),
        Binding("t", "next_theme", "Theme", show=False, id="theme", tooltip="The next theme"),
        Binding("ctrl+s", "picture", "Screenshot", show=False, id="screenshot", tooltip="Save the screen as an SVG"),
    ]

    def __init__(
        self,
        settings: Settings,
        source_of: Callable[[Endpoint], Source],
        endpoint_of: EndpointOf,
        ways_of: WaysOf,
        *,
        endpoint: Endpoint | None = None,
        others: Sequence[Settings] = (),
        clock: Callable[[], float] = clock.now,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """Make the app; nothing is opened yet.

        Args:
            settings: What the user has set; of several deployments, for the first.
            source_of: Makes the live source; called after the first paint, for it imports much.
            endpoint_of: Where a choice of the connect screen leads.
            ways_of: Makes the screens of invalidation; called when they are first wanted.
            endpoint: The server to look at first, by default the settings'.
            others: What the user has set for the deployments in further tabs.
            clock: Monotonic seconds, as the source's snapshots have them.
            driver_class: How to speak to the terminal; by default as Textual decides.
        """
        super().__init__(full_redraw=settings.full_redraw, driver_class=driver_class)
        self.crash: str | None = None
        self.is_the_program = False  # which a signal ends: else it is one of several in somebody's process
        self._settings = settings
        self._endpoint_of = endpoint_of
        self._ways_of = ways_of
        tabs = [Tab(settings, endpoint or settings.endpoint), *(Tab(other, other.endpoint) for other in others)]
        self._tabs = Tabs(self, tabs, source_of, clock)
        self._guessed = endpoint is None and not settings.explicit
        self._demo = ExitStack()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = settings.theme or ("pymon-16" if settings.color == "16" else "pymon-dark")
        self.animation_level = "none"
        self.wrong_key: str | None = None
        if settings.keymap:
            known = contexts(PymonApp)
            self.wrong_key = wrong_keymap(settings.keymap, known)
            self.set_keymap(completed(settings.keymap, known))

    def get_default_screen(self) -> MonitorScreen:
        """The first paint is the monitor, with nothing in it yet."""
        monitor = self._tabs.monitor()
        # Another server's monitor takes its place by switch_screen, which takes back what only push_screen gives.
        monitor._push_result_callback(self, None)
        return monitor

    @property
    def _endpoint(self) -> Endpoint:
        """Where the deployment is that is shown."""
        return self._tabs.shown.endpoint

    def on_load(self) -> None:
        """Leave in good order whatever ends us: the terminal is taken right after this."""
        if self.is_the_program:
            self._leaving = Leaving(self)

    def on_ready(self) -> None:
        """Follow what is shown."""
        self._tabs.begin()

    def watch_server(self, endpoint: Endpoint) -> None:
        """Show this server's monitor in place of what was shown."""
        self._tabs.replace(endpoint)

    @on(MonitorScreen.FirstAnswer)
    @on(MonitorScreen.FirstLost)
    def _settle(self) -> None:
        # What start-up made stays for good. A collector that looks through it again and again holds keys up for
        # a tenth of a second each time.
        gc.collect()
        gc.freeze()
        gc.enable()
        self._tabs.begin_others()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """None of Textual's: the palette has our own, by the same names as the keys'."""
        return ()

    def get_key_display(self, binding: Binding) -> str:
        """The key as it is printed; Enter in letters, for many fonts lack its sign."""
        return "enter" if binding.key == "enter" else super().get_key_display(binding)

    def action_next_theme(self) -> None:
        """The next of our own themes."""
        names = [theme.name for theme in THEMES]
        current = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(current + 1) % len(names)]

    def action_picture(self) -> None:
        """Save the screen as an SVG in the working directory, or at home where that can't be written."""
        saved = save_picture(self.export_screenshot(title="pymon-tui"), (Path.cwd(), Path.home()))
        if saved is not None:
            self.notify(safe(f"saved {saved}"), markup=False)
        else:
            self.notify("the screenshot could not be written here or at home", severity="error", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key that writes under read-only, though a plan can be looked at; another tab only from a monitor."""
        if action == "tab":
            return len(self._tabs) > 1 and isinstance(self.screen, MonitorScreen)
        shown = isinstance(self.screen, MonitorScreen) and self.screen.read_only
        return not (action == "undo_run" and (self._endpoint.read_only or shown))

    def action_tab(self, step: int) -> None:
        """Show another tab."""
        self._tabs.step(step)

    def _ways(self) -> Ways | None:
        """What can be done about the keys of what is shown; None, and that is said, where it isn't known where."""
        if not isinstance(monitor := self.screen, MonitorScreen):
            return None
        try:
            return self._ways_of(self, self._endpoint, monitor)
        except NoPrimary as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return None

    @work(exclusive=True, group="invalidation")
    async def action_invalidate(self) -> None:
        """Preview which keys a pattern means, and remove them if that is confirmed."""
        if isinstance(monitor := self.screen, MonitorScreen) and (ways := self._ways()) is not None:
            await ways.invalidate(suggested_by(monitor))

    @on(Pane.Browse)
    @work(exclusive=True, group="invalidation")
    async def _list_keys(self, message: Pane.Browse) -> None:
        if (ways := self._ways()) is not None:
            await ways.list_keys(message.pattern)

    @work(exclusive=True, group="invalidation")
    async def action_journal(self) -> None:
        """Show what was invalidated until now."""
        if (ways := self._ways()) is not None:
            await ways.journal()

    @work(exclusive=True, group="invalidation")
    async def action_undo_run(self) -> None:
        """Bring back what the last run on this server removed."""
        if (ways := self._ways()) is not None:
            await ways.undo_last()

    def action_connect(self) -> None:
        """Ask for another server."""
        self.choose_server(safe(""))

    @on(MonitorScreen.FirstLost)
    def _first_lost(self, message: MonitorScreen.FirstLost) -> None:
        # Nobody named this server: where the usual place is empty, ask.
        if self._guessed and message.lost.trouble is not Trouble.LOCKED:  # of that one the password is asked
            self._guessed = False
            self.choose_server(safe(f"{message.lost.what}: which server?"))
        elif message.lost.tries == 1:
            self.bell()

    @on(MonitorScreen.LoggedIn)
    def _logged_in(self, message: MonitorScreen.LoggedIn) -> None:
        self._tabs.shown.endpoint = replace(self._endpoint, password=message.password)

    @work(exclusive=True, group="choose")
    async def choose_server(self, why: SafeText) -> None:
        """Ask until there is a server to look at, or the person goes back."""
        while True:
            choice = await self.push_screen_wait(ConnectScreen(why, places(self._settings.profiles)))
            if choice is None:
                return
            try:
                endpoint = self._demo_endpoint() if choice is DEMO else self._endpoint_of(choice, self._endpoint)
            except (SettingsError, NoServer) as error:
                why = safe(str(error))
                continue
            if choice is not DEMO:
                remember(endpoint)
            self.watch_server(endpoint)
            return

    def _demo_endpoint(self) -> Endpoint:
        server = self._demo.enter_context(running_demo(seed=DEMO_SEED, rate=DEMO_RATE))
        return Endpoint(socket=server.socket, name="demo", read_only=self._endpoint.read_only)

    def suit_terminal(self) -> None:
        """Where nothing was chosen and the terminal says it has 16 colours, take the theme that is made of them."""
        if self._settings.theme is None and self.console.color_system == "standard":
            self.theme = SIXTEEN.name

    def close_demo(self) -> None:
        """End the demo that was chosen on the connect screen, if there is one."""
        self._demo.close()

    def _fatal_error(self) -> None:
        # Textual prints every local variable, passwords among them; we leave them out, and say one line.
        error = self._exception
        if error is not None and self.crash is None:
            self.crash = report(error)
        self._close_messages_no_wait()


def run_monitor(
    settings: Settings,
    source_of: Callable[[Endpoint], Source],
    endpoint_of: EndpointOf,
    ways_of: WaysOf,
    *,
    others: Sequence[Settings],
) -> int:
    """Open the monitor and stay until the person leaves; ``others`` are further tabs. Returns the exit code."""
    for one in reversed((settings, *others)):
        if one.explicit:
            remember(one.endpoint)
    return _run(PymonApp(settings, source_of, endpoint_of, ways_of, others=others))


def run_demo(
    settings: Settings,
    source_of: Callable[[Endpoint], Source],
    endpoint_of: EndpointOf,
    ways_of: WaysOf,
    *,
    seed: int,
    rate: float,
) -> int:
    """Open the monitor on a server of its own with Py_Monitor at work on it. Returns the exit code."""
    try:
        with running_demo(seed=seed, rate=round(rate)) as server:
            demo = Endpoint(socket=server.socket, name="demo", read_only=settings.read_only)
            return _run(PymonApp(settings, source_of, endpoint_of, ways_of, endpoint=demo))
    except NoServer as error:
        print(f"pymon-tui: {error}", file=sys.stderr)  # noqa: T201
        return 1


def _run(app: PymonApp) -> int:
    if app.wrong_key is not None:
        print(f"pymon-tui: {app.wrong_key}", file=sys.stderr)  # noqa: T201
        return 2
    app.suit_terminal()
    app.is_the_program = True
    try:
        code = app.run(mouse=True)
    finally:
        app.close_demo()
    if app.crash is not None:
        print(app.crash, file=sys.stderr)  # noqa: T201
        return 1
    return code or app.return_code or 0
