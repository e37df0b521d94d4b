"""How much CPU a Pub/Sub message costs us, next to redis-py's ``listen()``, and for how long a flood holds the loop.

Run it with ``python -m tests.benchmarks.bench_feed [messages [rounds]]``. Each subscriber is a process of its own; a
Lua script publishes as fast as the server can. CPU seconds, user and system, are those of the subscriber's process from
the time it is subscribed until it has seen the last message.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

from redis import Redis as SyncRedis
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.server.endpoint import Endpoint
from tests.server.listening import listening, live, until

FLOOD = """
for number = 1, ARGV[1] do redis.call("PUBLISH", "flood:" .. number % 50, ARGV[2]) end
"""
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


def compare(server: EmbeddedServer, total: int, rounds: int) -> None:
    results: dict[str, list[dict[str, Any]]] = {"listen": [], "listener": []}
    for _ in range(rounds):
        for subscriber, measured in results.items():
            measured.append(measure(server, subscriber, total))
    print(f"{total:,} messages of 200 bytes, 50 channels, one pattern; median of {rounds} rounds")
    print(f"{'subscriber':<22}{'messages/s':>12}{'CPU µs/message':>16}{'messages/CPU s':>16}{'kept':>10}{'RSS MiB':>9}")
    rates = {}
    for subscriber, measured in results.items():
        cpu = statistics.median(result["cpu"] for result in measured)
        wall = statistics.median(result["wall"] for result in measured)
        rss = max(result["rss"] for result in measured)
        rates[subscriber] = total / cpu
        name = "redis-py listen()" if subscriber == "listen" else "pymon-tui listener"
        kept = measured[-1]["kept"]
        print(f"{name:<22}{total / wall:>12,.0f}{cpu / total * 1e6:>16.2f}{total / cpu:>16,.0f}{kept:>10,}{rss:>9.0f}")
        assert all(result["seen"] == total for result in measured)
    print(f"ratio, messages per CPU second: {rates['listener'] / rates['listen']:.1f}")


def main() -> None:
    if sys.argv[1:2] == ["--as"]:
        subscriber, socket, number = sys.argv[2:]
        result = asyncio.run(SUBSCRIBERS[subscriber](socket, int(number)))
        per_mib = 1024 if sys.platform == "linux" else 1024 * 1024
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mib
        print(json.dumps(result | {"rss": rss}), flush=True)
        return
    messages, rounds = (int(word) for word in [*sys.argv[1:], *["200000", "3"][len(sys.argv) - 1 :]])
    with EmbeddedServer({"client-output-buffer-limit": "pubsub 0 0 0"}) as server:
        compare(server, messages, rounds)
        for name, total, steady in (
            (f"steady {STEADY_RATE:,} messages/s", STEADY_RATE * STEADY_SECONDS, True),
            ("as fast as it can", messages, False),
        ):
            turns = measure(server, "turns", total, steady=steady)
            print(f"the longest that others wait for the loop, {name}: {turns['longest'] * 1e3:.2f} ms of CPU")


if __name__ == "__main__":
    main()
