"""Runs on servers that bound what their clients hold: nobody's connection is closed for them, not even their own."""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import headroom, removal
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.client_limits import UNLIMITED, ClientLimits
from pymon_tui.invalidation.headroom import lack_of
from pymon_tui.invalidation.memory import FEWEST, PLENTY, Memory, longest
from pymon_tui.readings.info import parse_info
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import client_of
from tests.invalidation.cutting import cutting
from tests.invalidation.planned import selecting, user_may
from tests.invalidation.removing import populate, removal_of, removed, under_way
from tests.server.listening import until

pytestmark = pytest.mark.usefixtures("at_once")

KEYS, SIZE = 200, 20_000
UNLINK = Options(undo=True)
EXPIRE = Options(mode="expire", expire=600.0, undo=True)
MIB = 2**20


async def fill(redis: Redis) -> None:
    """4 MB that match; compressed, they would take as much."""
    await redis.mset({f"gone:{number}": os.urandom(SIZE) for number in range(KEYS)})


async def limit_clients(redis: Redis, room: int) -> None:
    """Let all clients together hold so much more than they do."""
    await redis.config_set("maxmemory-clients", 2**30)  # it counts from now on
    held = sum(int(client["tot-mem"]) for client in await redis.client_list())
    await redis.config_set("maxmemory-clients", held + room)


