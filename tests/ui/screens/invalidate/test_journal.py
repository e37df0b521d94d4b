from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.invalidation.restore_part import OtherServer
from pymon_tui.journal.records import Record
from pymon_tui.model.text import safe
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.records import details
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.ink import text_of
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.table import Table
from tests.ui.screens.invalidate.walk import Walk, walk
from tests.ui.scripted_desk import HERE, RULES, RUN, UNDO, ScriptedDesk, record_of
from tests.ui.stage import until


@pytest.fixture
def desk(tmp_path: Path) -> ScriptedDesk:
    return ScriptedDesk(tmp_path)


def rows(on: Walk) -> list[str]:
    table = on.screen.query_one(Table)
    return [" ".join(table.render_line(y).text.split()) for y in range(1, len(table.rows) + 1)]


async def to_journal(on: Walk) -> JournalScreen:
    await on.press("J")
    screen = await on.until_on(JournalScreen)
    await until(on.pilot, lambda: len(screen.query_one(Table).rows) == len(on.desk.known))
    await on.pilot.pause()
    return screen


def offered(on: Walk) -> set[str]:
    return {hint.name for hint in on.screen.query_one(KeyBar).hints}


async def test_all_runs_are_listed_with_what_became_of_them(desk: ScriptedDesk) -> None:
    interrupted = record_of(id="20261122-110000-0001", state="interrupted", removed_at_least=400, removed_at_most=900)
    desk.known = (
        record_of(id=UNDO, kind="undo", removed_at_least=12_000, removed_at_most=12_000),
        record_of(undone=True),
        interrupted,
        replace(interrupted, id="20261122-100000-0001", removed_at_most=None),
        record_of(id="20261122-090000-0001", started={"options": {"dry_run": True}}, undo_path=None),
    )
    async with walk(desk) as on:
        await to_journal(on)
        shown = rows(on)
        assert "prod-cache/0 26-11-22 12:04 done undo of 202… 12 000" in shown[0]
        assert "undone user:cache:* 12 017" in shown[1]
        assert "interrupted user:cache:* 400 to 900" in shown[2]
        assert "400+" in shown[3]
        assert "dry run user:cache:*" in shown[4]


async def test_older_runs_are_read_when_they_are_asked_for(desk: ScriptedDesk) -> None:
    desk.known = tuple(record_of(id=f"20261122-120411-{number:04x}") for number in range(700))
    async with walk(desk) as on:
        await on.press("J")
        await on.until_on(JournalScreen)
        table = on.screen.query_one(Table)
        await until(on.pilot, lambda: len(table.rows) == 500)
        assert on.title(".frame") == "Journal | the newest 500 runs and undos"
        await until(on.pilot, lambda: "More" in offered(on))
        await on.press("m", "m", "m")
        await until(on.pilot, lambda: len(table.rows) == 700)
        assert on.title(".frame") == "Journal | 700 runs and undos"
        await until(on.pilot, lambda: "More" not in offered(on))


async def test_no_internals_are_shown(desk: ScriptedDesk) -> None:
    told = {"cursor": 4711, "pattern_index": 3, "named_up_to": 250_000, "matched": 5, "tally": {"matched": 5}}
    account = told | {"torn": False, "mark": {"offset": 32_232}, "restored": 4, "undo_bytes": 2048, "failures": []}
    failed = {"torn": True, "failures": [{"key": "a:1", "why": "OOM"}]}
    desk.known = (
        record_of(kind="undo", id=UNDO, progress=told, result=account),
        record_of(id="20261122-110000-0001", state="interrupted", progress=told, result=None),
        record_of(kind="undo", id="20261122-110000-0002", result=failed),
    )
    for record, said in zip(desk.known, ("restored 4", "matched 5", "a:1 OOM"), strict=True):
        text = " ".join(" ".join(text_of(line) for line in details(record, ())).split())
        assert said in text
        for internal in ("4711", "32232", "cursor", "offset", "torn", "named", "mark"):
            assert internal not in text
    assert "the end of the trash is missing" in text_of(details(desk.known[2], ())[-3])


