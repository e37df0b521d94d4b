"""Keys as sentences name them, by what the keymap has made of them."""

from __future__ import annotations

from textual.binding import Binding
from textual.dom import DOMNode

from pymon_tui.model.text import SafeText, safe


def named_key(node: DOMNode, binding: str, key: str) -> SafeText:
    """The key of a binding as it is displayed; ``key`` is the one that it has without a keymap."""
    chosen = node.app._keymap.get(binding, key).split(",")[0]
    return safe(node.app.get_key_display(Binding(chosen, "")))