@contextmanager
def holding(server: EmbeddedServer) -> Iterator[None]:
    """A client that the server holds several megabytes for: it doesn't read what it has asked for."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(server.socket)
        line.sendall(b"CLIENT SETNAME innocent\r\nGETRANGE large 0 -1\r\n")
        yield


async def is_there(redis: Redis) -> bool:
    """Whether that client still is."""
    return "innocent" in {client["name"] for client in await redis.client_list()}


@pytest.mark.needs("maxmemory-clients")
@pytest.mark.parametrize("options", [UNLINK, EXPIRE], ids=["unlink", "expire"])
@pytest.mark.parametrize("share", [False, True])
async def test_who_holds_much_stays(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, options: Options, *, share: bool
) -> None:
    await fill(any_redis)
    await any_redis.setrange("large", 8_000_000, "x")
    async with client_of(any_server) as other:
        with holding(any_server):
            await until_held(other, 7_000_000)
            removal = await removal_of(any_server, selecting("gone:*"), tmp_path, options)
            await limit_clients(other, MIB)
            if share:
                limit = (await other.config_get("maxmemory-clients"))["maxmemory-clients"]
                assert limit is not None
                await other.config_set("maxmemory", int(limit) * 20)
                await other.config_set("maxmemory-clients", "5%")
            result = await removal.run()
            assert (result.outcome, result.tally.removed, result.undo_left_out) == ("done", KEYS, 0)
            assert await is_there(other)
            assert (await other.info("stats"))["evicted_clients"] == 0


async def until_held(redis: Redis, least: int) -> None:
    """Wait until the server holds so much for one client."""
    async with asyncio.timeout(10):
        while max(int(client["tot-mem"]) for client in await redis.client_list()) < least:
            pass


@pytest.mark.parametrize("limits", ["1048576 0 0", "2097152 1048576 60"])
async def test_an_own_line_is_not_lost_for_its_replies(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: str
) -> None:
    await fill(any_redis)
    await any_redis.config_set("client-output-buffer-limit", f"normal {limits}")

    async def lost(*_: object, **__: object) -> None:
        pytest.fail("the line was lost")

    monkeypatch.setattr(removal, "reopened", lost)
    result = await removed(any_server, selecting("gone:*"), tmp_path, UNLINK)
    assert (result.outcome, result.tally.removed, result.undo_left_out) == ("done", KEYS, 0)


async def test_a_key_that_can_never_be_dumped_stops_it_at_once(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headroom, "PATIENCE", math.inf)
    await fill(any_redis)
    await any_redis.setrange("gone:large", 2_000_000, "x")
    await any_redis.config_set("client-output-buffer-limit", "normal 1048576 0 0")
    result = await removed(any_server, selecting("gone:*"), tmp_path, UNLINK)
    left = await any_redis.keys("gone:*")
    assert (result.outcome, result.tally.removed) == ("stopped", KEYS + 1 - len(left))
    assert "gone:large" in left
    assert result.why.startswith(
        "for client-output-buffer-limit normal, the server holds 794 KiB of a reply, and the next key's undo takes "
    )
    assert result.why.endswith("MiB; raise that and go on, or let it go without an undo")
    await any_redis.config_set("client-output-buffer-limit", "normal 8388608 0 0")
    assert (await removed(any_server, selecting("gone:*"), tmp_path, UNLINK)).tally.removed == len(left)


@pytest.mark.needs("maxmemory-clients")
async def test_a_key_that_clients_have_no_room_for_waits_until_somebody_raises_the_limit(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headroom, "PATIENCE", math.inf)
    await any_redis.setrange("gone:large", 2_000_000, "x")
    async with client_of(any_server) as other:
        removal = await removal_of(any_server, selecting("gone:*"), tmp_path, UNLINK)
        await limit_clients(other, MIB)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.state == "holding")
            assert "of room for a reply until maxmemory-clients, and the next key's undo" in removal.progress.why
            await other.config_set("maxmemory-clients", 0)
            assert (await task).tally.removed == 1
        assert (await other.info("stats"))["evicted_clients"] == 0


async def test_who_may_not_ask_is_refused_once(any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(any_redis, "gone:", 3_000)
    await user_may(any_redis, "~*", "+@all", "-config")
    async with cutting(any_server.socket, b"UNLINK", uncut=1, arrives=False) as line:
        us = Endpoint(socket=line.path, username="pymon")
        result = await removed(us, selecting("gone:*"), tmp_path, UNLINK)
        assert line.stopped
    assert (result.outcome, result.tally.removed) == ("done", 3_000)
    assert [(entry["object"], entry["count"]) for entry in await any_redis.acl_log()] in (
        [("config|get", 1)],
        [("config", 1)],  # Redis 6.2
    )


@pytest.mark.parametrize(
    ("found", "limits"),
    [
        ({}, UNLIMITED),
        ({b"maxmemory-clients": b"0", b"client-output-buffer-limit": b"normal 0 0 0 slave 256 64 60"}, UNLIMITED),
        ({b"maxmemory-clients": b"1073741824"}, ClientLimits(clients=2**30)),
        ({b"maxmemory-clients": b"5%"}, ClientLimits(percent=5)),
        ({b"maxmemory-clients": b"-5"}, UNLIMITED),
        ({b"maxmemory-clients": b"plenty", b"client-output-buffer-limit": b"normal"}, UNLIMITED),
        ({b"client-output-buffer-limit": b"slave 1 2 3 normal 30 20 10"}, ClientLimits(hard=30, soft=20)),
        ({b"client-output-buffer-limit": b"normal 1mb 0 0"}, UNLIMITED),
        ({b"client-output-buffer-limit": b"normal \xb2 0 0"}, UNLIMITED),
    ],
)
def test_what_the_server_tells_of_its_limits(found: dict[bytes, bytes], limits: ClientLimits) -> None:
    assert ClientLimits.told(found) == limits


def test_the_limit_is_that_of_the_server() -> None:
    assert ClientLimits(clients=2**30).together(0) == 2**30
    assert ClientLimits(clients=1_000).together(0) == 131_072
    assert ClientLimits(percent=5).together(2**30) == 2**30 * 5 // 100
    assert ClientLimits(percent=5).together(1_000) == 131_072
    assert ClientLimits(percent=5).together(0) == 0
    outputs = [ClientLimits(hard=hard, soft=soft).output for hard, soft in ((3, 2), (2, 3), (0, 3), (2, 0), (0, 0))]
    assert outputs == [2, 2, 3, 2, 0]


@given(
    limits=st.builds(ClientLimits, clients=st.integers(0, 2**30), hard=st.integers(0, 2**30)),
    clients=st.none() | st.integers(0, 2**30),
    counted=st.integers(0, 2**30),
    share=st.floats(1 / 64, 1),
    key=st.integers(0, 2**30),
)
def test_what_is_allowed_fits_the_narrowest_room(
    limits: ClientLimits, clients: int | None, counted: int, share: float, key: int
) -> None:
    memory = Memory(2**30, 1, counted, "allkeys-lru", clients).under(limits)
    rooms = [room for room in (memory.room, memory.clients_room, limits.hard or None) if room is not None]
    assert memory.is_tight == (min(rooms) < PLENTY)
    assert 0 <= memory.allowed(share) <= max(0, *rooms[:1], min(rooms))
    assert memory.replies is None or memory.allowed(share) <= max(0, memory.replies)
    assert FEWEST <= memory.page(1_000, share, 10) <= 1_000
    lack = lack_of(memory, key)
    fits = key <= memory.spare and all(key <= longest(room) for room in rooms[1:])
    assert (lack is None) == fits
    assert lack is None or lack.is_lasting == (limits.hard > 0 and key > longest(limits.hard))


def test_a_reply_that_needs_no_more_than_any_is_always_possible() -> None:
    assert lack_of(Memory(clients=2**30).under(ClientLimits(clients=2**20, hard=1_000)), 500) is None


def test_what_clients_hold_is_told_by_info() -> None:
    text = b"used_memory:1000\r\nmaxmemory:0\r\n"
    assert Memory.of(parse_info(text + b"mem_clients_normal:300\r\n")).clients == 300
    untold = Memory.of(parse_info(text)).under(ClientLimits(clients=2**20))
    assert (untold.clients, untold.clients_room, untold.is_tight) == (None, None, False)
