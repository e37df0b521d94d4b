"""Outages: a server that is away is asked now and then by one, and the log says so once a while."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.services.outage import LOG_EVERY, REST, Outage
from tests.services.application import Clock


class Server:
    """Answers, or raises what it is told to.

    Attributes:
        error: What it raises, or None.
        asked: How often it was asked.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return "answer"


@pytest.mark.parametrize("error", [RedisConnectionError(), RedisTimeoutError(), OSError(), TimeoutError()])
async def test_a_server_that_is_away_is_asked_by_one_at_a_time(error: Exception) -> None:
    clock, server = Clock(), Server()
    outage = Outage("on we go", clock=clock)
    assert await outage.ask(server) == ("answer",)
    server.error = error
    assert await outage.ask(server) is None
    assert await outage.ask(server) is None
    assert server.asked == 2
    assert await outage.ask(server, insistently=True) is None
    assert (server.asked, outage.errors) == (3, 2)
    clock.now += REST
    server.error = None

    async def others() -> str:
        assert await outage.ask(server) is None  # one asks already
        return await server()

    assert await outage.ask(others) == ("answer",)
    assert await outage.ask(server) == ("answer",)


async def test_an_error_reply_is_an_answer_too() -> None:
    server = Server()
    outage = Outage("on we go", clock=Clock())
    server.error = RedisConnectionError()
    assert await outage.ask(server) is None
    server.error = ResponseError("WRONGTYPE")
    assert await outage.ask(server, insistently=True) is None
    server.error = None
    assert await outage.ask(server) == ("answer",)
    assert outage.errors == 2


async def test_the_log_says_so_once_a_while(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    outage = Outage("on we go", clock=clock)
    for number in range(5):
        outage.failed(RedisError(f"error {number}\x1b[31m"))
    clock.now += LOG_EVERY
    outage.failed(RedisConnectionError())
    first, second = (record.message for record in caplog.records)
    assert first.startswith("Redis: error 0")
    assert first.endswith("; on we go (errors since the last such line: 1)")
    assert "\x1b" not in first
    assert second == "Redis: ConnectionError; on we go (errors since the last such line: 5)"


async def test_other_errors_are_the_caller_s() -> None:
    server = Server()
    server.error = ValueError("a mistake")
    with pytest.raises(ValueError, match="a mistake"):
        await Outage("on we go", clock=Clock()).ask(server)
