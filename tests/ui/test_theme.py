from __future__ import annotations

from pymon_tui.settings import Settings
from pymon_tui.ui.theme import SIXTEEN, THEMES
from pymon_tui.ui.widgets.title_bar import TitleBar
from tests.samples import sample
from tests.script import Script
from tests.ui.stage import app_of, until_shown


async def test_the_key_goes_through_our_themes_and_all_of_them_draw() -> None:
    one = await sample()
    seen = []
    async with app_of(Script(one)).run_test(size=(80, 24)) as pilot:
        monitor = await until_shown(pilot, one)
        for _ in THEMES:
            seen.append(pilot.app.theme)
            colours = {segment.style.bgcolor for segment in monitor.query_one(TitleBar).render_line(0) if segment.style}
            assert len(colours) > 1  # the badge stands out
            await pilot.press("t")
    assert seen == [theme.name for theme in THEMES]


async def test_sixteen_colours_choose_their_theme() -> None:
    one = await sample()
    async with app_of(Script(one), Settings(host="h", color="16")).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        assert pilot.app.theme == SIXTEEN.name
