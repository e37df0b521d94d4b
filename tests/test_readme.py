"""What the README promises, tried on a real server."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.application.notification_actions import notify
from pymon_tui.application.session_actions import delete, extend, log_out
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.doctor.examination import examine
from pymon_tui.doctor.report import SIGNS, line
from pymon_tui.model.action import Done
from pymon_tui.permissions.users import users
from pymon_tui.readings.queries import QUERIES
from pymon_tui.server.actions import perform
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.known import EVERYTHING
from pymon_tui.services.notification import Level
from pymon_tui.services.session import LIFE
from pymon_tui.services.sessions import Sessions
from pymon_tui.settings import load
from pymon_tui.ui.panes import PANES
from pymon_tui.ui.panes.pane import Pane
from tests.permissions.making import KILL, endpoint_of, made
from tests.server.fake import unrecorded

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.needs("slowlog|get", "client|no-touch")
async def test_the_doctor_says_what_the_example_shows(redis: Redis, server: EmbeddedServer) -> None:
    (example,) = re.findall(r"^\$ pymon-tui .* doctor\n(.*?)```", README, re.DOTALL | re.MULTILINE)
    shown = {said[2:18].rstrip(): said for said in example.splitlines()}
    await redis.acl_setuser(
        "me", enabled=True, nopass=True, categories=["+@all"], commands=["-slowlog|get", "-client|kill"], keys=["*"]
    )
    endpoint = Endpoint(socket=server.socket, username="me")
    said = {finding.title: line(finding, SIGNS) async for finding in examine(endpoint, [])}
    for title in ("hand-shake", "login", "database", "Connection", "Slow log", "kill clients"):
        assert said[title] == shown[title]
    assert shown.keys() - said.keys() == {"TCP"}  # which a socket isn't


@pytest.mark.needs("acl|dryrun")  # of the age of selectors
async def test_what_more_is_needed_for_sessions_and_notifications(server: EmbeddedServer, redis: Redis) -> None:
    user = (await made(redis, server, "cache:*"))[KILL]
    for more in re.findall(rf"^ACL SETUSER {user.name} .*$", README, re.MULTILINE):
        await redis.execute_command(*more.split())  # type: ignore[no-untyped-call]
    sessions = Sessions(redis)
    ids = [(await sessions.create("kim.minjun", {})).id for _ in range(3)]
    await redis.acl_log_reset()
    actions = (
        extend(ids[0], "kim.minjun", LIFE),
        delete(ids[1], "kim.minjun", 0.0),
        log_out("kim.minjun", ids),
        notify("kim.minjun", Level.INFO, "hello", "", id="1", at=datetime.now(UTC)),
    )
    for action in actions:
        done = await perform(action, endpoint_of(server, user), Handshake.RESP3, read_only=False, record=unrecorded)
        assert isinstance(done, Done), done
    assert await redis.keys("*session*") == []
    assert await redis.acl_log() == []


def test_the_users_are_those_that_are_printed() -> None:
    names = re.findall(r"^\| `(pymon-\w+)` \|", README, re.MULTILINE)
    assert names == [user.name for user in users(EVERYTHING, [b"cache:*"], [])]


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
