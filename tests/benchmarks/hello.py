"""The smallest Textual app: what it takes until it shows its text, any Textual app takes.

``hello MODULE ...`` imports these first: what it takes then, any Textual app that needs them takes.
"""

from __future__ import annotations

import sys
from importlib import import_module

from textual.app import App, ComposeResult
from textual.widgets import Static


class Hello(App[None]):
    """One text."""

    def compose(self) -> ComposeResult:
        yield Static("Hello, World!")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        import_module(name)
    Hello().run()
