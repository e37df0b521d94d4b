"""One thing that somebody wants removed, through the command line and through the screens, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from redis import Redis
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.journal.folder import state_folder
from pymon_tui.settings.load import load
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.invalidate.form import YES, FormScreen
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.picker import Picker
from pymon_tui.ui.widgets.table import Table
from tests.ui.stage import until

Door = Literal["command line", "screens"]


@dataclass(frozen=True, slots=True)
class Case:
    """What somebody wants, and on what.

    Attributes:
        pattern: The keys that are meant; several patterns have a blank between two.
        typed: What is typed to confirm it; None for the pattern.
        keys: How many there are of each name before ``:``.
        prepare: What else is done to the server before.
        config: The configuration file.
        flags: Where the server is, with ``{socket}`` and ``{port}`` of the one that is there.
        options: ``--no-undo``, ``--expire``, ``--dry-run``: the screens have keys for them.
        user: The ACL user, who needs no password.
        held: How many keys of ``a`` there are once a run that asks was answered wrongly.
    """

    pattern: str = "a:*"
    typed: str | None = None
    keys: Mapping[str, int] = field(default_factory=lambda: {"a": 5, "b": 3})
    prepare: Callable[[Redis], object] = lambda _: None
    config: str = ""
    flags: tuple[str, ...] = ("-s", "{socket}")
    options: tuple[str, ...] = ()
    user: str | None = None
    held: int = 15

    @property
    def to_type(self) -> str:
        """What is typed to confirm it."""
        return self.pattern if self.typed is None else self.typed

    @property
    def is_dry(self) -> bool:
        """Whether it is a dry run."""
        return "--dry-run" in self.options

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


@dataclass(frozen=True, slots=True)
class Back:
    """What came of an undo or a resume: how it was to be confirmed, the exit code, and how many keys it was."""

    confirm: str
    code: int
    keys: int


@dataclass(frozen=True, slots=True)
class Grown:
    """What came of a run that found more than its plan: how that was confirmed, the exit code, and what is left."""

    confirm: str
    code: int
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


def said(screen: Screen[Any], selector: str) -> str:
    """What a widget of the screen shows, as one line."""
    widget = screen.query_one(selector)
    return " ".join(" ".join(widget.render_line(y).text for y in range(widget.size.height)).split())


def counted(text: str, name: str) -> int:
    """The number that stands after a name."""
    found = re.search(rf"\b{name} ((?:\d{{1,3}} )*\d{{1,3}})\b", text)
    assert found is not None, text
    return int(found[1].replace(" ", ""))


def code_of(run: RunScreen) -> int:
    """The exit code that the account on the screen deserves."""
    text = said(run, "#progress")
    if text.startswith("dry run"):
        return 0 if text.removeprefix("dry run ").startswith("done") else 1
    refused, unknown = counted(text, "refused"), counted(text, "unknown")
    done = text.removeprefix("dry run ").startswith("done")
    name = "would remove" if text.startswith("dry run") else "removed|given an end"
    if done and refused and not counted(text, f"(?:{name})"):
        return 4
    return 0 if done and not refused and not unknown else 1


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
        command = [*flags, "--config", str(self._config), "invalidate", *case.pattern.split(), *case.options]
        command.append("--json")
        everything = ("--all",) if case.pattern == "*" else ()
        self._answers[:] = ["y"]
        code, told = self._run(*command, *everything)
        confirm = told["verdict"]["confirm"]
        if case.is_dry:
            assert (self._answers, there(db)) == (["y"], before), "a dry run takes no confirmation, and removes nothing"
        elif confirm == "type":
            assert (code, there(db)) == (1, before), "a yes was enough where the pattern was to be typed"
            if case.to_type != case.pattern:
                self._answers[:] = [case.pattern]
                assert self._run(*command, *everything)[0] == 1, "what is typed isn't what goes"
                assert there(db) == before
            self._answers[:] = [case.to_type]
            code, told = self._run(*command, *everything)
        else:
            assert self._answers == ([] if confirm == "yes" else ["y"])
        verdict = told["verdict"]
        return Seen(verdict["may"], confirm, lost_of(verdict), code, told["undo"] is not None, there(db))

    def warned(self, case: Case, server: EmbeddedServer) -> str:
        """What is said of a plan before anything is done, as one line."""
        self._config.write_text(case.config)
        self._config.chmod(0o600)
        self._answers[:] = ["n"]
        command = ("-s", server.socket, "--config", str(self._config), "invalidate", case.pattern)
        return " ".join(self._ran(*command, "--json")[2].split())

    def grow(self, case: Case, server: EmbeddedServer, db: Redis) -> Grown:
        """Confirm the plan, and that more may go: by a yes, and by typing where that isn't enough."""
        self._config.write_text(case.config.replace("{port}", str(server.port)))
        self._config.chmod(0o600)
        command = [*case.place(server), "--config", str(self._config), "invalidate", case.pattern, *case.options]
        first = case.pattern if case.typed is not None else "y"
        for confirm, answer in (("yes", "y"), ("type", case.pattern)):
            fill(db, case)
            self._answers[:] = [first, answer]
            code, _, err = self._ran(*command, "--json")
            if "that was not the pattern, and the run ends" not in err:
                return Grown(confirm, code, there(db))
            assert (code, len(there(db) - {b"b:0", b"b:1", b"b:2"})) == (1, case.held)
        raise AssertionError("it is confirmed by nothing")

    def undo_last(self, server: EmbeddedServer) -> tuple[str | None, str]:
        """The run that ``undo`` brings back, and what is said."""
        self._config.touch(mode=0o600)
        self._answers[:] = ["y"]
        self._capsys.readouterr()
        cli.run(["-s", server.socket, "--config", str(self._config), "undo", "--json"])
        written = self._capsys.readouterr()
        return (json.loads(written.out)["run"] if written.out else None), written.err

    def undo_asked_again(self, server: EmbeddedServer, *, yes: bool) -> tuple[int, str]:
        """Undo the last run, whose question stands a second time; the keys that came back, and what was asked then."""
        self._config.touch(mode=0o600)
        self._answers[:] = ["y", "y" if yes else "n"]
        code, told, err = self._ran("-s", server.socket, "--config", str(self._config), "undo", "--json")
        assert (code, self._answers) == (1 if told["left"] else 0, [])
        return told["restored"], err

    def undo(self, server: EmbeddedServer, config: str, pattern: str, *, replaces: bool) -> Back:
        """Undo the last run, as it asks for; anywhere else only where that is said."""
        self._config.write_text(config.replace("{port}", str(server.port)))
        self._config.chmod(0o600)
        command = ["-s", server.socket, "--config", str(self._config), "undo", "--json", *["--replace"] * replaces]
        confirm, self._answers[:] = "yes", ["y"]
        code, told, err = self._ran(*command)
        assert "replaced for good" in err or not replaces or code == 4
        if "that was not the pattern" in err:
            confirm, self._answers[:] = "type", [pattern]
            code, told, err = self._ran(*command)
        elif "--elsewhere" in err:
            confirm, self._answers[:] = "elsewhere", ["y"]
            code, told, err = self._ran(*command, "--elsewhere")
        if told is None:
            return Back("nothing", code, 0)
        return Back(confirm, code, told["restored"])

    def resume(self, server: EmbeddedServer, run: str, config: str, pattern: str) -> Back:
        """Go on with a run, as it asks for."""
        self._config.write_text(config.replace("{port}", str(server.port)))
        self._config.chmod(0o600)
        command = ["-s", server.socket, "--config", str(self._config), "invalidate", "--resume", run, "--json"]
        confirm, self._answers[:] = "yes", ["y"]
        code, told, err = self._ran(*command)
        if "that was not the pattern" in err:
            confirm, self._answers[:] = "type", [pattern]
            code, told, err = self._ran(*command)
        return Back("nothing", code, 0) if told is None else Back(confirm, code, told["removed"])

    def told_of(self, server: EmbeddedServer, run: str) -> str:
        """What the journal tells of a run, as one line."""
        return self._text("-s", server.socket, "--config", str(self._config), "journal", run)

    def listed(self, server: EmbeddedServer) -> str:
        """The journal's list, as one line."""
        return self._text("-s", server.socket, "--config", str(self._config), "journal")

    def _text(self, *arguments: str) -> str:
        self._capsys.readouterr()
        assert cli.run(list(arguments)) == 0
        return " ".join(self._capsys.readouterr().out.split())

    def _ran(self, *arguments: str) -> tuple[int, Any, str]:
        self._capsys.readouterr()
        code = cli.run(list(arguments))
        written = self._capsys.readouterr()
        return code, json.loads(written.out) if written.out else None, written.err

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


