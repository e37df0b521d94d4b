"""A real app, whose frames are compared with what Textual itself would have written."""

from __future__ import annotations

import random

import pytest
from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Input, Sparkline, Static

from pymon_tui.ui.painting import SeenCompositor, SeenScreen
from pymon_tui.ui.terminal import ERASE, DiffedApp
from tests.ui.replay import Terminal


class CapturedDriver(HeadlessDriver):
    """A driver whose output is replayed."""

    terminal: Terminal
    frames: int = 0

    @property
    def is_headless(self) -> bool:
        return False

    @property
    def can_suspend(self) -> bool:
        return True

    def start_application_mode(self) -> None:
        if not hasattr(self, "terminal"):
            self.terminal = Terminal(*self._get_terminal_size())
        super().start_application_mode()

    def write(self, data: str) -> None:
        self.frames += 1
        self.last = data
        self.terminal.feed(data)


class ComparedCompositor(SeenCompositor):
    """Each update is also made by Textual's own compositor, and compared where it is drawn."""

    def render_partial_update(self) -> ChopsUpdate | None:
        dirty = set(self._dirty_regions)
        ours = super().render_partial_update()
        self._dirty_regions = dirty
        theirs = Compositor.render_partial_update(self)
        assert (ours is None) == (theirs is None)
        if self.root is not None and ours is not None and theirs is not None:
            console = self.root.app.console
            drawn, expected = Terminal(*self.size), Terminal(*self.size)
            drawn.feed(ours.render_segments(console))
            expected.feed(theirs.render_segments(console))
            assert ours.spans == theirs.spans
            for y, x, stop in ours.spans:
                assert drawn.row(y)[x:stop] == expected.row(y)[x:stop]
        return ours


