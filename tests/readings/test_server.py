"""Who answers: products are told apart, and odd fields stay gaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.readings.info import parse_info
from pymon_tui.readings.server import SERVER, Server, parse_server, server_now
from tests.replies import recorded
from tests.script import WALL, ready, snapshot


def server(**fields: object) -> Server:
    """What is read from an INFO with these fields."""
    told = {"redis_version": "6.2.14", **fields}
    return parse_server(parse_info("".join(f"{name}:{value}\r\n" for name, value in told.items()).encode()))


@pytest.mark.parametrize(
    ("name", "product", "version"),
    [
        ("info-primary.valkey-9.resp2", "valkey", "9.1.2"),
        ("info-primary.valkey-9.resp3", "valkey", "9.1.2"),
        ("info-primary.redis-7.resp2", "redis", "7.0.15"),
    ],
)
def test_reads_what_servers_say(name: str, product: str, version: str) -> None:
    read = parse_server(parse_info(recorded(name)))

    assert (read.product, read.version) == (product, version)
    assert (read.role, read.redis_mode) == ("primary", "standalone")
    assert read.tcp_port == 6379
    assert read.maxclients == 10_000
    assert read.server_time_usec is not None
    assert read.server_time_usec > 1_700_000_000_000_000
    missing = {field for field in Server.__slots__ if getattr(read, field) is None}
    # Redis 7.0 doesn't tell these yet.
    newer = {"instantaneous_eventloop_cycles_per_sec", "instantaneous_eventloop_duration_usec"}
    newer |= {"paused_actions", "paused_timeout_milliseconds"}
    assert missing == (newer if product == "redis" else set())


@pytest.mark.parametrize(
    ("fields", "product", "version"),
    [
        ({}, "redis", "6.2.14"),
        ({"valkey_version": "8.1.3", "server_name": "valkey"}, "valkey", "8.1.3"),
        ({"server_name": "valkey"}, "valkey", "6.2.14"),
        ({"dragonfly_version": "df-v1.21.2"}, "dragonfly", "df-v1.21.2"),
        ({"garnet_version": "1.0.60"}, "garnet", "1.0.60"),
        ({"executable": "/usr/bin/keydb-server"}, "keydb", "6.2.14"),
        ({"redis_version": ""}, "redis", "?"),
    ],
)
def test_tells_products_apart(fields: dict[str, str], product: str, version: str) -> None:
    read = server(**fields)

    assert (read.product, read.version) == (product, version)


@pytest.mark.parametrize(
    ("told", "role"),
    [
        ("master", "primary"),
        ("slave", "replica"),
        ("replica", "replica"),
        ("active-replica", "active-replica"),
        ("", None),
    ],
)
def test_calls_roles_by_their_new_names(told: str, role: str | None) -> None:
    assert server(role=told).role == role


def test_the_servers_clock_goes_on_after_its_answer_and_ours_stands_in_for_it() -> None:
    told, untold = ready(server(server_time_usec=1_700_000_000_500_000)), ready(server())
    assert server_now(snapshot({SERVER: told}, at=told.at + 3)) == 1_700_000_003.5
    assert server_now(snapshot({SERVER: untold}, at=untold.at + 3)) == WALL + untold.at + 3


@given(st.binary())
def test_any_bytes_in_any_field_leave_the_others_readable(raw: bytes) -> None:
    odd = raw.replace(b"\r", b"").replace(b"\n", b"")
    reply = b"uptime_in_seconds:" + odd + b"\r\nos:" + odd + b"\r\nvalkey_version:" + odd + b"\r\nprocess_id:7\r\n"

    read = parse_server(parse_info(reply))

    assert read.process_id == 7
    assert read.os is None or read.os.isprintable()
