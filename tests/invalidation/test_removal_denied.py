from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.cutting import cutting
from tests.invalidation.planned import selecting, user_may
from tests.invalidation.removing import PLAIN, populate, removal_of, removed

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options(undo=True)
SLOW = Options(undo=False, rate=10_000)


async def test_a_key_that_is_not_ours_is_refused_alone(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "a:", 500)
    await populate(redis, "b:", 30)
    await user_may(redis, "~a:*", "+@all")
    us = Endpoint(socket=server.socket, username="pymon")
    for options in (PLAIN, KEPT, Options(mode="expire", expire=1_000, undo=False)):
        await populate(redis, "a:", 500)
        result = await removed(us, selecting("[ab]:*"), tmp_path, options)
        assert (result.outcome, result.why, result.left) == ("done", "", 30)
        assert (result.tally.matched, result.tally.removed, result.tally.refused) == (530, 500, 30)
        assert sorted(result.refused_keys) == sorted(b"b:%d" % number for number in range(1, 31))


async def test_keys_that_are_not_ours_are_settled_as_kept(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "a:", 50)
    await populate(redis, "b:", 3)
    await user_may(redis, "~a:*", "+@all")
    async with cutting(server.socket, b"UNLINK", uncut=0, arrives=True) as line:
        us = Endpoint(socket=line.path, username="pymon")
        result = await removed(us, selecting("[ab]:*"), tmp_path)
    assert (result.tally.removed, result.tally.refused, result.tally.unknown) == (50, 3, 0)


@pytest.mark.parametrize("command", ["unlink", "dump", "scan", "pttl"])
@pytest.mark.needs("acl|dryrun")
async def test_a_command_that_is_denied_ends_it(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, command: str
) -> None:
    await populate(redis, "cache:", 3_000)
    await user_may(redis, "~*", "+@all", "-acl|dryrun")
    us = Endpoint(socket=server.socket, username="pymon")
    removal = await removal_of(us, selecting("cache:*"), tmp_path, KEPT)
    await user_may(redis, "~*", "+@all", f"-{command}")
    await redis.config_resetstat()
    result = await removal.run()
    assert result.outcome == "stopped"
    assert f"{command.upper()} was refused: NOPERM" in result.why
    assert f"ACL SETUSER pymon +{command}" in result.why
    assert (result.tally.removed, result.tally.refused, await redis.dbsize()) == (0, 0, 3_000)
    if command == "unlink":
        assert (await redis.info("commandstats"))["cmdstat_unlink"]["rejected_calls"] <= 2


@pytest.mark.needs("memory|usage")
async def test_what_is_only_good_to_know_may_be_denied(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 5_000)
    await user_may(redis, "~*", "+@all", "-role", "-acl", "-ping", "-memory|usage")
    us = Endpoint(socket=server.socket, username="pymon")
    result = await removed(us, selecting("cache:*"), tmp_path, KEPT)
    assert (result.outcome, result.tally.removed, result.left) == ("done", 5_000, 0)
    assert (await redis.info("commandstats"))["cmdstat_role"]["rejected_calls"] == 1
    await populate(redis, "cache:", 5_000)
    await user_may(redis, "~*", "+@all", "-role", "-info")
    result = await removed(us, selecting("cache:*"), tmp_path)
    assert (result.outcome, result.tally.removed, result.left) == ("done", 5_000, 0)
