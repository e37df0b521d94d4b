"""What one refresh costs the server, by its own accounts, and in how many writes it is asked for."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import load
from tests.benchmarks.relay import relay
from tests.benchmarks.watched import WatchedRun

CLIENTS = 10
SECONDS = 35.0
LIMIT = 250.0


def figures() -> list[Figure]:
    """The embedded server, and the system's own Redis where there is one."""
    system = shutil.which("redis-server")
    found = _of(None)
    return found if system is None else [*found, *_of(Path(system))]


def _of(binary: Path | None) -> list[Figure]:
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(binary=binary))
        stack.enter_context(load(server.socket, "clients", CLIENTS))
        path, clients = stack.enter_context(relay(server.socket))
        run = stack.enter_context(WatchedRun(["-s", path]))
        asker = stack.enter_context(Redis(unix_socket_path=server.socket))
        run.until(lambda: b"alkey" in run.output or b"edis" in run.output)
        run.read_for(3.0)
        version = asker.info("server")
        poller = max(clients, key=lambda client: client.count)
        asker.config_resetstat()
        before = poller.count
        run.read_for(SECONDS)
        writes = poller.count - before
        return _figures(version, asker.info("commandstats"), writes)


def _figures(server: dict[str, Any], commands: dict[str, Any], writes: int) -> list[Figure]:
    name = f"Valkey {server['valkey_version']}" if "valkey_version" in server else f"Redis {server['redis_version']}"
    ours = {command.removeprefix("cmdstat_"): told for command, told in commands.items() if "resetstat" not in command}
    ticks = ours["info"]["calls"]
    each = sum(told["usec"] for told in ours.values()) / ticks
    dearest = sorted(ours.items(), key=lambda item: -item[1]["usec"])
    shares = ", ".join(f"{command} {told['usec'] / ticks:.0f}" for command, told in dearest if told["usec"] > ticks / 2)
    return [
        Figure(
            f"server time of a refresh, {CLIENTS} clients, {name}",
            f"≤ {LIMIT:.0f} µs",
            f"{each:.0f} µs",
            each <= LIMIT,
            f"mean of {ticks} ticks (INFO commandstats): {shares}",
        ),
        Figure(
            f"round trips of a refresh, {name}",
            "1",
            f"{writes / ticks:.2f}",
            round(writes / ticks, 1) <= 1,
            f"{writes} writes in {ticks} ticks, on the connection that asks",
        ),
    ]
