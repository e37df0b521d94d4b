"""What the key bar says: the keys that do something now, as ``check_action`` of whatever owns them answers."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import App
from textual.binding import ActiveBinding

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.key_bar import Hint

PALETTE = App.COMMAND_PALETTE_BINDING
"""The key that opens the palette."""


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
