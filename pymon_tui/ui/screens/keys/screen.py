"""The keys of one pattern, listed page by page as one scrolls down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar, Final

from textual import events, on, work
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from pymon_tui.invalidation.browsing import AT_ONCE, Browsing, BrowsingProgress
from pymon_tui.invalidation.pattern import Pattern, PatternError, literal
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.model import units
from pymon_tui.model.text import safe
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.named_keys import named_key
from pymon_tui.ui.screens.invalidate import keys
from pymon_tui.ui.screens.invalidate.live import LiveScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.keys.lines import columns_of, facts_lines, is_secret, key_text, ordered, state_lines
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.ink import Line, Prose, label, span, text_of
from pymon_tui.ui.widgets.table import Listed, Table

AHEAD: Final = 50
"""Rows below those that are seen: where there are fewer, more are looked for."""


class KeysScreen(LiveScreen[None]):
    """Keys with type, time to live and size; what is in them is not shown."""

    BINDINGS: ClassVar[list[BindingType]] = keys.LIST

    DEFAULT_CSS = """
    KeysScreen {
        & .frame { height: 1fr; }
        & #state { margin-bottom: 1; }
    }
    """

    def __init__(self, site: Site, pattern: Pattern, invalidate: Callable[[Pattern], Awaitable[None]]) -> None:
        """``invalidate`` goes from a pattern to a run and its account, and comes back here."""
        self._pattern = pattern
        self._invalidate = invalidate
        self._browsing: Browsing | None = None
        self._wanted = asyncio.Event()
        self._looking = False
        self._stopped_at: int | None = None  # the cursor's row, when looking ended with its time
        self._samples: list[Sample] = []
        self._trouble: Line | None = None
        self._table: Table[Sample] = Table(columns_of((), 0), sort=None, follows=True, empty="")
        super().__init__(site)

    def body(self) -> Iterable[Widget]:
        """How far the listing is, and the keys."""
        frame = Vertical(Prose(id="state"), self._table, classes="frame -first")
        frame.border_title = Content(safe(f"Keys {self._pattern.shown}"))
        frame.border_subtitle = Content(safe(self.site.place))
        yield frame

    async def on_mount(self) -> None:
        """Begin to list."""
        self._table.focus()
        self.list_keys()

    @work(exclusive=True, group="list")
    async def list_keys(self) -> None:
        """List keys as they are wanted, on a connection of its own, until the screen is left."""
        try:
            async with self.site.desk.browsing(self._pattern) as browsing:
                await self._read_on(browsing)
        except (LinkError, Refused) as error:
            remedy = f"; {error.remedy}" if error.remedy else ""
            self._trouble = (
                span(f"{error.what}{remedy}", "act"),
                label(f" · {named_key(self, 'keys.again', 'r')} tries again"),
            )

    async def _read_on(self, browsing: Browsing) -> None:
        """Take keys whenever they are wanted; then the connection is left to answer for single ones."""
        self._browsing = browsing
        try:
            while not (browsing.progress.ended or browsing.progress.capped):
                self._looking = True
                self._take(await browsing.more(), browsing.progress)
                await self._wanted.wait()
            await asyncio.Event().wait()
        finally:
            self._browsing, self._looking = None, False

    def look(self) -> None:
        """Look for more keys where the end of those that are listed comes near, and say how far it is."""
        table, stopped = self._table, self._stopped_at
        seen = max(table.cursor, table.scroll_offset.y + table.size.height)
        if len(self._samples) - seen < AHEAD and (stopped is None or table.cursor > stopped):
            self._wanted.set()
        browsing = self._browsing
        progress = browsing.progress if browsing is not None else None
        refusals = tuple(browsing.refusals) if browsing is not None else ()
        more = named_key(self, "keys.more", "m") if stopped is not None else ""
        lines = state_lines(progress, self._trouble, refusals, looking=self._looking, more=more)
        self.query_one("#state", Prose).show(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done with the key under the cursor, and with the list."""
        if action == "facts" and self._browsing is None:
            return None  # there is no connection to ask on
        if action in ("facts", "copy", "invalidate"):
            return True if self._table.cursor_row is not None else None
        if action == "more":
            return True if self._stopped_at is not None else None
        return True

    def action_more(self) -> None:
        """Look on, for as long again."""
        self._wanted.set()

    def action_again(self) -> None:
        """List from the beginning."""
        self._samples, self._trouble, self._stopped_at = [], None, None
        self._table.show(Listed((), hash))
        self.list_keys()

    @work(exclusive=True, group="facts")
    async def action_facts(self) -> None:
        """Ask what is known of the key under the cursor by now."""
        sample, browsing = self._table.cursor_row, self._browsing
        if sample is None or browsing is None:
            return
        try:
            lines = facts_lines(sample.key, await browsing.facts(sample.key))
        except LinkError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return
        copied = safe("\n".join(text_of(line) for line in lines), 10_000)
        self.app.push_screen(ReaderScreen(safe("Key"), lines, copied))

    def action_copy(self) -> None:
        """Copy the key's name through the terminal, which works over SSH."""
        sample = self._table.cursor_row
        if sample is not None:
            self.app.copy_to_clipboard(key_text(sample.key))
            self.notify("copied", markup=False)

    def action_invalidate(self) -> None:
        """Go on to the invalidation of the key under the cursor."""
        sample = self._table.cursor_row
        if sample is None:
            return
        if is_secret(sample.key):
            # A pattern is typed, shown and written into the journal whole.
            self.notify("a session is ended in the sessions pane, which doesn't show its id", markup=False)
            return
        try:
            self.invalidate(Pattern(literal(sample.key)))
        except PatternError as error:
            self.notify(safe(str(error)), severity="error", markup=False)

    def action_invalidate_all(self) -> None:
        """Go on to the invalidation of all keys of the pattern."""
        self.invalidate(self._pattern)

    @work(exclusive=True, group="invalidation")
    async def invalidate(self, pattern: Pattern) -> None:
        """From the pattern to a run and its account, and back."""
        await self._invalidate(pattern)

    def on_resize(self, _: events.Resize) -> None:
        """Another width has room for longer keys."""
        self.call_after_refresh(self._arrange)

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_facts()

    @on(Table.SortChanged)
    def _arrange(self) -> None:
        table = self._table
        table.columns = columns_of(self._samples, table.scrollable_content_region.width)
        rows = ordered(self._samples, table.sort, descending=table.descending)
        table.show(Listed(rows, lambda sample: sample.key))

    def _take(self, samples: tuple[Sample, ...], progress: BrowsingProgress) -> None:
        """Show what was found, until more is wanted."""
        self._samples += samples
        self._looking = False
        self._wanted.clear()
        over = progress.ended or progress.capped
        self._stopped_at = None if over or len(samples) == AT_ONCE else self._table.cursor
        self._table.say_when_empty("no key matches" if over else "nothing found yet")
        frame = self.query_one(".frame")
        frame.border_subtitle = Content(safe(f"{_keys(len(self._samples))} · {self.site.place}"))
        self._arrange()
        self.refresh_bindings()


def _keys(number: int) -> str:
    return f"{units.whole(number)} {'key' if number == 1 else 'keys'}"
