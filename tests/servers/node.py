"""A server among others: on TCP, with a folder of its own that outlives it, to be killed, stopped and brought back."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pymon_tui.demo.embedded import EmbeddedServer
from tests.demo.waiting import is_gone, wait_until


class Node:
    """One server process.

    Attributes:
        server: The process; `start` of it is `start` of this.
        port: Its port on 127.0.0.1, the same after a restart.
        running: Whether it can answer: started, neither killed nor paused.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, str],
        *,
        port: int,
        binary: Path | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        # The server's own folder goes with it; nodes.conf and what it saves must be there when it comes back.
        config = {"dir": f'"{folder}"', **config}
        self.server = EmbeddedServer(config, port=port, binary=binary, arguments=arguments)
        self.port = port
        self.running = False
        # A node that changes its role may hang up on its clients; then ask again.
        self._client = Redis(
            unix_socket_path=self.server.socket,
            protocol=2,
            decode_responses=True,
            retry=Retry(NoBackoff(), 1),
            socket_timeout=10,
        )
        self._id = ""

    def __repr__(self) -> str:
        return f"<node at {self.port}>"

    @property
    def address(self) -> str:
        """Host and port as the servers name it."""
        return f"127.0.0.1:{self.port}"

    @property
    def id(self) -> str:
        """Its id in the cluster, also while it doesn't run."""
        self._id = self._id or self.ask("CLUSTER", "MYID")
        return self._id

    def ask(self, *words: str | bytes | float) -> Any:
        """What it replies to a command, as it stands, in text. Blocks; raises redis-py's errors."""
        return self._client.execute_command(*words)  # type: ignore[no-untyped-call]

    def replicated(self, replicas: int) -> None:
        """Wait until this number of its replicas have all that was written.

        Raises:
            AssertionError: If they don't within a minute.
        """
        assert self.ask("WAIT", replicas, 60_000) >= replicas, f"{self} has fewer replicas that follow"

    def ask_all(self, commands: list[tuple[str | bytes | int, ...]]) -> list[Any]:
        """The replies to many commands, in one round trip."""
        with self._client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)  # type: ignore[no-untyped-call]
            return pipe.execute()

    def start(self) -> None:
        """Start it, or start it again: with its folder, and empty unless it saved."""
        self.server.start()
        self.running = True

    def kill(self) -> None:
        """End it as a crash does, and return when it is gone."""
        pid = self.server.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: is_gone(pid))
        self._gone()

    def stop(self) -> None:
        """End it, and remove what it leaves but its folder."""
        self.server.stop()
        self._gone()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, and nothing answers."""
        os.kill(self.server.pid, signal.SIGSTOP)
        self.running = False

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        os.kill(self.server.pid, signal.SIGCONT)
        self.running = True

    def hang_up(self) -> None:
        """Close the connection that it is asked on; the next question opens another."""
        self._client.close()

    def _gone(self) -> None:
        self.running = False
        self.hang_up()
