"""Replies that are no replies, or none that any server should give: each is a gap with a reason, and no end."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymon_tui.model.link import Live, Trouble
from pymon_tui.model.query import Answers, Command
from pymon_tui.readings.info import INFO, Info, parse_info
from pymon_tui.readings.metrics import METRICS
from pymon_tui.readings.topology import TOPOLOGY
from pymon_tui.server.endpoint import Endpoint
from tests.faults.watching import ALL, away, gaps, heard, known, live, watching
from tests.replies import recorded
from tests.server.fake import bulk, serving, speaking
from tests.servers.proxy import Proxy

GARBAGE = {
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "noise": bytes(range(256)),
    "an array larger than any memory": b"*4000000000\r\n",
    "a map of lists": b"%1\r\n*1\r\n:1\r\n:1\r\n",
    "less than nothing": b"*-5\r\n",
    "a deep nest": b"*1\r\n" * 200,
    "no number": b":twelve\r\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.usefixtures("soon")
async def test_garbage_in_the_middle_is_a_lost_link(garbage: bytes, line: Proxy, endpoint: Endpoint) -> None:
    async with watching(endpoint) as watch:
        before = await watch.until(heard)
        line.instead = garbage
        lost = await watch.until(away)
        assert known(lost) >= known(before)
        await watch.until(heard)
    assert {trouble for trouble, _ in watch.said} <= {Trouble.FOREIGN, Trouble.SILENT}
    assert all(len(what) < 200 for _, what in watch.said)


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_from_the_start_is_another_protocol(garbage: bytes) -> None:
    async with (
        serving(speaking(lambda _: garbage)) as port,
        watching(Endpoint(port=port, connect_timeout=0.3, command_timeout=0.3)) as watch,
    ):
        await watch.until(away)
    assert {trouble for trouble, _ in watch.said} <= {Trouble.FOREIGN, Trouble.SILENT}


# Of another type

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=12)
KEYS = st.binary(max_size=6) | st.integers() | st.none()
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
COMMANDS: tuple[Command[Any], ...] = tuple(
    dict.fromkeys(command for query in (*ALL, *TOPOLOGY) for command in (query.command, query.command.given) if command)
)


BATCHES = {"hgetall", "hmget", "lrange", "memory|usage", "pttl", "latency|histogram"}
"""What is asked of many keys in one tick, or told when it was asked."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.acl)
@given(reply=ANYTHING)
@settings(max_examples=60)
def test_a_reply_of_another_type_is_unreadable_at_worst(command: Command[Any], reply: Any) -> None:
    told = Answers([(("COMMAND", b"key", 1, 2), reply)], (), 0.0) if command.acl in BATCHES else reply
    with suppress(ValueError):
        answer = command.fold(None, command.decode(told))
        for query in (*ALL, *TOPOLOGY):
            if query.command is command:
                query.fold(None, query.parse(answer))


# INFO

TEXT: bytes = recorded("info-primary.valkey-9.resp3")
LINES = TEXT.splitlines()
VALUES = st.sampled_from(
    ["", "N/A", "nan", "inf", "-1", "1e309", "1,5", "1.234.567", "9" * 24, "٣٤", "yes", "\x1b[2J", "a=b,c", "=,=", "db"]
)


@given(
    gone=st.sets(st.integers(0, len(LINES) - 1)),
    changed=st.dictionaries(st.integers(0, len(LINES) - 1), VALUES, max_size=60),
    doubled=st.lists(st.integers(0, len(LINES) - 1), max_size=5),
)
@settings(max_examples=150)
def test_fields_that_are_gone_doubled_or_of_another_type(
    gone: set[int], changed: dict[int, str], doubled: list[int]
) -> None:
    told = [_changed(line, changed.get(place)) for place, line in enumerate(LINES) if place not in gone]
    info = parse_info(b"\r\n".join([*told, *(LINES[place] for place in doubled), b"run_id:x"]))
    for query in ALL:
        if query.command is INFO:
            with suppress(ValueError):  # such as of a memory pane without used_memory
                query.fold(None, query.parse(info))
    for metric in METRICS:
        value = metric.read(info)
        assert value is None or abs(value) < float("inf")


def _changed(line: bytes, value: str | None) -> bytes:
    name, colon, _ = line.partition(b":")
    return line if value is None or not colon else name + colon + value.encode()


async def test_a_server_that_tells_something_else_each_time_is_watched_on() -> None:
    dice = random.Random(5)
    strange = ["", "N/A", "1,5", "-7", "9" * 30, "\x1b[31m", "nan"]

    def answer(command: list[bytes]) -> bytes:
        if command[0] == b"HELLO":
            return b"%0\r\n"
        if command[0] != b"INFO":
            return b"-ERR unknown command\r\n" if command[0] in (b"CLIENT", b"COMMAND") else b"*0\r\n"
        lines = [_changed(line, dice.choice(strange) if dice.random() < 0.3 else None) for line in LINES]
        dice.shuffle(lines)
        return bulk(b"\r\n".join(lines[: dice.randrange(5, len(lines))]))

    async with serving(speaking(answer)) as port, watching(Endpoint(port=port)) as watch:
        await watch.until(live)
        await watch.ticks(40)
        assert watch.said == []
        assert isinstance(watch.newest.link, Live)
        assert "server" not in gaps(watch.newest)


# Servers and proxies that speak the old protocol


async def test_a_proxy_without_hello_client_and_pubsub_shows_what_there_is() -> None:
    def answer(command: list[bytes]) -> bytes | None:
        if command[0] == b"INFO":
            return bulk(TEXT)
        return (
            b"+PONG\r\n" if command[0] == b"PING" else None if command[0] == b"HELLO" else b"-ERR unknown command\r\n"
        )

    async with serving(speaking(answer)) as port, watching(Endpoint(port=port)) as watch:
        await watch.until(live)
        shown = await watch.ticks(3)
        assert {"server", "memory", "hits"} <= known(shown)
        assert watch.said == []


def test_a_locale_changes_nothing() -> None:
    info: Info = parse_info(b"used_memory:1048576\r\nused_memory_human:1,00M\r\nmem_fragmentation_ratio:1,02\r\n")
    assert info.number("used_memory") == 1_048_576
    assert info.number("mem_fragmentation_ratio") is None
