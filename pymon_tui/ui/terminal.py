"""Writes to the terminal only the cells that changed: a diff between Textual's compositor and the wire.

Textual repaints a widget whole, with the complete style in front of every piece of text: ten to twenty times
the bytes of what changed. ``Shadow`` remembers what each cell of the terminal shows, and turns an update of the
compositor into a short sequence that makes the terminal show the same; widgets know nothing of it.

What of Textual is private and needed for that is imported or overridden in this file, and for less painting in
``painting``, alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App, ReturnType
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from pymon_tui.ui.cells import DEFAULT_PEN, PLAIN, Pen, blank_alike, is_agreed, pen_of, stretches
from pymon_tui.ui.runs import Run, sequence

ERASE = "\x1b[m\x1b[2J"

# What a cell of the shadow holds besides the text drawn in it; neither can be drawn.
UNKNOWN = "\0"
TAIL = ""  # covered by the wide character to its left, as long as that stands there

STYLES_KEPT = 4096

CUTS_KEPT = 1024
"""Texts whose cuts Rich may remember. It would keep 16,384, a kilobyte each, most of which are not drawn again."""


class Shadow:
    """What the terminal shows now, cell by cell, as far as it is known."""

    def __init__(self) -> None:
        self.forget()
        self._color_system: ColorSystem | None = None
        self._styles: dict[Style | None, Pen] = {}

    def forget(self) -> None:
        """Nothing is known any more: every cell of the next updates is written."""
        self._width = self._height = 0
        self._text: list[str] = []
        self._pens: list[Pen] = []

    def diff(self, update: LayoutUpdate | ChopsUpdate, console: Console) -> str:
        """The sequence that brings the terminal from what it shows to what the update shows.

        It starts at any cursor position with the default pen, and ends with the default pen.
        """
        self._fit(*_extent(update))
        self._use(COLOR_SYSTEMS[console.color_system] if console.color_system else None)
        runs: list[Run] = []
        for y, x, stop, segments in _pieces(update):
            self._draw(runs, y, x, min(stop, self._width), segments)
        return sequence(runs, self._standing, self._width)

    def _fit(self, width: int, height: int) -> None:
        # A frame as large as the terminal was before it shrank is folded into its last column and row.
        if (width, height) != (self._width, self._height):
            self._width, self._height = width, height
            self._text = [UNKNOWN] * (width * height)
            self._pens = [DEFAULT_PEN] * (width * height)

    def _use(self, color_system: ColorSystem | None) -> None:
        if color_system != self._color_system or len(self._styles) > STYLES_KEPT:
            self._color_system = color_system
            self._styles.clear()

    def _pen(self, style: Style | None) -> Pen:
        pen = self._styles.get(style)
        if pen is None:
            pen = DEFAULT_PEN if style is None else pen_of(style, self._color_system)
            self._styles[style] = pen
        return pen

    def _draw(self, runs: list[Run], y: int, x: int, stop: int, segments: Iterable[Segment]) -> None:
        """Draws what differs of the segments from column ``x`` to before ``stop``."""
        for text, style, _ in segments:
            if x >= stop:
                return
            pen = self._pen(style)
            if PLAIN.issuperset(text):
                self._draw_plain(runs, y, x, text[: stop - x], pen)
                x += len(text)
                continue
            for piece, width, reach in stretches(text):
                if PLAIN.issuperset(piece):
                    self._draw_plain(runs, y, x, piece[: max(0, stop - x)], pen)
                elif x + width > stop:
                    self._draw_plain(runs, y, x, " " * (stop - x), pen)
                else:
                    self._draw_cluster(runs, y, x, piece, width, reach, pen)
                x += width

    def _draw_plain(self, runs: list[Run], y: int, x: int, text: str, pen: Pen) -> None:
        row = y * self._width
        start, end = row + x, row + x + len(text)
        shown, held = self._text, self._pens
        characters, pens = list(text), [pen] * len(text)
        if shown[start:end] == characters and held[start:end] == pens:
            return
        first = -1
        for at, character in enumerate(text, start):
            if shown[at] != character or (held[at] != pen and not (character == " " and blank_alike(held[at], pen))):
                if first < 0:
                    first = at
            elif first >= 0:
                runs.append(Run(y, first - row, text[first - start : at - start], pen, at - first))
                first = -1
        if first >= 0:
            runs.append(Run(y, first - row, text[first - start :], pen, end - first))
        shown[start:end] = characters
        held[start:end] = pens

    def _draw_cluster(self, runs: list[Run], y: int, x: int, cluster: str, width: int, reach: int, pen: Pen) -> None:
        """Draws a character (or several that combine) whose width terminals may not agree on."""
        start = y * self._width + x
        cells = slice(start, start + width)
        characters, pens = [cluster, *[TAIL] * (width - 1)], [pen] * width
        if self._text[cells] == characters and self._pens[cells] == pens:
            return
        if width > 1 and len(cluster) > 1:
            # Where the terminal takes fewer cells, what stood in the others must not stay.
            runs.append(Run(y, x, " " * width, pen, None, reach))
        runs.append(Run(y, x, cluster, pen, width if is_agreed(cluster) else None, reach))
        self._text[cells] = characters
        self._pens[cells] = pens
        # Where the terminal takes more cells, it has drawn over the next ones.
        for at in range(start + width, min(start + reach, (y + 1) * self._width)):
            self._text[at] = UNKNOWN

    def _standing(self, y: int, x: int, stop: int) -> tuple[str, Pen] | None:
        cells = slice(y * self._width + x, y * self._width + stop)
        text, pens = self._text[cells], self._pens[cells]
        if not PLAIN.issuperset(text) or pens.count(pens[0]) != len(pens):
            return None
        return "".join(text), pens[0]


def _extent(update: LayoutUpdate | ChopsUpdate) -> tuple[int, int]:
    """The columns and rows of the screen that the update is for."""
    if isinstance(update, LayoutUpdate):
        return update.region.right, update.region.bottom
    return max((ends[-1] for ends in update.chop_ends if ends), default=0), len(update.chops)


def _pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, int, Iterable[Segment]]]:
    """What the update draws: ``(row, first column, column before which it ends, segments)``."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            yield y, update.region.x, update.region.right, (segment for strip in strips for segment in strip)
        return
    for y, first, stop in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=True):
            if strip is not None and x < stop and end > first:
                yield y, x, min(end, stop), strip


