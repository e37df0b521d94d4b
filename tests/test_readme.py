"""What the README promises, tried on a real server."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.application.groups import DATABASE_SIZE
from pymon_tui.application.notification_actions import notify
from pymon_tui.application.recent import RECENT
from pymon_tui.application.session_actions import delete, extend, log_out
from pymon_tui.application.sessions import OF_SESSIONS
from pymon_tui.application.statistics import APPLICATION_DAYS, APPLICATION_TODAY
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.model.action import Done
from pymon_tui.model.query import Ready
from pymon_tui.once import _read
from pymon_tui.readings import QUERIES
from pymon_tui.server.actions import perform
from pymon_tui.server.connection import Handshake, open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller
from pymon_tui.services.keys import NOTIFICATIONS_RECENT, STATS_HITS
from pymon_tui.services.notification import Level
from pymon_tui.services.session import LIFE
from pymon_tui.services.sessions import Sessions
from pymon_tui.settings import Settings, load
from pymon_tui.settings.desk import desk_of
from pymon_tui.ui.panes import PANES
from pymon_tui.ui.panes.application import ApplicationPane
from pymon_tui.ui.panes.pane import Pane
from tests.server.fake import unrecorded

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


async def test_the_least_privileged_user_can_do_all_of_it(server: EmbeddedServer, redis: Redis) -> None:
    line, *_ = re.findall(r"^ACL SETUSER pymon .*$", README, re.MULTILINE)
    (more,) = re.findall(r"add `(\+client\|no-touch)`", README)
    await redis.execute_command(*line.split(), more)  # type: ignore[no-untyped-call]
    await redis.acl_log_reset()
    endpoint = Endpoint(socket=server.socket, username="pymon", password=SecretStr("CHANGE-ME"))
    readings, _ = await _read(endpoint)
    assert {name: reading for name, reading in readings.items() if not isinstance(reading, Ready)} == {}
    assert await redis.acl_log() == []


async def test_the_user_for_sessions_can_do_all_of_it(server: EmbeddedServer, redis: Redis) -> None:
    lines = re.findall(r"^ACL SETUSER pymon .*$", README, re.MULTILINE)
    for line in lines[:2]:
        await redis.execute_command(*line.split(), "+client|no-touch")  # type: ignore[no-untyped-call]
    sessions = Sessions(redis)
    ids = [(await sessions.create("kim.minjun", {})).id for _ in range(3)]
    await redis.acl_log_reset()
    endpoint = Endpoint(socket=server.socket, username="pymon", password=SecretStr("CHANGE-ME"))
    poller = Poller((*OF_SESSIONS, DATABASE_SIZE))
    session, _ = await open_session(endpoint)
    for now in range(2):
        await poller.tick(session, now, 1, poller.readings)
    await session.close()
    assert {name: reading for name, reading in poller.readings.items() if not isinstance(reading, Ready)} == {}
    for line in lines[2:]:
        await redis.execute_command(*line.split())  # type: ignore[no-untyped-call]
    actions = extend(ids[0], "kim.minjun", LIFE), delete(ids[1], "kim.minjun", 0.0), log_out("kim.minjun", ids)
    for action in actions:
        done = await perform(action, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)
        assert isinstance(done, Done), done
    assert await redis.keys("*") == []
    assert await redis.acl_log() == []


async def test_the_user_for_statistics_and_notifications_can_do_all_of_it(server: EmbeddedServer, redis: Redis) -> None:
    user, _, _, reading, writing, _ = re.findall(r"^ACL SETUSER pymon .*$", README, re.MULTILINE)
    for line in (user, reading):
        await redis.execute_command(*line.split(), "+client|no-touch")  # type: ignore[no-untyped-call]
    await redis.hset(STATS_HITS.key(day=datetime.now(UTC).date()), "report", "1")
    await redis.rpush(NOTIFICATIONS_RECENT.key(user_id="kim.minjun"), "hello")
    await redis.acl_log_reset()
    endpoint = Endpoint(socket=server.socket, username="pymon", password=SecretStr("CHANGE-ME"))
    poller = Poller((APPLICATION_TODAY, APPLICATION_DAYS, RECENT))
    session, _ = await open_session(endpoint)
    for now in range(2):
        await poller.tick(session, now, 1, poller.readings)
    await session.close()
    assert {name: gap for name, gap in poller.readings.items() if not isinstance(gap, Ready)} == {}
    await redis.execute_command(*writing.split())  # type: ignore[no-untyped-call]
    told = notify("kim.minjun", Level.INFO, "hello", "", id="1", at=datetime.now(UTC))
    done = await perform(told, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)
    assert isinstance(done, Done), done
    assert await redis.acl_log() == []


async def test_the_user_for_the_application_pane_can_do_all_of_it(server: EmbeddedServer, redis: Redis) -> None:
    user, *_, looking = re.findall(r"^ACL SETUSER pymon .*$", README, re.MULTILINE)
    for line in (user, looking):
        await redis.execute_command(*line.split(), "+client|no-touch")  # type: ignore[no-untyped-call]
    await redis.set("feed:1", "x")
    await redis.acl_log_reset()
    endpoint = Endpoint(socket=server.socket, username="pymon", password=SecretStr("CHANGE-ME"))
    poller = Poller(ApplicationPane.QUERIES)
    session, _ = await open_session(endpoint)
    for now in range(2):
        await poller.tick(session, now, 1, poller.readings)
    await session.close()
    assert {name: gap for name, gap in poller.readings.items() if not isinstance(gap, Ready)} == {}
    async with desk_of(endpoint, Settings()).browsing(parse_pattern("feed:*")) as browsing:
        (sample,) = await browsing.more()
        facts = await browsing.facts(sample.key)
        assert None not in (sample.type, sample.pttl_ms, sample.bytes, sample.idle, facts.encoding)
        assert browsing.refusals == ()
    assert await redis.acl_log() == []


async def test_the_user_for_invalidation_can_do_all_of_it(server: EmbeddedServer, redis: Redis) -> None:
    (line,) = re.findall(r"^ACL SETUSER pymon-keys .*$", README, re.MULTILINE)
    await redis.execute_command(*line.split(), "+client|no-touch")  # type: ignore[no-untyped-call]
    await redis.mset({f"a:{number}": number for number in range(20)})
    await redis.acl_log_reset()
    endpoint = Endpoint(socket=server.socket, username="pymon-keys", password=SecretStr("CHANGE-ME"))
    desk = desk_of(endpoint, Settings())
    filters = Filters(expiry="none", idle_over=0, larger_than=0)
    asking = desk.selection((parse_pattern("a:*"),), filters, every=False)
    assert (await desk.planning(asking, "expire", undo=True).run()).refusals == ()
    plan = await desk.planning(replace(asking, filters=Filters()), "unlink", undo=True).run()
    assert plan.refusals == ()
    result = await desk.removal(plan, Options(), None).run()
    assert (result.outcome, result.tally.removed) == ("done", 20)
    restore = desk.restore(desk.records()[0], replace=False, elsewhere=False)
    assert restore is not None
    assert (await restore.run()).tally.restored == 20
    ending = await desk.removal(plan, Options(mode="expire", expire=100.0), None).run()
    assert (ending.outcome, ending.tally.removed) == ("done", 20)
    assert await redis.acl_log() == []


def test_the_settings_of_invalidation_are_settings(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(protected.*?)```", README, re.DOTALL)
    config = tmp_path / "config.toml"
    config.write_text(example)
    settings = load({}, profile=None, environ={}, dotenv=None, config=config, warn=pytest.fail)
    assert [pattern.shown for pattern in settings.protected] == ["session:*"]
    assert settings.presets[0].about == "results and alerts of one project"


def test_every_reading_is_listed() -> None:
    (row,) = re.findall(r"^\| `nodes\[\]\.readings` .*$", README, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) >= {query.name for query in QUERIES}


def test_the_example_is_json() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert json.loads(example)["schema_version"] == 1


@pytest.mark.parametrize("pane", PANES)
def test_every_pane_of_the_overview_has_its_reading_in_once(pane: type[Pane]) -> None:
    assert not pane.IN_OVERVIEW or set(pane.QUERIES) <= set(QUERIES)
