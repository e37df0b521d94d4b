"""The keys of a cluster are asked of the node that serves them, and no other is made to send us away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from redis.exceptions import ResponseError

from pymon_tui.application import QUERIES as OF_THE_APPLICATION
from pymon_tui.application.sessions import SESSIONS, SessionHeader
from pymon_tui.model.query import Argument, Batch, Command, Ready
from pymon_tui.readings.queries import QUERIES
from pymon_tui.readings.topology import CLUSTER_NODES
from pymon_tui.server.alike import Alike
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller
from pymon_tui.server.session import Session
from pymon_tui.server.slots import Served, slot_of
from pymon_tui.services.keys import NOTIFICATIONS_RECENT, SESSION
from pymon_tui.services.session import CREATED_AT, LAST_ACTIVITY, USER_ID, VERSION
from tests.server.fake import endpoint_at
from tests.servers.cluster import Cluster
from tests.servers.node import Node

MANY = 60


def errors_of(node: Node) -> dict[str, str]:
    told = node.ask("INFO", "errorstats")
    text = told.decode() if isinstance(told, bytes) else str(told)
    return dict(line.split(":", 1) for line in text.split() if ":" in line)


def fill(cluster: Cluster) -> None:
    fields = (USER_ID, "7", VERSION, "1", CREATED_AT, "2026-11-30T00:00:00+00:00")
    for session, node in cluster.owners(SESSION.key(id=f"{number:032x}") for number in range(MANY)).items():
        node.ask("HSET", session, *fields, LAST_ACTIVITY, "2026-11-30T00:00:00+00:00")
    for recent, node in cluster.owners(NOTIFICATIONS_RECENT.key(user_id=number) for number in range(MANY)).items():
        node.ask("LPUSH", recent, "{}")


async def test_no_node_sends_us_away(cluster: Cluster) -> None:
    await cluster.settled()
    fill(cluster)
    queries = (*QUERIES, *OF_THE_APPLICATION, CLUSTER_NODES)
    primaries, read = cluster.primaries(), 0
    for node in cluster.nodes:
        session, _ = await open_session(endpoint_at(node.port))
        node.ask("CONFIG", "RESETSTAT")
        poller = Poller(queries)
        for now in range(8):
            await poller.tick(session, now * 5.0, 1, [query.name for query in queries])
        await session.close()
        assert errors_of(node) == {}
        headers = poller.readings[SESSIONS.name]
        if node in primaries:
            assert isinstance(headers, Ready)
            read += sum(isinstance(one, SessionHeader) for one in headers.value.values())
    assert read == MANY


class Moving:
    """What stands for a session with a node that tells nothing of its slots and sends us away from all keys but one."""

    endpoint = Endpoint(host="moving.test")

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
        replies: list[Any] = []
        for words in commands:
            key = next(word for word in words if isinstance(word, bytes))
            slot = slot_of(key)
            is_here = slot == slot_of(b"k:0")
            self.asked.append(str(words[0]))
            replies.append(7 if is_here else ResponseError(f"MOVED {slot} 127.0.0.1:7001"))
        return replies


async def test_where_a_node_doesn_t_tell_its_slots_nobody_is_sent_away_from_one_twice() -> None:
    command: Command[Any] = Command("pttl", lambda *_: (), lambda reply: reply, alike=(b"k:",))
    lines = tuple(("PTTL", f"k:{number}".encode()) for number in range(20))
    alike, moving = Alike(), Moving()
    for _ in range(25):
        await alike.ask(cast("Session", moving), {command: Batch(lines)}, 0.0, Counter(), Served(None))
    before = len(moving.asked)
    replies = (await alike.ask(cast("Session", moving), {command: Batch(lines)}, 1.0, Counter(), Served(None)))[command]
    assert len(moving.asked) == before + 1
    assert [reply for reply in replies if not isinstance(reply, ResponseError)] == [7]
