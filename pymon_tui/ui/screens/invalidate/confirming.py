"""The window in which a pattern is typed where a yes isn't enough."""

from __future__ import annotations

from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.widgets.ink import Line, text_of


def typing(verdict: Verdict, title: SafeText, lines: tuple[Line, ...]) -> PromptScreen:
    """Asks for the pattern that the verdict wants; the screen answers None where somebody thinks better of it."""
    text = verdict.to_type
    what = "; ".join(text_of(line) for line in lines)

    def wrong(answer: str) -> str | None:
        return None if verdict.is_confirmed_by(answer) else f"that is not {text}"

    return PromptScreen(title, safe(f"{what}. Type {text} to go on: {verdict.because}", 500 + len(text)), "", wrong)
