"""The line of hints: which of them there is room for."""

from __future__ import annotations

from pymon_tui.model.text import safe
from pymon_tui.ui.widgets.key_bar import Hint, KeyBar


def bar_of(*names: str) -> KeyBar:
    bar = KeyBar()
    bar.set_reactive(KeyBar.hints, tuple(Hint(safe("k"), safe(name), "k") for name in names))
    return bar


def shown(bar: KeyBar, width: int) -> list[tuple[int, str]]:
    return [(one.x, one.hint.name) for one in bar.placed(width)]


def test_hints_stand_closer_where_that_makes_room_for_all_of_them() -> None:
    bar = bar_of("one", "two", "help")
    assert shown(bar, 21) == [(1, "one"), (8, "two"), (15, "help")]
    for width in (19, 20):
        assert shown(bar, width) == [(1, "one"), (7, "two"), (13, "help")]
    assert shown(bar, 18) == [(1, "one"), (8, "two")]
    assert shown(bar_of("one"), 3) == []
