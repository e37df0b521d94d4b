"""The sessions pane: what is shown, what is asked before it is done, and that no id is seen unasked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from pymon_tui.application.sessions import OF_SESSIONS, SESSION_LIVES, SESSION_SIZES, SESSIONS, SessionKeys
from pymon_tui.model.action import Done, NotDone
from pymon_tui.model.query import PENDING, Reason, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.ui.panes.sessions import SessionsPane
from pymon_tui.ui.panes.sessions.lines import detail
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.table import Table
from tests.application.made import USUAL, header_reply, headers, readings, session_id, session_key
from tests.script import Script, snapshot
from tests.ui.panes.alone import Alone, alone
from tests.ui.stage import app_of, until, until_shown

DENIED = Unavailable(Reason.DENIED, safe("NOPERM no"), safe("ACL SETUSER mon +pttl"))
SECRET = "secret"


def shown(**known: Any) -> Snapshot:
    return snapshot(readings(**known))


def lines(stage: Alone[SessionsPane]) -> list[list[str]]:
    table = stage.pane.query_one(Table)
    return [text.split() for y in range(1, table.size.height) if (text := table.render_line(y).text.strip())]


@asynccontextmanager
async def pane_of(one: Snapshot, width: int = 120) -> AsyncIterator[Alone[SessionsPane]]:
    async with alone(SessionsPane(), width, 30) as stage:
        await stage.show(one, full=True)
        stage.pane.query_one(Table).focus()
        yield stage


async def test_the_last_used_come_first() -> None:
    async with pane_of(shown()) as stage:
        assert [row[1] for row in lines(stage)] == [
            "이서연",
            "kim.minjun",
            "nobody",
            "kim.minjun",
            "al\\x1b[2Jice",
            "not",
        ]
        assert stage.said("#facts") == ["6 sessions · 3 users · most kim.minjun 2 · 1 of nobody · 1 not to be read"]
        assert str(stage.pane.border_title) == "Sessions"
        assert str(stage.pane.border_subtitle) == "6 sessions · 3 users"


async def test_more_room_shows_more_columns() -> None:
    async with pane_of(shown(), 80) as stage:
        titles = {}
        for width in (50, 80, 120, 200):
            await stage.resize(width, 30)
            titles[width] = stage.pane.query_one(Table).render_line(0).text.replace("↑", "")
        assert titles[50].split() == ["id", "user", "activity", "ttl"]
        assert {"of", "created", "ttl", "size"} <= set(titles[80].split())
        assert "created at" in titles[120]
        assert "last activity at" in titles[200]


async def test_while_the_walk_goes_on_it_says_how_far_it_is() -> None:
    async with pane_of(shown(keys=SessionKeys(6, 6, 250, whole=False))) as stage:
        assert str(stage.pane.border_subtitle) == "6 of about 24 sessions · 3 users"
        assert stage.said("#facts")[0].endswith("25.0% of all keys looked at")
        await stage.show(shown(keys=SessionKeys(6, 6, 5000, whole=False)), full=True)
        assert stage.said("#facts")[0].endswith("5 000 keys looked at")
        await stage.show(shown(keys=SessionKeys(40, 40, 1000, whole=True)), full=True)
        assert str(stage.pane.border_subtitle) == "6 of 40 sessions · 3 users"
        await stage.show(shown(keys=SessionKeys(23_000, 10_000, 99_000, whole=True)), full=True)
        assert stage.said("#facts")[0].endswith("13 000 more not listed")


async def test_what_is_refused_is_a_dash_with_its_remedy() -> None:
    known = readings() | {SESSION_LIVES: DENIED, SESSION_SIZES: PENDING}
    async with pane_of(snapshot(known)) as stage:
        assert stage.said("#facts")[1] == "no time to live: denied  ACL SETUSER mon +pttl"
        assert all(row[-2:] == ["–", "–"] for row in lines(stage))
        await stage.show(snapshot(dict.fromkeys(OF_SESSIONS, DENIED)), full=True)
        assert "not available: denied" in "".join(stage.said(".gap"))


async def test_an_empty_pane_says_so() -> None:
    async with pane_of(shown(known={})) as stage:
        assert lines(stage) == [["no", "sessions"]]
        assert str(stage.pane.border_subtitle) == "0 sessions · 0 users"
        await stage.show(shown(known={}, keys=SessionKeys(0, 0, 1, whole=False)), full=True)
        assert lines(stage) == [["no", "sessions", "yet"]]


async def test_a_server_without_sessions_is_not_waited_for() -> None:
    nothing = readings({}, keys=SessionKeys(0, 0, 0, whole=True))
    async with pane_of(snapshot(nothing | {SESSIONS: PENDING})) as stage:
        assert lines(stage) == [["no", "sessions"]]
        await stage.show(snapshot(nothing | {SESSIONS: DENIED}), full=True)
        assert "denied" in "".join(stage.said(".gap"))


async def test_the_filter_is_by_user() -> None:
    async with pane_of(shown()) as stage:
        await stage.press("slash", *"kim", "enter")
        assert [row[1] for row in lines(stage)] == ["kim.minjun"] * 2
        assert str(stage.pane.border_title) == "Sessions 2  filter: kim"
        await stage.press("slash", *"zzz", "enter")
        assert lines(stage) == [["no", "user's", "name", "holds", "this", "text"]]


# In the app


@asynccontextmanager
async def opened(script: Script, one: Snapshot) -> AsyncIterator[Pilot[int]]:
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        await pilot.press("8")
        await until(pilot, lambda: bool(pilot.app.screen.query(SessionsPane)))
        await until(pilot, lambda: len(pilot.app.screen.query_one("SessionsPane Table", Table).rows) > 0)
        yield pilot


def text_of(pilot: Pilot[int]) -> str:
    """All that is on the screen, of each screen that lies on another."""
    return "\n".join(
        widget.render_line(y).text
        for screen in pilot.app.screen_stack
        for widget in screen.query("Facts, Table, Prose")
        for y in range(widget.size.height)
    )


async def test_only_what_is_looked_at_is_asked() -> None:
    one, names = shown(), {query.name for query in OF_SESSIONS}
    script = Script(one)
    async with opened(script, one) as pilot:
        assert names <= script.wanted
        await pilot.press("1")
        await until(pilot, lambda: not names & script.wanted)


async def test_no_id_is_seen_copied_or_announced_unless_it_is_asked_for() -> None:
    one = shown()
    script = Script(one)
    async with opened(script, one) as pilot:
        seen = []
        for keys in (
            ["y"],
            ["enter"],
            ["y"],
            ["escape"],
            ["d"],
            ["n"],
            ["L"],
            ["n"],
            ["e"],
            ["enter"],
            ["y"],
            ["d", "y"],
        ):
            await pilot.press(*keys)
            await pilot.pause()
            seen += [text_of(pilot), pilot.app.clipboard, str(pilot.app.screen.query_one("*").border_title)]
            seen += [toast.message for toast in pilot.app._notifications]
        assert len(script.acts) == 2
        assert not [text for text in seen if SECRET in text]
        assert [text for text in seen if "003sec…" in text]
        await pilot.press("v")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReaderScreen))
        assert text_of(pilot).count(session_id(1)) == 1
        assert "Whoever has it is taken for kim.minjun" in text_of(pilot)
        await pilot.press("y")
        assert pilot.app.clipboard == session_id(1)


async def test_a_session_is_deleted_once_that_is_confirmed() -> None:
    one = shown()
    script = Script(one)
    async with opened(script, one) as pilot:
        table = pilot.app.screen.query_one("SessionsPane Table", Table)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        assert "ends this session of 이서연, last used 5s ago" in text_of(pilot)
        await pilot.press("n")
        assert not script.acts
        await pilot.press("d", "y")
        await until(pilot, lambda: len(table.rows) == 5)
        (action,) = script.acts
        assert action.name == "Delete session"
        assert f"UNLINK session:{session_id(3)[:6]}…" in action.lines
        before = shown(known=dict(USUAL))  # another snapshot with the same answer
        script.play(before)
        await until_shown(pilot, before)
        assert len(table.rows) == 5
        anew = shown(known=USUAL | headers((session_key(3), header_reply(b"kim", age=9, idle=9))))
        script.play(anew)
        await until(pilot, lambda: len(table.rows) == 6)


async def test_what_was_not_done_leaves_the_session_where_it_is() -> None:
    one = shown()
    script = Script(one)
    script.outcome = NotDone(safe("Delete session was refused"), safe(""), unknown=False)
    async with opened(script, one) as pilot:
        await pilot.press("d", "y")
        await until(pilot, lambda: bool(script.acts) and isinstance(pilot.app.screen, MonitorScreen))
        assert len(pilot.app.screen.query_one("SessionsPane Table", Table).rows) == 6


async def test_all_sessions_of_the_user_are_ended() -> None:
    one = shown()
    script = Script(one)
    script.outcome = Done(safe("2 sessions ended"))
    async with opened(script, one) as pilot:
        table = pilot.app.screen.query_one("SessionsPane Table", Table)
        await pilot.press("j", "L")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        assert "ends the 2 sessions of kim.minjun known here" in text_of(pilot)
        await pilot.press("y")
        await until(pilot, lambda: len(table.rows) == 4)
        assert script.acts[0].name == "Log out everywhere"


def odd(number: int) -> tuple[bytes, Any]:
    """A session of kim's whose id isn't of the application's form."""
    return f"session:odd-{number}".encode(), header_reply(b"kim", age=60 * number, idle=number)


