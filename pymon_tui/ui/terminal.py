"""Writes to the terminal only the cells that changed: a diff between Textual's compositor and the wire.

Textual repaints a widget whole, with the complete style in front of every piece of text: ten to twenty times
the bytes of what changed. ``Shadow`` remembers what each cell of the terminal shows, and turns an update of the
compositor into a short sequence that makes the terminal show the same; widgets know nothing of it.

What of Textual is private and needed for that is imported or overridden in this file alone.
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

from pymon_tui.ui.cells import DEFAULT_PEN, PLAIN, Pen, clusters, pen_of, sgr

ERASE = "\x1b[m\x1b[2J"

# What a cell of the shadow holds besides the text drawn in it; neither can be drawn.
UNKNOWN = "\0"
TAIL = ""  # covered by the wide character to its left

STYLES_KEPT = 4096


class _Output:
    """The sequence being written, with where it leaves the cursor and the pen."""

    __slots__ = ("parts", "pen", "x", "y")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.pen = DEFAULT_PEN
        self.y = -1  # no row: the cursor may be anywhere
        self.x = 0

    def draw(self, text: str, pen: Pen) -> None:
        """Draws plain text where the cursor is."""
        if pen != self.pen:
            self.parts.append(sgr(self.pen, pen))
            self.pen = pen
        self.parts.append(text)
        self.x += len(text)

    def move(self, y: int, x: int) -> None:
        if self.y != y:
            self.parts.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        elif x > self.x:
            self.parts.append(f"\x1b[{x - self.x}C" if x > self.x + 1 else "\x1b[C")
        elif x < self.x:
            self.parts.append(f"\x1b[{y + 1};{x + 1}H")
        self.y, self.x = y, x

    def lose_cursor(self) -> None:
        self.y = -1

    def finish(self) -> str:
        """All of it; the pen is put down, so that whatever else writes to the terminal finds the defaults."""
        return "".join([*self.parts, sgr(self.pen, DEFAULT_PEN)])


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
        output = _Output()
        for y, x, stop, segments in _pieces(update):
            self._draw(output, y, x, min(stop, self._width), segments)
        return output.finish()

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

    def _draw(self, output: _Output, y: int, x: int, stop: int, segments: Iterable[Segment]) -> None:
        """Draws what differs of the segments from column ``x`` to before ``stop``."""
        for text, style, _ in segments:
            if x >= stop:
                return
            pen = self._pen(style)
            if PLAIN.issuperset(text):
                self._draw_plain(output, y, x, text[: stop - x], pen)
                x += len(text)
                continue
            for cluster, width, reach in clusters(text):
                if x + width > stop:
                    self._draw_plain(output, y, x, " " * (stop - x), pen)
                elif width == 1 and cluster in PLAIN:
                    self._draw_plain(output, y, x, cluster, pen)
                else:
                    self._draw_cluster(output, y, x, cluster, width, reach, pen)
                x += width

    def _draw_plain(self, output: _Output, y: int, x: int, text: str, pen: Pen) -> None:
        row = y * self._width
        start, end = row + x, row + x + len(text)
        shown, pens = self._text, self._pens
        if shown[start:end] == list(text) and pens[start:end] == [pen] * len(text):
            return
        run = -1
        for at, character in enumerate(text, start):
            if shown[at] != character or pens[at] != pen:
                if run < 0:
                    run = at
            elif run >= 0:
                self._write_run(output, y, run - row, text[run - start : at - start], pen)
                run = -1
        if run >= 0:
            self._write_run(output, y, run - row, text[run - start :], pen)

    def _write_run(self, output: _Output, y: int, x: int, text: str, pen: Pen) -> None:
        self._move(output, y, x, pen)
        output.draw(text, pen)
        self._cover(y, x, list(text), pen)
        if x + len(text) == self._width:
            output.lose_cursor()  # terminals differ in where it stays after the last column

    def _draw_cluster(self, output: _Output, y: int, x: int, cluster: str, width: int, reach: int, pen: Pen) -> None:
        """Draws a character (or several that combine) whose width terminals may not agree on."""
        start = y * self._width + x
        cells = [cluster, *[TAIL] * (width - 1)]
        if self._text[start : start + width] == cells and self._pens[start : start + width] == [pen] * width:
            return
        self._move(output, y, x, pen)
        if width > 1 and len(cluster) > 1:
            # Where the terminal takes fewer cells, what stood in the others must not stay.
            output.draw(" " * width, pen)
            output.lose_cursor()
            output.move(y, x)
        output.draw(cluster, pen)
        output.lose_cursor()
        self._cover(y, x, cells, pen)
        # Where the terminal takes more cells, it has drawn over the next ones.
        for at in range(start + width, min(start + reach, (y + 1) * self._width)):
            self._text[at] = UNKNOWN

    def _cover(self, y: int, x: int, cells: list[str], pen: Pen) -> None:
        """Notes what was written. A wide character that lost one half shows nobody knows what in the other."""
        start, end = y * self._width + x, y * self._width + x + len(cells)
        if self._text[start] == TAIL:
            self._text[start - 1] = UNKNOWN
        if x + len(cells) < self._width and self._text[end] == TAIL:
            self._text[end] = UNKNOWN
        self._text[start:end] = cells
        self._pens[start:end] = [pen] * len(cells)

    def _move(self, output: _Output, y: int, x: int, pen: Pen) -> None:
        """Brings the cursor to a cell: over a short gap it is cheapest to write again what stands there."""
        gap = x - output.x
        if output.y == y and 0 < gap <= 4:
            between = slice(y * self._width + output.x, y * self._width + x)
            text, pens = "".join(self._text[between]), self._pens[between]
            cheap = len(text.encode()) <= (3 if gap == 1 else 4)
            same = pens.count(pens[0]) == gap and pens[0] in (output.pen, pen)
            if cheap and same and PLAIN.issuperset(text) and len(text) == gap:
                output.draw(text, pens[0])
                return
        output.move(y, x)


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
