"""The soak of one server, which fails itself, or on the line to it."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from pydantic import SecretStr
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.model.snapshot import Snapshot
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.ui.screens.password import PasswordScreen
from tests.faults.happenings import BORNE, FAULTS, Happening
from tests.faults.watching import heard
from tests.servers.clients import client_of
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.servers.proxy import Proxy, proxied
from tests.soak.account import Account
from tests.soak.load import load_server, loaded
from tests.soak.screens import asleep, endpoint_at, screens
from tests.soak.soaking import REMOVED, Fault, Soak

CONFIG = {
    "lua-time-limit": "20",
    "enable-debug-command": "yes",
    "loading-process-events-interval-bytes": "1024",
}
HAPPENINGS: Mapping[str, Happening] = {name: fault.happening for name, fault in FAULTS.items()} | BORNE


class ServerSoak(Soak):
    """A server, a line to it, and the app at the end of that."""

    keeping = frozenset(
        ("SIGSTOP", "black hole", "half open", "reset", "held", "CLIENT PAUSE", "reply cut", "garbage", "CLIENT KILL")
    )
    removing_in = keeping

    def __init__(
        self, node: Node, line: Proxy, account: Account, pilot: Pilot[int], dice: random.Random, folder: Path
    ) -> None:
        super().__init__(account, pilot, dice, folder)
        self._node, self._line = node, line
        self._faults: dict[str, Fault] = {name: partial(happens, node, line) for name, happens in HAPPENINGS.items()}
        self._faults |= {"password rotated": self._rotated, "machine asleep": asleep}

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Those of the tests, and two that need the screens."""
        return self._faults

    def endpoint(self) -> Endpoint:
        """Where the line begins."""
        return endpoint_at(self._line.port)

    def is_back(self, newest: Snapshot) -> bool:
        """Whether the server answers, and its feed is live."""
        return heard(newest)

    async def settled(self) -> None:
        """It is as soon as it answers."""

    async def fill(self, prefix: str) -> None:
        """Set the keys on the server itself."""
        async with client_of(self._node.server) as client:
            await client.eval(f"for n = 1, {REMOVED} do redis.call('SET', '{prefix}' .. n, n) end", 0)

    async def left(self, prefix: str) -> int:
        """Ask the server itself."""
        async with client_of(self._node.server) as client:
            return len(await client.keys(f"{prefix}*"))

    def release(self) -> None:
        """Close the client by which the server is paused."""
        self._node.hang_up()

    @asynccontextmanager
    async def _rotated(self) -> AsyncIterator[None]:
        """Another password, which is typed where it is asked for, and then none."""
        app, password = self._pilot.app, f"s3same-{self._dice.random()}"
        async with client_of(self._node.server) as admin:
            await admin.config_set("requirepass", password)
            self._line.cut()
            yield
            while not isinstance(app.screen, PasswordScreen):
                # It isn't asked in the middle of a help, and a key may have closed it as it came.
                await self._pilot.press("r" if app.screen is self.monitor else "escape")
                await asyncio.sleep(0.1)
            app.screen.query_one(Input).value = password
            await self._pilot.press("enter")
            await self.recovered("password typed")
            await admin.config_set("requirepass", "")
        self.monitor.source.log_in(SecretStr(""))


async def soak(account: Account, seconds: float, seed: int) -> None:
    """All of it."""
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Path(folder, "node"), CONFIG, port=free_port())
        node.start()
        try:
            with loaded(load_server, node.server.socket):
                async with proxied(node.server.socket) as line, screens(endpoint_at(line.port)) as pilot:
                    await ServerSoak(node, line, account, pilot, random.Random(seed), Path(folder)).run(seconds)
        finally:
            node.stop()
