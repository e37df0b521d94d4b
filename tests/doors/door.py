"""One thing that somebody wants removed, through the command line and through the screens, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from redis import Redis
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.journal.folder import state_folder
from pymon_tui.removing.account_text import run_code
from pymon_tui.settings.load import load
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.invalidate.form import YES, FormScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.widgets.picker import Picker
from tests.ui.stage import until

Door = Literal["command line", "screens"]


@dataclass(frozen=True, slots=True)
class Case:
    """What somebody wants, and on what.

    Attributes:
        pattern: The keys that are meant.
        keys: How many there are of each name before ``:``.
        prepare: What else is done to the server before.
        config: The configuration file.
        flags: Where the server is, with ``{socket}`` and ``{port}`` of the one that is there.
        options: ``--no-undo``, ``--expire``, ``--dry-run``: the screens have keys for them.
        user: The ACL user, who needs no password.
    """

    pattern: str = "a:*"
    keys: Mapping[str, int] = field(default_factory=lambda: {"a": 5, "b": 3})
    prepare: Callable[[Redis], object] = lambda _: None
    config: str = ""
    flags: tuple[str, ...] = ("-s", "{socket}")
    options: tuple[str, ...] = ()
    user: str | None = None

    def place(self, server: EmbeddedServer) -> tuple[str, ...]:
        """The flags that lead to this server."""
        return tuple(flag.format(socket=server.socket, port=server.port) for flag in self.flags)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it.

    Attributes:
        may: Whether it might begin.
        confirm: How it was to be confirmed.
        lost: What of it would be gone for good: all, some or none.
        code: The exit code, or that of the account that the screen shows.
        undo: Whether an undo is offered afterwards.
        left: The keys that are there afterwards.
    """

    may: str
    confirm: str
    lost: str
    code: int
    undo: bool
    left: frozenset[bytes]


def fill(db: Redis, case: Case) -> None:
    """The keys of the case, and nothing else."""
    db.execute_command("ACL", "DELUSER", "pymon")  # type: ignore[no-untyped-call]
    db.flushall()
    for name, count in case.keys.items():
        db.mset({f"{name}:{number}": "x" * 50 for number in range(count)})
    case.prepare(db)


def there(db: Redis) -> frozenset[bytes]:
    """All keys of all databases."""
    found: set[bytes] = set()
    for each in range(4):
        with Redis(unix_socket_path=db.connection_pool.connection_kwargs["path"], db=each) as other:
            found.update(other.keys("*"))
    return frozenset(found)


def lost_of(told: Mapping[str, Any]) -> str:
    """All, some or none."""
    return {"none": "all", "impossible": "all", "partial": "some"}.get(str(told["undo"]["state"]), "none")


class CommandLine:
    """The door of ``pymon-tui invalidate``."""

    def __init__(self, answers: list[str], capsys: Any, folder: Path) -> None:
        self._answers = answers
        self._capsys = capsys
        self._config = folder / "config.toml"

    def carry_out(self, case: Case, server: EmbeddedServer, db: Redis) -> Seen:
        """Ask for it, say yes, and type the pattern where a yes isn't enough."""
        self._config.write_text(case.config.replace("{port}", str(server.port)))
        self._config.chmod(0o600)
        fill(db, case)
        before = there(db)
        flags = case.place(server)
        flags += ("--user", case.user) if case.user is not None else ()
        command = [*flags, "--config", str(self._config), "invalidate", case.pattern, *case.options, "--json"]
        everything = ("--all",) if case.pattern == "*" else ()
        self._answers[:] = ["y"]
        code, told = self._run(*command, *everything)
        confirm = told["verdict"]["confirm"]
        if confirm == "type":
            assert (code, there(db)) == (1, before), "a yes was enough where the pattern was to be typed"
            self._answers[:] = [case.pattern]
            code, told = self._run(*command, *everything)
        else:
            assert self._answers == ([] if confirm == "yes" else ["y"])
        verdict = told["verdict"]
        return Seen(verdict["may"], confirm, lost_of(verdict), code, told["undo"] is not None, there(db))

    def undo_last(self, server: EmbeddedServer) -> tuple[str | None, str]:
        """The run that ``undo`` brings back, and what is said."""
        self._config.touch(mode=0o600)
        self._answers[:] = ["y"]
        self._capsys.readouterr()
        cli.run(["-s", server.socket, "--config", str(self._config), "undo", "--json"])
        written = self._capsys.readouterr()
        return (json.loads(written.out)["run"] if written.out else None), written.err

    def look(self, case: Case, server: EmbeddedServer) -> None:
        """Make a plan, and no more."""
        self._config.write_text(case.config)
        self._run(*case.place(server), "--config", str(self._config), "invalidate", "x:*", "--dry-run", "--json")

    def run(self, server: EmbeddedServer, *arguments: str) -> Any:
        """A command that asks nothing, and its JSON."""
        self._config.touch(mode=0o600)
        return self._run("-s", server.socket, "--config", str(self._config), *arguments, "--json")[1]

    def _run(self, *arguments: str) -> tuple[int, Any]:
        self._capsys.readouterr()
        code = cli.run(list(arguments))
        return code, json.loads(self._capsys.readouterr().out)


