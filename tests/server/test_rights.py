"""What our user may do, told by ACL DRYRUN or by asking, on real servers."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.text import safe
from pymon_tui.server.commands import SENT, Use
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.known import EVERYTHING, Known, known_to
from pymon_tui.server.rights import Answer, Right, example, rights

CHANNELS = (b"news", b"n:*")


async def run(redis: Redis, *words: str) -> None:
    await redis.execute_command(*words)  # type: ignore[no-untyped-call]


async def rights_of(redis: Redis, server: EmbeddedServer, *rules: str, known: Known | None = None) -> dict[str, Right]:
    """The rights of a user called me, without a password, with these rules."""
    await run(redis, "ACL", "SETUSER", "me", "reset", "on", "nopass", *rules)
    await redis.acl_log_reset()
    session, _ = await open_session(Endpoint(socket=server.socket, username="me"))
    try:
        found = await rights(
            session, safe("me"), known or await known_to(session), heard={}, keys={}, channels=CHANNELS
        )
    finally:
        await session.close()
    return {right.sent.name: right for right in found}


def test_every_command_has_an_example() -> None:
    for sent in SENT:
        if sent.name not in ("hello", "auth"):
            assert example(sent.name, {}, CHANNELS)


@pytest.mark.needs("acl|dryrun")
@pytest.mark.parametrize("way", ["dryrun", "asking"])
async def test_who_may_do_all(redis: Redis, server: EmbeddedServer, way: str) -> None:
    await redis.set("other", "1")
    found = await rights_of(redis, server, "+@all", "~*", "&*", *(["-acl|dryrun"] if way == "asking" else []))
    told = {name for name, right in found.items() if right.answer is Answer.ALLOWED}
    untold = {name for name, right in found.items() if right.answer is Answer.UNTOLD}
    denied = {name: right for name, right in found.items() if right.answer in (Answer.DENIED, Answer.PARTLY)}
    if way == "dryrun":
        assert untold == set()
    else:
        assert {"unlink", "client|kill", "config|set", "publish"} <= untold
        assert denied.pop("acl|dryrun").answer is Answer.DENIED
    assert denied == {}
    assert {"info", "scan", "psubscribe", "subscribe", "pubsub|channels", "pttl"} <= told
    # Whatever was tried, nothing came of it.
    assert await redis.keys("*") == ["other"]
    assert (await redis.config_get("slowlog-log-slower-than"))["slowlog-log-slower-than"] == "10000"


@pytest.mark.needs("acl|dryrun")
@pytest.mark.parametrize("way", ["dryrun", "asking"])
async def test_what_is_denied_is_told_with_its_line(redis: Redis, server: EmbeddedServer, way: str) -> None:
    rules = [
        "+@all",
        "~cache:*",
        "&news",
        "-slowlog|get",
        "-client|list",
        *(["-acl|dryrun"] if way == "asking" else []),
    ]
    found = await rights_of(redis, server, *rules)
    assert (found["slowlog|get"].answer, found["slowlog|get"].remedy) == (Answer.DENIED, "ACL SETUSER me +slowlog|get")
    assert found["client|list"].answer is Answer.DENIED
    assert found["subscribe"].answer is Answer.ALLOWED
    assert found["psubscribe"].answer is Answer.PARTLY
    assert found["hgetall"].answer is Answer.PARTLY
    assert found["info"].answer is Answer.ALLOWED
    objects = [str(entry["object"]) for entry in await redis.acl_log()]
    assert len(objects) == len(set(objects))
    if way == "dryrun":
        assert objects == []


async def test_a_server_of_any_kind_tells(any_redis: Redis, any_server: EmbeddedServer) -> None:
    found = await rights_of(any_redis, any_server, "+@all", "~*", "&*")
    panes = [right for right in found.values() if Use.SERVER in right.sent.uses or Use.CLIENTS in right.sent.uses]
    newer = [] if await _version(any_redis) >= 7 else [found["latency|histogram"]]
    # Not asked there: it would be an error.
    assert [(right.answer, right.detail) for right in newer] in ([], [(Answer.MISSING, "")])
    assert {right.answer for right in panes if right not in newer} == {Answer.ALLOWED}
    assert Answer.DENIED not in {right.answer for right in found.values()}


async def _version(redis: Redis) -> int:
    return int((await redis.info("server"))["redis_version"].partition(".")[0])


async def test_what_a_server_has_not_is_missing(redis: Redis, server: EmbeddedServer) -> None:
    known = Known(EVERYTHING.commands - {"slowlog|get"}, selectors=True, told=True)
    found = await rights_of(redis, server, "+@all", "~*", "&*", known=known)
    assert found["slowlog|get"].answer is Answer.MISSING
