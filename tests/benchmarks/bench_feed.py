"""How much CPU a Pub/Sub message costs us, next to redis-py's ``listen()``, and for how long a flood holds the loop.

Each subscriber is a process of its own, this module again; a Lua script publishes as fast as the server can. CPU
seconds, user and system, are those of the subscriber's process from the time it is subscribed until it has seen the
last message.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from typing import Any

from redis import Redis as SyncRedis
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.server.endpoint import Endpoint
from tests.benchmarks.figures import Figure
from tests.server.listening import listening, live, until

FLOOD = """
for number = 1, ARGV[1] do redis.call("PUBLISH", "flood:" .. number % 50, ARGV[2]) end
"""
MESSAGES, ROUNDS = 200_000, 5
LIMIT = 4.0
STEADY_RATE = 20_000
STEADY_SECONDS = 5


async def with_listen(socket: str, total: int) -> dict[str, Any]:
    client = Redis(unix_socket_path=socket, socket_timeout=None)
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    await pubsub.psubscribe("flood:*")
    print("ready", flush=True)
    seen, cpu = 0, time.process_time()
    async for _ in pubsub.listen():
        seen += 1
        if seen == total:
            break
    used = time.process_time() - cpu
    await pubsub.aclose()  # type: ignore[no-untyped-call]
    await client.aclose()
    return {"seen": seen, "kept": seen, "cpu": used}


async def with_listener(socket: str, total: int) -> dict[str, Any]:
    async with listening(Endpoint(socket=socket), b"flood:*") as (_, feed):
        await until(live(feed))
        print("ready", flush=True)
        cpu = time.process_time()
        await until(lambda: feed.seen >= total)
        used = time.process_time() - cpu
        return {"seen": feed.seen, "kept": feed.seen - feed.dropped, "cpu": used}


async def with_others_waiting(socket: str, total: int) -> dict[str, Any]:
    """As ``with_listener``; another task asks for its turn again and again, and measures the CPU it waited for."""
    async with listening(Endpoint(socket=socket), b"flood:*") as (_, feed):
        await until(live(feed))
        print("ready", flush=True)
        turns = []
        while feed.seen < total:
            began = time.thread_time()
            await asyncio.sleep(0)
            turns.append(time.thread_time() - began)
        return {"seen": feed.seen, "longest": max(turns)}


SUBSCRIBERS = {"listen": with_listen, "listener": with_listener, "turns": with_others_waiting}


def measure(server: EmbeddedServer, subscriber: str, total: int, *, steady: bool = False) -> dict[str, Any]:
    """Run one subscriber in a process of its own, publish, and return what it measured."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_feed", "--as", subscriber, server.socket, str(total)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child,
        SyncRedis(unix_socket_path=server.socket, socket_timeout=60) as client,
    ):
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        began = time.perf_counter()
        if steady:
            publish_steadily(client, total)
        else:
            client.eval(FLOOD, 0, str(total), "y" * 200)
        answer: dict[str, Any] = json.loads(child.stdout.readline())
        return answer | {"wall": time.perf_counter() - began}


def publish_steadily(client: SyncRedis, total: int) -> None:
    batch = STEADY_RATE // 100
    began = time.monotonic()
    for number in range(total // batch):
        pipeline = client.pipeline(transaction=False)
        for channel in range(batch):
            pipeline.publish(f"flood:{channel % 50}", b"y" * 200)
        pipeline.execute()
        time.sleep(max(0.0, began + (number + 1) * batch / STEADY_RATE - time.monotonic()))


def compare(server: EmbeddedServer) -> list[Figure]:
    results: dict[str, list[dict[str, Any]]] = {"listen": [], "listener": []}
    for _ in range(ROUNDS):
        for subscriber, measured in results.items():
            measured.append(measure(server, subscriber, MESSAGES))
            assert measured[-1]["seen"] == MESSAGES
    cpu = {name: statistics.median(result["cpu"] for result in measured) for name, measured in results.items()}
    wall = {name: statistics.median(result["wall"] for result in measured) for name, measured in results.items()}
    ratio, kept = cpu["listen"] / cpu["listener"], results["listener"][-1]["kept"]
    each = ", ".join(f"{name} {cpu[name] / MESSAGES * 1e6:.2f} µs, {MESSAGES / wall[name]:,.0f}/s" for name in results)
    return [
        Figure(
            "messages the feed takes",
            f"≥ {LIMIT:.0f} times redis-py's `listen()`",
            f"{ratio:.1f} times",
            ratio >= LIMIT,
            f"in a CPU second of the subscriber: {each} (the publisher's pace); {MESSAGES:,} messages of 200 bytes, "
            f"medians of {ROUNDS} rounds; {kept:,} kept, the others counted",
        )
    ]


def figures() -> list[Figure]:
    """Next to redis-py, and how long others wait for the loop meanwhile."""
    with EmbeddedServer({"client-output-buffer-limit": "pubsub 0 0 0"}) as server:
        found = compare(server)
        for name, total, steady in (
            (f"{STEADY_RATE:,} messages/s", STEADY_RATE * STEADY_SECONDS, True),
            ("as fast as it can", MESSAGES, False),
        ):
            longest = measure(server, "turns", total, steady=steady)["longest"] * 1e3
            basis = "CPU of the loop's thread from one turn of another task to its next"
            found.append(Figure(f"longest hold of the loop by the feed, {name}", "", f"{longest:.2f} ms", None, basis))
        return found


if __name__ == "__main__":
    _, _, chosen, path, number = sys.argv
    result = asyncio.run(SUBSCRIBERS[chosen](path, int(number)))
    print(json.dumps(result), flush=True)
