"""The keys that work now, each with what it does."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import ActiveBinding

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.ink import Line, label, span

_KEY = 18


def help_lines(
    about: str, pane: Iterable[tuple[SafeText, str]], everywhere: Iterable[tuple[SafeText, str]]
) -> tuple[Line, ...]:
    """What the pane is about, its keys, and those that work everywhere; each key with what it does."""
    lines: list[Line] = [(span(about),)] if about else []
    for heading, keys in (("here", tuple(pane)), ("everywhere", tuple(everywhere))):
        if keys:
            lines += [(), (span(heading, "label"),)]
            lines += [(span(key.ljust(_KEY), "accent"), label(what)) for key, what in keys]
    return tuple(lines)


def keys_of(bindings: Iterable[ActiveBinding], shown: Iterable[SafeText]) -> tuple[tuple[SafeText, str], ...]:
    """Each action once, with all the keys that run it; ``shown`` are the keys as they are displayed."""
    found: dict[str, tuple[list[str], str]] = {}
    for active, key in zip(bindings, shown, strict=True):
        binding = active.binding
        if active.enabled and not binding.system and binding.tooltip:
            keys, _ = found.setdefault(binding.action, ([], binding.tooltip))
            if key not in keys:
                keys.append(key)
    return tuple((safe(" ".join(keys)), what) for keys, what in found.values())
