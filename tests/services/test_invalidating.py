"""What the application keeps of a project, of a user, of everybody goes: from Redis, and from every process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.presets import BUILT_IN
from pymon_tui.invalidation.selection import SelectionError
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from pymon_tui.services import keys
from pymon_tui.services.connection import connect
from pymon_tui.services.invalidating import Invalidated, Invalidator
from pymon_tui.services.local import ABSENT, LocalCache
from pymon_tui.services.tracking import CHANNEL
from tests.demo.waiting import a_moment

OF_42 = (
    "monitoring:result:42", "alerts:recent:42:10", "alerts:recent:42:20", "project:stats:42", "project:config:42",
)  # fmt: skip
OTHERS = ("monitoring:result:421", "alerts:recent:4:20", "project:report:42", "session:42", "user:sessions:42")


@pytest.fixture
async def app(redis: Redis, server: EmbeddedServer) -> AsyncIterator[Redis]:
    """The application's client."""
    async with connect(Endpoint(socket=server.socket), name="app") as client:
        yield client


async def fill(redis: Redis, names: Iterable[str]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.set(name, "v")
    await pipeline.execute()


async def names(redis: Redis) -> set[str]:
    return {str(name) for name in await redis.keys("*")}


async def calls(redis: Redis, *commands: str) -> list[int]:
    """How often each was called."""
    stats: dict[str, Any] = await redis.info("commandstats")
    return [stats.get(f"cmdstat_{command}", {"calls": 0})["calls"] for command in commands]


async def test_what_is_kept_of_a_project(app: Redis, redis: Redis) -> None:
    await fill(redis, (*OF_42, *OTHERS))
    assert await Invalidator(app, None).invalidate_project(42) == Invalidated(removed=5, refused=0)
    assert await names(redis) == set(OTHERS)


async def test_what_is_kept_of_a_user_needs_no_scan(app: Redis, redis: Redis) -> None:
    gone = ("user:sessions:7", "user:preferences:7", "notifications:recent:7")
    stays = ("session:7", "user:sessions:77", "notifications:recent:*")
    await fill(redis, (*gone, *stays))
    assert await Invalidator(app, None).invalidate_user(7) == Invalidated(removed=3, refused=0)
    assert await names(redis) == set(stays)
    assert await calls(redis, "unlink", "scan") == [1, 0]


async def test_what_is_kept_for_everybody(app: Redis, redis: Redis) -> None:
    gone = [f"{kind}:{number}" for kind in ("system:stats", "global:config", "cache:version") for number in range(900)]
    await fill(redis, (*gone, *OTHERS, "cache:stats:hits:2026-11-22"))
    assert await Invalidator(app, None).invalidate_global() == Invalidated(removed=2_700, refused=0)
    assert await names(redis) == {*OTHERS, "cache:stats:hits:2026-11-22"}


@pytest.mark.parametrize("user_id", ["*", "a:b", "[7]", "김철수", "\\"])
async def test_an_id_is_never_more_than_itself(app: Redis, redis: Redis, user_id: str) -> None:
    own = keys.USER_PREFERENCES.key(user_id=user_id)
    stays = ("user:preferences:7", "user:preferences:a")
    await fill(redis, (own, *stays))
    assert (await Invalidator(app, None).invalidate_user(user_id)).removed == 1
    assert await names(redis) == set(stays)


def test_the_presets_are_those_of_the_screen() -> None:
    presets = {preset.name: preset for preset in BUILT_IN}
    assert presets["project"].filled({"project_id": "42"}) == tuple(
        family.pattern(project_id=42) for family in keys.OF_PROJECT
    )
    assert presets["user"].filled({"user_id": "7"}) == tuple(family.pattern(user_id=7) for family in keys.OF_USER)
    assert presets["global"].filled({}) == tuple(family.pattern() for family in keys.OF_ALL)


async def test_protected_keys_stay(app: Redis, redis: Redis) -> None:
    await fill(redis, OF_42)
    protected = [Pattern(b"project:config:*"), Pattern(b"*:20")]
    assert (await Invalidator(app, None, protected=protected).invalidate_project(42)).removed == 3
    assert await names(redis) == {"project:config:42", "alerts:recent:42:20"}


async def test_the_first_tier_of_this_process_is_rid_of_them_at_once(app: Redis) -> None:
    local = LocalCache(10)
    local.open()
    for name in (*OF_42, *OTHERS):
        local.fill(name.encode(), local.begin(name.encode()), name, 60.0)
    await Invalidator(app, local).invalidate_project(42)
    assert [name for name in (*OF_42, *OTHERS) if local.get(name.encode()) is not ABSENT] == list(OTHERS)


async def test_the_channel_tells_after_they_are_gone(app: Redis, redis: Redis) -> None:
    await fill(redis, OF_42)
    async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(CHANNEL.decode())
        await Invalidator(app, None).invalidate_project(42)
        globs: list[str] = []
        while len(globs) < 4:
            message = await pubsub.get_message(timeout=10)
            globs += [message["data"]] if message is not None else []
    assert globs == [family.pattern(project_id=42).glob.decode() for family in keys.OF_PROJECT]


@pytest.mark.parametrize("patterns", [(), (b"a", b"*")])
async def test_nothing_and_everything_are_no_invalidation(
    app: Redis, redis: Redis, patterns: tuple[bytes, ...]
) -> None:
    await fill(redis, ("a", "b"))
    with pytest.raises(SelectionError):
        await Invalidator(app, None).invalidate([Pattern(glob) for glob in patterns])
    assert await names(redis) == {"a", "b"}


@pytest.mark.parametrize(
    ("rules", "command"),
    [
        (("~*", "&*", "+@all", "-unlink"), "UNLINK"),
        (("~*", "&*", "+@all", "-scan"), "SCAN"),
        (("~*", "resetchannels", "+@all"), "PUBLISH"),
        (("~alerts:*", "&*", "+@all"), "UNLINK"),
    ],
)
async def test_a_refusal_names_the_command_and_the_cure(
    redis: Redis, server: EmbeddedServer, rules: tuple[str, ...], command: str
) -> None:
    await redis.execute_command("ACL", "SETUSER", "app", "on", "nopass", *rules)  # type: ignore[no-untyped-call]
    async with Redis(unix_socket_path=server.socket, username="app", password="any") as app:
        with pytest.raises(Refused, match=rf"^{command} was refused: .*; ACL SETUSER app "):
            await Invalidator(app, None).invalidate_project(42)


async def test_keys_that_are_not_ours_to_touch_are_counted(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ("alerts:recent:1:20", "alerts:recent:2:20"))
    rules = ("~alerts:recent:1:*", "&*", "+@all")
    await redis.execute_command("ACL", "SETUSER", "app", "on", "nopass", *rules)  # type: ignore[no-untyped-call]
    async with Redis(unix_socket_path=server.socket, username="app", password="any") as app:
        account = await Invalidator(app, None).invalidate([Pattern(b"alerts:recent:*")])
    assert account == Invalidated(removed=1, refused=1)


@pytest.mark.parametrize("glob", [b"a", b"a*"])
async def test_a_server_that_is_down_is_said_and_the_first_tier_is_rid_of_them(tmp_path: Path, glob: bytes) -> None:
    local = LocalCache(10)
    local.open()
    local.fill(b"a", local.begin(b"a"), 1, 60.0)
    async with Redis(unix_socket_path=str(tmp_path / "s"), retry=Retry(NoBackoff(), 0)) as app:
        with pytest.raises(LinkError, match="no socket at"):
            await Invalidator(app, local).invalidate([Pattern(glob)])
    assert local.get(b"a") is ABSENT


async def test_no_connection_is_left_behind(app: Redis, redis: Redis) -> None:
    await Invalidator(app, None).invalidate([Pattern(b"a*")])
    while len(await redis.client_list()) > 2:
        await a_moment()
