from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.shelf import GivenUp
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.journal.key_count import KeyCount
from pymon_tui.model.link import Trouble
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.key_bar import KeyBar
from tests.ui.screens.invalidate.walk import walk
from tests.ui.scripted_desk import HERE, RULES, ScriptedDesk, result_of
from tests.ui.stage import until


@pytest.fixture
def desk(tmp_path: Path) -> ScriptedDesk:
    return ScriptedDesk(tmp_path)


async def test_a_plan_in_the_making_says_how_far_it_is_and_escape_gives_it_up(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_plan()
        await on.until_says("#progress", "looked at 762 000 of 1 210 448 keys matching 7 588")
        assert "63%" in on.text("#progress")
        await on.press("escape")
        await on.until_on(FormScreen)
        assert not desk.removals


async def test_a_plan_says_what_would_go(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.until_says("#facts", "matches 12 031 keys protected 4 more, which stay memory 48.2 MiB")
        assert "types hash ~11 960 string ~71" in on.text("#facts")
        assert "none ~3 <1m ~410 <1h ~9 218" in on.text("#facts")
        assert "median 4m oldest 2d" in on.text("#facts")
        assert "profile:* 8 400" in on.text("#names")
        assert r"\xff\xfe* 3" in on.text("#names")
        assert "looked at 1 210 448 keys in 2.9 s" in on.title("#plan")
        assert "6 of 12 031, escaped" in on.title("#samples")
        assert "undo kept, about 31.0 MiB of 256 MiB" in on.text("#how")
        assert "p99 ≤ idle + 5 ms" in on.text("#how")
        assert "db0 on prod-cache" in on.title("#what")


async def test_the_pattern_is_to_be_typed_above_a_number_of_keys(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        plan = await on.to_ready_plan()
        await on.press("enter")
        assert plan.has_class("-typing")
        await on.until_says("#what-to-type", "type user:cache:* to remove 12 031 keys")
        await on.press(*"user:*", "enter")
        await on.until_says("#what-to-type", "that is not user:cache:*")
        assert not desk.removals
        await on.press("escape")
        assert not plan.has_class("-typing")
        await on.press("enter", *"user:cache:*", "enter")
        await on.until_on(RunScreen)
        assert desk.removals[-1].options == desk.options("unlink", expire=0.0, jitter=0.0, undo=True, dry_run=False)


async def test_letters_that_are_keys_are_typed_where_one_types(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        plan = await on.to_ready_plan()
        await on.press("enter", *"dmnpr")
        assert plan.has_class("-typing")
        assert plan.options.mode == "unlink"
        assert not desk.removals


@pytest.mark.parametrize(("matched", "shown"), [(12, "12"), (RULES.type_above, "10 000")])
async def test_few_keys_are_confirmed_by_yes_and_enter_says_no(desk: ScriptedDesk, matched: int, shown: str) -> None:
    desk.plan_changes = {"matched": matched}
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.press("enter")
        await on.until_on(QuestionScreen)
        assert f"remove {shown} keys user:cache:* from db0 on prod-cache" in on.text(".frame > Prose")
        await on.press("enter")
        await on.until_on(PlanScreen)
        await on.press("enter", "y")
        await on.until_on(RunScreen)


@pytest.mark.parametrize(("keys", "matched"), [(("enter", "y"), 12), (("enter", *"user:cache:*", "enter"), 12_031)])
async def test_what_is_agreed_to_is_what_was_shown(
    desk: ScriptedDesk, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], matched: int
) -> None:
    """An undo that has come to the trash since was named to nobody."""
    desk.plan_changes = {"matched": matched}
    judge, given_up = ScriptedDesk.judge, GivenUp("20261122-110000-0001", (("a", KeyCount(300, 300)),))

    def judged(self: ScriptedDesk, plan: Plan, options: Options) -> Verdict:
        verdict = judge(self, plan, options)
        return replace(verdict, undo=replace(verdict.undo, gives_up=(given_up,) if others else ()))

    others = False
    monkeypatch.setattr(ScriptedDesk, "judge", judged)
    async with walk(desk) as on:
        await on.to_ready_plan()
        assert "gives up" not in on.text("#troubles")
        others = True
        await on.press(*keys)
        await on.until_on(RunScreen)
        (agreed,) = desk.agreed
        assert agreed is not None
        assert agreed.undo.gives_up == ()


@pytest.mark.parametrize(
    ("endpoint", "keys", "pattern"),
    [
        (replace(HERE, environment="production"), (), "user:cache:*"),
        (HERE, ("u",), "user:cache:*"),
    ],
)
async def test_production_and_no_way_back_are_typed_however_few(
    tmp_path: Path, endpoint: Endpoint, keys: tuple[str, ...], pattern: str
) -> None:
    desk = ScriptedDesk(tmp_path, endpoint=endpoint)
    desk.plan_changes = {"matched": 12}
    async with walk(desk) as on:
        plan = await on.to_ready_plan(pattern)
        await on.press(*keys, "enter")
        assert plan.has_class("-typing")


async def test_the_mode_goes_round(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        plan = await on.to_ready_plan()
        shown = []
        for _ in range(4):
            await on.press("m")
            await until(on.pilot, lambda: plan.has_class("-ready"))
            shown.append((plan.options.mode, plan.options.jitter))
        assert shown == [("expire", 60.0), ("expire", 600.0), ("expire", 3_600.0), ("unlink", 0.0)]
        assert len(desk.plans) == 1


async def test_no_goes_back_and_changes_nothing(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        plan = await on.to_ready_plan()
        await on.press("n")
        await on.until_on(FormScreen)
        assert plan.options.undo
        assert not desk.removals


async def test_the_mode_s_word_is_on_the_key_that_starts_it(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        plan = await on.to_ready_plan()
        await on.until_says("#question", "enter removes 12 031 keys")
        await on.press("m")
        await on.until_says("#question", "enter lets expire 12 031 keys")
        await on.until_says("#how", "mode expire after 1s, spread over 1m")
        await on.press("enter")
        await on.until_says("#what-to-type", "type user:cache:* to let expire 12 031 keys")
        assert plan.has_class("-typing")
        bar = on.screen.query_one(KeyBar)
        await until(on.pilot, lambda: [hint.name for hint in bar.hints] == ["Let expire", "Back"])


async def test_scans_of_several_patterns_are_not_one_of_many_keys(desk: ScriptedDesk) -> None:
    desk.plan_changes = {"scanned": 40_803}
    async with walk(desk) as on:
        await on.to_ready_plan("a:* b:* c:* one")
        assert "looked at 40 803 keys in 3 scans, 2.9 s" in on.title("#plan")


async def test_what_was_not_asked_is_asked_by_a_new_plan(desk: ScriptedDesk) -> None:
    desk.plan_changes = {"removal_problem": safe("NOPERM no permissions to run UNLINK: ACL SETUSER me +unlink")}
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.until_says("#troubles", "ACL SETUSER me +unlink")
        await on.press("enter")
        assert not desk.removals
        await on.press("m")
        await until(on.pilot, lambda: len(desk.plans) == 2)
        assert desk.wanted.planning[-1][1:] == ("expire", True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"capped": True, "matched": 1_000_001}, "more than 1 000 000 keys match; narrow the pattern"),
        ({"undo_possible": False, "undo_problem": safe("NOPERM DUMP")}, "it could not be undone: NOPERM DUMP"),
        ({"oversized": 3}, "3 keys over 16.0 MiB aren't kept"),
        ({"refusals": (safe("OBJECT IDLETIME denied"),)}, "OBJECT IDLETIME denied"),
    ],
)
async def test_troubles_are_said_before_it_is_too_late(desk: ScriptedDesk, changes: dict[str, Any], said: str) -> None:
    desk.plan_changes = changes
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.until_says("#troubles", said)


async def test_nothing_is_removed_where_nothing_matches(desk: ScriptedDesk) -> None:
    desk.plan_changes = {
        "matched": 0,
        "protected": 0,
        "samples": (),
        "namespaces": (),
        "types": (),
        "expiry": (),
        "idle": None,
    }
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.press("enter")
        await on.until_says("#question", "no key matches")
        assert isinstance(on.screen, PlanScreen)


async def test_a_dry_run_comes_back_to_the_plan(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.press("m", "d")
        await on.until_on(RunScreen)
        assert desk.removals[-1].options.dry_run
        desk.removals[-1].finish(result_of(dry_run=True, undo=None))
        await on.until_says("#progress", "dry run done")
        assert on.title("#run").endswith("dry run")  # no name: the journal has none
        await on.press("enter")
        reader = await on.until_on(ReaderScreen)
        details = on.text(".frame Facts")
        assert "outcome dry run done" in " ".join(details.split())
        assert desk.removals[-1].id not in details + on.title(".frame")
        await on.press("escape")
        assert on.screen is not reader
        assert on.script.notes == []
        await on.press("escape")
        plan = await on.until_on(PlanScreen)
        assert (len(desk.plans), plan.options.mode, plan.options.dry_run) == (1, "expire", False)


async def test_read_only_there_is_a_plan_and_no_more(tmp_path: Path) -> None:
    desk = ScriptedDesk(tmp_path, replace(RULES, read_only=True))
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.until_says("#troubles", "this is read-only")
        bar = on.screen.query_one("KeyBar")
        assert {"Run", "Dry run", "Mode"} & {hint.name for hint in bar.hints} == {"Dry run"}  # type: ignore[attr-defined]
        await on.press("enter", "m", "u")
        assert isinstance(on.screen, PlanScreen)
        assert not desk.removals
        await on.press("d")  # writes nothing
        await on.until_on(RunScreen)
        assert [removal.options.dry_run for removal in desk.removals] == [True]


async def test_a_server_that_is_lost_is_said_and_looked_at_again(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_plan()
        desk.plans[-1].error = LinkError(Trouble.SILENT, "10.0.0.1:6379 doesn't answer", "")
        desk.plans[-1].finish()
        await on.until_says("#progress", "there is no plan: 10.0.0.1:6379 doesn't answer")
        await on.press("r")
        await until(on.pilot, lambda: len(desk.plans) == 2)
        desk.plans[-1].finish()
        await until(on.pilot, lambda: on.screen.has_class("-ready"))


async def test_the_other_ways_out(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.press("p")
        screen = await on.until_on(FormScreen)
        await until(on.pilot, lambda: on.pilot.app.focused is screen.query_one("#preset"))
        screen.query_one("#pattern").focus()
        await on.press("enter")
        await on.until_on(PlanScreen)
        await until(on.pilot, lambda: len(desk.plans) == 2)
        desk.plans[-1].finish()
        await until(on.pilot, lambda: on.screen.has_class("-ready"))
        await on.press("J")
        await on.until_on(JournalScreen)


async def test_help_lists_the_keys_of_the_plan(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.press("question_mark")
        await on.until_on(ReaderScreen)
        assert "Do everything but the removing" in on.text(".frame Facts")


async def test_a_plan_under_way_is_drawn_for_another_width_at_once(desk: ScriptedDesk) -> None:
    async with walk(desk, size=(80, 24)) as on:
        await on.to_plan()
        await on.until_says("#progress", "762 000")
        on.hold()
        narrow = on.text("#progress").count("━")
        await on.pilot.resize_terminal(120, 36)
        assert on.text("#progress").count("━") > narrow > 0
