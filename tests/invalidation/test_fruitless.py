"""A server that bounds its clients, of which the run may not ask: less is asked at once, and in the end no more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.fruitless import LINE, MOST, PORTION, Fruitless
from pymon_tui.invalidation.pacing import Stopped
from pymon_tui.model.link import Trouble
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from tests.invalidation.planned import selecting, user_may
from tests.invalidation.removing import removed

pytestmark = pytest.mark.usefixtures("at_once")

LOST = LinkError(Trouble.UNREACHABLE, safe("the connection was cut"), safe(""))


def test_a_quarter_is_asked_for_after_each_connection_on_which_nothing_was_done() -> None:
    fruitless = Fruitless(0, LINE)
    fruitless.lost(1, LOST)
    assert (fruitless.portion, fruitless.in_a_row) == (PORTION, 0)
    fruitless.lost(1, LOST)
    fruitless.lost(1, LOST)
    assert (fruitless.portion, fruitless.in_a_row) == (PORTION // 16, 2)
    fruitless.lost(2, LOST)
    assert (fruitless.portion, fruitless.in_a_row) == (PORTION // 16, 0)
    for _ in range(MOST - 1):
        fruitless.lost(2, LOST)
    with pytest.raises(Stopped, match=r"^8 connections in a row .* the connection was cut; look at the line"):
        fruitless.lost(2, LOST)
    assert fruitless.portion == PORTION // 4 ** (MOST + 1)


@pytest.mark.parametrize(("size", "outcome"), [(20_000, "done"), (4_000_000, "stopped")])
async def test_copies_that_the_server_does_not_hold_come_in_small_portions_or_end_the_run(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, size: int, outcome: str
) -> None:
    count = 8_000_000 // size
    for number in range(count):
        await redis.set(f"cache:{number}", os.urandom(size))  # which a dump can't compress
    await redis.config_set("client-output-buffer-limit", "normal 1000000 0 0")
    await user_may(redis, "~*", "+@all", "-config")
    us = Endpoint(socket=server.socket, username="pymon")
    result = await removed(us, selecting("cache:*"), tmp_path, Options(undo=True))
    assert result.outcome == outcome
    assert result.tally.removed == (count if outcome == "done" else 0)
    assert ("client-output-buffer-limit normal" in result.why) == (outcome == "stopped")
