"""Several deployments in one app: all are followed, and one is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from textual.app import App
from textual.worker import Worker

from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.state.deferred import Deferred
from pymon_tui.state.kept import Kept
from pymon_tui.state.source import Source
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.tab_line import TabTitle

OTHERS_AFTER = 1.0
"""Seconds that the other tabs wait for the first to have a picture."""


@dataclass(slots=True, eq=False)
class Tab:
    """A deployment, its monitor once it was shown, and who follows it while it isn't.

    Attributes:
        settings: What the user has set for it.
        endpoint: Where it is.
    """

    settings: Settings
    endpoint: Endpoint
    monitor: MonitorScreen | None = None
    kept: Kept | None = None
    following: Worker[None] | None = None


class Tabs:
    """The tabs of an app in the order that the user named them. One alone is followed by its screen and nobody else."""

    def __init__(
        self,
        app: App[Any],
        tabs: Sequence[Tab],
        source_of: Callable[[Endpoint], Source],
        clock: Callable[[], float],
    ) -> None:
        """Nothing is made yet.

        Args:
            app: Where the screens are shown.
            tabs: At least one; the first is shown first.
            source_of: Makes the live source of an endpoint.
            clock: Monotonic seconds, as the sources' snapshots have them.
        """
        self._app = app
        self._tabs = tuple(tabs)
        self._source_of = source_of
        self._clock = clock
        self._place = 0
        self._numbers = count()
        self._begun = False

    def __len__(self) -> int:
        return len(self._tabs)

    @property
    def shown(self) -> Tab:
        """The one that is looked at."""
        return self._tabs[self._place]

    def monitor(self) -> MonitorScreen:
        """The monitor of the one that is shown; made if it is the first time."""
        tab = self.shown
        if tab.monitor is None:
            tab.monitor = MonitorScreen(
                self._source(tab), self._clock, tab.settings.graph, self._titles if len(self) > 1 else tuple
            )
            if len(self) > 1:  # so that it stays when another is shown
                self._app.install_screen(tab.monitor, f"tab-{next(self._numbers)}")
        return tab.monitor

    def begin(self) -> None:
        """Follow the one that is shown; to be called when there is a picture."""
        if len(self) > 1:
            self._follow(self.shown)
            self._app.set_timer(OTHERS_AFTER, self.begin_others)

    def begin_others(self) -> None:
        """Follow the others as well, which wait until the first has answered, or could not be reached."""
        if not self._begun:
            self._begun = True
            for tab in self._tabs:
                self._follow(tab)

    def step(self, step: int) -> None:
        """Show the tab that many further, round and round."""
        old = self.shown
        self._place = (self._place + step) % len(self)
        new = self.shown
        if new is old or old.monitor is None:
            return
        seen = new.monitor is not None
        monitor = self.monitor()
        old.monitor.leave()
        self._look()
        self._follow(new)
        self._app.switch_screen(monitor)
        if seen:
            monitor.come_back()

    def replace(self, endpoint: Endpoint) -> None:
        """Show this server in the tab that is shown, in place of what was there."""
        tab = self.shown
        old = tab.monitor
        if tab.following is not None:
            tab.following.cancel()
        tab.endpoint, tab.monitor, tab.kept, tab.following = endpoint, None, None, None
        self._app.switch_screen(self.monitor())
        if old is not None:
            self._app.uninstall_screen(old)  # it goes as soon as the other one has come
        self.begin()

    def _source(self, tab: Tab) -> Source:
        make = partial(self._source_of, tab.endpoint)
        if len(self) == 1:
            return Deferred(make, read_only=tab.endpoint.read_only)
        if tab.kept is None:
            tab.kept = Kept(make, read_only=tab.endpoint.read_only, shown=tab is self.shown, turned=self._turned)
        return tab.kept

    def _follow(self, tab: Tab) -> None:
        if tab.following is None and len(self) > 1:
            self._source(tab)
            assert tab.kept is not None
            tab.following = self._app.run_worker(tab.kept.run(), group="tabs", exclusive=False)

    def _look(self) -> None:
        for tab in self._tabs:
            if tab.kept is not None:
                tab.kept.show(shown=tab is self.shown)

    def _turned(self) -> None:
        if self.shown.monitor is not None:
            self.shown.monitor.show_state()

    def _titles(self) -> tuple[TabTitle, ...]:
        return tuple(map(self._title, self._tabs))

    def _title(self, tab: Tab) -> TabTitle:
        newest = tab.kept.newest if tab.kept is not None else None
        environment = newest.environment if newest is not None else tab.endpoint.environment
        return TabTitle(
            safe(tab.endpoint.label),
            safe(environment) if environment else None,
            newest.link if newest is not None else None,
            tab is self.shown,
        )
