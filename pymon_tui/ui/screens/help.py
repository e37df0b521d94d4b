"""The keys that work now, each with what it does."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from textual.app import App
from textual.binding import ActiveBinding
from textual.dom import DOMNode

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.ink import Line, label, span, text_of

_KEY = 18


def help_screen(
    app: App[Any], title: str, about: str, keys: Iterable[ActiveBinding], outer: Container[DOMNode]
) -> ReaderScreen:
    """What has the focus is about and its keys, and then those of ``outer``, which work everywhere."""
    listed = list(keys)
    here = _keys_of(app, [active for active in listed if active.node not in outer])
    everywhere = _keys_of(app, [active for active in listed if active.node in outer])
    lines = _lines(about, here, everywhere)
    copied = safe(" · ".join(text_of(line) for line in lines if line), 10_000)
    return ReaderScreen(safe(f"Keys of {title}" if title else "Keys"), lines, copied)


def _lines(
    about: str, pane: Iterable[tuple[SafeText, str]], everywhere: Iterable[tuple[SafeText, str]]
) -> tuple[Line, ...]:
    lines: list[Line] = [(span(about),)] if about else []
    for heading, keys in (("here", tuple(pane)), ("everywhere", tuple(everywhere))):
        if keys:
            lines += [(), (span(heading, "label"),)]
            lines += [(span(key.ljust(_KEY), "accent"), label(what)) for key, what in keys]
    return tuple(lines)


def _keys_of(app: App[Any], bindings: Iterable[ActiveBinding]) -> tuple[tuple[SafeText, str], ...]:
    """Each action once, with all the keys that run it."""
    found: dict[str, tuple[list[str], str]] = {}
    for active in bindings:
        binding, key = active.binding, safe(app.get_key_display(active.binding))
        if active.enabled and not binding.system and binding.tooltip:
            keys, _ = found.setdefault(binding.action, ([], binding.tooltip))
            if key not in keys:
                keys.append(key)
    return tuple((safe(" ".join(keys)), what) for keys, what in found.values())
