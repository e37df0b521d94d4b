"""The sessions pane: who is logged in to Py_Monitor, since when, and for how long; and how to end that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from pymon_tui.application.groups import DATABASE_SIZE
from pymon_tui.application.session_actions import delete, extend, log_out, parse_life, usual_life
from pymon_tui.application.sessions import (
    OF_SESSIONS,
    SESSION_KEYS,
    SESSION_LIVES,
    SESSION_SIZES,
    SESSIONS,
    Life,
    id_of,
)
from pymon_tui.model import units
from pymon_tui.model.action import Action
from pymon_tui.model.query import Pending, Ready, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.server import SERVER, server_now
from pymon_tui.services.session import is_id
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.panes.sessions.columns import WIDE, columns_of, who
from pymon_tui.ui.panes.sessions.lines import about, copied, detail, total_text, whole_id
from pymon_tui.ui.panes.sessions.meanwhile import Meanwhile
from pymon_tui.ui.panes.sessions.rows import Known, Row, SessionRows, known_of, matching, ordered
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.ink import Facts
from pymon_tui.ui.widgets.table import Table

_NONE = known_of({}, {}, {})


class SessionsPane(Pane):
    """The sessions, the last used first."""

    NAME = "sessions"
    TITLE = "Sessions"
    ABOUT = (
        "Who is logged in to the application, by the keys session:*: since when, when last seen, and for how long. "
        "A session's id is a credential, so only its beginning is shown."
    )
    QUERIES = (*OF_SESSIONS, DATABASE_SIZE, SERVER)
    IN_OVERVIEW = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "extend", "Extend", id="sessions.extend", tooltip="Let the session live longer"),
        Binding("d", "delete", "Delete", id="sessions.delete", tooltip="End the session"),
        Binding("L", "log_out", "Log out user", id="sessions.log_out", tooltip="End all sessions of the user"),
        Binding("v", "show_id", "Whole id", id="sessions.id", tooltip="Show the session's whole id, a credential"),
    ]

    DEFAULT_CSS = """
    SessionsPane #facts { margin-bottom: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._filter = FilterLine()
        self._at = self._now = 0.0
        self._known = _NONE
        self._meanwhile = Meanwhile()
        self._wanted: tuple[Action, Callable[[], None]] | None = None
        self._table: Table[Row] = Table(
            columns_of(0.0, 0.0, wide=False),
            sort="last activity",
            descending=False,
            follows=True,
            filter_line=self._filter,
        )

    def body(self) -> Iterable[Widget]:
        """A line of facts, the sessions, and the filter."""
        yield Facts(id="facts")
        yield self._table
        yield self._filter

    def gap(self, snapshot: Snapshot) -> Pending | Unavailable | None:
        """Where the walk has met no session yet, none is asked about: that is an answer, too."""
        gap, keys = super().gap(snapshot), snapshot.reading(SESSION_KEYS)
        nothing_to_ask = isinstance(keys, Ready) and not keys.value.listed
        return None if isinstance(gap, Pending) and nothing_to_ask else gap

    def draw(self, snapshot: Snapshot) -> None:
        """Count the sessions and fill the table."""
        headers, keys = snapshot.reading(SESSIONS), snapshot.reading(SESSION_KEYS)
        if isinstance(headers, Pending):
            headers = Ready({}, snapshot.at)
        if not isinstance(headers, Ready) or not isinstance(keys, Ready):
            return
        lives, sizes = snapshot.reading(SESSION_LIVES), snapshot.reading(SESSION_SIZES)
        self._at, self._now = snapshot.at, server_now(snapshot)
        self._known = known = known_of(
            self._meanwhile.headers(headers.value),
            self._meanwhile.lives(lives.value if isinstance(lives, Ready) else {}),
            sizes.value if isinstance(sizes, Ready) else {},
        )
        self.query_one("#facts", Facts).show(about(known, keys.value, snapshot))
        shown = self._fill(known)
        total = total_text(known, keys.value, len(headers.value), snapshot)
        self._say(total, shown, users=sum(user is not None for user in known.users))
        self._table.say_when_empty(
            "no user's name holds this text"
            if known.headers and self._filter.text
            else "no sessions"
            if keys.value.whole
            else "no sessions yet"
        )

    def opening(self) -> Callable[[], Pane.Open] | None:
        """The session under the cursor, its id shortened."""
        row = self._table.cursor_row
        return partial(self._detailed_session, row) if row is not None else None

    def _detailed_session(self, row: Row) -> Pane.Open:
        title = safe(f"Session {row.shown_id}")
        return self.Open(title, detail(row, self._at, self._now), copied(row, self._at))

    def copied(self) -> SafeText | None:
        """The session under the cursor, its id shortened."""
        row = self._table.cursor_row
        return copied(row, self._at) if row is not None else None

    def can(self, action: str) -> bool | None:
        """A session is needed that can be read; read-only, nothing is done to any."""
        if action in ("extend", "delete", "log_out") and self.read_only:
            return False
        if action == "show_id":
            return True if self._table.cursor_row is not None else None
        if action in ("extend", "delete"):
            return True if self._session() is not None else None
        if action == "log_out":
            return True if self._user() else None
        return True

    def action_show_id(self) -> None:
        """Show the whole id in a window, which can be copied there."""
        row = self._table.cursor_row
        if row is not None:
            self.post_message(self.Open(safe("Session id"), whole_id(row), safe(row.id)))

    def action_extend(self) -> None:
        """Ask for how long the session is to live, and whether it is to."""
        row = self._session()
        if row is None or row.header is None:
            return
        user_id = row.header.user_id

        def answer(text: str) -> Action:
            life = parse_life(text)
            return self._promised(extend(row.id, user_id, life), lambda: self._extended(row.key, life))

        title = f"Let the session of {who(user_id)} live at least"
        self.post_message(self.Ask(title, "from now on: 30m, 8h, 2d", usual_life(), wrong_life, answer))

    def action_delete(self) -> None:
        """Ask whether the session is to be ended."""
        row = self._session()
        if row is not None and row.header is not None:
            action = delete(row.id, row.header.user_id, units.elapsed(row.header.last_activity, self._now))
            self.post_message(self.Act(self._promised(action, lambda: self._ended((row.key,)))))

    def action_log_out(self) -> None:
        """Ask whether all sessions of the user are to be ended."""
        user_id = self._user()
        if user_id:
            keys = self._known.of(user_id)
            ended = [key for key in keys if is_id(id_of(key))]
            action = log_out(user_id, [id_of(key) for key in keys])
            self.post_message(self.Act(self._promised(action, lambda: self._ended(ended))))

    def done(self, action: Action) -> None:
        """Show what came of an action of ours before it is read anew."""
        if self._wanted is not None and self._wanted[0] is action:
            self._wanted[1]()
            self._wanted = None
            self.draw_again()

    def _promised(self, action: Action, then: Callable[[], None]) -> Action:
        """The action, after which this is to be shown if it is carried out."""
        self._wanted = action, then
        return action

    def _ended(self, keys: Iterable[bytes]) -> None:
        self._meanwhile.end(keys, self._known.headers)

    def _extended(self, key: bytes, life: timedelta) -> None:
        milliseconds = life // timedelta(milliseconds=1)
        self._meanwhile.extend(key, Life(milliseconds, self._at), self._known.lives)

    def _session(self) -> Row | None:
        """The session under the cursor, if it is one of the application's."""
        row = self._table.cursor_row
        return row if row is not None and row.header is not None and is_id(row.id) else None

    def _user(self) -> str | None:
        row = self._table.cursor_row
        return row.header.user_id if row is not None and row.header is not None else None

    @on(Table.SortChanged)
    @on(FilterLine.Changed)
    def _reorder(self) -> None:
        self.draw_again()

    def _fill(self, known: Known) -> int:
        """Show the rows; returns how many there are."""
        table = self._table
        keys = ordered(
            known, matching(known, self._filter.text), table.sort or "last activity", descending=table.descending
        )
        table.columns = tuple(columns_of(self._at, self._now, wide=self.size.width >= WIDE))
        table.show(SessionRows(known, keys))
        return len(keys)

    def _say(self, total: str, shown: int, *, users: int) -> None:
        title = self.TITLE
        if self._filter.text:
            title += f" {shown}  filter: {self._filter.text}"
        self.say(title, f"{total} sessions · {users} {'user' if users == 1 else 'users'}")


def wrong_life(text: str) -> str | None:
    """What is wrong with a time to live as it was typed."""
    try:
        parse_life(text)
    except ValueError as error:
        return str(error)
    return None
