"""The README's pictures, made by the program itself: the real monitor on the demo, at three sizes, dark and light."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from pathlib import Path

import click
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui import tty
from pymon_tui.demo.embedded import NoServer
from pymon_tui.demo.running import running_demo
from pymon_tui.model import units
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.state.source import Source
from pymon_tui.ui.app import DEMO_RATE, DEMO_SEED, PymonApp
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.screens.connect import Choice
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.theme import DARK, LIGHT
from pymon_tui.ui.ways import WaysOf
from pymon_tui.ui.widgets.timespan import TIMESPANS

SIZES = ((80, 24), (120, 36), (200, 50))
PANE_SIZE = (120, 36)
WARM_UP = TIMESPANS[0].seconds + 5.0
"""Seconds that are watched before the first picture: as long as the overview's graphs go back, in their own time."""
PATTERN = "monitoring:result:* alerts:* project:*"
"""The keys of the demo whose removal is pictured."""
RUN_SECONDS = 6.0
LOOK_SECONDS = 0.5
"""How long a run, and a plan, are let be before they are pictured."""


def take_screenshots(settings: Settings, source_of: Callable[[Endpoint], Source], ways_of: WaysOf, out: Path) -> int:
    """Write SVG and, with the extra ``png``, PNG pictures into ``out``. Returns the exit code."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with running_demo(seed=DEMO_SEED, rate=DEMO_RATE) as server:
            endpoint = Endpoint(socket=server.socket, name="demo")
            names = asyncio.run(_take(PymonApp(settings, source_of, _nowhere, ways_of, endpoint=endpoint), out))
    except NoServer as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{out} cannot be written: {error.strerror}")
    pictures = _rasterised(out, names)
    click.echo(f"{safe(str(out))}: {len(names)} SVG and {pictures} PNG pictures")
    if not pictures:
        print("for PNG pictures: pip install 'pymon-tui[png]'", file=sys.stderr)  # noqa: T201
    return 0


async def _take(app: PymonApp, out: Path) -> tuple[str, ...]:
    async with app.run_test(size=SIZES[-1]) as pilot:
        await _settle(pilot, lambda screen: screen.snapshot is not None)
        tty.tell(f"the demo is watched for {units.duration(WARM_UP)} first, so that every graph is full")
        await pilot.pause(WARM_UP)
        names = [name async for name in _pictures(pilot, app, out)]
        return (*names, *[name async for name in _invalidation(pilot, app, out)])


async def _pictures(pilot: Pilot[int], app: PymonApp, out: Path) -> AsyncIterator[str]:
    for theme in (DARK, LIGHT):
        app.theme = theme.name
        tone = "dark" if theme.dark else "light"
        for name, key, size in _scenes():
            await pilot.resize_terminal(*size)
            await pilot.press(key)
            await _settle(pilot, _after(_monitor(app).snapshot))
            yield _save(app, out / f"{name}-{tone}.svg")


async def _invalidation(pilot: Pilot[int], app: PymonApp, out: Path) -> AsyncIterator[str]:
    """A plan, and a run that is under way, each in both tones."""
    await pilot.press("1", "i")
    await _until(pilot, lambda: bool(app.screen.query("#estimate")))
    app.screen.query_one("#pattern", Input).value = PATTERN
    await pilot.press("enter")
    await _until(pilot, lambda: app.screen.has_class("-ready"))
    await pilot.pause(LOOK_SECONDS)
    async for picture in _in_both_tones(pilot, app, out, "plan"):
        yield picture
    await pilot.press("enter", "y")
    await _until(pilot, lambda: bool(app.screen.query("#brake")))
    await pilot.pause(RUN_SECONDS)
    async for picture in _in_both_tones(pilot, app, out, "run"):
        yield picture
    await pilot.press("c")


async def _in_both_tones(pilot: Pilot[int], app: PymonApp, out: Path, name: str) -> AsyncIterator[str]:
    for theme in (DARK, LIGHT):
        app.theme = theme.name
        await pilot.pause()
        tone = "dark" if theme.dark else "light"
        yield _save(app, out / f"{name}-{PANE_SIZE[0]}x{PANE_SIZE[1]}-{tone}.svg")


def _save(app: PymonApp, path: Path) -> str:
    path.write_text(app.export_screenshot(title="pymon-tui"), encoding="utf-8")
    return path.name


async def _until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.02)
    await pilot.pause()


def _after(before: Snapshot | None) -> Callable[[MonitorScreen], bool]:
    return lambda screen: screen.snapshot is not before


def _scenes() -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Each picture's name, the key that leads to it, and the terminal's size."""
    for width, height in SIZES:
        yield f"overview-{width}x{height}", "1", (width, height)
    for key, pane in PANES_BY_KEY.items():
        yield f"{pane.NAME}-{PANE_SIZE[0]}x{PANE_SIZE[1]}", key, PANE_SIZE


async def _settle(pilot: Pilot[int], done: Callable[[MonitorScreen], bool]) -> None:
    """Wait until the monitor has come to where ``done`` is true, and has painted it."""
    while not (isinstance(pilot.app.screen, MonitorScreen) and done(pilot.app.screen)):
        await pilot.pause(0.02)
    await pilot.pause()


def _monitor(app: PymonApp) -> MonitorScreen:
    screen = app.screen
    assert isinstance(screen, MonitorScreen)
    return screen


def _rasterised(out: Path, names: tuple[str, ...]) -> int:
    """Turn the SVG pictures into PNG. Returns how many; 0 without the extra."""
    try:
        resvg = import_module("resvg_py")
    except ImportError:
        return 0
    for name in names:
        svg = (out / name).read_text(encoding="utf-8")
        # Fonts that Textual's SVG names are on the web, which is not asked: the machine's own Fira Code, or this one.
        data = resvg.svg_to_bytes(svg_string=svg, monospace_family="DejaVu Sans Mono", zoom=1)
        (out / name).with_suffix(".png").write_bytes(bytes(data))
    return len(names)


def _nowhere(_: Choice, _present: Endpoint) -> Endpoint:
    raise AssertionError("nobody chooses a server while pictures are taken")


def _failed(what: str) -> int:
    print(f"pymon-tui: {safe(what)}", file=sys.stderr)  # noqa: T201
    return 1
