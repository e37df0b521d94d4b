"""The command palette: every pane, every action that works now, and our themes, by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from pymon_tui.ui.theme import THEMES


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
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.action not in seen and active.enabled and binding.tooltip and not binding.system:
                seen.add(binding.action)
                run = partial(self.app.run_action, binding.action, active.node)
                yield binding.description, binding.tooltip, run
        for theme in THEMES:
            yield f"Theme {theme.name}", "Change the colours", partial(setattr, self.app, "theme", theme.name)
