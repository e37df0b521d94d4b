from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pymon_tui.invalidation.account import State, Tally
from pymon_tui.invalidation.brake import Feeling, Pace
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.verdict import NOTHING, Verdict
from pymon_tui.invalidation.way_back import Undo
from pymon_tui.model.history import History
from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.text import safe
from pymon_tui.readings.metrics import HITS, METRICS, MISSES, RTT
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.run_text import progress_lines
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.ink import text_of
from tests.script import WALL, snapshot
from tests.ui.screens.invalidate.walk import walk
from tests.ui.scripted_desk import RUN, ScriptedDesk, progress_of, record_of, result_of
from tests.ui.stage import until


@pytest.fixture
def desk(tmp_path: Path) -> ScriptedDesk:
    return ScriptedDesk(tmp_path)


async def test_a_run_says_how_far_it_is_and_what_others_feel(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        await on.until_says("#progress", "feeling the server's pulse")
        removal.progress = progress_of()
        await on.until_says("#progress", "63% done 7 602 of 12 031 keys")
        assert "removed 7 588 already gone 14 protected 0 refused 0 unknown 0" in on.text("#progress")
        assert "speed 41 200 keys/s left about 1s undo 19.4 MiB kept" in on.text("#progress")
        assert "PING p99 1.90 ms idle 0.70 ms ceiling 5.70 ms" in on.text("#felt")
        assert "lag 293 KiB lazy-free 12" in on.text("#felt")
        assert "page 400, pausing 2.00 ms: PING p99 is 5.80 ms" in on.title("#brake")
        assert on.title("#run") == f"Removing user:cache:* | db0 on prod-cache · run {RUN}"


async def test_pause_goes_on_and_cancel_ends(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        screen, removal = await on.to_run()
        removal.progress = progress_of()
        await on.until_says("#progress", "7 602")
        await on.press("space")
        removal.progress = replace(progress_of(), state="paused", why=safe("paused by you"))
        await on.until_says("#progress", "paused: paused by you")
        await on.press("space", "c")
        assert removal.told == ["pause", "resume", "cancel"]
        removal.finish(result_of(outcome="cancelled", tally=Tally(matched=9, removed=9), left=None))
        await on.until_says("#progress", "cancelled")
        assert "left not counted" in on.text("#progress")
        assert screen.result is not None


async def test_more_keys_than_the_plan_found_are_a_question(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.progress = replace(progress_of(), state="asking", why=safe("13 300 keys match by now; the plan found"))
        await on.until_says("#progress", "13 300 keys match by now; the plan found y go on n end here")
        await on.press("space", "y", "n")
        assert removal.told == ["go on", "cancel"]


async def test_a_question_names_the_keys_that_there_are(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        on.pilot.app.set_keymap({**on.pilot.app._keymap, "run.go_on": "f9", "run.no": "f10"})
        _, removal = await on.to_run()
        removal.progress = replace(progress_of(), state="asking", why=safe("13 300 keys match by now"))
        await on.until_says("#progress", "13 300 keys match by now f9 go on f10 end here")


async def test_more_keys_than_a_yes_is_enough_for_are_typed(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        typed = (parse_pattern("user:cache:*"),)
        removal.growth = Verdict("begin", NOTHING, "", "type", typed, safe("over 20 000 keys go"), Undo("certain"))
        removal.progress = replace(progress_of(), state="asking", why=safe("13 300 match: go on, up to 26 600?"))
        await on.until_says("#progress", "26 600? y type the pattern to go on n end here")
        await on.press("y")
        await on.until_on(PromptScreen)
        await on.press("y", "enter")
        assert isinstance(on.screen, PromptScreen)
        assert removal.told == []
        await on.press("escape")
        await on.until_on(RunScreen)
        await on.press("y")
        await on.until_on(PromptScreen)
        removal.progress = replace(removal.progress, why=safe("40 000 match: go on, up to 80 000?"))
        await on.press(*"user:cache:*", "enter")
        await on.until_on(RunScreen)
        assert removal.told == []  # what was typed answers what had been asked
        await on.until_says("#progress", "up to 80 000?")
        await on.press("y")
        await on.until_on(PromptScreen)
        await on.press(*"user:cache:*", "enter")
        await until(on.pilot, lambda: removal.told == ["go on user:cache:*"])


async def test_no_is_an_answer_and_nothing_else(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.progress = progress_of()
        await on.until_says("#progress", "7 602")
        await on.press("n")
        assert removal.told == []


async def test_keys_that_are_to_expire_are_not_said_to_be_removed(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.press("m", "enter", *"user:cache:*", "enter")
        await on.until_on(RunScreen)
        desk.removals[-1].progress = progress_of()
        await on.until_says("#progress", "given an end 7 588")
        desk.removals[-1].finish(result_of())
        await on.until_says("#progress", "done after")
        assert "given an end 12 017" in on.text("#progress")
        assert "will free about 48.2 MiB" in on.text("#progress")
        assert [note for note, _ in on.script.notes] == ["letting expire user:cache:*", "let expire 12 017 keys (done)"]


async def test_a_dry_run_says_what_would_go(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.press("d")
        await on.until_on(RunScreen)
        desk.removals[-1].finish(result_of(dry_run=True, undo=None, tally=Tally(matched=12_031), left=12_031))
        await on.until_says("#progress", "would remove 12 031")
        assert "left 12 031 would free about 48.2 MiB" in on.text("#progress")


@pytest.mark.parametrize("state", ["verifying", "running"])
def test_percentages_are_of_what_they_stand_beside(state: State) -> None:
    progress = replace(progress_of(), state=state, scanned=1_210_448)
    bar, _, speed, *_ = (text_of(line) for line in progress_lines(progress, "unlink", 78, dry_run=False))
    share = "100%" if state == "verifying" else " 63%"
    assert f"{share} done   7 602 of 12 031 keys" in bar
    assert ("left –" in speed) == (state == "verifying")


async def test_escape_asks_before_it_cancels(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.progress = progress_of()
        await on.press("escape")
        await on.until_on(QuestionScreen)
        await on.press("enter")
        await on.until_on(RunScreen)
        assert removal.told == []
        await on.press("escape")
        await on.until_on(QuestionScreen)
        await on.press("y")
        await until(on.pilot, lambda: removal.told == ["cancel"])
        assert isinstance(on.screen, RunScreen)


async def test_leaving_the_program_interrupts_the_run(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.progress = progress_of()
        await on.press("ctrl+q")
        await until(on.pilot, lambda: removal.told == ["interrupted"])


async def test_the_monitor_s_keys_do_nothing_here(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        screen, removal = await on.to_run()
        removal.progress = progress_of()
        await on.press("i", "J", "1", "t", "q")
        await on.until_on(QuestionScreen)  # q asks as escape does
        await on.press("n")
        assert on.screen is screen


async def test_no_undo_is_offered_that_would_go_to_another_server(desk: ScriptedDesk) -> None:
    desk.known, desk.other = (record_of(state="stopped"),), safe("prod-cache was restarted since the run")
    async with walk(desk) as on:
        _, removal = await on.to_run()
        why = safe("another server process answers than the plan was made on; plan anew")
        removal.finish(result_of(outcome="stopped", why=why))
        await on.until_says("#progress", "plan anew")
        assert "u brings the keys back" not in on.text("#progress")
        await on.press("u")
        assert isinstance(on.screen, RunScreen)


async def test_the_account_is_whole(desk: ScriptedDesk) -> None:
    desk.known = (record_of(state="stopped"),)
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.progress = progress_of()
        await on.until_says("#progress", "7 602")
        tally = Tally(matched=12_031, removed=12_000, already_gone=14, refused=15, unknown=2, protected=4)
        changes = {"tally": tally, "left": 20, "undo_left_out": 3, "refused_keys": (b"user:cache:\x1b[2J",)}
        removal.finish(result_of(outcome="stopped", why=safe("the server went away"), **changes))
        await on.until_says("#progress", "stopped after 2.6 s the server went away")
        said = on.text("#progress")
        assert "removed 12 000 already gone 14 protected 4 refused 15 unknown 2" in said
        assert "left 20 freed about 48.2 MiB" in said
        assert "31.0 MiB kept u brings the keys back for good 3 keys without an undo" in said
        assert on.title("#run").startswith("Removed user:cache:*")
        await on.press("enter")
        await on.until_on(ReaderScreen)
        said = on.text(".frame Facts")
        assert r"refused: user:cache:\x1b[2J" in said
        assert "unknown 2 may be removed or not" in said
        assert "trash" in said


async def test_the_history_is_marked(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.progress = progress_of()
        await until(on.pilot, lambda: on.script.notes == [("removing user:cache:*", RUN)])
        removal.finish(result_of())
        await until(on.pilot, lambda: on.script.notes[1:] == [("removed 12 017 keys (done)", RUN)])


async def test_a_line_says_how_misses_and_latency_took_it(desk: ScriptedDesk) -> None:
    history = History((*METRICS, RTT))
    for second in range(60):
        if second == 40:
            history.note(safe("removing"), WALL + 100, run=RUN)
        hits, misses = (900 * second, 100 * second) if second < 40 else (900 * 39 + 400 * (second - 39), 100 * 39)
        missed = misses + (600 * (second - 39) if second >= 40 else 0)
        history.record(float(second), {HITS.name: hits, MISSES.name: missed, RTT.name: 0.0007}, {})
    async with walk(desk, snapshot({}, history=history), panes="6") as on:
        _, removal = await on.to_run()
        removal.progress = progress_of()
        await on.until_says("#took", "misses 600/s (was 100/s) rewarmed 0% rtt p99 0.70 ms (was 0.70 ms)")
        assert "marked: run started" in on.title("#hits")
        removal.finish(result_of())
        await on.until_says("#progress", "done")
        await on.press("escape", "6")
        monitor = await on.until_on(MonitorScreen)
        assert monitor.newest is not None


async def test_a_run_that_may_not_begin_says_why(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.fail(OrderError("another server process answers than the plan was made on; plan anew"))
        await on.until_says("#progress", "nothing was removed: another server process answers")
        await on.press("escape")
        await on.until_on(MonitorScreen)


async def test_a_lost_server_is_said_and_the_screen_stays(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        _, removal = await on.to_run()
        lost = Lost(Trouble.UNREACHABLE, safe("10.0.0.1:6379 refuses connections"), safe(""), 100.0, 101.0, 1)
        on.script.play(snapshot({}, link=lost))
        why = safe("10.0.0.1:6379 refuses connections; trying again")
        removal.progress = replace(progress_of(), state="reconnecting", why=why, felt=Feeling())
        await on.until_says("#progress", "reconnecting: 10.0.0.1:6379 refuses connections; trying again")
        await on.until_says("#banner", "refuses connections")
        removal.progress = replace(progress_of(), pace=Pace(1_000, 0.0, hold=False, why=safe("")))
        await until(on.pilot, lambda: "page 1 000, no brake" in on.title("#brake"))


async def test_undo_and_journal_after_it(desk: ScriptedDesk) -> None:
    desk.known = (record_of(),)
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.finish(result_of())
        await on.until_says("#progress", "done")
        await on.press("u")
        await on.until_on(UndoScreen)
        await on.press("escape")
        await on.until_on(MonitorScreen)
        _, removal = await on.to_run()
        removal.finish(result_of())
        await on.until_says("#progress", "done")
        await on.press("j")
        await on.until_on(JournalScreen)


async def test_a_yes_is_for_the_question_that_was_shown(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        screen, removal = await on.to_run()
        removal.progress = replace(progress_of(), state="asking", why=safe("go on, up to 24 000?"))
        await on.until_says("#progress", "go on, up to 24 000? y go on")
        on.hold()
        asked_at = screen.asked_at
        removal.progress = replace(removal.progress, why=safe("go on, up to 48 000?"))  # and isn't shown yet
        await on.press("y")
        assert removal.told == []
        screen.look()
        assert screen.asked_at > asked_at  # what was typed before is no answer
        await on.until_says("#progress", "go on, up to 48 000? y go on")
        await on.press("y")
        assert removal.told == ["go on"]


async def test_the_undo_after_a_run_is_of_that_run(desk: ScriptedDesk) -> None:
    desk.known = (record_of(id="20261122-130000-0001", run="20261122-130000-0001"), record_of())
    async with walk(desk) as on:
        _, removal = await on.to_run()
        removal.finish(result_of())
        await on.until_says("#progress", "done")
        await on.press("u")
        screen = await on.until_on(UndoScreen)
        assert screen._record.id == removal.id
