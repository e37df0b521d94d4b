"""Frames: much that changed is painted in several of them, what has the focus first."""

from __future__ import annotations

import inspect

import pytest
from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from pymon_tui.ui.painting import FRAME_CELLS, SeenScreen
from tests.ui.stage import until

pytestmark = pytest.mark.usefixtures("painted")

WIDTH, HEIGHT = 200, 120
ROWS = HEIGHT // 3


class Letters(Widget, can_focus=True):
    """A widget full of one letter; it notes when it is painted."""

    DEFAULT_CSS = "Letters { height: 1fr; }"

    def __init__(self, letter: str, painted: list[str]) -> None:
        super().__init__(id=letter)
        self.letter = letter
        self.painted = painted

    def render_lines(self, crop: Region) -> list[Strip]:
        self.painted.append(self.letter)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        return Strip.blank(self.size.width)


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.painted: list[str] = []
        self.frames: list[list[str]] = []

    def get_default_screen(self) -> Screen[object]:
        return SeenScreen(id="_default")

    def compose(self) -> ComposeResult:
        for letter in "abc":
            yield Letters(letter, self.painted)

    def post_display_hook(self) -> None:
        self.frames.append(self.painted.copy())
        self.painted.clear()


def painted(app: Stage) -> list[list[str]]:
    """The widgets of each frame, those without any left out."""
    return [frame for frame in app.frames if frame]


async def test_much_is_painted_in_several_frames_and_what_has_the_focus_first() -> None:
    app = Stage()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        assert WIDTH * ROWS >= FRAME_CELLS
        app.query_one("#b", Letters).focus()
        await until(pilot, lambda: not app.screen._dirty_widgets)
        app.frames.clear()
        for widget in app.query(Letters):
            widget.refresh()
        await until(pilot, lambda: len(painted(app)) == 3)
        assert painted(app)[0] == ["b"]
        assert sorted(painted(app)[1:]) == [["a"], ["c"]]


async def test_little_is_painted_in_one_frame() -> None:
    app = Stage()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await until(pilot, lambda: not app.screen._dirty_widgets)
        app.frames.clear()
        for widget in app.query(Letters):
            widget.refresh(Region(0, 0, WIDTH, 2))
        await until(pilot, lambda: bool(painted(app)))
        assert [sorted(frame) for frame in painted(app)] == [["a", "b", "c"]]


async def test_all_is_painted_at_once_where_the_whole_screen_is() -> None:
    app = Stage()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await until(pilot, lambda: not app.screen._dirty_widgets)
        app.frames.clear()
        app.screen.refresh()
        for widget in app.query(Letters):
            widget.refresh()
        await until(pilot, lambda: bool(painted(app)))
        assert sorted(painted(app)[0]) == ["a", "b", "c"]


async def test_what_has_gone_before_its_place_is_laid_out_anew_is_not_painted() -> None:
    app = Stage()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        compositor, last = app.screen._compositor, app.query_one("#c", Letters)
        last.refresh()
        await until(pilot, lambda: not app.screen._dirty_widgets)
        app.query_one("#b", Letters).display = False
        compositor.update_widgets({Letters("d", [])})  # one that came a moment ago, and has no place yet
        assert last in compositor.full_map  # as everybody does who asks for a widget's region
        app.painted.clear()
        last.refresh()
        compositor.update_widgets({last})
        compositor.render_partial_update()
        assert sorted(set(app.painted)) == ["c"]
        assert compositor.visible_widgets[last][0].height == HEIGHT // 2


def test_textual_still_has_what_is_private_and_used() -> None:
    """When this fails, Textual has changed below ``pymon_tui/ui/painting.py``: read its ``_compositor.py`` anew."""
    assert list(inspect.signature(Compositor.render_partial_update).parameters) == ["self"]
    assert list(inspect.signature(Compositor._regions_to_spans).parameters) == ["regions"]
    assert list(inspect.signature(Screen._on_timer_update).parameters) == ["self"]
    assert vars(Compositor()).keys() >= {"size", "_dirty_regions"}
    assert isinstance(inspect.getattr_static(Compositor, "layers_visible"), property)
    assert isinstance(inspect.getattr_static(Compositor, "visible_widgets"), property)
