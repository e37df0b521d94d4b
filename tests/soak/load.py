"""The clients that a server or a cluster has besides us: each of these is for a process of its own, and never ends."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis, RedisCluster
from redis.cluster import ClusterNode
from redis.exceptions import RedisError

CHANNEL = "news"
PATIENCE = 0.5
"""Seconds that the clients of a cluster have for a node, so that one that is away doesn't hold up those of the rest."""


@contextmanager
def loaded(load: Callable[..., None], *whom: object) -> Iterator[None]:
    """Some hundred commands and messages a second, whatever becomes of them."""
    process = multiprocessing.get_context("spawn").Process(target=load, args=whom, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def load_server(socket: str) -> None:
    """The clients of one server."""
    client = Redis(unix_socket_path=socket, socket_timeout=2)
    _load(client, lambda number: client.publish(CHANNEL, str(number)))


def load_cluster(ports: list[int]) -> None:
    """The clients of a cluster, keys all over its slots; one of them follows a shard channel, wherever that is."""
    client = RedisCluster(
        startup_nodes=[ClusterNode("127.0.0.1", port) for port in ports],  # type: ignore[no-untyped-call]
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
    )
    threading.Thread(target=_follow_shards, args=(client,), daemon=True).start()

    def publish(number: int) -> None:
        client.publish(CHANNEL, str(number))
        client.spublish(CHANNEL, str(number))

    _load(client, publish)


def _load(client: Any, publish: Callable[[int], object]) -> None:
    dice, number = random.Random(1), 0
    while True:
        number += 1
        with contextlib.suppress(RedisError, OSError, KeyError):  # redis-py's for a node that it has just dropped
            with client.pipeline(transaction=False) as pipe:
                for _ in range(20):
                    pipe.set(f"load:{dice.randrange(5_000)}", "x" * 100)
                    pipe.get(f"load:{dice.randrange(10_000)}")
                pipe.execute()
            publish(number)
        time.sleep(0.05)


def _follow_shards(client: RedisCluster) -> None:
    while True:
        with contextlib.suppress(RedisError, OSError, KeyError):
            owner = client.get_node_from_key(CHANNEL)  # type: ignore[no-untyped-call]
            with Redis(host="127.0.0.1", port=owner.port, socket_timeout=PATIENCE) as one, one.pubsub() as heard:
                heard.ssubscribe(CHANNEL)
                while (message := heard.get_message(timeout=1.0)) is None or message["type"] != "sunsubscribe":
                    pass
        time.sleep(0.1)