async def test_a_run_is_read_in_full(desk: ScriptedDesk) -> None:
    desk.known = (record_of(why=safe("why it ended")),)
    async with walk(desk) as on:
        await to_journal(on)
        await on.press("enter")
        await on.until_on(ReaderScreen)
        said = on.text(".frame Facts")
        for part in (RUN, "oncall from 203.0.113.9", "why it ended", "prod-cache", "hash 11 960", "removed 12 017"):
            assert part in said
        await on.press("escape", "escape")
        await on.until_on(MonitorScreen)


@pytest.mark.parametrize(
    ("record", "keys"),
    [
        (record_of(), {"Undo"}),
        (record_of(undone=True), {"Undo"}),
        (record_of(undo_path=None), set()),
        (record_of(state="running"), set()),
        (record_of(state="interrupted"), {"Undo", "Resume"}),
        (record_of(state="stopped", undo_path=None), {"Resume"}),
        (record_of(state="interrupted", server=safe("10.9.9.9:6379"), run_id="b" * 40), set()),
        (record_of(state="interrupted", server=safe("localhost:6379")), {"Undo", "Resume"}),
        (record_of(state="interrupted", db=3), {"Undo", "Resume"}),
        (record_of(kind="undo", id=UNDO), set()),
    ],
)
async def test_only_what_can_be_done_is_offered(desk: ScriptedDesk, record: Record, keys: set[str]) -> None:
    desk.known = (record,)
    async with walk(desk) as on:
        await to_journal(on)
        await until(on.pilot, lambda: "Details" in offered(on))
        assert offered(on) & {"Undo", "Resume"} == keys


async def test_read_only_nothing_that_writes_is_offered(tmp_path: Path) -> None:
    desk = ScriptedDesk(tmp_path, replace(RULES, read_only=True))
    desk.known = (record_of(state="interrupted"),)
    async with walk(desk) as on:
        await to_journal(on)
        await on.press("u", "r")
        assert isinstance(on.screen, JournalScreen)
        await on.press("escape", "u")
        assert isinstance(on.screen, MonitorScreen)


async def test_a_run_that_was_cut_off_is_resumed(desk: ScriptedDesk) -> None:
    desk.known = (record_of(state="interrupted"),)
    async with walk(desk) as on:
        await to_journal(on)
        await on.press("r")
        await on.until_on(PromptScreen)  # as many keys as have the pattern typed
        assert "go on with about 12 031 keys; user:cache:*; on db0 on prod-cache" in on.text(".frame > Prose")
        await on.press(*"no", "enter")
        assert isinstance(on.screen, PromptScreen)
        await on.press("backspace", "backspace", *"user:cache:*", "enter")
        await on.until_on(RunScreen)


async def test_a_few_keys_are_gone_on_with_after_a_yes(tmp_path: Path) -> None:
    desk = ScriptedDesk(tmp_path, replace(RULES, type_above=20_000))
    desk.known = (record_of(state="interrupted"),)
    async with walk(desk) as on:
        await to_journal(on)
        await on.press("r")
        await on.until_on(QuestionScreen)
        assert "go on with about 12 031 keys user:cache:* on db0 on prod-cache" in on.text(".frame > Prose")
        await on.press("y")
        await on.until_on(RunScreen)


async def test_an_undo_asks_goes_and_tells(desk: ScriptedDesk) -> None:
    desk.known = (record_of(),)
    async with walk(desk) as on:
        await on.press("u")
        await on.until_on(UndoScreen)
        await on.until_says("#lines", "bring back 12 017 keys user:cache:* onto db0 on prod-cache")
        assert "stay as they are" in on.text("#lines")
        await on.press("y")
        await on.until_says("#lines", "restored 6 000")
        assert "50%" in on.text("#lines")
        desk.restores[-1].finish()
        await on.until_says("#lines", "done 12 017 keys were kept")
        assert "restored 12 000 there already 0 skipped 2 expired 15 failed 0" in on.text("#lines")
        assert desk.wanted.restores == [(RUN, False, False)]
        assert on.script.notes == [("restored 12 000 keys", UNDO)]
        await on.press("escape")
        await on.until_on(MonitorScreen)


