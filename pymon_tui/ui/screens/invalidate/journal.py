"""The journal: every run and undo, of any server, with what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, Literal

from textual import on, work
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from pymon_tui.invalidation import past
from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.invalidation.history import no_more, resume_problem, undo_problem
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import safe
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.screens.invalidate import keys, records
from pymon_tui.ui.screens.invalidate.live import LiveScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.ink import Span, label, span, text_of
from pymon_tui.ui.widgets.table import Column, Listed, Table


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run that is to be undone or resumed."""

    record: Record
    what: Literal["undo", "resume"]


_SERVER = 16  # cells of what the server is called, and its database
_PAGE = 500
"""Runs and undos that are read at once."""

_COLUMNS: tuple[Column[Record], ...] = (
    Column("node", "server", _SERVER, lambda record: span(records.server(record, _SERVER)), sortable=False),
    Column("when", "when", 14, lambda record: Span(records.minute(record), "label"), sortable=False),
    Column("state", "state", 14, records.state, sortable=False),
    Column("what", "what", 12, lambda record: span(past.what_text(record)), grows=True, sortable=False),
    Column("removed", "keys", 16, lambda record: span(past.keys_text(record), "strong"), "right", sortable=False),
    Column("who", "by", 18, lambda record: label(records.who(record)), rank=2, sortable=False),
    Column("id", "run", 20, lambda record: label(record.id), rank=3, sortable=False),
)


class JournalScreen(LiveScreen[Chosen | None]):
    """Answers with a run that is to be undone or resumed, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = keys.JOURNAL

    DEFAULT_CSS = """
    JournalScreen .frame { height: 1fr; }
    """

    def __init__(self, site: Site) -> None:
        self._table: Table[Record] = Table(_COLUMNS, empty="reading the journal")
        self._found: tuple[Record, ...] = ()
        self._older: Iterator[Record] | None = None
        self._is_all = self._reading = False
        self._server = Server.named(site.desk.endpoint)
        super().__init__(site)

    @property
    def knows(self) -> bool:
        """Whether the server has told which one it is."""
        return bool(self._server.run_ids)

    def body(self) -> Iterable[Widget]:
        """A table."""
        frame = Vertical(self._table, classes="frame -first")
        frame.border_title = Content("Journal")
        yield frame

    async def on_mount(self) -> None:
        """Read the journal."""
        self._table.focus()
        self.read()
        self.know()

    @work(exclusive=True, group="journal")
    async def read(self) -> None:
        """The newest runs and undos, or the next ones."""
        self._reading = True
        try:
            page = await asyncio.to_thread(self._page)
        except StateError as error:
            self._older, self._found = None, ()
            self._table.show(Listed((), lambda record: record.id))
            self._table.say_when_empty(safe(str(error)))
            return
        finally:
            self._reading = False
        self._found, self._is_all = (*self._found, *page), len(page) < _PAGE
        self._table.say_when_empty("nothing was invalidated from here yet")
        self._table.show(Listed(self._found, lambda record: record.id))
        many = "run or undo" if len(self._found) == 1 else "runs and undos"
        number = units.whole(len(self._found))
        told = f"{number} {many}" if self._is_all else f"the newest {number} {many}"
        self.query_one(".frame").border_subtitle = Content(safe(told))
        self.refresh_bindings()

    @work(exclusive=True, group="server")
    async def know(self) -> None:
        """Ask which server is here, once."""
        with suppress(LinkError, Refused):  # else it is known by its address alone
            server = await self.site.desk.server()
            await asyncio.to_thread(_know, server, self._found)
            self._server = server
            self.refresh_bindings()

    def _page(self) -> tuple[Record, ...]:
        if self._older is None:
            self._older = self.site.desk.newest()
        page = tuple(islice(self._older, _PAGE))
        _know(self._server, page)
        return page

    def action_more(self) -> None:
        """Read older ones, once those before them are there."""
        if not self._reading:
            self.read()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done with the run under the cursor; nothing that writes under read-only."""
        record = self._table.cursor_row
        if action == "more":
            return not (self._is_all or self._reading)
        if action in ("undo", "resume"):
            if self.site.read_only:
                return False
            if record is None or record.kind != "run" or not self._server.is_of(record):
                return None
            way = self.site.desk.endpoint.way
            if action == "undo":
                why_not = undo_problem(record, self._found, way) or no_more(record)
            else:
                why_not = resume_problem(record)
            return True if why_not is None else None
        return record is not None if action == "details" else True

    def look(self) -> None:
        """Another row may allow other things."""
        self.refresh_bindings()

    def action_details(self) -> None:
        """All that is known of the run."""
        record = self._table.cursor_row
        if record is not None:
            lines = records.details(record, self._found, self.site.desk.endpoint.way)
            copied = safe("\n".join(text_of(line) for line in lines), 100_000)
            self.app.push_screen(ReaderScreen(safe(f"{record.kind.capitalize()} {record.id}"), lines, copied))

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_details()

    def action_undo(self) -> None:
        """Bring back what the run removed."""
        self._choose("undo")

    def action_resume(self) -> None:
        """Go on with the run."""
        self._choose("resume")

    def _choose(self, what: Literal["undo", "resume"]) -> None:
        record = self._table.cursor_row
        if record is not None:
            self.dismiss(Chosen(record, what))


def _know(server: Server, found: Iterable[Record]) -> None:
    """Have the addresses of these looked up, which may take its time, before keys are offered by them."""
    for record in found:
        server.is_of(record)
