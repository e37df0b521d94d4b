"""Runs on servers at maxmemory: other clients lose nothing by them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import headroom
from pymon_tui.invalidation.account import Options
from pymon_tui.model import units
from tests.conftest import StartServer, client_of
from tests.invalidation.planned import plan_of, selecting
from tests.invalidation.removing import removal_of, removed, under_way
from tests.server.listening import until

pytestmark = pytest.mark.usefixtures("at_once")

LIVE, GONE = 220, 220
SIZE = 20_000  # what matches takes twice the room that there is
UNLINK = Options(undo=True)
EXPIRE = Options(mode="expire", expire=600.0, undo=True)


@dataclass(frozen=True)
class Full:
    """A server that has no more room than it was given."""

    server: EmbeddedServer
    redis: Redis

    async def lost(self) -> int:
        """Keys that don't match and are gone."""
        return LIVE - len(await self.redis.keys("live:*"))

    async def evicted(self) -> int:
        """Keys evicted since it was filled."""
        return int((await self.redis.info("stats"))["evicted_keys"])


@asynccontextmanager
async def full(
    own_server: StartServer, policy: str, room: int, *, without: str = "", size: int = SIZE
) -> AsyncIterator[Full]:
    """A server with ``room`` bytes until its maxmemory; ``without`` is a command that it doesn't have."""
    server = own_server({"rename-command": f'{without} ""'} if without else None)
    end = 86_400 if policy.startswith("volatile") else None
    async with client_of(server) as redis:
        pipeline = redis.pipeline(transaction=False)
        for number in range(LIVE):
            pipeline.set(f"live:{number}", os.urandom(size), ex=end)
            if number < GONE:
                pipeline.set(f"gone:{number}", os.urandom(size), ex=end)
        await pipeline.execute()
        await redis.config_set("maxmemory-policy", policy)
        used = (await redis.info("memory"))["used_memory"]
        await redis.config_set("maxmemory", used + room)
        await redis.config_resetstat()
        yield Full(server, redis)


async def add_large(redis: Redis) -> None:
    """A key of 12 MB that matches, where there is room for 3 MB."""
    await redis.config_set("maxmemory", 0)
    await redis.setrange("gone:large", 12_000_000, "x")
    used = (await redis.info("memory"))["used_memory"]
    await redis.config_set("maxmemory", used + 3_000_000)


POLICIES = ("allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random")


async def test_no_other_key_is_evicted(any_server: EmbeddedServer, own_server: StartServer, tmp_path: Path) -> None:
    await by_policy(own_server, tmp_path, "allkeys-lru")


@pytest.mark.parametrize("policy", [*(one for one in POLICIES if one != "allkeys-lru"), "volatile-ttl", "noeviction"])
async def test_nor_by_another_policy(own_server: StartServer, tmp_path: Path, policy: str) -> None:
    await by_policy(own_server, tmp_path, policy)


async def by_policy(own_server: StartServer, folder: Path, policy: str) -> None:
    """A run on a full server costs no other client a key."""
    async with full(own_server, policy, 2 * 2**20) as at:
        result = await removed(at.server, selecting("gone:*"), folder, UNLINK)
        assert (result.outcome, result.tally.removed, result.undo_left_out) == ("done", GONE, 0)
        assert (await at.lost(), await at.evicted(), result.evicted) == (0, 0, 0)


@pytest.mark.parametrize("options", [EXPIRE, replace(UNLINK, undo=False), replace(EXPIRE, undo=False)])
async def test_the_same_in_every_mode(
    any_server: EmbeddedServer, own_server: StartServer, tmp_path: Path, options: Options
) -> None:
    async with full(own_server, "allkeys-lru", 2 * 2**20) as at:
        result = await removed(at.server, selecting("gone:*"), tmp_path, options)
        assert (result.outcome, result.tally.removed) == ("done", GONE)
        assert (await at.lost(), await at.evicted(), result.evicted) == (0, 0, 0)


