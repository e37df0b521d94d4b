"""While somebody is asked about an undo, no other run gives up what it would bring back; after that, it may."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ByteSize
from redis import Redis

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Result
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.journal.folder import state_folder
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.settings.desk import desk_of
from pymon_tui.ui.app import PymonApp
from tests.doors.door import Case, CommandLine, Screens, undo_screen
from tests.doors.test_damaged import apart as apart
from tests.doors.test_given_up import noise
from tests.ui.stage import until

KEYS, CAP = 80, 230 * 1024


def another(server: EmbeddedServer, pattern: str) -> Result:
    """A run that takes more room than there is beside the undo that somebody is asked about."""
    desk = desk_of(Endpoint(socket=server.socket), Settings(socket=server.socket, trash_size=ByteSize(CAP)))

    async def run() -> Result:
        selection = desk.selection([parse_pattern(pattern)], Filters(), every=False)
        plan = await desk.planning(selection, "unlink", undo=True).run()
        options = desk.options("unlink", expire=0.0, jitter=0.0, undo=True, dry_run=False)
        return await desk.removal(plan, options, None).run()

    return asyncio.run(run())


def asked() -> list[Path]:
    """The marks of questions that stand."""
    return list((state_folder() / "locks").glob("asked-*"))


def kept(result: Result) -> None:
    """Check that nothing was given up for this run, which has kept what there was room for."""
    assert (result.outcome, result.gave_up) == ("done", ())
    assert 0 < result.undo_left_out < KEYS


@pytest.fixture
def run(apart: EmbeddedServer, db: Redis, command_line: CommandLine) -> str:
    """The run that somebody is asked about, while there are keys for two others."""
    for name in "abc":
        db.mset(noise(name, KEYS))
    return str(command_line.run(apart, "invalidate", "a:*", "--yes")["run"])


@pytest.mark.parametrize("yes", [True, False])
def test_on_the_command_line(
    *,
    yes: bool,
    run: str,
    apart: EmbeddedServer,
    db: Redis,
    command_line: CommandLine,
    answers: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results: list[Result] = []

    def read() -> bytes:
        assert len(asked()) == 1
        results.append(another(apart, "b:*"))
        return b"y\n" if yes else b"n\n"

    monkeypatch.setattr("pymon_tui.removing.console._read", read)
    assert cli.run(["-s", apart.socket, "--config", str(command_line._config), "undo", run]) == (0 if yes else 1)
    kept(results[0])
    assert len(db.keys("a:*")) == (KEYS if yes else 0)
    assert asked() == []
    assert run in {one.run for one in another(apart, "c:*").gave_up}


@pytest.mark.parametrize("yes", [True, False])
def test_on_the_screen(*, yes: bool, run: str, apart: EmbeddedServer, db: Redis, screens: Screens) -> None:
    settings = screens._settings(Case(), apart)

    async def undo() -> Result:
        app = PymonApp(settings, *cli._ways_to_servers(settings))
        async with app.run_test(size=(80, 24)) as pilot:
            screen = await undo_screen(pilot, app)
            assert len(asked()) == 1
            result = await asyncio.to_thread(another, apart, "b:*")
            await pilot.press("y" if yes else "n")
            await until(pilot, lambda: screen.result is not None if yes else app.screen is not screen)
            await until(pilot, lambda: not asked())
            return result

    kept(asyncio.run(undo()))
    assert len(db.keys("a:*")) == (KEYS if yes else 0)
    assert run in {one.run for one in another(apart, "c:*").gave_up}


def test_what_was_given_up_before_the_question_is_not_offered(
    run: str, apart: EmbeddedServer, db: Redis, command_line: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run in {one.run for one in another(apart, "b:*").gave_up}
    assert cli.run(["-s", apart.socket, "--config", str(command_line._config), "undo", run, "--yes"]) == 4
    assert "its undo was dropped for newer ones" in capsys.readouterr().err
    assert not db.keys("a:*")
