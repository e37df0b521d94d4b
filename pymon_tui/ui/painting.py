"""Which strips of which widgets an update is made of: those that are seen in it, and no others.

Textual's compositor renders and divides, for each row that changes, the strips of every widget that lies in it, also
of those that are covered or stay as they are. What is private of Textual and needed to do less is in this file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.screen import Screen, ScreenResultType
from textual.strip import Strip
from textual.widget import Widget

Interval = tuple[int, int]
"""A first column, and the column before which it ends."""
Layer = tuple[Widget, Region, Region]
"""A widget, the part of its region that its containers leave of it, and its region."""


FRAME_CELLS = 8000
"""A frame in which as many cells are repainted takes no other widget. Smaller frames write more: 3 000 cost a tenth."""


class Piece(NamedTuple):
    """The columns ``x`` to before ``stop`` of a row, in which a widget is seen that has this ``region``."""

    y: int
    x: int
    stop: int
    widget: Widget
    region: Region


class SeenCompositor(Compositor):
    """A compositor whose partial updates ask widgets only for rows in which they are seen to change."""

    def __init__(self) -> None:
        super().__init__()
        self._in_rows: object = None  # the widgets that ``layers_visible`` was made of

    def render_partial_update(self) -> ChopsUpdate | None:
        """What to draw where something changed; None where nothing did."""
        screen = self.size.region
        regions = [region.intersection(screen) for region in self._dirty_regions]
        self._dirty_regions.clear()
        spans = list(self._regions_to_spans(filter(None, regions)))
        if not spans:
            return None
        rows = self._rows()
        pieces = [piece for y, x, stop in spans for piece in _seen(rows[y], y, x, stop)]
        chops: list[dict[int, Strip | None]] = [{} for _ in range(screen.height)]
        ends: list[list[int]] = [[] for _ in range(screen.height)]
        for (y, x, stop, *_), strip in sorted(_drawn(pieces), key=lambda drawn: drawn[0][:2]):
            chops[y][x] = strip
            ends[y].append(stop)
        for chop, row in zip(chops, ends, strict=True):
            if row and row[-1] < screen.width:
                # As in Textual's own updates, rows end where the screen does.
                chop[row[-1]] = None
                row.append(screen.width)
        return ChopsUpdate(chops, spans, ends)

    def _rows(self) -> list[list[Layer]]:
        """Who lies in each row of the screen, the widgets in front first."""
        # Whoever asks for a widget's region may have all places found anew, before what has changed is laid out.
        # Textual then forgets who is visible, but not in which rows.
        visible = self.visible_widgets
        if visible is not self._in_rows:
            self._layers_visible, self._in_rows = None, visible
        return self.layers_visible

    def clear(self) -> None:
        """Remove all references to widgets."""
        super().clear()
        self._in_rows = None


def _seen(layers: Iterable[Layer], y: int, x: int, stop: int) -> Iterable[Piece]:
    """Who is seen where between two columns of a row; the widgets in front come first."""
    bare: list[Interval] = [(x, stop)]
    for widget, shown, region in layers:
        left, right = shown.x, shown.right
        behind: list[Interval] = []
        for first, end in bare:
            if right <= first or end <= left:
                behind.append((first, end))
                continue
            yield Piece(y, max(first, left), min(end, right), widget, region)
            if first < left:
                behind.append((first, left))
            if right < end:
                behind.append((right, end))
        bare = behind
        if not bare:
            return


def _drawn(pieces: Iterable[Piece]) -> Iterable[tuple[Piece, Strip]]:
    """The pieces' strips; each widget is asked once for all its rows, which it mostly has at hand."""
    of_widget: dict[Widget, list[Piece]] = {}
    for piece in pieces:
        of_widget.setdefault(piece.widget, []).append(piece)
    for widget, its in of_widget.items():
        region = its[0].region
        first, last = min(piece.y for piece in its), max(piece.y for piece in its)
        strips = widget.render_lines(Region(0, first - region.y, region.width, last + 1 - first))
        for piece in its:
            yield piece, strips[piece.y - first].crop(piece.x - region.x, piece.stop - region.x)


class SeenScreen(Screen[ScreenResultType]):
    """A screen that is composed by a ``SeenCompositor``, and paints much in several frames, what has the focus first.

    Between two frames keys are read: whoever presses one waits for a frame, and not for all that a snapshot changes.
    """

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name, id, classes)
        self._compositor = SeenCompositor()

    def _on_timer_update(self) -> None:
        later = self._put_off()
        super()._on_timer_update()
        if later:
            self._dirty_widgets |= later
            self._update_timer.resume()

    def _put_off(self) -> set[Widget]:
        """Leave of the widgets to be painted as many as a frame may have. Returns the others."""
        if self._repaint_required:  # of the whole screen
            return set()
        focused = self.focused
        waiting = sorted(self._dirty_widgets, key=lambda widget: widget is not focused)
        cells = 0
        for count, widget in enumerate(waiting, 1):
            cells += sum(region.area for region in widget._repaint_regions)
            if cells >= FRAME_CELLS:
                self._dirty_widgets = set(waiting[:count])
                return set(waiting[count:])
        return set()