async def test_the_same_where_there_is_no_unlink(
    any_server: EmbeddedServer, own_server: StartServer, tmp_path: Path
) -> None:
    async with full(own_server, "allkeys-lru", 2 * 2**20, without="UNLINK") as at:
        result = await removed(at.server, selecting("gone:*"), tmp_path, UNLINK)
        assert (result.outcome, result.tally.removed) == ("done", GONE)
        assert (await at.lost(), result.evicted) == (0, 0)


async def test_with_hardly_any_room_what_is_evicted_is_a_few_connections_worth(
    any_server: EmbeddedServer, own_server: StartServer, tmp_path: Path
) -> None:
    async with full(own_server, "allkeys-lru", 50_000) as at:
        result = await removed(at.server, selecting("gone:*"), tmp_path, UNLINK)
        evicted = await at.evicted()
        assert result.outcome == "done"
        assert evicted * SIZE < 600_000
        assert result.evicted is not None
        assert result.evicted <= evicted


async def test_other_clients_may_write_on(any_server: EmbeddedServer, own_server: StartServer, tmp_path: Path) -> None:
    async with full(own_server, "noeviction", 2**20) as at, client_of(at.server) as other:
        removal = await removal_of(at.server, selecting("gone:*"), tmp_path, UNLINK)
        written = 0
        async with under_way(removal) as task:
            while not task.done():
                await other.set("live:0", os.urandom(SIZE))  # an error where there is no room
                written += 1
            assert (await task).tally.removed == GONE
        assert written


async def test_a_plan_says_what_a_run_is_like_there(own_server: StartServer) -> None:
    async with full(own_server, "allkeys-lru", 2 * 2**20) as at:
        plan = await plan_of(at.server, selecting("gone:*"))
        assert plan.room is not None
        assert plan.room < 2 * 2**20
        (warning,) = plan.warnings
        assert warning.startswith(f"{units.bytes_(plan.room)} of room are left until maxmemory, and allkeys-lru evicts")
        assert warning.endswith("the undo is kept in tiny portions, which is slower; without an undo it is quicker")
        assert (plan.as_json()["room"], plan.as_json()["warnings"]) == (plan.room, [warning])
        assert (await plan_of(at.server, selecting("gone:*"), undo=False)).warnings == ()
        assert await at.evicted() == 0
        await at.redis.config_set("maxmemory", 0)
        plan = await plan_of(at.server, selecting("gone:*"))
        assert (plan.room, plan.warnings) == (None, ())


async def test_a_key_that_there_is_no_room_for_stops_it_until_there_is(
    own_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headroom, "PATIENCE", 0.5)
    async with full(own_server, "noeviction", 2 * 2**20, size=200) as at:
        await add_large(at.redis)
        plan = await plan_of(at.server, selecting("gone:*"))
        assert "the run stops there unless there is room" in plan.warnings[0]
        result = await removed(at.server, selecting("gone:*"), tmp_path, UNLINK)
        left = len(await at.redis.keys("gone:*"))
        assert (result.outcome, result.tally.removed) == ("stopped", GONE + 1 - left)
        assert "of room until maxmemory, and the next key's undo takes 1" in result.why
        assert await at.redis.exists("gone:large")
        # It goes on as soon as there is room.
        removal = await removal_of(at.server, selecting("gone:*"), tmp_path, UNLINK)
        monkeypatch.setattr(headroom, "PATIENCE", 60.0)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.state == "holding")
            assert "the next key's undo takes" in removal.progress.why
            await at.redis.config_set("maxmemory", 0)
            assert (await task).tally.removed == left


async def test_who_waits_for_room_may_be_cancelled(own_server: StartServer, tmp_path: Path) -> None:
    async with full(own_server, "noeviction", 2 * 2**20, size=200) as at:
        await add_large(at.redis)
        removal = await removal_of(at.server, selecting("gone:*"), tmp_path, UNLINK)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.state == "holding")
            removal.cancel()
            async with asyncio.timeout(5):
                assert (await task).outcome == "cancelled"
        assert await at.redis.exists("gone:large")
