"""A notification from the monitor is what one from the application is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.application.notification_actions import notify
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.action import Done, NotDone
from pymon_tui.model.text import safe
from pymon_tui.server.actions import perform
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.services.notification import KEPT, LIFE, Level, Notification
from pymon_tui.services.notifications import Notifications
from tests.server.fake import unrecorded

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOLD = Notification("id-1", "kim:minjun", Level.WARNING, "응답 시간", 'p95 "2.3 s"', None, AT)
ACTION = notify("kim:minjun", Level.WARNING, "응답 시간", 'p95 "2.3 s"', id="id-1", at=AT)


async def test_it_is_kept_and_published_as_by_the_application(redis: Redis, server: EmbeddedServer) -> None:
    notifications = Notifications(redis)
    for _ in range(KEPT):
        await notifications.publish("kim:minjun", Level.OK, "old", "")
    async with redis.pubsub() as listener:
        await listener.subscribe("notifications:kim%3Aminjun")
        done = await perform(
            ACTION, Endpoint(socket=server.socket), Handshake.RESP3, read_only=False, record=unrecorded
        )
        assert done == Done(safe("1 subscribers received it"))
        recent = await notifications.recent("kim:minjun")
        assert recent[0] == TOLD
        assert len(recent) == KEPT
        assert LIFE - 60 < await redis.ttl("notifications:recent:kim%3Aminjun") <= LIFE
        subscribed, received = await listener.get_message(timeout=5), await listener.get_message(timeout=5)
        assert subscribed is not None
        assert received is not None
        assert received["data"] == TOLD.payload().decode()


async def test_all_of_it_is_refused_or_nothing(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser(
        "me", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-publish"], channels=["*"]
    )
    endpoint = Endpoint(socket=server.socket, username="me", password=SecretStr("pw"))
    refused = await perform(ACTION, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)
    assert isinstance(refused, NotDone)
    assert refused.remedy == "ACL SETUSER me +publish"
    assert await redis.dbsize() == 0


async def test_nothing_is_sent_where_nothing_may_be_written(redis: Redis, server: EmbeddedServer) -> None:
    endpoint = Endpoint(socket=server.socket)
    assert isinstance(await perform(ACTION, endpoint, Handshake.RESP3, read_only=True, record=unrecorded), NotDone)
    assert await redis.dbsize() == 0


def test_the_payload_is_read_once_before_it_is_sent() -> None:
    assert ACTION.lines == (
        "MULTI",
        "LPUSH notifications:recent:kim%3Aminjun PAYLOAD",
        "LTRIM notifications:recent:kim%3Aminjun 0 99",
        "EXPIRE notifications:recent:kim%3Aminjun 86400",
        "PUBLISH notifications:kim%3Aminjun PAYLOAD",
        "EXEC",
        f"PAYLOAD {TOLD.payload().decode()}",
    )
    long = notify("7", Level.OK, "x" * 5_000, "", id="1", at=AT)
    assert max(map(len, long.lines)) <= 281


def test_nobody_is_no_user() -> None:
    with pytest.raises(ValueError, match="user_id can't be empty"):
        notify("", Level.OK, "t", "m", id="1", at=AT)
