"""A run's question on the terminal: an answer is for the question that was asked."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import pytest

from pymon_tui.removing import watching
from pymon_tui.removing.progress_line import ProgressLine


class Growing:
    """A run that asks for more while its first question is open."""

    def __init__(self) -> None:
        self.progress = SimpleNamespace(state="asking", why="up to 20?")
        self.growth = None
        self.told: list[str] = []
        self.ended = asyncio.Event()

    def go_on(self, question: str, typed: str) -> None:
        """Noted."""
        self.told.append(question)
        self.progress = SimpleNamespace(state="running", why="")
        self.ended.set()

    def cancel(self) -> None:
        """Noted."""
        self.told.append("cancel")
        self.ended.set()


async def test_a_question_that_has_become_another_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = Growing(), []

    class OpenQuestion:
        def __init__(self, question: str) -> None:
            asked.append(question)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        async def answer_while(self, is_open: Callable[[], bool]) -> str | None:
            assert is_open()
            if len(asked) == 1:
                run.progress = SimpleNamespace(state="asking", why="up to 40?")
            return "y" if is_open() else None

    monkeypatch.setattr(watching, "OpenQuestion", OpenQuestion)
    monkeypatch.setattr(watching, "can_ask", lambda: True)
    removal: Any = run
    answering = asyncio.create_task(watching._answer(removal, ProgressLine(io.StringIO())))
    await asyncio.wait_for(run.ended.wait(), 10)
    answering.cancel()
    assert asked == ["up to 20? [y/N] ", "up to 40? [y/N] "]
    assert run.told == ["up to 40?"]
