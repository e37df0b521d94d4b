"""A program that is forked is as one that an interpreter starts, and ends as that does."""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import forked
from tests.forked import Forked, Process, completed, interpreter, start

Start = Callable[..., Process]


@pytest.fixture
def nothing() -> Iterator[int]:
    """A stream without an end."""
    with open(os.devnull, "r+b") as file:
        yield file.fileno()


@pytest.mark.parametrize("session", ["", "own", "login"])
@pytest.mark.parametrize("closed", [(), (1,), (1, 2)])
@pytest.mark.parametrize(
    "more", [{}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin1:replace", "TZ": "X2"}]
)
def test_it_finds_what_a_new_one_finds(
    tmp_path: Path, nothing: int, session: str, closed: tuple[int, ...], more: dict[str, str]
) -> None:
    found = []
    for how in (start, interpreter):
        with ExitStack() as opened:
            streams = [nothing] * 3
            if session == "login":
                ours, theirs = pty.openpty()
                opened.callback(os.close, ours)
                opened.callback(os.close, theirs)
                streams = [theirs] * 3
            streams = [-1 if number in closed else stream for number, stream in enumerate(streams)]
            process = how(
                [str(tmp_path / "told"), "a", "한글"],
                module="tests.as_started",
                streams=streams,
                environ={**os.environ, "OF_THE_TEST": "1", **more},
                folder=Path(forked.__file__).parents[1],
                session=session,
            )
            assert process.wait(30) == 2
        found.append((type(process) is Forked, json.loads((tmp_path / "told").read_text(encoding="utf-8"))))
    (is_forked, of_forked), (_, of_new) = found
    assert is_forked is (sys.platform == "linux")
    assert of_forked == of_new


@pytest.mark.parametrize("name", ["PYTHONUTF8", "PYTHONWARNINGS", "LC_ALL", "TEXTUAL_COLOR_SYSTEM"])
def test_what_is_read_at_the_start_takes_a_new_one(nothing: int, name: str) -> None:
    process = start(["--version"], streams=[nothing] * 3, environ={**os.environ, name: "0"})
    process.kill()
    process.wait()
    assert type(process) is not Forked


@pytest.mark.parametrize("how", [start, interpreter])
def test_it_ends_by_a_signal(nothing: int, how: Start) -> None:
    ours, theirs = os.pipe()
    process = how([], streams=[ours, nothing, nothing], module="code", session="own")
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM
    process.kill()  # does no harm
    os.close(ours)
    os.close(theirs)


def test_it_complains_of_what_was_forgotten(nothing: int) -> None:
    said = []
    for how in (start, interpreter):
        with tempfile.TemporaryFile() as err:
            process = how([], streams=[nothing, nothing, err.fileno()], module="tests.as_forgotten")
            assert process.wait(30) == 3
            err.seek(0)
            said.append(err.read())
    for each in said:
        assert b"Task was destroyed but it is pending" in each
        assert b"ValueError: stuck" in each


@pytest.mark.parametrize("words", [["--version"], ["-s", "/nowhere", "once"], ["--no-such-flag"], ["acl", "--json"]])
def test_the_program_says_the_same(words: list[str]) -> None:
    ran = [completed(*words, anew=anew) for anew in (False, True)]
    assert len({(each.returncode, each.stdout, each.stderr) for each in ran}) == 1