class Frame(CompositorUpdate):
    """An update of the compositor that is written as a diff, or as it is where there is no shadow."""

    def __init__(self, update: CompositorUpdate, shadow: Shadow | None, *, erase: bool) -> None:
        self._update = update
        self._shadow = shadow
        self._erase = erase

    def render_segments(self, console: Console) -> str:
        """The sequence to write, with one that clears the terminal in front when asked for."""
        if Segment._split_cells.cache_info().currsize > CUTS_KEPT:
            Segment._split_cells.cache_clear()
        if self._shadow is not None and isinstance(self._update, (LayoutUpdate, ChopsUpdate)):
            sequence = self._shadow.diff(self._update, console)
        else:
            sequence = self._update.render_segments(console)
        return ERASE + sequence if self._erase else sequence


class DiffedApp(App[ReturnType]):
    """A Textual app that writes to the terminal only what changed.

    Attributes:
        full_redraw: True writes whatever Textual would write, for a terminal that gets confused.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+l",
            "redraw",
            "Redraw",
            id="redraw",
            show=False,
            priority=True,
            tooltip="Clear the terminal and draw everything again",
        )
    ]

    def __init__(self, *, full_redraw: bool, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.full_redraw = full_redraw
        self._shadow = Shadow()
        self._erase_first = False

    def on_mount(self) -> None:
        self.app_suspend_signal.subscribe(self, self._repaint, immediate=True)
        self.app_resume_signal.subscribe(self, self._repaint, immediate=True)

    def on_resize(self) -> None:
        # Drivers send the size whenever they start, so this also follows a SIGCONT that no signal announced.
        self._repaint(self)

    def action_redraw(self) -> None:
        """Clears the terminal and draws the complete screen."""
        self._erase_first = True
        self._repaint(self)

    def _repaint(self, _app: App[ReturnType]) -> None:
        self._shadow.forget()
        self.refresh()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate):
            erase = self._erase_first and isinstance(renderable, LayoutUpdate)
            self._erase_first = self._erase_first and not erase
            renderable = Frame(renderable, None if self.full_redraw else self._shadow, erase=erase)
        super()._display(screen, renderable)
