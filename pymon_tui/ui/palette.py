"""The command palette: every pane first, every action that works now, and our themes, by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from pymon_tui.ui.screens.hints import is_way
from pymon_tui.ui.theme import THEMES


class Palette(CommandPalette):
    """As Textual's; Ctrl+C leaves the program from it, as from everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.quit", "Quit", show=False, priority=True)]


class ActionProvider(Provider):
    """What the bindings of the screen do, found by their words."""

    async def discover(self) -> Hits:
        """All of it, while nothing is typed."""
        for name, about, run in self._entries():
            yield DiscoveryHit(name, run, help=about)

    async def search(self, query: str) -> Hits:
        """What matches the words typed."""
        matcher = self.matcher(query)
        for name, about, run in self._entries():
            score = max(matcher.match(name), 0.8 * matcher.match(about))
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=about)

    def _entries(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        seen: set[str] = set()
        bindings = [active.binding for active in self.screen.active_bindings.values() if active.enabled]
        for binding in sorted(bindings, key=lambda binding: not is_way(binding.action)):
            if binding.action not in seen and binding.tooltip and not binding.system:
                seen.add(binding.action)
                # As a click on a hint does: the key goes the way of every key, from the focus up.
                yield binding.description, binding.tooltip, partial(self.app.simulate_key, binding.key)
        for theme in THEMES:
            yield f"Theme {theme.name}", "Change the colours", partial(setattr, self.app, "theme", theme.name)