class Screens:
    """The door of the app."""

    def __init__(self, folder: Path) -> None:
        self._config = folder / "config.toml"

    def carry_out(self, case: Case, server: EmbeddedServer, db: Redis) -> Seen:
        """Type the pattern, look at the plan, and confirm it as it asks for."""
        fill(db, case)
        settings = self._settings(case, server)
        return asyncio.run(self._carried_out(case, settings, db))

    def look(self, case: Case, server: EmbeddedServer) -> None:
        """Open the monitor, and leave once it has told which process answers."""
        settings = self._settings(case, server)

        async def shown() -> None:
            app = PymonApp(settings, *cli._ways_to_servers(settings))
            async with app.run_test(size=(120, 36)) as pilot:
                known = state_folder() / "servers.json"
                await until(pilot, known.exists)

        asyncio.run(shown())

    def _settings(self, case: Case, server: EmbeddedServer) -> Any:
        self._config.write_text(case.config.replace("{port}", str(server.port)))
        self._config.chmod(0o600)
        given = iter(case.place(server))
        names = {"-s": "socket", "-h": "host", "-p": "port", "-n": "db", "--profile": "profile"}
        flags: dict[str, Any] = {names.get(flag, flag): next(given) for flag in given}
        profile = flags.pop("profile", None)
        flags |= {"username": case.user} if case.user is not None else {}
        return load(flags, profile=profile, environ={}, dotenv=None, config=self._config, warn=_no_warning)

    def undo_last(self, server: EmbeddedServer) -> tuple[str | None, str]:
        """The run that ``u`` brings back, and what is said."""
        self._config.touch(mode=0o600)
        settings = load(
            {"socket": server.socket}, profile=None, environ={}, dotenv=None, config=self._config, warn=_no_warning
        )

        async def undo() -> tuple[str | None, str]:
            app = PymonApp(settings, *cli._ways_to_servers(settings))
            async with app.run_test(size=(120, 36)) as pilot:
                await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
                await pilot.press("u")
                await until(pilot, lambda: isinstance(app.screen, UndoScreen) or bool(app._notifications))
                screen = app.screen
                if not isinstance(screen, UndoScreen):
                    return None, " ".join(str(each.message) for each in app._notifications)
                await until(pilot, lambda: bool(screen.query("#lines")))
                said = "".join(piece.text for line in screen._question() for piece in line)
                await pilot.press("y")
                await until(pilot, lambda: screen.result is not None or screen._why is not None)
                return (None, str(screen._why)) if screen.result is None else (screen.result.run, said)

        return asyncio.run(undo())

    async def _carried_out(self, case: Case, settings: Any, db: Redis) -> Seen:
        app = PymonApp(settings, *cli._ways_to_servers(settings))
        async with app.run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
            screen = await self._planned(case, pilot)
            plan = screen._plan
            assert plan is not None
            dry = "--dry-run" in case.options
            verdict = screen.site.desk.judge(plan, replace(screen.options, dry_run=dry))
            action = "dry_run" if dry else "go"
            assert bool(screen.check_action(action, ())) == verdict.begins
            if not verdict.begins:
                await pilot.press("d" if dry else "enter")
                assert app.screen is screen
                return Seen(verdict.may, verdict.confirm, lost_of(verdict.as_json()), _code(verdict), False, there(db))
            run = await self._confirmed(case, pilot, screen, verdict)
            assert run.result is not None
            offered = bool(run.check_action("undo", ()))
            code = run_code(run.result)
        return Seen(verdict.may, verdict.confirm, lost_of(verdict.as_json()), code, offered, there(db))

    async def _planned(self, case: Case, pilot: Pilot[Any]) -> PlanScreen:
        app = pilot.app
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, FormScreen))
        app.screen.query_one("#pattern", Input).value = case.pattern
        if case.pattern == "*":
            app.screen.query_one("#all", Picker).choose(YES)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen) and app.screen.has_class("-ready"))
        screen = app.screen
        assert isinstance(screen, PlanScreen)
        if "--no-undo" in case.options:
            screen.action_undo()
        if "--expire" in case.options:
            screen.action_mode()
        await until(pilot, lambda: screen.has_class("-ready"))
        return screen

    async def _confirmed(self, case: Case, pilot: Pilot[Any], screen: PlanScreen, verdict: Verdict) -> RunScreen:
        app = pilot.app
        await pilot.press("d" if "--dry-run" in case.options else "enter")
        if verdict.confirm == "yes":
            await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
            await pilot.press("y")
        elif verdict.confirm == "type":
            await pilot.press("y", "enter")
            assert app.screen is screen, "a yes was enough where the pattern was to be typed"
            await pilot.press("backspace", *case.pattern, "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.result is not None)
        assert isinstance(app.screen, RunScreen)
        return app.screen


def _code(verdict: Verdict) -> int:
    return 4 if verdict.may == "refused" else 0


def _no_warning(_: str) -> None:
    """Nothing is warned of in these tests."""
