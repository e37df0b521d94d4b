"""How a person at the terminal confirms what is to be done, as the engine's verdict says."""

from __future__ import annotations

from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.model.text import SafeText, safe
from pymon_tui.removing.console import ask, ask_yes, is_yes


def confirmed(verdict: Verdict, what: str, question: str) -> bool:
    """Whether a person confirms it as the verdict says: by typing, to do ``what``, or with a yes to the question."""
    if verdict.confirm == "nothing":
        return True
    if verdict.typed:
        return verdict.is_confirmed_by(ask(f"{_to_type(verdict)} to {what}: "))
    return ask_yes(question)


def not_confirmed(verdict: Verdict) -> str:
    """Why it isn't confirmed."""
    if not verdict.typed:
        return "you said no"
    return "that was not the pattern" if len(verdict.typed) == 1 else "those were not the patterns"


def growth_question(why: SafeText, verdict: Verdict | None) -> str:
    """How a run's question is put, which is confirmed as ``growth_confirmed`` says."""
    return f"{why} {_to_type(verdict)} to go on: " if verdict is not None and verdict.typed else f"{why} [y/N] "


def growth_confirmed(verdict: Verdict | None, answer: str) -> bool:
    """Whether the answer to a run's question lets it go on."""
    return verdict.is_confirmed_by(answer) if verdict is not None and verdict.typed else is_yes(answer)


def _to_type(verdict: Verdict) -> SafeText:
    text = verdict.to_type
    return safe(f"{verdict.because}: type {text}", 400 + len(text))