async def test_newer_keys_are_replaced_only_if_that_is_asked_for(desk: ScriptedDesk) -> None:
    desk.known = (record_of(),)
    async with walk(desk) as on:
        await on.press("u", "r")
        await on.until_says("#lines", "for good newer keys of the same name are replaced for good")
        await on.press("y")
        await until(on.pilot, lambda: desk.wanted.restores == [(RUN, True, False)])


async def test_in_production_newer_keys_are_replaced_once_the_pattern_is_typed(tmp_path: Path) -> None:
    desk = ScriptedDesk(tmp_path, endpoint=replace(HERE, environment="production"))
    desk.known = (record_of(),)
    async with walk(desk) as on:
        await on.press("u", "r")
        await on.until_says("#lines", "are replaced for good")
        await on.press("y")
        await on.until_on(PromptScreen)
        assert "are replaced for good. Type user:cache:* to go on: this is production" in on.text(".frame > Prose")
        await on.press("escape")
        await on.until_on(UndoScreen)
        await on.press("y")
        await on.until_on(PromptScreen)
        await on.press(*"user:*", "enter")
        assert isinstance(on.screen, PromptScreen)
        await on.press("backspace", *"cache:*", "enter")
        await on.until_says("#lines", "restored 6 000")
        assert desk.wanted.restores[-1] == (RUN, True, False)


async def test_an_undo_that_is_refused_says_so_before_anybody_says_yes(tmp_path: Path) -> None:
    desk = ScriptedDesk(tmp_path, replace(RULES, read_only=True))
    async with walk(desk) as on:
        site = (await to_journal(on)).site
        await on.pilot.app.push_screen(UndoScreen(site, record_of()))
        await on.until_says("#lines", "nothing is restored: this is read-only")
        await on.press("y")
        assert not desk.wanted.restores


async def test_another_server_is_a_question_of_its_own(desk: ScriptedDesk) -> None:
    desk.known = (record_of(),)
    desk.restore_error = OtherServer("prod-cache was restarted since the run")
    async with walk(desk) as on:
        await on.press("u", "y")
        await on.until_says("#lines", "prod-cache was restarted since the run")
        await on.until_says("KeyLines", "y restore them here anyway")
        await on.press("y")
        await until(on.pilot, lambda: desk.wanted.restores == [(RUN, False, False), (RUN, False, True)])


async def test_keys_that_would_be_evicted_are_a_question_of_their_own(desk: ScriptedDesk) -> None:
    desk.known = (record_of(),)
    desk.room, desk.evicted = 1_000, 4_711
    async with walk(desk) as on:
        await on.press("u", "y")
        await on.until_says("#lines", "about 4 711 keys are evicted for them (allkeys-lru)")
        await on.until_says("KeyLines", "y bring them back")
        await on.press("y")
        await on.until_says("#lines", "restored 6 000")


async def test_an_undo_is_cancelled_with_an_account(desk: ScriptedDesk) -> None:
    desk.known = (record_of(),)
    async with walk(desk) as on:
        await on.press("u", "y")
        await on.until_says("#lines", "restored 6 000")
        await on.press("c")
        await on.until_says("#lines", "cancelled")
        assert isinstance(on.screen, UndoScreen)


async def test_where_nothing_can_be_undone_that_is_said(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.press("u")
        await until(on.pilot, lambda: len(on.pilot.app._notifications) == 1)
        assert isinstance(on.screen, MonitorScreen)


async def test_older_runs_are_read_while_the_server_is_asked_and_it_is_asked_once(
    desk: ScriptedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pymon_tui.ui.screens.invalidate.journal._PAGE", 1)
    desk.known = (record_of(), record_of(id="20261122-110000-0001"))
    server, asked, may_tell = await desk.server(), [], asyncio.Event()

    async def told() -> Server:
        asked.append("server")
        await may_tell.wait()
        return server

    async with walk(desk) as on:
        await on.press("J")
        screen = await on.until_on(JournalScreen)
        monkeypatch.setattr(desk, "server", told)
        screen.know()
        await until(on.pilot, lambda: len(rows(on)) == 1 and asked == ["server"])
        await on.press("m")
        await until(on.pilot, lambda: len(rows(on)) == 2)
        screen._server = Server(frozenset(), frozenset(), frozenset())
        may_tell.set()
        await until(on.pilot, lambda: screen._server == server)
        assert asked == ["server"]
