"""What the README promises, tried on a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Ready
from pymon_tui.once import _read
from pymon_tui.readings import QUERIES
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.ui.panes import PANES

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


async def test_the_least_privileged_user_can_do_all_of_it(server: EmbeddedServer, redis: Redis) -> None:
    (line,) = re.findall(r"^ACL SETUSER pymon .*$", README, re.MULTILINE)
    (more,) = re.findall(r"add `(\+client\|no-touch)`", README)
    await redis.execute_command(*line.split(), more)  # type: ignore[no-untyped-call]
    await redis.acl_log_reset()
    endpoint = Endpoint(socket=server.socket, username="pymon", password=SecretStr("CHANGE-ME"))
    readings, _ = await _read(endpoint)
    assert {name: reading for name, reading in readings.items() if not isinstance(reading, Ready)} == {}
    assert await redis.acl_log() == []


def test_every_reading_is_listed() -> None:
    (row,) = re.findall(r"^\| `nodes\[\]\.readings` .*$", README, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) >= {query.name for query in QUERIES}


def test_the_example_is_json() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert json.loads(example)["schema_version"] == 1


@pytest.mark.parametrize("pane", PANES)
def test_every_pane_has_its_reading_in_once(pane: type) -> None:
    assert set(pane.QUERIES) <= set(QUERIES)  # type: ignore[attr-defined]
