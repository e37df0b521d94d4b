"""The page on the keys and the library: its table is the declaration's, and its example runs."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.units import duration
from pymon_tui.services.keys import FAMILIES, NOTIFICATIONS_CHANNEL

PAGE = Path(__file__).parents[2] / "docs" / "services.md"


def test_the_table_is_what_the_keys_declare() -> None:
    (table,) = re.findall(r"<!-- families -->\n(.*?)<!-- end", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    declared = [
        f"| `{family.template}` | {family.meaning} | {duration(family.life) if family.life else 'stays'} |"
        for family in FAMILIES
    ]
    declared.append(f"| `{NOTIFICATIONS_CHANNEL.template}` | {NOTIFICATIONS_CHANNEL.meaning} | no key |")
    assert table.splitlines()[2:] == declared


async def test_the_example_runs(server: EmbeddedServer, redis: Redis) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    environment = {**os.environ, "REDIS_URL": f"unix://{server.socket}", "PYTHONIOENCODING": "utf-8"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", example, env=environment, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    assert said.decode().splitlines() == [
        "True",
        "1 session; log out everywhere: 1",
        "['복구 완료']",
        "2 keys of the project are gone",
    ]
