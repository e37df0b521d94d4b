"""Py_Monitor at work: named clients that read, write, publish and wait, as a process of its own.

`python -m pymon_tui.demo.workload SOCKET --seed N --rate R` runs until its standard input ends. Who does what follows
from the seed, but for ids, which nobody can guess; when it is done follows from the clock. A server that is away for a
while is waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from random import Random

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pymon_tui.demo.api_web import ApiWeb
from pymon_tui.demo.bulk import Bulk
from pymon_tui.demo.checks import Checker, Notifier
from pymon_tui.demo.database import Database
from pymon_tui.demo.readers import dashboard, staying_connected, websocket_gateway
from pymon_tui.demo.upkeep import Scheduler
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.server.reasons import LinkError
from pymon_tui.services.connection import connect

API_CLIENTS = 4
CHECKERS = 2
RECONNECT_SECONDS = 1.0

Work = Callable[[Redis], Awaitable[None]]


class Workload:
    """All clients of the application on one server.

    Args:
        socket: Path of the server's unix socket.
        seed: Decides what is sent.
        rate: Commands per second, about, in all.
    """

    def __init__(self, socket: str, *, seed: int, rate: int) -> None:
        self._socket = socket
        self._seed = seed
        self._rate = rate
        self._started = time.monotonic()

    async def run(self) -> None:
        """Run every client until cancelled."""
        database, bulk = Database(self._random("database")), Bulk(self._seed)
        web = [
            ApiWeb(database, self._random(f"api-web {n}"), rate=self._rate, workers=API_CLIENTS, now=self._now)
            for n in range(API_CLIENTS)
        ]
        checkers = [Checker(database, self._random(f"celery-worker {n}"), rate=self._rate) for n in range(CHECKERS)]
        notifier = Notifier(database, self._random("notifier"), now=self._now)
        scheduler = Scheduler(
            database,
            bulk,
            self._random("scheduler"),
            rate=self._rate,
            visits=[worker.visits for worker in web],
            now=self._now,
        )
        async with asyncio.TaskGroup() as tasks:
            for name, work in (
                ("scheduler", scheduler.work),
                *(("celery-worker", checker.work) for checker in checkers),
                ("billing-worker", bulk.bill),
                ("websocket-gateway", websocket_gateway),
                ("flower", staying_connected(30)),
                ("admin-shell", staying_connected(300)),
            ):
                tasks.create_task(self._keep_working(name, work))
            # Those who go on with what happened before have to wait for it.
            await scheduler.began.wait()
            for name, work in (
                *(("api-web", worker.work) for worker in web),
                ("notifier", notifier.work),
                ("dashboard", dashboard),
            ):
                tasks.create_task(self._keep_working(name, work))

    async def _keep_working(self, name: str, work: Work) -> None:
        while True:
            async with connect(self._socket, name=name) as client:
                try:
                    await client.ping()  # connects, so that a client which begins with a wait is seen too
                    await work(client)
                except* (RedisError, OSError, LinkError, Refused):
                    pass
            await asyncio.sleep(RECONNECT_SECONDS)

    def _now(self) -> float:
        return time.monotonic() - self._started

    def _random(self, purpose: str) -> Random:
        return Random(f"{self._seed} {purpose}")


async def run_until_input_ends(workload: Workload) -> None:
    """Run the workload; the process ends with its standard input, a pipe that our parent holds."""

    def read_input() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            os._exit(0)  # there is nothing to save, and a paused server would keep each goodbye waiting

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), read_input)
    await workload.run()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pymon_tui.demo.workload", description=__doc__)
    parser.add_argument("socket", help="path of the server's unix socket")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rate", type=int, required=True, help="commands per second, about")
    arguments = parser.parse_args()
    # Services log what they go without while the server is away; the monitor has the terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    workload = Workload(arguments.socket, seed=arguments.seed, rate=arguments.rate)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_until_input_ends(workload))


if __name__ == "__main__":
    main()