@pytest.mark.parametrize(
    ("known", "says", "left"),
    [
        (
            [odd(1), odd(2)],
            "ends all sessions in the index of kim; of those known here 2 have ids that aren't of the application's "
            "form, and stay",
            2,
        ),
        (
            [odd(1), (session_key(7), header_reply(b"kim", age=90, idle=9))],
            "ends the 1 session of kim known here, and all others in the user's index; of those known here one has an "
            "id that isn't of the application's form, and stays",
            1,
        ),
    ],
)
async def test_a_session_whose_id_is_of_another_form_is_told_apart(
    known: list[tuple[bytes, Any]], says: str, left: int
) -> None:
    one = shown(known=headers(*known))
    script = Script(one)
    script.outcome = Done(safe("1 sessions ended"))
    async with opened(script, one) as pilot:
        table = pilot.app.screen.query_one("SessionsPane Table", Table)
        bar = pilot.app.screen.query_one(KeyBar)
        await until(pilot, lambda: "Log out user" in {hint.name for hint in bar.hints})
        assert not {"Extend", "Delete"} & {hint.name for hint in bar.hints}  # the cursor is on an odd one
        await pilot.press("d", "e")
        assert isinstance(pilot.app.screen, MonitorScreen)
        row = table.cursor_row
        assert row is not None
        said = [piece.text for line in detail(row, 0.0, 0.0) for piece in line]
        assert "not of the application's form: it is neither extended nor ended here" in said
        await pilot.press("L")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert pilot.app.screen._action.effect == says
        await pilot.press("y")
        await until(pilot, lambda: bool(script.acts) and isinstance(pilot.app.screen, MonitorScreen))
        await until(pilot, lambda: len(table.rows) == left)


