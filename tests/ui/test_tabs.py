"""Several deployments in one app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.model.link import Link, Live, Lost, Trouble
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.connect import ConnectScreen
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.screens.tab_line import TabTitle, tab_line
from pymon_tui.ui.widgets.title_bar import TitleBar
from tests.samples import sample
from tests.script import Script
from tests.ui.scripted_desk import ScriptedDesk
from tests.ui.stage import monitor_of, no_ways, until, until_shown

LOST = Lost(Trouble.UNREACHABLE, safe("10.0.0.9:6379 refuses connections"), safe(""), 100.0, 105.0, 1)
PROD = Settings(host="a", name="prod", environment="production", read_only=True)
STAGING = Settings(host="b", name="staging")


class Deployments:
    """The scripts behind the tabs, by the name of their profile."""

    def __init__(self, **scripts: Script) -> None:
        self.scripts = scripts
        self.made: list[str] = []

    def source_of(self, endpoint: Endpoint) -> Script:
        self.made.append(endpoint.label)
        return self.scripts[endpoint.label]

    def app(self, *settings: Settings) -> PymonApp:
        def chosen(_choice: object, present: Endpoint) -> Endpoint:
            return replace(present, host="other", name="other")

        first, *others = settings
        return PymonApp(first, self.source_of, chosen, no_ways, others=others, clock=lambda: 100.0)


async def two() -> tuple[Snapshot, Snapshot]:
    one = await sample()
    return replace(one, node=safe("prod")), replace(one, node=safe("staging"))


def title(app: PymonApp) -> str:
    return app.screen.query_one(TitleBar).render_line(0).text


def shows(app: PymonApp, one: Snapshot) -> Callable[[], bool]:
    return lambda: isinstance(app.screen, MonitorScreen) and app.screen.snapshot is one


async def pressed(pilot: Pilot[Any], key: str, one: Snapshot) -> MonitorScreen:
    await pilot.press(key)
    return await until_shown(pilot, one)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_both_are_followed_and_each_has_its_screen(size: tuple[int, int]) -> None:
    prod, staging = await two()
    deployments = Deployments(prod=Script(prod, read_only=True), staging=Script(staging))
    app = deployments.app(PROD, STAGING)
    async with app.run_test(size=size) as pilot:
        first = await until_shown(pilot, prod)
        await until(pilot, lambda: deployments.made == ["prod", "staging"])
        assert "● prod  ● staging" in title(app)
        assert deployments.scripts["prod"].wanted
        assert not deployments.scripts["staging"].wanted
        second = await pressed(pilot, "]", staging)
        assert (first.read_only, second.read_only) == (True, False)
        assert not deployments.scripts["prod"].wanted
        assert deployments.scripts["staging"].wanted
        await pilot.press("3")
        assert await pressed(pilot, "[", prod) is first
        assert await pressed(pilot, "ctrl+pageup", staging) is second
        assert second._open is not None
        assert await pressed(pilot, "ctrl+pagedown", prod) is first


async def test_what_is_not_shown_goes_on_and_its_dot_tells_of_its_loss() -> None:
    prod, staging = await two()
    deployments = Deployments(prod=Script(prod), staging=Script(staging))
    app = deployments.app(PROD, STAGING)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, prod)

        def links() -> list[Link | None]:
            return [one.link for one in app._tabs._titles()]

        await until(pilot, lambda: all(isinstance(link, Live) for link in links()))
        deployments.scripts["staging"].play(replace(staging, link=LOST))
        await until(pilot, lambda: isinstance(links()[1], Lost))
        assert isinstance(links()[0], Live)
        drawn = app.screen.query_one(TitleBar).left
        assert [piece.role for piece in drawn if piece.text == "●"] == ["good", "act"]
        shown = monitor_of(app)
        newest = replace(prod, at=prod.at + 1)
        await pilot.press("]")
        deployments.scripts["prod"].play(newest)
        await until(pilot, lambda: app._tabs._tabs[0].kept is not None and app._tabs._tabs[0].kept.newest is newest)
        assert shown.snapshot is prod
        assert await pressed(pilot, "[", newest) is shown


async def test_from_a_dialog_there_is_no_way_to_another_tab() -> None:
    prod, staging = await two()
    app = Deployments(prod=Script(prod), staging=Script(staging)).app(PROD, STAGING)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, prod)
        await pilot.press("question_mark", "]")
        assert isinstance(app.screen, ReaderScreen)
        await pilot.press("escape")
        await until(pilot, shows(app, prod))


async def test_one_alone_has_no_tabs() -> None:
    prod, _ = await two()
    app = Deployments(prod=Script(prod)).app(PROD)
    async with app.run_test(size=(120, 36)) as pilot:
        first = await until_shown(pilot, prod)
        await pilot.press("]")
        assert app.screen is first
        assert not any(active.binding.action.startswith("tab(") for active in app.active_bindings.values())


async def test_another_server_takes_the_place_of_the_tab_that_is_shown() -> None:
    prod, staging = await two()
    other = replace(staging, node=safe("other"))
    scripts = {"prod": Script(prod, read_only=True), "staging": Script(staging), "other": Script(other)}
    app = Deployments(**scripts).app(PROD, STAGING)
    async with app.run_test(size=(120, 36)) as pilot:
        first = await until_shown(pilot, prod)
        second = await pressed(pilot, "]", staging)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConnectScreen))
        app.screen.query_one(Input).value = "other:6380"
        third = await pressed(pilot, "enter", other)
        assert "● prod  ● other" in title(app)
        await until(pilot, lambda: not second.is_running)
        assert await pressed(pilot, "[", prod) is first
        assert await pressed(pilot, "[", other) is third


async def test_a_theme_that_was_changed_meanwhile_is_everybodys() -> None:
    prod, staging = await two()
    app = Deployments(prod=Script(prod), staging=Script(staging)).app(PROD, STAGING)
    async with app.run_test(size=(120, 36)) as pilot:
        first = await until_shown(pilot, prod)
        before = first.styles.background
        await pressed(pilot, "]", staging)
        await pilot.press("t")
        assert await pressed(pilot, "[", prod) is first
        assert first.styles.background != before
        await pilot.press("]")
        await pilot.resize_terminal(80, 24)
        assert await pressed(pilot, "[", prod) is first
        await until(pilot, lambda: first.has_class("-narrow") and first.size.width == 80)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_screens_of_invalidation_show_the_tabs_too(size: tuple[int, int], tmp_path: Path) -> None:
    prod, staging = await two()
    app = Deployments(prod=Script(prod), staging=Script(staging)).app(PROD, STAGING)
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, prod)
        monitor = await pressed(pilot, "]", staging)
        site = Site(
            ScriptedDesk(tmp_path), monitor.source, lambda: monitor.newest, lambda: 100.0, "blocks", monitor.tabs
        )
        await app.push_screen(JournalScreen(site))
        await until(pilot, lambda: isinstance(app.screen, JournalScreen) and "staging" in title(app))
        assert "● prod  ● staging" in title(app)
        roles = {str(piece.text): piece.role for piece in app.screen.query_one(TitleBar).left}
        assert (roles["prod"], roles["staging"]) == ("label", "accent")


def titles(*named: tuple[str, str | None]) -> Sequence[TabTitle]:
    return [
        TabTitle(safe(name), safe(environment) if environment else None, Live(0.0, 0.0), shown=not number)
        for number, (name, environment) in enumerate(named)
    ]


def test_of_many_tabs_the_one_that_is_shown_has_a_name() -> None:
    many = titles(*((f"cache-{number}", None) for number in range(30)))
    last = [replace(title, shown=title is many[-1]) for title in many]
    assert "".join(piece.text for piece in tab_line(many, 80)) == "● cache-0" + 29 * " ●"
    assert "".join(piece.text for piece in tab_line(last, 80)) == 29 * "● " + "● cache-29"


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (120, "● cache-of-orders  ● cache-of-users production  ● staging"),
        (90, "● cache-of-orders  ● cache-of-users  ● staging"),
        (70, "● cach…  ● cach…  ● stag…"),
        (36, "● cac…  ● cac…  ● sta…"),
        (30, "● cache-of-or… ● ●"),
    ],
)
def test_the_tabs_fit_beside_what_else_is_said(width: int, said: str) -> None:
    three = titles(("cache-of-orders", "production"), ("cache-of-users", "production"), ("staging", "staging"))
    assert "".join(piece.text for piece in tab_line(three, width)) == said
