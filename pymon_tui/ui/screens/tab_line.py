"""The tabs in the title: which deployments there are, how each of them is, and which one is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from pymon_tui.model.link import Link, Live, Lost
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.ink import ELLIPSIS, Line, Role, Span, span

_BESIDE, _MORE_BESIDE, _BESIDE_DOTS = 42, 56, 12
"""Columns that are kept for what else the title says: at least, where tabs have more than their names, and where they
haven't even those."""
_LEAST = 4
"""Columns that a name is cut to at most."""


@dataclass(frozen=True, slots=True)
class TabTitle:
    """What is said of a tab.

    Attributes:
        name: What the user calls it.
        environment: What its profile says of it, or None.
        link: The newest state of its connection; None before there is any.
        shown: Whether it is the one that is looked at.
    """

    name: SafeText
    environment: SafeText | None
    link: Link | None
    shown: bool


def tab_line(titles: Sequence[TabTitle], width: int) -> Line:
    """The tabs side by side; where there is no room for all of it, without environments, then with names cut short.

    Where there is none for that either, a dot is left of each tab but the one that is shown.
    """
    full = [_named(title) for title in titles]
    if _width(full) <= width - _MORE_BESIDE:
        return _line(titles, full)
    least = (_LEAST + 4) * len(titles)
    if least > width - _BESIDE_DOTS:
        return _dots(titles, max(_LEAST, width - _BESIDE_DOTS - 2 * len(titles)))
    room = max(width - _BESIDE, least)
    names = [title.name for title in titles]
    if _width(names) > room:
        most = max(_LEAST, room // len(titles) - 4)
        names = [_cut(name, most) for name in names]
    return _line(titles, names)


def _named(title: TabTitle) -> SafeText:
    # The environment of the one that is shown has a badge of its own; many a profile is called as its environment.
    name, environment = title.name, title.environment
    if title.shown or environment is None or environment in name or name in environment:
        return name
    return safe(f"{name} {environment}")


def _line(titles: Sequence[TabTitle], names: Sequence[SafeText]) -> Line:
    pieces: list[Span] = []
    for title, name in zip(titles, names, strict=True):
        pieces += [span("  ")] if pieces else []
        pieces += [_dot(title.link), span(" "), Span(name, "accent" if title.shown else "label")]
    return tuple(pieces)


def _dots(titles: Sequence[TabTitle], most: int) -> Line:
    pieces: list[Span] = []
    for title in titles:
        name = [span(" "), Span(_cut(title.name, most), "accent")] if title.shown else []
        pieces += [*([span(" ")] if pieces else []), _dot(title.link), *name]
    return tuple(pieces)


def _dot(link: Link | None) -> Span:
    role: Role = "good" if isinstance(link, Live) else "act" if isinstance(link, Lost) else "warn"
    return span("●", role)


def _width(names: Sequence[SafeText]) -> int:
    return sum(cell_len(name) + 4 for name in names)


def _cut(name: SafeText, most: int) -> SafeText:
    return name if cell_len(name) <= most else safe(set_cell_size(name, most - 1).rstrip() + ELLIPSIS)
