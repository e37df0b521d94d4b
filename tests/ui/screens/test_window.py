"""Questions that are longer than the terminal is high: they scroll, and the answers stay in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.containers import VerticalScroll
from textual.screen import Screen

from pymon_tui.model.action import Action
from pymon_tui.model.text import safe
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.widgets.ink import span
from pymon_tui.ui.widgets.key_bar import KeyLines
from tests.script import Script, snapshot
from tests.ui.stage import app_of, until, until_shown

NODE = safe("prod-cache")


def confirm(count: int) -> Screen[Any]:
    command: tuple[bytes | str, ...] = ("UNLINK", *(b"\x1b[2Jkey " + b"k" * 10_000 for _ in range(count)))
    return ConfirmScreen(Action(safe("Delete"), command, safe("They are gone for good. " * count), "unlink"), NODE)


def ask(count: int) -> Screen[Any]:
    return QuestionScreen(safe("Invalidate?"), ((span("key " * 100 * count),),) * count, "remove", "leave everything")


def shown(app: Any) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
@pytest.mark.parametrize("screen_of", [confirm, ask])
async def test_the_answers_are_seen_however_long_the_question_is(
    screen_of: Callable[[int], Screen[Any]], size: tuple[int, int]
) -> None:
    one = snapshot({})
    async with app_of(Script(one)).run_test(size=size) as pilot:
        await until_shown(pilot, one)
        await pilot.app.push_screen(screen_of(40))
        frame = pilot.app.screen.query_one(VerticalScroll)
        await until(pilot, lambda: frame.max_scroll_y > 0)
        answers = frame.query_one(KeyLines)

        def seen() -> bool:
            line = shown(pilot.app)[answers.region.bottom - 1]
            return "y send it   n send nothing" in line or "y remove   n leave everything" in line

        assert seen()
        assert "scroll" in str(frame.border_subtitle)
        await pilot.press("end")
        await until(pilot, lambda: frame.scroll_offset.y == frame.max_scroll_y)
        assert seen()
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))


@pytest.mark.parametrize("screen_of", [confirm, ask])
async def test_a_short_question_takes_no_more_room_than_it_needs(screen_of: Callable[[int], Screen[Any]]) -> None:
    one = snapshot({})
    async with app_of(Script(one)).run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, one)
        await pilot.app.push_screen(screen_of(1))
        frame = pilot.app.screen.query_one(VerticalScroll)
        await until(pilot, lambda: frame.size.height > 0)
        assert frame.max_scroll_y == 0
        assert not frame.border_subtitle
        assert frame.outer_size.height < 20