async def test_a_session_is_extended_by_what_is_typed() -> None:
    one = shown()
    script = Script(one)
    async with opened(script, one) as pilot:
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        await pilot.press("x", "enter")
        assert "a number and s, m, h or d are needed" in text_of(pilot)
        await pilot.press(*["backspace"] * 4, *"8h", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: bool(script.acts))
        table = pilot.app.screen.query_one("SessionsPane Table", Table)
        await until(pilot, lambda: "8h 0m" in table.render_line(1).text)
        assert "lives for at least 8h 0m" in script.acts[0].effect


@pytest.mark.parametrize("read_only", [False, True])
async def test_nothing_is_offered_that_cannot_be_done(*, read_only: bool) -> None:
    one = shown()
    async with opened(Script(one, read_only=read_only), one) as pilot:

        def offered() -> set[str]:
            return {
                active.binding.id or ""
                for active in pilot.app.screen.active_bindings.values()
                if active.enabled and (active.binding.id or "").startswith("sessions.")
            }

        writing = {"sessions.extend", "sessions.delete", "sessions.log_out"}
        await until(pilot, lambda: offered() == {"sessions.id"} | (set() if read_only else writing))
        await pilot.press("j", "j")  # of nobody
        await pilot.pause()
        assert "sessions.log_out" not in offered()
        await pilot.press("G")  # no session
        await pilot.pause()
        assert offered() == {"sessions.id"}
        await pilot.press("d", "L", "e")
        assert isinstance(pilot.app.screen, MonitorScreen)
