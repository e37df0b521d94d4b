"""The two doors of the program: the engine, as a screen uses it, and the command line with ``--json``."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pymon_tui import cli
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.known import known
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.restore_part import RestoreError
from pymon_tui.invalidation.rules import Rules
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import Record, runs
from pymon_tui.server.endpoint import Endpoint
from tests.servers.proxy import Proxy
from tests.stateful import asking
from tests.stateful.circumstances import wall_clock
from tests.stateful.wishes import Wish

DONE, PARTLY, WRONG_USE, REFUSED = 0, 1, 2, 4

_KEY_CAP = 16 * 2**20
_RULES = Rules(
    protected=(),
    presets=(),
    max_keys=1_000_000,
    type_above=1_000_000,
    ceiling=10.0,
    rate=None,
    trash_cap=256 * 2**20,
    key_cap=_KEY_CAP,
    journal_keep=10_000,
    read_only=False,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """What cuts a run or an undo off.

    Attributes:
        how: ``line`` is a connection that breaks, ``stop`` a person who ends it, ``cancel`` the end of the program,
            ``kill`` that of its process.
        at: After how many of its keys, or commands.
        arrives: Whether the command at which the line breaks arrives.
    """

    how: str
    at: int
    arrives: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a door said.

    Attributes:
        account: The account as JSON; None where there was none.
        code: The exit code; None by the engine.
        refused: Why nothing was begun; empty where it was.
        named: The keys that were named to the server, where a line in between has heard them.
        plan: The plan, by the engine.
    """

    account: dict[str, Any] | None
    code: int | None = None
    refused: str = ""
    named: frozenset[bytes] | None = None
    plan: Plan | None = None


