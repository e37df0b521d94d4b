from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = "import sys; from pymon_tui.server.deferred_packages import defer_redis; defer_redis()\n"
HEAVY = ("redis.client", "redis.cluster", "redis.asyncio.client", "redis.asyncio.cluster", "redis.commands.core")


def ran(code: str) -> str:
    """What this code prints in a process of its own, in which redis-py's packages are deferred."""
    return subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("module", ["removing.invalidate", "removing.undo", "once"])
def test_a_command_imports_no_client_of_redis_py(module: str) -> None:
    code = (
        f"import pymon_tui.{module}; print([name for name in {HEAVY} if name in sys.modules], 'redis' in sys.modules)"
    )
    assert ran(code) == "[] True\n"


@pytest.mark.parametrize(
    "code",
    [
        "from redis import Redis; Redis()",
        "from redis.asyncio import Redis; Redis()",
        "from redis.asyncio.client import Pipeline",
        "from redis.client import Redis; Redis()",
        "from redis.commands import CoreCommands",
        "from redis.commands.core import CoreCommands",
        "from redis.asyncio.cluster import RedisCluster",
        "import redis; redis.Redis(); redis.asyncio.Redis(); redis.exceptions.ResponseError; redis.__version__",
        "import redis.asyncio.connection; from redis import asyncio; asyncio.Redis()",
        "from redis.asyncio import *; Redis()",
        "import pymon_tui.services.cache, pymon_tui.demo.workload",
    ],
)
def test_all_of_it_is_there_for_who_asks(code: str) -> None:
    same = "import redis, redis.exceptions as own; assert redis.ResponseError is own.ResponseError"
    assert ran(f"{code}\n{same}\nprint('done')") == "done\n"


def test_what_isnt_there_is_missing_as_ever() -> None:
    assert ran("import redis; print(hasattr(redis, 'nothing'), hasattr(redis.asyncio, 'nothing'))") == "False False\n"


def test_threads_that_ask_at_once_get_the_same() -> None:
    code = (
        "import redis\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    asked = [pool.submit(lambda: redis.Redis) for _ in range(8)]\n"
        "print(len({id(one.result()) for one in asked}))"
    )
    assert ran(code) == "1\n"


def test_what_is_imported_already_stays() -> None:
    code = "import redis; before = redis.Redis; defer_redis(); import redis as after; print(after.Redis is before)"
    assert ran(code) == "True\n"
