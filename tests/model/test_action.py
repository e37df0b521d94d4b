"""An action as a person reads it before they confirm it."""

from __future__ import annotations

import pytest

from pymon_tui.model.action import Action, Course, quoted
from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.steps import Exchange, Steps
from pymon_tui.model.text import safe


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        (b"plain", "plain"),
        ("", '""'),
        (17, "17"),
        ("two words", '"two words"'),
        (b'say "hi"', '"say \\"hi\\""'),
        (b"\x1b[2J\xff", "\\x1b[2J\\xff"),
        ("키", "키"),
    ],
)
def test_an_argument_is_shown_as_it_could_be_typed(argument: Argument, shown: str) -> None:
    assert quoted(argument) == shown


def test_a_long_argument_says_that_it_is_cut() -> None:
    assert quoted("x" * 1000, 10) == "x" * 10 + "…"
    assert quoted("x " * 1000, 10) == '"' + "x " * 5 + '…"'


def test_shows_the_exact_command() -> None:
    action = Action(safe("Kill client"), ("CLIENT", "KILL", "ID", 7), safe("Closes its connection."), "client|kill")
    assert action.shown == "CLIENT KILL ID 7"
    assert action.lines == (action.shown,)
    steps = action.steps()
    assert next(steps) == Exchange((("CLIENT", "KILL", "ID", 7),))
    with pytest.raises(StopIteration) as end:
        steps.send([1])
    assert end.value.value == 1


def test_a_course_is_shown_without_what_is_secret_in_it() -> None:
    def steps() -> Steps[Reply]:
        (found,) = yield Exchange((("GET", "secret"),), writes=False)
        (removed,) = yield Exchange((("DEL", found),))
        return removed

    action = Action(
        safe("Forget"), Course(steps, (safe("GET se…"), safe("DEL what it says"))), safe("It is gone."), "del"
    )
    assert action.lines == ("GET se…", "DEL what it says")
    assert action.shown == "GET se…; DEL what it says"
    assert "secret" not in repr(action)
    assert "secret" not in repr(next(action.steps()))
    assert next(action.steps()) == next(action.steps())
