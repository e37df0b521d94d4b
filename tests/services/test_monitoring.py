"""Results and alerts: loaded once, removed by each update."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.services.cache import Cache
from pymon_tui.services.keys import ALERTS_RECENT
from pymon_tui.services.monitoring import LIMITS, Monitoring
from tests.services.application import client_of


class Database:
    """Where results and alerts are kept for good.

    Attributes:
        loads: What was asked for, in this order.
    """

    def __init__(self) -> None:
        self.state = "ok"
        self.newest = 300
        self.loads: list[object] = []

    async def result(self) -> dict[str, Any]:
        self.loads.append("result")
        return {"state": self.state}

    async def alerts(self, limit: int) -> list[int]:
        self.loads.append(limit)
        return list(range(self.newest, self.newest - limit, -1))

    async def fail(self) -> str:
        self.state = "failed"
        return "written"

    async def fail_and_break(self) -> None:
        self.state = "failed"
        raise OSError("the line broke")

    async def raise_alert(self) -> None:
        self.newest += 1


@pytest.fixture
async def monitoring(server: EmbeddedServer, redis: Redis) -> AsyncIterator[Monitoring]:
    async with client_of(server) as client:
        yield Monitoring(Cache(client))


@pytest.fixture
def database() -> Database:
    return Database()


async def test_a_result_is_loaded_once(monitoring: Monitoring, database: Database, redis: Redis) -> None:
    for _ in range(3):
        assert await monitoring.result(42, database.result) == {"state": "ok"}
    assert database.loads == ["result"]
    assert 260_000 < await redis.pttl("monitoring:result:42") <= 300_000


async def test_an_update_is_read_by_the_next(monitoring: Monitoring, database: Database) -> None:
    await monitoring.result(42, database.result)
    await monitoring.result(43, database.result)
    assert await monitoring.update_result(42, database.fail) == "written"
    assert await monitoring.result(42, database.result) == {"state": "failed"}
    assert await monitoring.result(43, database.result) == {"state": "ok"}


async def test_an_update_that_may_have_been_done_counts(monitoring: Monitoring, database: Database) -> None:
    await monitoring.result(42, database.result)
    with pytest.raises(OSError, match="the line broke"):
        await monitoring.update_result(42, database.fail_and_break)
    assert await monitoring.result(42, database.result) == {"state": "failed"}


async def test_alerts_are_kept_for_a_few_limits(monitoring: Monitoring, database: Database, redis: Redis) -> None:
    assert await monitoring.alerts(42, 3, database.alerts) == [300, 299, 298]
    assert await monitoring.alerts(42, 1, database.alerts) == [300]
    assert len(await monitoring.alerts(42, 10, database.alerts)) == 10
    assert len(await monitoring.alerts(42, 11, database.alerts)) == 11
    assert len(await monitoring.alerts(42, 100, database.alerts)) == 100
    assert database.loads == [10, 20, 100]
    assert sorted(await redis.keys("*")) == ["alerts:recent:42:10", "alerts:recent:42:100", "alerts:recent:42:20"]
    assert 52_000 < await redis.pttl("alerts:recent:42:20") <= 60_000


async def test_an_alert_is_read_by_the_next_without_a_scan(
    monitoring: Monitoring, database: Database, redis: Redis
) -> None:
    for limit in LIMITS:
        await monitoring.alerts(42, limit, database.alerts)
    await monitoring.alerts(4, 10, database.alerts)
    await redis.config_resetstat()
    await monitoring.update_alerts(42, database.raise_alert)
    stats: dict[str, Any] = await redis.info("commandstats")
    assert stats["cmdstat_unlink"]["calls"] == 1
    assert "cmdstat_scan" not in stats
    assert await redis.keys("*") == ["alerts:recent:4:10"]
    assert await monitoring.alerts(42, 2, database.alerts) == [301, 300]


@pytest.mark.parametrize("limit", [0, -1, 101])
async def test_limits_out_of_range(monitoring: Monitoring, database: Database, limit: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 100"):
        await monitoring.alerts(42, limit, database.alerts)


def test_an_invalidation_of_the_project_finds_all_its_alerts() -> None:
    pattern = ALERTS_RECENT.pattern(project_id=42)
    assert all(pattern.matches(ALERTS_RECENT.key(project_id=42, limit=limit).encode()) for limit in LIMITS)


async def test_a_redis_that_is_away_breaks_nothing(database: Database, tmp_path: Path) -> None:
    async with Redis(unix_socket_path=str(tmp_path / "s"), retry=Retry(NoBackoff(), 0)) as client:
        monitoring = Monitoring(Cache(client))
        assert await monitoring.result(42, database.result) == {"state": "ok"}
        assert await monitoring.update_result(42, database.fail) == "written"
        assert await monitoring.result(42, database.result) == {"state": "failed"}
        assert await monitoring.alerts(42, 2, database.alerts) == [300, 299]
