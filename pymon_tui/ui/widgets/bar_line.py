"""A thin bar as a piece of a line, for lists in which each line has its own."""

from __future__ import annotations

from pymon_tui.ui.widgets.ink import Line, Role, span, text_of

_FULL, _HALF, _EMPTY = "━╸─"
_DRAWN = str.maketrans("", "", _FULL + _HALF + _EMPTY)


def bar_line(share: float, width: int, role: Role) -> Line:
    """A bar of ``width`` cells, of which ``share`` (0 to 1; more is drawn as 1) is drawn in the role's colour."""
    halves = round(2 * max(0, width) * min(1.0, max(0.0, share)))
    if share > 0 and halves == 0 and width > 0:
        halves = 1  # something is not nothing
    full, half = divmod(halves, 2)
    return (span(_FULL * full + _HALF * half, role), span(_EMPTY * (max(0, width) - full - half), "faint"))


def without_bars(line: Line) -> str:
    """What a line says, without the bars in it."""
    return text_of(line).translate(_DRAWN)
