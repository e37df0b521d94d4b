"""Ways through ssh to servers that can't be reached directly: one for each server, shared by all who go there.

They belong to the process: one that nobody uses any more ends after a while, and all with the process, or by
``close_all``. Who measures how long a server takes has one apart from the others' bulk.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from weakref import WeakSet

from redis.asyncio.connection import AbstractConnection

from pymon_tui.model.link import Trouble
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server import ssh
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.ssh import Failure
from pymon_tui.server.ssh_process import NoTunnel, SshProcess
from pymon_tui.server.terminal_loan import TerminalLoan

_LOOK = 0.02  # seconds between two looks whether a tunnel stands
_PATIENCE = 3
"""So many times the connect timeout: names to resolve, keys to agree on, and all that once more for each jump."""
_UNUSED = 90.0
"""Seconds without a connection after which ssh ends; between two tries to reach a server there are fewer."""
_ROUND = 10.0  # seconds between two looks for connections
_ALONE = 1.0
"""Seconds that ssh may take on a terminal before it is held to have asked there: nobody answers sooner."""


class Tunnel:
    """The way to one server. Safe to use from several threads: a run's pulse is felt from its own."""

    def __init__(self, via: str, far: str, *, alone: bool) -> None:
        """A way through ``via`` to ``far`` (``host:port`` or a path, as ``via`` sees it); nothing is started yet.

        ``alone`` keeps it from sharing the TCP connection of a master.
        """
        self._via = ssh.place(via)
        self._far = far
        self._alone = alone
        self._change = threading.Condition()
        self._ssh: SshProcess | None = None
        self._asked = False
        self._carried: WeakSet[AbstractConnection] = WeakSet()
        self._used_at = 0.0
        self._holders = 0

    async def socket(self, connect_timeout: float) -> str:
        """The path of a unix socket that leads to the server; starts ssh where none runs, which then can't ask.

        Args:
            connect_timeout: Seconds until one connection attempt is given up.

        Raises:
            NoTunnel: If ssh ends, or gets nowhere in three times as long.
        """
        process = self._running(connect_timeout, asks=False)
        until = time.monotonic() + _PATIENCE * connect_timeout
        while not process.stands():
            self._check(process)
            if time.monotonic() > until:
                self._drop(process)
                what = f"no tunnel through {self._via} within {_PATIENCE * connect_timeout:g} s"
                raise NoTunnel(Failure(Trouble.SILENT, what, f"try: ssh {self._via.host}"))
            await asyncio.sleep(_LOOK)
        return process.socket

    def open_on(self, terminal: TerminalLoan, connect_timeout: float, tell: Callable[[SafeText], None]) -> None:
        """Start ssh where none runs, and let it ask on the terminal for as long as the person takes to answer.

        Args:
            terminal: The terminal that it may ask on.
            connect_timeout: Seconds until one connection attempt is given up.
            tell: Told each line that it says beside its questions.

        Raises:
            NoTunnel: If ssh ends.
            KeyboardInterrupt: If Ctrl+C is the answer.
        """
        process = self._running(connect_timeout, asks=True)
        began, told = time.monotonic(), 0
        try:
            with terminal.lent_to(process.group):
                while not process.stands():
                    if process.was_interrupted:
                        raise KeyboardInterrupt
                    lines, told = process.said(told)
                    for line in lines:
                        tell(safe(line))
                    self._check(process)
                    time.sleep(_LOOK)
        except NoTunnel:
            self._drop(process)
            if process.was_interrupted:  # since it was looked at
                raise KeyboardInterrupt from None
            raise
        except BaseException:
            self._drop(process)
            raise
        self._asked = self._asked or time.monotonic() - began > _ALONE

    def carry(self, connection: AbstractConnection) -> None:
        """Stand for as long as this connection does, and some time longer."""
        with self._change:
            self._carried.add(connection)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Stand no longer than the last of these contexts does."""
        with self._change:
            self._holders += 1
        try:
            yield
        finally:
            with self._change:
                self._holders -= 1
                is_last = not self._holders
            if is_last:
                self.close()

    def failure(self, *, refused: bool) -> Failure | None:
        """Why a connection was lost or not made, where the tunnel is to blame; ``refused``: its own socket was."""
        process = self._ssh
        if process is None:
            return None
        failure = process.failure(self._far)
        if failure is None and refused:
            failure = Failure(Trouble.UNREACHABLE, f"the tunnel through {self._via} is gone", "a new one is made")
            self._drop(process)
        return failure

    def stood(self) -> None:
        """Somebody has reached the server: what ssh said before is of the past."""
        if (process := self._ssh) is not None:
            process.forget()

    def close(self) -> None:
        """End ssh, and all that it started."""
        if (process := self._ssh) is not None:
            self._drop(process)

    def _running(self, connect_timeout: float, *, asks: bool) -> SshProcess:
        with self._change:
            self._used_at = time.monotonic()
            if self._ssh is not None and self._ssh.is_gone:
                self._ssh.stop()
                self._ssh = None
            if self._ssh is None:
                timeout = _PATIENCE * connect_timeout
                self._ssh = SshProcess(self._via, self._far, asks=asks, alone=self._alone, timeout=timeout)
                self._asked = False
                threading.Thread(target=self._end_unused, args=(self._ssh,), name="tunnel", daemon=True).start()
            return self._ssh

    def _drop(self, process: SshProcess) -> None:
        with self._change:
            if self._ssh is process:
                self._ssh = None
            self._change.notify_all()
        process.stop()

    def _end_unused(self, process: SshProcess) -> None:
        """Wait until nobody uses ssh any more, and end it; where it may have asked it stays, for it can't once more."""
        with self._change:
            while self._ssh is process and not self._is_unused():
                self._change.wait(_ROUND)
            if self._ssh is not process:
                return
            self._ssh = None
        process.stop()

    def _is_unused(self) -> bool:
        now = time.monotonic()
        if any(connection.is_connected for connection in self._carried):
            self._used_at = now
        return not self._asked and now - self._used_at > _UNUSED

    def _check(self, process: SshProcess) -> None:
        self._used_at = time.monotonic()  # it is waited for
        if process.is_gone and (failure := process.failure(self._far)) is not None:
            raise NoTunnel(failure)


