"""Py_Monitor at work: named clients that read, write, publish and wait, as a process of its own.

`python -m pymon_tui.demo.workload SOCKET --seed N --rate R` runs until its standard input ends. What is sent
follows from the seed; when it is sent follows from the clock. A server that is away for a while is waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from pymon_tui.demo.heavy import HEAVY, Heavy
from pymon_tui.demo.keyspace import CONFIGS, HOT_PROJECTS, REPORT_BYTES, REPORTS, USERS, Cached, Command, Keyspace
from pymon_tui.demo.messages import notification

API_CLIENTS = 4
API_PERIOD = 0.1
API_SHARE = 0.75
JOB_SHARE = 0.15
JOBS_PER_SECOND = 10
REPORTS_PER_JOB = 2
REPORTS_PER_STEP = 100
RECONNECT_SECONDS = 1.0
PIPELINE_LENGTH = 250
QUEUE = "celery"

Work = Callable[[Redis], Awaitable[None]]


def hit_share(t: float) -> float:
    """The share of look-ups that ask for common values, 0.89 to 0.98, `t` seconds after the start."""
    return 0.935 + 0.045 * math.sin(t / 80 * math.tau)


def notifications_per_second(t: float) -> float:
    """Between 2 and 15, in waves of 45 s."""
    return 8.5 + 6.5 * math.sin(t / 45 * math.tau)


def lookups(random: Random, keyspace: Keyspace, *, count: int, t: float) -> list[tuple[Cached, int]]:
    """What one web worker looks up next: mostly common ids, the lower the more often; some never seen."""
    share = hit_share(t)
    return [
        (cached, 1 + int(cached.population * random.random() ** 3))
        if random.random() < share
        else (cached, random.randrange(10**5, 10**8))
        for cached in random.choices(keyspace.cached, [cached.weight for cached in keyspace.cached], k=count)
    ]


def job(random: Random, keyspace: Keyspace, *, commands: int) -> list[Command]:
    """What a worker writes for one job: fresh results, counters, and rate limits that expire within seconds."""
    batch: list[Command] = []
    while len(batch) < commands:
        project, user = 1 + int(HOT_PROJECTS * random.random() ** 2), random.randrange(1, USERS + 1)
        limit = f"ratelimit:{user}:{random.randrange(10**4)}"
        batch += (*keyspace.result(project), *keyspace.alerts(1 + project // 4))
        batch += (("HINCRBY", f"project:stats:{project % CONFIGS + 1}", "requests", random.randrange(1, 40)),)
        batch += (("INCR", limit), ("EXPIRE", limit, random.randrange(1, 9)))
    return batch


async def send(client: Redis, commands: Iterable[Command]) -> list[Any]:
    """The replies to the commands, sent in one pipeline."""
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    return await pipeline.execute()


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
        self._keyspace = Keyspace(Random(seed))
        self._started = time.monotonic()

    async def run(self) -> None:
        """Run every client until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name, work in (
                ("scheduler", self._scheduler),
                *(("api-web", self._api_web(number)) for number in range(API_CLIENTS)),
                *(("celery-worker", self._celery_worker(number)) for number in range(2)),
                ("billing-worker", self._billing_worker),
                ("notifier", self._notifier),
                ("websocket-gateway", _websocket_gateway),
                ("flower", _idle(30)),
                ("admin-shell", _idle(300)),
            ):
                tasks.create_task(self._keep_working(name, work))

    async def _keep_working(self, name: str, work: Work) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with self._client(name) as client:
                    await client.ping()  # connects, so that a client which begins with a wait is seen too
                    await work(client)
            await asyncio.sleep(RECONNECT_SECONDS)

    def _client(self, name: str) -> Redis:
        # The server's own error counter is on show: no handshake command that it may refuse.
        return Redis(
            unix_socket_path=self._socket,
            client_name=name,
            driver_info=None,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None if name in ("celery-worker", "websocket-gateway") else 5,
        )

    def _now(self) -> float:
        return time.monotonic() - self._started

    def _random(self, purpose: str) -> Random:
        return Random(f"{self._seed} {purpose}")

    def _api_web(self, number: int) -> Work:
        random = self._random(f"api-web {number}")
        count = max(1, round(self._rate * API_SHARE * API_PERIOD / API_CLIENTS))

        async def work(client: Redis) -> None:
            while True:
                asked = lookups(random, self._keyspace, count=count, t=self._now())
                replies = await send(client, (cached.read(number) for cached, number in asked))
                missed = [pair for pair, reply in zip(asked, replies, strict=True) if not reply]
                day = datetime.now(UTC).date()
                counts = [("INCRBY", f"cache:stats:hits:{day}", count - len(missed))]
                counts += [("INCRBY", f"cache:stats:misses:{day}", len(missed))]
                await send(client, [*(write for cached, number in missed for write in cached.write(number)), *counts])
                await asyncio.sleep(random.uniform(0.8, 1.2) * API_PERIOD)

        return work

    def _celery_worker(self, number: int) -> Work:
        random = self._random(f"celery-worker {number}")
        commands = max(1, round(self._rate * JOB_SHARE / JOBS_PER_SECOND))

        async def work(client: Redis) -> None:
            while True:
                await client.brpop([QUEUE], 0)
                await send(client, job(random, self._keyspace, commands=commands))

        return work

    async def _scheduler(self, client: Redis) -> None:
        """Fill an empty server, queue jobs, write reports, and invalidate a part of the cache now and then."""
        random = self._random("scheduler")
        next_invalidation = self._now() + 20
        while True:
            if await client.dbsize() < HOT_PROJECTS:
                await self._fill(client)
            project = random.randrange(REPORTS, 10 * REPORTS)
            reports = (self._keyspace.report(project + number) for number in range(REPORTS_PER_JOB))
            await send(client, [*reports, ("LPUSH", QUEUE, f"refresh {project}")])
            if self._now() > next_invalidation:
                first = random.randrange(1, HOT_PROJECTS // 4)
                keys = (f"monitoring:result:{number}" for number in range(first, first + HOT_PROJECTS // 3))
                await client.unlink(*keys)
                next_invalidation = self._now() + random.uniform(30, 50)
            await asyncio.sleep(random.uniform(0.8, 1.2) / JOBS_PER_SECOND)

    async def _fill(self, client: Redis) -> None:
        """All common values, then reports until memory is all but full, so that evictions begin soon."""
        await self._send_all(client, self._keyspace.everything())
        for heavy in HEAVY:
            await self._fill_heavy(client, heavy)
        for first in range(0, REPORTS, REPORTS_PER_STEP):
            memory = await client.info("memory")
            if 0 < memory["maxmemory"] < memory["used_memory"] + REPORTS_PER_STEP * REPORT_BYTES:
                break
            numbers = range(first, first + REPORTS_PER_STEP)
            await send(client, (self._keyspace.report(number) for number in numbers))

    async def _fill_heavy(self, client: Redis, heavy: Heavy) -> None:
        _, key, *_ = heavy.command
        await self._send_all(client, (("UNLINK", key), *heavy.fill(self._random(str(key)))))

    async def _send_all(self, client: Redis, commands: Iterable[Command]) -> None:
        batch: list[Command] = []
        for command in commands:
            batch.append(command)
            if len(batch) == PIPELINE_LENGTH:
                await send(client, batch)
                batch.clear()
        await send(client, batch)

    async def _billing_worker(self, client: Redis) -> None:
        """Read large collections whole, and fill those that someone has removed."""
        random = self._random("billing-worker")
        while True:
            for heavy in random.sample(HEAVY, len(HEAVY)):
                await asyncio.sleep(random.uniform(1.2, 3.2))
                (reply,) = await send(client, [heavy.command])
                if not reply:
                    await self._fill_heavy(client, heavy)

    async def _notifier(self, client: Redis) -> None:
        random = self._random("notifier")
        number = 0
        while True:
            number += 1
            user = 1 + int(USERS * random.random() ** 2)
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            payload = notification(random, number=number, user_id=user, at=at)
            kept = f"notifications:recent:{user}"
            writes = (("LPUSH", kept, payload), ("LTRIM", kept, 0, 99), ("EXPIRE", kept, 86_400))
            await send(client, (*writes, ("PUBLISH", f"notifications:{user}", payload)))
            await asyncio.sleep(random.expovariate(notifications_per_second(self._now())))


async def _websocket_gateway(client: Redis) -> None:
    """Listen to all notifications by pattern, and to those of a few users by name."""
    async with client.pubsub() as subscription:
        await subscription.psubscribe("notifications:*")
        await subscription.subscribe(*(f"notifications:{user}" for user in range(1, 9)))
        async for _ in subscription.listen():
            pass


def _idle(seconds: float) -> Work:
    async def work(client: Redis) -> None:
        while True:
            await client.ping()
            await asyncio.sleep(seconds)

    return work


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
    workload = Workload(arguments.socket, seed=arguments.seed, rate=arguments.rate)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_until_input_ends(workload))


if __name__ == "__main__":
    main()