async def undo_screen(pilot: Pilot[int], app: PymonApp) -> UndoScreen:
    """The question whether the last run is undone, as the monitor puts it."""
    await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
    await pilot.press("u")
    await until(pilot, lambda: isinstance(app.screen, UndoScreen) and app.screen.is_judged)
    assert isinstance(app.screen, UndoScreen)
    return app.screen


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
            async with app.run_test(size=(80, 24)) as pilot:
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
            async with app.run_test(size=(80, 24)) as pilot:
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
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
            screen = await self._planned(case, pilot)
            dry = case.is_dry
            offers = {hint.name for hint in screen.query_one(KeyBar).hints}
            screen.look()
            await pilot.pause()
            asked, how, troubles = (said(screen, each) for each in ("#question", "#how", "#troubles"))
            lost = "none"
            if "undo none: what is removed is gone for good" in how or "undo not possible" in how:
                lost = "all"
            elif "undo for a part" in how:
                lost = "some"
            if ("Dry run" if dry else "Run") not in offers:
                await pilot.press("d" if dry else "enter")
                assert app.screen is screen
                may = "nothing" if "no key matches" in asked else "refused"
                assert bool(troubles) == (may == "refused")
                return Seen(may, "nothing", lost, 4 if may == "refused" else 0, False, there(db))
            confirm = "type" if "to be typed" in asked else "yes" if "asks once more" in asked else "nothing"
            assert confirm != "nothing" or dry
            assert ("would be gone for good" in troubles) == (lost != "none")
            run = await self._confirmed(case, pilot, screen, confirm)
            return Seen(
                "begin", confirm, lost, code_of(run), "u brings the keys back" in said(run, "#progress"), there(db)
            )

    def warned(self, case: Case, server: EmbeddedServer) -> str:
        """What is said of a plan before anything is done, as one line."""
        settings = self._settings(case, server)

        async def warned() -> str:
            app = PymonApp(settings, *cli._ways_to_servers(settings))
            async with app.run_test(size=(120, 40)) as pilot:
                await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
                screen = await self._planned(case, pilot)
                screen.look()
                await pilot.pause()
                return said(screen, "#troubles")

        return asyncio.run(warned())

    def grow(self, case: Case, server: EmbeddedServer, db: Redis) -> Grown:
        """Confirm the plan, and that more may go: by a yes, and by typing where that isn't enough."""
        fill(db, case)
        settings = self._settings(case, server)

        async def grow() -> Grown:
            app = PymonApp(settings, *cli._ways_to_servers(settings))
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
                screen, confirm = await self._planned(case, pilot), "yes"
                await self._confirm(case, pilot, screen, confirm if case.typed is None else "type")
                await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen._asked is not None)
                run = app.screen
                assert isinstance(run, RunScreen)
                before = there(db)
                typed = "type the pattern" in said(run, "#progress")
                await pilot.press("y")
                if typed:
                    confirm = "type"
                    await until(pilot, lambda: isinstance(app.screen, PromptScreen))
                    await pilot.press("y", "enter")
                    assert isinstance(app.screen, PromptScreen), "a yes was enough where the pattern was to be typed"
                    assert there(db) == before
                    await pilot.press("backspace", *case.pattern, "enter")
                await until(pilot, lambda: run.result is not None)
                await pilot.pause()
                return Grown(confirm, code_of(run), there(db))

        return asyncio.run(grow())

    def undo_asked_again(self, server: EmbeddedServer, *, yes: bool) -> tuple[int, str]:
        """Undo the last run, whose question stands a second time; the keys that came back, and what was asked then."""
        settings = self._settings(Case(), server)

        async def undo() -> tuple[int, str]:
            app = PymonApp(settings, *cli._ways_to_servers(settings))
            async with app.run_test(size=(80, 24)) as pilot:
                screen = await undo_screen(pilot, app)
                await pilot.press("y")
                await until(pilot, lambda: isinstance(app.screen, QuestionScreen) and bool(app.screen.query("#lines")))
                await pilot.pause()
                asked = said(app.screen, "#lines")
                await pilot.press("y" if yes else "n")
                await until(pilot, lambda: screen.result is not None)
                assert screen.result is not None
                return screen.result.tally.restored, asked

        return asyncio.run(undo())

    def undo(self, server: EmbeddedServer, config: str, pattern: str, *, replaces: bool) -> Back:
        """Undo the last run with ``u``, as it asks for."""
        settings = self._settings(Case(config=config), server)

        async def undo() -> Back:
            app = PymonApp(settings, *cli._ways_to_servers(settings))
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
                await pilot.press("u")
                await until(pilot, lambda: isinstance(app.screen, UndoScreen))
                assert isinstance(app.screen, UndoScreen)
                screen: UndoScreen = app.screen
                if replaces:
                    await pilot.press("r")
                knows = ("for good" if replaces else "newer keys stay", "nothing is restored")
                await until(pilot, lambda: any(text in said(screen, "#lines") for text in knows))
                await until(pilot, lambda: screen.is_judged)
                if not screen.check_action("start", ()):
                    return Back("nothing", 4, 0)
                warned = "replaced for good" in said(screen, "#lines")
                assert warned == replaces
                anyway = "y restore them here anyway"
                elsewhere = anyway in said(screen, "KeyLines")
                await pilot.press("y")
                await until(pilot, lambda: app.screen is not screen or screen.result is not None or screen.asks_again)
                if app.screen is screen and screen.result is None:
                    await pilot.press("y")  # what there is to know of it was shown
                    await until(pilot, lambda: app.screen is not screen or screen.result is not None)
                confirm = "elsewhere" if elsewhere else "yes"
                if isinstance(app.screen, PromptScreen):
                    confirm = "type"
                    await pilot.press("y", "enter")
                    assert isinstance(app.screen, PromptScreen), "a yes was enough where the pattern was to be typed"
                    await pilot.press("backspace", *pattern, "enter")
                await until(pilot, lambda: screen.result is not None)
                await until(pilot, lambda: "restored" in said(screen, "#lines"))
                lines = said(screen, "#lines")
                return Back(confirm, 0 if lines.startswith("done") else 1, counted(lines, "restored"))

        return asyncio.run(undo())

    def told_of(self, server: EmbeddedServer, run: str) -> str:
        """What the details of a run say."""
        return asyncio.run(self._journal(server, run))

    def listed(self, server: EmbeddedServer) -> str:
        """The journal's list."""
        return asyncio.run(self._journal(server, None))

    async def _journal(self, server: EmbeddedServer, run: str | None) -> str:
        settings = self._settings(Case(), server)
        app = PymonApp(settings, *cli._ways_to_servers(settings))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
            await pilot.press("J")
            await until(pilot, lambda: isinstance(app.screen, JournalScreen))
            table = app.screen.query_one(Table)
            await until(pilot, lambda: table.cursor_row is not None)
            await pilot.pause()
            if run is None:
                lines = (table.render_line(y).text for y in range(len(table.rows) + 1))
                return " ".join(" ".join(lines).split())
            while (record := table.cursor_row) is not None and record.id != run:
                await pilot.press("down")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ReaderScreen))
            return said(app.screen, ".frame Facts")

    def resume(self, server: EmbeddedServer, run: str, config: str, pattern: str) -> Back:
        """Go on with a run of the journal, as it asks for."""
        settings = self._settings(Case(config=config), server)

        async def resume() -> Back:
            app = PymonApp(settings, *cli._ways_to_servers(settings))
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.newest is not None)
                await pilot.press("J")
                await until(pilot, lambda: isinstance(app.screen, JournalScreen))
                screen = app.screen
                assert isinstance(screen, JournalScreen)
                await until(pilot, lambda: screen._table.cursor_row is not None and screen.knows)
                while (record := screen._table.cursor_row) is not None and record.id != run:
                    await pilot.press("down")
                assert record is not None
                if not screen.check_action("resume", ()):
                    return Back("nothing", 4, 0)
                await pilot.press("r")
                kinds = (QuestionScreen, PromptScreen)
                await until(pilot, lambda: isinstance(app.screen, kinds) or bool(app._notifications))
                if app._notifications:
                    return Back("nothing", 4, 0)
                confirm = "type" if isinstance(app.screen, PromptScreen) else "yes"
                await pilot.press(*((*pattern, "enter") if confirm == "type" else "y"))
                await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.result is not None)
                assert isinstance(app.screen, RunScreen)
                return Back(confirm, code_of(app.screen), counted(said(app.screen, "#progress"), "removed"))

        return asyncio.run(resume())

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

    async def _confirmed(self, case: Case, pilot: Pilot[Any], screen: PlanScreen, confirm: str) -> RunScreen:
        app = pilot.app
        await self._confirm(case, pilot, screen, confirm)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.result is not None)
        assert isinstance(app.screen, RunScreen)
        await pilot.pause()
        return app.screen

    async def _confirm(self, case: Case, pilot: Pilot[Any], screen: PlanScreen, confirm: str) -> None:
        app = pilot.app
        await pilot.press("d" if case.is_dry else "enter")
        if case.is_dry:
            assert not isinstance(app.screen, QuestionScreen), "a dry run takes no confirmation"
        elif confirm == "yes":
            await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
            await pilot.press("y")
        elif confirm == "type":
            await pilot.press("y", "enter")
            assert app.screen is screen, "a yes was enough where the pattern was to be typed"
            if case.to_type != case.pattern:
                screen.query_one("#typed", Input).value = case.pattern
                await pilot.press("enter")
                assert app.screen is screen, "what is typed isn't what goes"
            screen.query_one("#typed", Input).value = ""
            await pilot.press(*("space" if each == " " else each for each in case.to_type), "enter")


def _no_warning(_: str) -> None:
    """Nothing is warned of in these tests."""
