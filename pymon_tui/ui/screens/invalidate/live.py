"""What the full screens of invalidation share: the monitor's title above, the keys below, and a steady look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ScreenResultType
from textual.widget import Widget

from pymon_tui.model.link import Lost
from pymon_tui.model.text import safe
from pymon_tui.ui.painting import SeenScreen
from pymon_tui.ui.screens.help import help_screen
from pymon_tui.ui.screens.hints import hints_of
from pymon_tui.ui.screens.invalidate.keys import EVERYWHERE
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.status import banner, left_title, right_title
from pymon_tui.ui.screens.tab_line import tab_line
from pymon_tui.ui.widgets.ink import Prose
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.title_bar import TitleBar

LOOK_SECONDS = 0.25


class Frame(Vertical):
    """A frame of a live screen, which holds as much as there is room for: a new size has the screen look again."""

    def on_resize(self, _: events.Resize) -> None:
        """Have what depends on the room drawn as soon as that is known."""
        if isinstance(self.screen, LiveScreen):
            self.screen._look()


class LiveScreen(SeenScreen[ScreenResultType]):
    """A screen over the monitor, which goes on underneath. The monitor's own keys don't work here."""

    BINDINGS: ClassVar[list[BindingType]] = EVERYWHERE

    DEFAULT_CSS = """
    LiveScreen {
        background: $background;
        color: $foreground;
        overflow: hidden;
        & .frame {
            border: round $ink-frame;
            border-title-color: $ink-label;
            border-title-style: bold;
            border-subtitle-color: $ink-label;
            padding: 0 1;
            height: auto;
        }
        & .frame.-first, & .frame:focus-within {
            border: round $accent;
            border-title-color: $accent;
        }
        & #banner {
            height: auto;
            padding: 0 1;
            display: none;
            &.-shown { display: block; }
        }
    }
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__()
        self._modal = True  # without what a ModalScreen looks like

    def body(self) -> Iterable[Widget]:
        """What stands between the title and the keys."""
        raise NotImplementedError

    def look(self) -> None:
        """Draw what is new. Called a few times a second."""

    def compose(self) -> ComposeResult:
        """A title, what keeps us from the server, the body and the keys."""
        yield TitleBar()
        yield Prose(id="banner")
        yield from self.body()
        yield KeyBar()

    async def on_mount(self) -> None:
        """Begin to look."""
        self.bindings_updated_signal.subscribe(self, lambda _: self.show_keys())
        self.set_interval(LOOK_SECONDS, self._look)
        self._look()

    def on_resize(self, _: events.Resize) -> None:
        """Draw what depends on the width as soon as that is known."""
        self.call_after_refresh(self._look)

    def action_help(self) -> None:
        """The keys that work now."""
        self.app.push_screen(help_screen(self.app, "", "", self.active_bindings.values(), ()))

    def show_keys(self) -> None:
        """The keys that do something now, help at the end."""
        active = sorted(self.active_bindings.values(), key=lambda one: one.binding.action == "help")
        shown = [safe(self.app.get_key_display(one.binding)) for one in active]
        self.query_one(KeyBar).hints = hints_of(active, shown, opened=True, narrow=True)

    def _look(self) -> None:
        newest, now = self.site.newest(), self.site.clock()
        if not self.query(TitleBar):  # when the app is left, widgets go before timers
            return
        if newest is not None:
            bar = self.query_one(TitleBar)
            width = self.size.width
            bar.left = left_title(newest, width, tab_line(self.site.tabs(), width))
            bar.right = right_title(newest, None, now, width=width, read_only=self.site.read_only)
            lines = banner(newest, now)
            self.query_one("#banner", Prose).show(lines)
            self.query_one("#banner").set_class(isinstance(newest.link, Lost), "-shown")
        self.look()
