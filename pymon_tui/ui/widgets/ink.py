"""Text in roles: what panes say and every widget of ours draws, line by line, without markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Literal, NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from pymon_tui.model.text import SafeText, safe
from pymon_tui.model.units import WITHIN

Role: TypeAlias = Literal[
    "value", "strong", "label", "faint", "good", "warn", "act", "accent", "info", "bytes", "bar", "badge", "alarm"
]
"""What a text is, which decides its colour: ``warn`` where a person should look, ``act`` where one should act."""


class _Mix(NamedTuple):
    """The theme's variables that make a style; no background is the widget's own."""

    front: str | None
    bold: bool = False
    behind: str | None = None


_INKS: dict[str, _Mix] = {
    "value": _Mix("foreground"),
    "strong": _Mix("foreground", bold=True),
    "label": _Mix("ink-label"),
    "faint": _Mix("ink-faint"),
    "good": _Mix("success", bold=True),
    "warn": _Mix("warning"),
    "act": _Mix("error", bold=True),
    "accent": _Mix("accent", bold=True),
    "info": _Mix("primary"),
    "bytes": _Mix("secondary"),
    "bar": _Mix("ink-bar"),
    "badge": _Mix("ink-badge", bold=True, behind="accent"),
    "alarm": _Mix("ink-badge", bold=True, behind="error"),
    "cursor": _Mix(None, behind="ink-cursor"),
}

ELLIPSIS = "…"


class Span(NamedTuple):
    """A piece of a line and the role that decides its colour."""

    text: SafeText
    role: Role = "value"


Line: TypeAlias = tuple[Span, ...]
Cell: TypeAlias = tuple[Span, int, Literal["left", "right"]]
"""A piece in a cell of a table: the piece, the width, and the side it stands on."""
BLANK: Line = ()


def span(text: bytes | str, role: Role = "value") -> Span:
    """A piece of a line; whatever the text is, it passes through the door of ``model.text``."""
    return Span(safe(text), role)


def label(text: bytes | str) -> Span:
    """A muted piece: the name of what follows."""
    return Span(safe(text), "label")


def field(name: str, width: int, *values: Span | str) -> Line:
    """A name in ``width`` cells and its values, one blank between them."""
    spans = [label(name.ljust(width))]
    for index, value in enumerate(values):
        if index:
            spans.append(span(" "))
        spans.append(value if isinstance(value, Span) else span(value))
    return tuple(spans)


def fit(text: SafeText, width: int) -> str:
    """The text in exactly ``width`` cells: padded on the right, or cut with an ellipsis."""
    length = cell_len(text)
    if length == width:
        return text
    if length < width:
        return text + " " * (width - length)
    return set_cell_size(text, width - 1) + ELLIPSIS if width > 0 else ""


def fit_right(text: SafeText, width: int) -> str:
    """The text in exactly ``width`` cells, at their right end."""
    length = cell_len(text)
    return " " * (width - length) + text if length < width else fit(text, width)


def line_width(line: Line) -> int:
    """How many cells the line takes."""
    return sum(cell_len(text) for text, _ in line)


def wrapped(line: Line, width: int) -> tuple[Line, ...]:
    """The line in as many lines as it takes; it breaks after a blank that isn't within a number, else anywhere."""
    if line_width(line) <= width or width < 2:
        return (line,)
    cells = [(character, role) for text, role in line for character in text]
    text = "".join(character for character, _ in cells)
    within = {one.start() for one in WITHIN.finditer(text)}
    breaks = {at for at, character in enumerate(text) if character == " "} - within
    rows: list[Line] = []
    done = 0
    while cells:
        end = used = 0
        while end < len(cells) and used + cell_len(cells[end][0]) <= width:
            used += cell_len(cells[end][0])
            end += 1
        last = next((at for at in range(end - 1, 0, -1) if done + at in breaks), 0)
        # A long word is cut rather than that the row stays half empty; a number isn't.
        if end < len(cells) and last and (last >= end // 2 or within & set(range(done + last, done + end + 1))):
            end = last + 1
        groups = groupby(cells[:end], key=itemgetter(1))
        rows.append(tuple(span("".join(character for character, _ in group), role) for role, group in groups))
        cells, done = cells[end:], done + end
    return tuple(rows)


def text_of(line: Line) -> SafeText:
    """What a line says, without its colours."""
    return safe("".join(text for text, _ in line))


class Ink(Widget):
    """A widget that draws lines of spans. Colours come from the theme, by role.

    They are read from the theme's variables and not from component classes, each of which Textual would match
    against the whole stylesheet at every change of focus.
    """

    DEFAULT_CSS = """
    Ink { background: $background; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        self._inks: dict[str, Style] = {}
        super().__init__(id=id, classes=classes)

    def ink(self, role: Role) -> Style:
        """The style of a role on this widget's background."""
        return self._inks.get(role) or self._mix(role)

    def shade(self, role: Role, share: float) -> Style:
        """A role's ink of which only a share is taken, the rest is background; a palette of 16 has the ink alone."""
        name = f"{role} {share:.3f}"
        return self._inks.get(name) or self._mix(role, share)

    @property
    def cursor_ink(self) -> Style:
        """The background of the row under the cursor, to be added to a style."""
        return self._inks.get("cursor") or self._mix("cursor")

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        self._inks.clear()
        super().notify_style_update()

    def _mix(self, name: str, share: float | None = None) -> Style:
        variables = self.app.theme_variables
        ink = _INKS[name]
        behind = Color.parse(variables[ink.behind]).rich_color if ink.behind else self.rich_style.bgcolor
        front = Color.parse(variables[ink.front]) if ink.front else None
        if front is not None and share is not None and front.ansi is None:
            front = Color.parse(variables["background"]).blend(front, share)
        # None, and not False: what lies under a style that is added must stay bold.
        bold = (ink.bold or None) if share is None else None
        style = Style(color=front.rich_color if front is not None else None, bgcolor=behind, bold=bold)
        self._inks[name if share is None else f"{name} {share:.3f}"] = style
        return style

    def strip(self, line: Line, width: int, behind: Style | None = None) -> Strip:
        """The line in exactly ``width`` cells; what doesn't fit ends in an ellipsis. ``behind`` is a background."""
        return Strip(self._segments(line, width, behind), width)

    def row(self, cells: Sequence[Cell], width: int, behind: Style | None = None) -> Strip:
        """Cells of fixed widths side by side, one blank between them, in exactly ``width`` cells."""
        segments: list[Segment] = []
        used = 0
        for (text, role), room, align in cells:
            style = self.ink(role) if behind is None else self.ink(role) + behind
            shown = fit_right(text, room) if align == "right" else fit(text, room)
            gap = " " if used + room < width else ""
            segments.append(Segment(shown + gap, style))
            used += room + len(gap)
        if used < width:
            blank = self.ink("value") if behind is None else self.ink("value") + behind
            segments.append(Segment(" " * (width - used), blank))
        return Strip(segments, used).crop(0, width) if used > width else Strip(segments, width)

    def _segments(self, line: Line, width: int, behind: Style | None) -> Iterable[Segment]:
        left = width
        for index, (text, role) in enumerate(line):
            if left <= 0:
                break
            style = self.ink(role)
            if behind is not None:
                style += behind
            length = cell_len(text)
            more = any(following.text for following in line[index + 1 :])
            if length > left or (length == left and more and not text.isspace()):
                yield Segment(set_cell_size(text, left - 1) + ELLIPSIS, style)
                return
            yield Segment(text, style)
            left -= length
        if left > 0:
            blank = self.ink("value")
            yield Segment(" " * left, blank if behind is None else blank + behind)


class Facts(Ink):
    """Some lines of text; a change repaints the lines that differ."""

    DEFAULT_CSS = """
    Facts { height: auto; }
    """

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        self._lines = tuple(lines)
        super().__init__(id=id, classes=classes)

    def show(self, lines: Sequence[Line]) -> None:
        """Draw these lines from now on."""
        new, old = tuple(lines), self._lines
        if new == old:
            return
        self._lines = new
        if len(new) != len(old):
            self.refresh(layout=True)
        else:
            differing = [y for y, pair in enumerate(zip(new, old, strict=True)) if pair[0] != pair[1]]
            self.refresh(*(Region(0, y, self.size.width, 1) for y in differing))

    def get_content_width(self, container: object, viewport: object) -> int:
        """As wide as the longest line."""
        return max(map(line_width, self._lines), default=0)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """One row a line."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """One line, cut to the widget's width."""
        line = self._lines[y] if y < len(self._lines) else BLANK
        return self.strip(line, self.size.width)


class Prose(Facts):
    """Lines that are wrapped where they are longer than the widget is wide."""

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        self._wrapped: tuple[Line, ...] = ()
        self._wrapped_for: tuple[int, tuple[Line, ...]] | None = None
        super().__init__(lines, id=id, classes=classes)

    def show(self, lines: Sequence[Line]) -> None:
        """Draw these lines from now on."""
        new = tuple(lines)
        if new != self._lines:
            rows = len(self._rows(self.size.width))
            self._lines = new
            self.refresh(layout=len(self._rows(self.size.width)) != rows)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as the lines take in this width."""
        return len(self._rows(width))

    def render_line(self, y: int) -> Strip:
        """One row."""
        rows = self._rows(self.size.width)
        return self.strip(rows[y] if y < len(rows) else BLANK, self.size.width)

    def _rows(self, width: int) -> tuple[Line, ...]:
        if self._wrapped_for != (width, self._lines):
            self._wrapped = tuple(row for line in self._lines for row in (wrapped(line, width) if line else (BLANK,)))
            self._wrapped_for = (width, self._lines)
        return self._wrapped