class ComparedScreen(SeenScreen[object]):
    def __init__(self, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._compositor = ComparedCompositor()


class Overlay(ModalScreen[None]):
    CSS = "Overlay { align: center middle; } Overlay > Static { width: 15; height: 3; border: round red; }"

    def compose(self) -> ComposeResult:
        yield Static("한글 위에")


class Busy(DiffedApp[None]):
    """Widgets that change; each frame is also drawn by Textual's own sequences, and compared."""

    CSS = """
    #top { height: 6; layout: grid; grid-size: 3; }
    #top > Static { border: round green; height: 6; }
    #moving { layer: above; dock: top; width: 12; height: 3; background: $primary 60%; }
    Screen { layers: default above; }
    DataTable { height: 8; }
    """

    def __init__(self, *, full_redraw: bool, seed: int) -> None:
        super().__init__(full_redraw=full_redraw, driver_class=CapturedDriver)
        self.random = random.Random(seed)
        self.plain: Terminal | None = None
        self.kinds: set[str] = set()
        self.compared = 0

    @property
    def captured(self) -> CapturedDriver:
        assert isinstance(self._driver, CapturedDriver)
        return self._driver

    def get_default_screen(self) -> Screen[object]:
        return ComparedScreen(id="_default")

    def compose(self) -> ComposeResult:
        with Vertical(id="top"):
            for name in "abc":
                yield Static(id=name, markup=False)
        yield Static("moving 글자", id="moving")
        yield Sparkline([1, 2, 3], id="spark")
        yield DataTable(id="table")
        with VerticalScroll(id="scroll"):
            for number in range(30):
                yield Static(f"line {number} 캐시 😀 [b]bold[/b] [@click=app.bell]click[/]")
        yield Input()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("id", "address", "name")
        for number in range(12):
            table.add_row(str(number), "127.0.0.1", "이름")

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        frames = self.captured.frames
        super()._display(screen, renderable)
        if self.captured.frames == frames or not isinstance(renderable, CompositorUpdate):
            return
        shown = self.captured.terminal
        if screen.outer_size != shown.size:
            return  # the terminal has been resized, and the app doesn't know yet
        if self.plain is None or self.plain.size != shown.size:
            self.plain = Terminal(*shown.size)
        self.plain.feed(renderable.render_segments(self.console))
        self.kinds.add(type(renderable).__name__)
        self.compared += 1
        assert shown.cells == self.plain.cells

    def step(self) -> None:
        """Changes something, as the second hand of a monitor would."""
        words = ["12.4", "9", "한글", "key:1", "█▆▂", "…", "a b  c", "字"]
        choice = self.random.randrange(7)
        text = " ".join(self.random.choices(words, k=9))
        if choice <= 1:
            self.query_one("#" + self.random.choice("abc"), Static).update(text)
        elif choice == 2:
            self.query_one("#moving").styles.offset = (self.random.randrange(60), self.random.randrange(20))
        elif choice == 3:
            self.query_one(Sparkline).data = [self.random.random() for _ in range(40)]
        elif choice == 4:
            row, column = self.random.randrange(12), self.random.randrange(3)
            self.query_one(DataTable).update_cell_at((row, column), text[:7], update_width=True)  # type: ignore[arg-type]
        elif choice == 5:
            self.query_one("#scroll", VerticalScroll).scroll_to(y=self.random.randrange(25), animate=False)
        else:
            self.query_one("#" + self.random.choice("abc")).toggle_class("hidden")
            self.query_one("#spark").display = not self.query_one("#spark").display


async def restored(pilot: Pilot[None], app: Busy, expected: list[list[tuple[object, ...]]]) -> None:
    for _ in range(50):
        await pilot.pause()
        if app.captured.terminal.cells == expected:
            return
    raise AssertionError(f"not drawn again:\n{app.captured.terminal.text}")


@pytest.fixture(params=[False, True], ids=["diffed", "full_redraw"])
def full_redraw(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_changing_app_shows_the_same_after_every_frame(seed: int) -> None:
    app = Busy(full_redraw=False, seed=seed)
    async with app.run_test(headless=False, size=(80, 30)) as pilot:
        for number in range(30):
            app.step()
            await pilot.pause()
            if number % 12 == 5:
                await app.push_screen(Overlay())
                await pilot.pause()
            elif number % 12 == 8:
                app.pop_screen()
                await pilot.pause()
    assert app.compared > 22
    assert app.kinds == {"LayoutUpdate", "ChopsUpdate"}


async def test_a_small_change_is_a_short_frame() -> None:
    app = Busy(full_redraw=False, seed=1)
    async with app.run_test(headless=False, size=(80, 30)) as pilot:
        app.query_one("#a", Static).update("12.4 MiB")
        await pilot.pause()
        sizes: list[int] = []
        app.captured.write = lambda data: sizes.append(len(data))  # type: ignore[method-assign]
        app.query_one("#a", Static).update("12.5 MiB")
        while not sizes:
            await pilot.pause()
    assert max(sizes) < 80


async def test_redraw_clears_the_terminal_and_draws_everything(*, full_redraw: bool) -> None:
    app = Busy(full_redraw=full_redraw, seed=1)
    async with app.run_test(headless=False, size=(80, 30)) as pilot:
        await pilot.pause()
        expected = app.captured.terminal.cells
        app.captured.terminal.fill()
        app.captured.last = ""
        await pilot.press("ctrl+l")
        await restored(pilot, app, expected)
        assert app.captured.last.startswith(ERASE)


async def test_redraw_works_under_a_dialog() -> None:
    app = Busy(full_redraw=False, seed=1)
    async with app.run_test(headless=False, size=(80, 30)) as pilot:
        await app.push_screen(Overlay())
        await pilot.pause()
        expected = app.captured.terminal.cells
        app.captured.terminal.fill()
        await pilot.press("ctrl+l")
        await restored(pilot, app, expected)


async def test_a_resized_terminal_is_drawn_again_even_in_its_old_size() -> None:
    app = Busy(full_redraw=False, seed=1)
    async with app.run_test(headless=False, size=(80, 30)) as pilot:
        await pilot.pause()
        expected = app.captured.terminal.cells
        app.captured.terminal.fill()
        app.post_message(events.Resize(Size(80, 30), Size(80, 30)))
        await restored(pilot, app, expected)


@pytest.mark.parametrize("size", [(60, 20), (100, 40)])
async def test_a_terminal_of_another_size(size: tuple[int, int]) -> None:
    app = Busy(full_redraw=False, seed=1)
    async with app.run_test(headless=False, size=(80, 30)) as pilot:
        await pilot.pause()
        app.captured.terminal = Terminal(*size)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        app.step()
        await pilot.pause()
        assert app.plain is not None
        assert app.captured.terminal.cells == app.plain.cells
        assert "line 0" in app.captured.terminal.text


async def test_a_resumed_app_is_drawn_again() -> None:
    app = Busy(full_redraw=False, seed=1)
    async with app.run_test(headless=False, size=(80, 30)) as pilot:
        await pilot.pause()
        expected = app.captured.terminal.cells
        with app.suspend():
            app.captured.terminal.fill()
        await restored(pilot, app, expected)


async def test_a_process_that_was_stopped_and_continued_is_drawn_again() -> None:
    app = Busy(full_redraw=False, seed=1)
    async with app.run_test(headless=False, size=(80, 30)) as pilot:
        await pilot.pause()
        expected = app.captured.terminal.cells
        app.captured.terminal.fill()
        app.post_message(Driver.SignalResume())
        await restored(pilot, app, expected)
