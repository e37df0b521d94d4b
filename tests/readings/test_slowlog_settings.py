from __future__ import annotations

import pytest
from redis.asyncio import Redis

from pymon_tui.model.action import Action
from pymon_tui.model.query import Part, Reply
from pymon_tui.model.text import safe
from pymon_tui.readings.slowlog_settings import (
    SLOWLOG_SETTINGS,
    SlowlogSettings,
    change_threshold,
    decode_settings,
    duration,
    parse_threshold,
    reset_slowlog,
)
from tests.replies import recorded


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
@pytest.mark.parametrize("protocol", ["resp2", "resp3"])
def test_recorded_settings(server: str, protocol: str) -> None:
    assert decode_settings(recorded(f"config-get-slowlog.{server}.{protocol}")) == SlowlogSettings(10_000, 128)


@pytest.mark.parametrize("reply", [[], {}, [b"slowlog-max-len"], {b"slowlog-max-len": b"many"}, [1, 2]])
def test_what_the_server_does_not_tell_is_unknown(reply: Reply) -> None:
    assert decode_settings(reply) == SlowlogSettings(None, None)


@pytest.mark.parametrize("reply", [None, b"OK", 3])
def test_what_are_no_settings_is_refused(reply: Reply) -> None:
    with pytest.raises(ValueError, match="CONFIG GET"):
        decode_settings(reply)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("10ms", 10_000),
        (" 1.5 MS ", 1_500),
        ("500us", 500),
        ("500 µs", 500),
        ("2s", 2_000_000),
        ("10000", 10_000),
        ("0", 0),
        ("-1", -1),
        ("off", -1),
    ],
)
def test_thresholds_that_people_type(text: str, microseconds: int) -> None:
    assert parse_threshold(text) == microseconds


@pytest.mark.parametrize("text", ["", "fast", "-5", "10 m", "1e9", "٣", "2days", "999999s", "1.2.3ms"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a time|longer than a day"):
        parse_threshold(text)


@pytest.mark.parametrize("microseconds", [0, 1, 999, 1_000, 1_500, 10_000, 999_999, 1_500_000, 86_400_000_000])
def test_a_threshold_reads_back(microseconds: int) -> None:
    assert parse_threshold(duration(microseconds)) == microseconds


async def sent(redis: Redis, action: Action) -> None:
    """The action's command, carried out."""
    assert isinstance(action.command, tuple)
    await redis.execute_command(*action.command)  # type: ignore[no-untyped-call]


async def test_the_server_takes_what_the_actions_send(redis: Redis) -> None:
    action = change_threshold(2_500)
    assert action.shown == "CONFIG SET slowlog-log-slower-than 2500"
    assert "2.5 ms" in action.effect
    await sent(redis, action)
    assert (await redis.config_get("slowlog-log-slower-than"))["slowlog-log-slower-than"] == "2500"
    await sent(redis, change_threshold(0))
    assert await redis.slowlog_len() > 0
    await sent(redis, change_threshold(-1))
    assert reset_slowlog().shown == "SLOWLOG RESET"
    await sent(redis, reset_slowlog())
    assert await redis.slowlog_len() == 0


def test_what_is_set_alike_on_all_nodes_holds_for_all() -> None:
    settings = (SlowlogSettings(10_000, 128), SlowlogSettings(10_000, 64))
    parts = [Part(safe(str(number)), each, frozenset()) for number, each in enumerate(settings)]
    assert SLOWLOG_SETTINGS.merge is not None
    assert SLOWLOG_SETTINGS.merge(parts) == SlowlogSettings(10_000, None)
