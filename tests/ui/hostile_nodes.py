"""Deployments whose nodes are called what strangers call them: a real server, and answers about others that aren't."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from threading import Thread

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from tests.demo.waiting import eventually
from tests.server.fake import Alter, altering, bulk, serving
from tests.ui.hostile import COMMANDS, send

HUGE = b"\x1b]2;PWNED\x07[/]" + b"n" * 10_000
NAMES = (
    *(b"".join(hostile.split()) for name, hostile in COMMANDS.items() if name != "huge"),
    HUGE,
    b"-oProxyCommand=touch",
    "b\u00fccher.example".encode(),
    b"a..b",
    b"a\0b",
)
"""Names of nodes: hostile texts without blanks, which the servers' own answers couldn't have either."""
SHOWN = "\\x1b[?1049l"
SERVICE = "\x1b]2;PWNED\x07[/]\u202e"
_PORTS = (1, 99_999, 0)
"""Ports where nobody listens, that are none, and that mean that there is none."""


async def fill_slots(redis: Redis) -> None:
    """Let a server be a whole cluster by itself, that takes writes."""
    await send(redis, "CLUSTER", "ADDSLOTSRANGE", 0, 16_383)

    async def is_up() -> bool:
        return bool((await redis.cluster("INFO"))["cluster_state"] == "ok")

    await eventually(is_up)


def cluster_nodes() -> bytes:
    """Lines of CLUSTER NODES about nodes that aren't: replicas and primaries without slots, by address and by name."""
    lines = []
    for number, name in enumerate(NAMES):
        flags, port = ("slave", "master")[number % 2], _PORTS[number % 3]
        primary = b"-" if flags == "master" else name
        where = b"%s:%d@1" % (name, port) if number % 4 < 2 else b"%s:%d@1,%s" % (name, port, name)
        lines.append(b"%040d %s %s %s 0 0 1 connected\n" % (number, where, flags.encode(), primary))
    lines.append(b"%s 127.0.0.1:1@1 slave,%s %s 0 0 1 connected %s\n" % (HUGE, HUGE, HUGE, b"[1->-x"))
    return b"".join(lines)


def cluster_shards(own: bytes) -> bytes:
    """An answer to CLUSTER SHARDS, in RESP2: one real node, and such as aren't."""
    nodes = [(own, b"127.0.0.1", b"online")] + [(name, name, name) for name in NAMES]
    shown = [
        _list(*map(bulk, (b"id", id_, b"port")), b":1\r\n", *map(bulk, (b"hostname", name, b"role", b"master")))
        for id_, name, _ in nodes
    ]
    return _list(_list(bulk(b"slots"), _list(b":0\r\n", b":16383\r\n"), bulk(b"nodes"), _list(*shown)))


def in_cluster(*, told_by: bytes) -> Alter:
    """What a server of a hostile cluster answers; ``told_by`` is the subcommand that tells of it: NODES or SHARDS."""

    def alter(command: list[bytes], reply: bytes) -> bytes:
        if command[0] != b"CLUSTER" or command[1].upper() not in (b"NODES", b"SHARDS", b"SLOTS"):
            return reply
        if command[1].upper() != told_by:
            return b"-NOPERM " + SERVICE.encode() + b"\r\n"
        return bulk(_renamed(_text(reply)) + cluster_nodes()) if told_by == b"NODES" else cluster_shards(b"1" * 40)

    return alter


def with_replicas(command: list[bytes], reply: bytes) -> bytes:
    """What a primary answers whose replicas announce what they like."""
    if command[0] != b"INFO":
        return reply
    lines = [b"slave%d:ip=%s,port=%d,state=%s,offset=1,lag=0" % (n, name, 1, name) for n, name in enumerate(NAMES)]
    return bulk(_text(reply) + b"# Replication\r\n" + b"\r\n".join(lines) + b"\r\n")


def sentinel_of(port: int, primary: bytes = b"127.0.0.1") -> Alter:
    """What a hostile Sentinel answers about a primary at this port."""

    def alter(command: list[bytes], reply: bytes) -> bytes:
        asked = command[1].upper() if command[0] == b"SENTINEL" else b""
        others = [_list(*map(bulk, (b"name", name, b"ip", name, b"port", b"1", b"runid", name))) for name in NAMES]
        answers = {
            b"GET-MASTER-ADDR-BY-NAME": _list(bulk(primary), bulk(b"%d" % port)),
            b"MASTER": _list(*map(bulk, (b"flags", HUGE, b"quorum", b"2", b"num-other-sentinels", b"3"))),
            b"REPLICAS": _list(*others),
            b"SENTINELS": _list(*others),
            b"CKQUORUM": b"-NOQUORUM " + SERVICE.encode() + b"\r\n",
            b"MYID": bulk(HUGE),
        }
        return answers.get(asked, reply)

    return alter


@contextmanager
def as_told(server: EmbeddedServer, alter: Alter) -> Iterator[int]:
    """The server on a port of its own, with these answers, on a thread of its own; yields the port."""
    begun: Future[tuple[int, Callable[[], object]]] = Future()

    async def serve() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        async with serving(altering(server.socket, alter)) as port:
            begun.set_result((port, partial(loop.call_soon_threadsafe, over.set)))
            await over.wait()

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    port, end = begun.result(timeout=10)
    try:
        yield port
    finally:
        end()
        thread.join()


def _text(reply: bytes) -> bytes:
    """What a bulk string or a verbatim one holds."""
    text = reply.partition(b"\r\n")[2][:-2]
    return text[4:] if reply.startswith(b"=") else text


def _renamed(lines: bytes) -> bytes:
    """The line of the server itself, with a name that it has set."""
    node_id, address, rest = lines.split(b" ", 2)
    return b" ".join((node_id, b"%s,%s" % (address.partition(b",")[0], NAMES[0]), rest))


def _list(*items: bytes) -> bytes:
    return b"*%d\r\n" % len(items) + b"".join(items)
