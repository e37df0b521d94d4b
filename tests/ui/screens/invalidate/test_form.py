from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.presets import Preset
from pymon_tui.model.link import Trouble
from pymon_tui.model.text import safe
from pymon_tui.readings.slowlog import SLOWLOG, SlowEntry, SlowLog
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from tests.script import ready, snapshot
from tests.ui.screens.invalidate.walk import walk
from tests.ui.scripted_desk import RULES, ScriptedDesk, patterns
from tests.ui.stage import until


@pytest.fixture
def desk(tmp_path: Path) -> ScriptedDesk:
    return ScriptedDesk(tmp_path)


async def test_an_estimate_follows_what_is_typed_and_says_that_it_is_one(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_form()
        assert "type a pattern" in on.text("#estimate")
        await on.press(*"user:cache:*")
        await until(on.pilot, lambda: patterns(desk.estimated)[-1:] == ["user:cache:*"])
        await on.until_says("#estimate", "about 12 040 keys match, between 11 180 and 12 960")
        assert "an estimate from 5.0% of 1 210 448 keys" in on.text("#estimate")
        assert desk.estimated[-1].protected == RULES.protected
        assert "keys that begin with user:cache:" in on.text("#words")
        assert "never touched: session:*" in on.text("#words")


async def test_keys_that_follow_each_other_quickly_are_asked_for_once(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        screen = await on.to_form()
        field = screen.query_one("#pattern", Input)
        for text in ("u", "us", "use", "user:*"):
            field.value = text
        await on.until_says("#estimate", "about 12 040")
        assert patterns(desk.estimated) == ["user:*"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("user:\\x", r"should be \xNN"),
        ("*", "matches every key"),
        ("?*", "choose all keys"),
    ],
)
async def test_what_can_not_be_used_is_said_and_goes_no_further(desk: ScriptedDesk, typed: str, said: str) -> None:
    async with walk(desk) as on:
        screen = await on.to_form()
        screen.query_one("#pattern", Input).value = typed
        await on.until_says("#estimate", said)
        await on.press("enter")
        assert isinstance(on.screen, FormScreen)
        assert not desk.estimated


async def test_every_key_may_go_if_that_is_said(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        screen = await on.to_form()
        assert not screen.query_one("#every").has_class("-shown")
        await on.press("*")
        await until(on.pilot, lambda: screen.query_one("#every").has_class("-shown"))
        screen.query_one("#all").focus()
        await on.press("right")
        await on.until_says("#estimate", "about 12 040")
        assert desk.estimated[-1].every
        await on.press("enter")
        await on.until_on(PlanScreen)


async def test_filters_are_typed_as_they_are_shown(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        screen = await on.to_form()
        for name, text in (("pattern", "user:*"), ("expiry", ">1h"), ("idle", "2d"), ("larger", "1M")):
            screen.query_one(f"#{name}", Input).value = text
        screen.query_one("#type").focus()
        await on.press("right", "right")
        await on.until_says("#estimate", "about 12 040")
        filters = desk.estimated[-1].filters
        assert (filters.type, filters.expiry, filters.expiry_seconds) == ("hash", "later", 3_600)
        assert (filters.idle_over, filters.larger_than) == (2 * 86_400, 2**20)
        screen.query_one("#idle", Input).value = "soon"
        await on.until_says("#estimate", "idle: should be a time")


async def test_a_preset_asks_for_its_values_and_escapes_them(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_form()
        await on.press("down", "right", "right")
        await on.until_says("#estimate", 'preset "user" needs a value for user_id')
        assert "user:sessions:{user_id}" in on.text("#words")
        await on.press("down", *"4*", "enter")
        await on.until_on(PlanScreen)
        selection, _, _ = desk.wanted.planning[-1]
        assert [pattern.shown for pattern in selection.patterns] == [
            "user:sessions:4%2A",
            "user:preferences:4%2A",
            "notifications:recent:4%2A",
        ]
        assert "user_id 4*" in on.text("#what Prose")


async def test_escape_from_the_plan_comes_back_to_what_was_typed(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        await on.to_ready_plan()
        await on.press("escape")
        screen = await on.until_on(FormScreen)
        assert screen.query_one("#pattern", Input).value == "user:cache:*"
        await on.press("escape")
        await on.until_on(MonitorScreen)


async def test_a_server_that_is_away_is_said_and_the_form_stays(desk: ScriptedDesk) -> None:
    desk.guess = LinkError(Trouble.UNREACHABLE, "10.0.0.1:6379 refuses connections", "is it running?")
    async with walk(desk) as on:
        await on.to_form()
        await on.press(*"user:*")
        await on.until_says("#estimate", "no estimate: 10.0.0.1:6379 refuses connections")
        desk.guess = None
        await on.press("a")
        await on.until_says("#estimate", "the server doesn't tell")


async def test_all_is_cleared_at_once(desk: ScriptedDesk) -> None:
    async with walk(desk) as on:
        screen = await on.to_form()
        await on.press(*"user:*", "down", "right", "ctrl+n")
        assert screen.query_one("#pattern", Input).value == ""
        await until(on.pilot, lambda: screen.draft.is_empty)
        assert on.pilot.app.focused is screen.query_one("#pattern")


async def test_a_preset_of_the_settings_with_a_hostile_name_is_only_text(tmp_path: Path) -> None:
    hostile = Preset("[red]\x1b[2J", ("a:{b}",), "[@click=app.quit]x[/]")
    desk = ScriptedDesk(tmp_path, replace(RULES, presets=(hostile,)))
    async with walk(desk) as on:
        await on.to_form()
        assert r"[red]\x1b[2J" in on.text("#words")


async def slow(desk: Desk, command: str, *keys: str, typed: str = "") -> str:
    entry = SlowEntry(0, 1, 1_790_000_000, 20_000, tuple(command.encode().split()), safe("10.0.0.9:5000"), safe("api"))
    one = snapshot({SLOWLOG: ready(SlowLog((entry,), 0))})
    assert isinstance(desk, ScriptedDesk)
    async with walk(desk, one, panes="5") as on:
        await on.press("5", *keys, "i")
        screen = await on.until_on(FormScreen)
        await on.press(*typed)
        return screen.query_one("#pattern", Input).value


async def test_a_slow_shape_is_where_the_form_begins(desk: ScriptedDesk) -> None:
    assert await slow(desk, "HGETALL user:42", "g") == "user:*"


async def test_what_is_typed_takes_the_place_of_what_was_suggested(desk: ScriptedDesk) -> None:
    assert await slow(desk, "HGETALL user:42", typed="a") == "a"


async def test_a_slow_command_is_where_the_form_begins(desk: ScriptedDesk) -> None:
    assert await slow(desk, "HGETALL user:42") == "user:42"
    assert await slow(desk, "PING") == ""