_tunnels: dict[tuple[str, str, bool], Tunnel] = {}
_tunnels_lock = threading.Lock()


def tunnel_to(endpoint: Endpoint) -> Tunnel | None:
    """The way to a server, the same for all who ask, or for all who want it apart; None where none is needed."""
    if endpoint.via is None:
        return None
    way = endpoint.via, endpoint.far, endpoint.apart
    with _tunnels_lock:
        if not _tunnels:
            atexit.register(close_all)
        if way not in _tunnels:
            _tunnels[way] = Tunnel(endpoint.via, endpoint.far, alone=endpoint.apart)
        return _tunnels[way]


def open_on_terminal(endpoint: Endpoint, tell: Callable[[SafeText], None]) -> None:
    """Have ssh make the way to a server, if it goes there, and ask what it has to on our terminal, if we have one.

    To be called before anything is drawn on it.

    Raises:
        NoTunnel: If ssh ends.
        KeyboardInterrupt: If Ctrl+C is the answer.
    """
    tunnel = tunnel_to(endpoint)
    if tunnel is None:
        return
    with contextlib.ExitStack() as held:
        terminal = TerminalLoan.of_ours()
        if terminal is not None:
            held.callback(terminal.close)
            tunnel.open_on(terminal, endpoint.connect_timeout, tell)


def close_all() -> None:
    """End every tunnel of this process."""
    with _tunnels_lock:
        tunnels = tuple(_tunnels.values())
        _tunnels.clear()
    atexit.unregister(close_all)
    for tunnel in tunnels:
        tunnel.close()
