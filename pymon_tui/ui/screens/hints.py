"""What the key bar says: the keys that do something now, as ``check_action`` of whatever owns them answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from textual.app import App
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.key_bar import Hint

PALETTE = App.COMMAND_PALETTE_BINDING
"""The key that opens the palette."""


class Named(NamedTuple):
    """What a screen says of a key by itself, where the key's description alone doesn't say enough.

    Attributes:
        binding: The binding's id; empty for a key of a field's own.
        does: What the key does here.
        key: Which of the binding's keys is named, else the first. Where the binding is out of reach, as Enter is in a
            field, this key leads there.
    """

    binding: str
    does: str
    key: str = ""


def named(screen: Screen[Any], wanted: Iterable[Named]) -> tuple[Hint, ...]:
    """The hints of those that work now, by the keys that they have by now."""
    active = {key: one.binding for key, one in screen.active_bindings.items() if one.enabled}
    found: list[Hint] = []
    for name, does, key in wanted:
        keys = [at for at, binding in active.items() if name and binding.id == name]
        if not keys and key in active:
            keys = [key]
        if keys:
            press = key if key in keys else keys[0]
            found.append(Hint(safe(screen.app.get_key_display(Binding(press, ""))), safe(does), press))
    return tuple(found)


def in_border(hints: Iterable[Hint]) -> Content:
    """Hints as the border of a frame has them: a click on one has the screen press its key."""
    return Content("  ").join(
        Content.styled(f"{hint.key} {hint.name}", Style.from_meta({"@click": f"screen.press({hint.press!r})"}))
        for hint in hints
    )


def hints_of(
    bindings: Iterable[ActiveBinding], shown: Iterable[SafeText], *, opened: bool, narrow: bool
) -> tuple[Hint, ...]:
    """The keys that do something now: where to go comes first in the overview, what to do first in an open pane.

    Args:
        bindings: What is bound where the focus is.
        shown: Their keys as they are displayed.
        opened: Whether a pane is open in full.
        narrow: Whether the panes' keys are to be one hint.
    """
    ways: dict[str, Hint] = {}
    rest: dict[str, Hint] = {}
    numbers: list[SafeText] = []
    for active, key in zip(bindings, shown, strict=True):
        binding = active.binding
        leads = is_way(binding.action)
        if leads and key.isdecimal():
            numbers.append(key)
        if binding.show and active.enabled:
            (ways if leads else rest).setdefault(binding.action, Hint(key, safe(binding.description), binding.key))
    found = tuple(ways.values())
    if narrow:
        # One hint for all of them opens the palette, which begins with the panes.
        one = Hint(safe(f"{numbers[0]}-{numbers[-1]}"), safe("panes"), PALETTE) if numbers else None
        found = (one,) if one is not None else ()
    return (*rest.values(), *found) if opened else (*found, *rest.values())


def is_way(action: str) -> bool:
    """Whether an action leads to the overview or to a pane."""
    return action == "overview" or action.startswith("pane(")
