"""The one line at the bottom: the keys that do something now."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.reactive import reactive
from textual.strip import Strip

from pymon_tui.model.text import SafeText
from pymon_tui.ui.widgets.ink import Ink, Span, span


class Hint(NamedTuple):
    """A key, what it does in a word, and the action that a click runs."""

    key: SafeText
    name: SafeText
    action: str


class KeyBar(Ink):
    """As many hints as there is room for; each can be clicked."""

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; }
    """

    hints: reactive[tuple[Hint, ...]] = reactive(())

    def render_line(self, y: int) -> Strip:
        """The hints in a row."""
        pieces: list[Span] = [span(" ")]
        for _, hint in self._placed():
            pieces += [Span(hint.key, "accent"), span(" "), Span(hint.name, "label"), span("  ")]
        return self.strip(tuple(pieces), self.size.width)

    async def on_click(self, event: events.Click) -> None:
        """Do what the hint says."""
        for at, hint in self._placed():
            if at <= event.x < at + _width(hint):
                await self.screen.run_action(hint.action)
                return

    def _placed(self) -> list[tuple[int, Hint]]:
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
