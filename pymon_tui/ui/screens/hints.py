"""What the key bar says."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import ActiveBinding

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.key_bar import Hint


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
    hints: dict[str, Hint] = {}
    for active, key in zip(bindings, shown, strict=True):
        binding = active.binding
        if binding.show and active.enabled:
            hints.setdefault(binding.action, Hint(key, safe(binding.description), binding.action))
    ways = [hint for action, hint in hints.items() if action == "overview" or action.startswith("pane(")]
    rest = [hint for hint in hints.values() if hint not in ways]
    if ways and narrow:
        numbers = [hint.key for hint in ways if hint.key.isdecimal()]
        ways = [Hint(safe(f"{numbers[0]}-{numbers[-1]}"), safe("panes"), "overview")] if numbers else []
    return (*rest, *ways) if opened else (*ways, *rest)