class Doors:
    """Both doors to one server or cluster, with a state folder of their own.

    Attributes:
        folder: The state folder.
        ahead: Seconds that the wall clock of this process is ahead.
    """

    def __init__(self, home: Path, endpoint: Endpoint, address: tuple[str, ...], own_line: Path | None) -> None:
        """``address`` are the flags that lead to the endpoint; ``own_line`` where a proxy may listen, if one may."""
        self.folder = home / "pymon-tui"
        self.ahead = 0.0
        self._home = home
        self._endpoint = endpoint
        self._address = address
        self._own_line = own_line
        self._config = home / "config.toml"
        self._config.touch(mode=0o600)

    @property
    def can_be_cut(self) -> bool:
        """Whether a line can be put in between."""
        return self._own_line is not None

    def records(self) -> tuple[Record, ...]:
        """The journal, the newest first, with what the trash tells of killed runs."""
        return tuple(map(known, runs(Journal(self.folder))))

    def record(self, run: str) -> Record:
        """The journal's record of a run or an undo."""
        return next(record for record in self.records() if record.id == run)

    # The engine

    def look(self, wish: Wish) -> tuple[Plan, dict[str, Any] | None]:
        """A plan and the account of a dry run of it; None where the run would not begin."""
        desk = self._desk(wish)
        selection = asking.selection(wish, desk)

        async def work() -> tuple[Plan, dict[str, Any] | None]:
            plan = await desk.planning(selection, asking.mode(wish), undo=wish.undo).run()
            options = asking.options(wish, desk, dry_run=True)
            if not desk.judge(plan, options).begins:
                return plan, None
            result = await desk.removal(plan, options, None).run()
            return plan, result.as_json()

        with self._in_time():
            return asyncio.run(work())

    def remove(self, wish: Wish, cut: Cut | None) -> Told:
        """Plan and run by the engine."""

        async def begin(desk: Desk) -> tuple[WholeRemoval, Plan | None]:
            plan = await desk.planning(
                asking.selection(wish, desk), asking.mode(wish), undo=wish.undo, read=wish.read
            ).run()
            return desk.removal(plan, asking.options(wish, desk, dry_run=False), None), plan

        return self._removed(wish, begin, cut)

    def resume(self, run: str, wish: Wish, cut: Cut | None) -> Told:
        """Go on with a run by the engine."""

        async def begin(desk: Desk) -> tuple[WholeRemoval, Plan | None]:
            return await desk.resumed(self.record(run)), None

        return self._removed(wish, begin, cut)

    def undo(self, run: str, wish: Wish, *, replaces: bool, elsewhere: bool, cut: Cut | None) -> Told:
        """Undo a run by the engine."""
        verb = b"PERSIST" if wish.expire else b"RESTORE"

        async def work() -> Told:
            async with self._line(cut, verb) as (endpoint, line):
                desk = Desk(endpoint, _RULES, self.folder)
                restore = desk.restore(self.record(run), replace=replaces, elsewhere=elsewhere)
                if restore is None:
                    return Told(None, refused="none is kept")
                account = await _carried_out(restore, cut, line)
                return Told(account or {"undo": restore.undo, "outcome": None})

        with self._in_time():
            try:
                return asyncio.run(work())
            except RestoreError as error:
                return Told(None, refused=str(error))

    # The command line

    def kill(self, wish: Wish, cut: Cut, *, is_hit: Callable[[], bool]) -> Told:
        """``pymon-tui invalidate …`` in a process of its own, which is killed at the cut.

        Args:
            is_hit: Whether it is time, where no line in between tells.
        """
        verb = _verb(wish)
        known = {record.id for record in self.records()}

        async def work() -> Told:
            async with self._line(cut, verb) as (endpoint, line):
                address = ("-s", endpoint.socket) if endpoint.socket is not None else self._address
                self._configure(wish.protected, wish.key_cap)
                words = [*address, "--config", str(self._config), "invalidate", *asking.flags(wish), "--yes"]
                words += ["--rate", "60"] if line is None else []
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.stateful.child", *words),
                    env=os.environ | {"XDG_STATE_HOME": str(self._home)},
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                )
                ended = asyncio.ensure_future(process.wait())
                try:
                    while not ended.done() and not (is_hit() if line is None else line.stopped):
                        await asyncio.wait([ended], timeout=0.002)
                finally:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await ended
                new = [record for record in self.records() if record.kind == "run" and record.id not in known]
                heard = None if line is None else _heard(line, verb)
                return Told({"run": new[0].id, "outcome": None} if new else None, named=heard)

        return asyncio.run(work())

    def type_removal(self, wish: Wish, *, dry_run: bool) -> Told:
        """``pymon-tui invalidate … --json``."""
        how = "--dry-run" if dry_run else "--yes"
        return self._typed(
            "invalidate", *asking.flags(wish), how, "--json", protected=wish.protected, key_cap=wish.key_cap
        )

    def type_resume(self, run: str, wish: Wish) -> Told:
        """``pymon-tui invalidate --resume RUN --yes --json``, where as large keys are kept as the run was to keep."""
        return self._typed("invalidate", "--resume", run, "--yes", "--json", key_cap=wish.key_cap)

    def type_undo(self, run: str | None, *, replaces: bool, elsewhere: bool) -> Told:
        """``pymon-tui undo [RUN] --yes --json``."""
        flags = [run] if run is not None else []
        flags += ["--replace"] * replaces + ["--elsewhere"] * elsewhere
        return self._typed("undo", *flags, "--yes", "--json")

    def type_journal(self) -> dict[str, dict[str, Any]]:
        """What ``pymon-tui journal --json`` says of all servers, by run and undo."""
        told = self._typed("journal", "--last", "1000", "--json", at=()).account
        assert told is not None
        return {record["id"]: record for record in told["runs"]}

    # How

    def _removed(
        self, wish: Wish, begin: Callable[[Desk], Awaitable[tuple[WholeRemoval, Plan | None]]], cut: Cut | None
    ) -> Told:
        verb = _verb(wish)

        async def work() -> Told:
            async with self._line(cut, verb) as (endpoint, line):
                removal, plan = await begin(self._desk(wish, endpoint))
                account = await _carried_out(removal, cut, line)
                heard = None if line is None else _heard(line, verb)
                if account is None and all(record.id != removal.id for record in self.records()):
                    return Told(None, refused="cut off before it began")
                return Told(account or {"run": removal.id, "outcome": None}, named=heard, plan=plan)

        with self._in_time():
            try:
                return asyncio.run(work())
            except OrderError as error:
                return Told(None, refused=str(error))

    @asynccontextmanager
    async def _line(self, cut: Cut | None, verb: bytes) -> AsyncIterator[tuple[Endpoint, Proxy | None]]:
        """Where the server is reached, and the line that is cut in the middle, if one is."""
        if cut is None or self._own_line is None or self._endpoint.socket is None:
            yield self._endpoint, None
            return
        proxy = Proxy(self._endpoint.socket)
        proxy.path = str(self._own_line)
        await proxy.open_door()
        if cut.how != "stop":
            proxy.cut_at(verb, uncut=cut.at, arrives=cut.arrives)
        try:
            yield replace(self._endpoint, socket=proxy.path), proxy
        finally:
            await proxy._end()
            proxy.close_door()

    def _desk(self, wish: Wish, endpoint: Endpoint | None = None) -> Desk:
        protected = tuple(map(parse_pattern, wish.protected))
        rules = replace(_RULES, protected=protected, max_keys=wish.max_keys, key_cap=wish.key_cap)
        return Desk(endpoint or self._endpoint, rules, self.folder)

    def _typed(
        self,
        *words: str,
        protected: tuple[str, ...] = (),
        key_cap: int = _KEY_CAP,
        at: tuple[str, ...] | None = None,
    ) -> Told:
        self._configure(protected, key_cap)
        address = self._address if at is None else at
        out, err = io.StringIO(), io.StringIO()
        with self._in_time(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run([*address, "--config", str(self._config), *words])
        account = json.loads(out.getvalue()) if out.getvalue() else None
        return Told(account, code, refused=err.getvalue() if code in (WRONG_USE, REFUSED) else "")

    def _configure(self, protected: tuple[str, ...], key_cap: int) -> None:
        self._config.write_text(f"protected = {json.dumps(protected)}\ntrash_key_size = {key_cap}\n")

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Where the state is, and what the wall clock says."""
        with patch.dict(os.environ, {"XDG_STATE_HOME": str(self._home)}), wall_clock(self.ahead):
            yield


async def _carried_out(work: WholeRemoval | WholeRestore, cut: Cut | None, line: Proxy | None) -> dict[str, Any] | None:
    """The account of a run or an undo; None where it was cut off. Questions are answered with yes."""

    async def account() -> dict[str, Any]:
        return (await work.run()).as_json()

    task = asyncio.create_task(account())
    while not task.done():
        if isinstance(work, WholeRemoval) and work.progress.state == "asking":
            work.go_on(work.progress.why, work.growth.to_type if work.growth is not None else "")
        if cut is not None and cut.how == "stop" and _settled(work) >= cut.at:
            work.cancel()
        if cut is not None and cut.how == "cancel" and (_settled(work) >= cut.at if line is None else line.stopped):
            task.cancel()
        await asyncio.wait([task], timeout=0.002)
    return None if task.cancelled() else task.result()


def _verb(wish: Wish) -> bytes:
    """The command by which a run names keys."""
    if not wish.expire:
        return b"UNLINK"
    return b"PEXPIREAT" if wish.undo else b"PEXPIRE"


def _settled(work: WholeRemoval | WholeRestore) -> int:
    tally = work.progress.tally
    return tally.matched if isinstance(work, WholeRemoval) else tally.settled  # type: ignore[union-attr]


def _heard(line: Proxy, verb: bytes) -> frozenset[bytes]:
    """The keys that were named to the server on this line."""
    one = verb != b"UNLINK"
    return frozenset(key for said in line.said if said[0].upper() == verb for key in (said[1:2] if one else said[1:]))
