"""The one line at the bottom: the keys that do something now."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.reactive import reactive
from textual.strip import Strip

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.ink import Ink, Span, span


class Hint(NamedTuple):
    """A key as it is displayed, what it does in a word, and the key that a click presses, as Textual names it."""

    key: SafeText
    name: SafeText
    press: str


def told(*hints: tuple[str, str, str]) -> tuple[Hint, ...]:
    """Hints of keys that are a field's own: each as it is displayed, what it does, and the key itself."""
    return tuple(Hint(safe(shown), safe(name), press) for shown, name, press in hints)


class KeyBar(Ink):
    """As many hints as there is room for. A click on one presses its key: both do the same, wherever the focus is."""

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; }
    """

    hints: reactive[tuple[Hint, ...]] = reactive(())

    def render_line(self, y: int) -> Strip:
        """The hints in a row."""
        pieces: list[Span] = [span(" ")]
        for _, hint in self.placed():
            pieces += [Span(hint.key, "accent"), span(" "), Span(hint.name, "label"), span("  ")]
        return self.strip(tuple(pieces), self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Press the hint's key."""
        for at, hint in self.placed():
            if at <= event.x < at + _width(hint):
                self.app.simulate_key(hint.press)
                return

    def placed(self) -> list[tuple[int, Hint]]:
        """The hints that fit, with the column each begins at."""
        placed: list[tuple[int, Hint]] = []
        at = 1
        for hint in self.hints:
            if at + _width(hint) > self.size.width:
                break
            placed.append((at, hint))
            at += _width(hint) + 2
        return placed


def _width(hint: Hint) -> int:
    return cell_len(hint.key) + 1 + cell_len(hint.name)
