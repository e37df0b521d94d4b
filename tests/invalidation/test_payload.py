"""What is read out of the payloads of real servers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.listpack import decompressed, elements
from pymon_tui.invalidation.payload import has_ended, module_type, rdb_version, same_value

TIME_SERIES = bytes.fromhex("07814d20c1f9360f100805067473") + b":raw" + bytes(20)
"""The begin of one, from Redis Stack 7.4.1."""


async def both(client: Any, key: str, *command: Any) -> tuple[bytes, bytes]:
    """What DUMP gives for a key, and for the same after RESTORE under another name, which a command may change."""
    before = await client.dump(key)
    await client.execute_command("RESTORE", "copy", 0, before, "REPLACE")
    if command:
        await client.execute_command(*command)
    return before, await client.dump("copy")


async def test_a_value_that_was_restored_is_the_same_and_a_changed_one_is_not(
    any_redis: Redis, any_server: EmbeddedServer
) -> None:
    redis: Any = any_redis
    await redis.sadd("set", *(f"member {number}" for number in range(700)))
    await redis.sadd("numbers", *range(5_000))
    await redis.sadd("mixed", *range(50), "x" * 300, "x" * 20_000)
    await redis.hset("hash", mapping={f"field {number}": number * 7 for number in range(800)})
    await redis.zadd("sorted", {f"member {number}": number / 3 for number in range(400)})
    await redis.rpush("list", *range(1_000))
    await redis.set("string", "x" * 1_000)
    await redis.xadd("stream", {"a": "b"})
    changes = {
        "set": ("SREM", "copy", "member 7"),
        "numbers": ("SADD", "copy", "5001"),
        "mixed": ("SADD", "copy", "y"),
        "hash": ("HSET", "copy", "field 7", "8"),
        "sorted": ("ZINCRBY", "copy", "0.5", "member 7"),
        "list": ("LSET", "copy", "7", "8"),
        "string": ("SETRANGE", "copy", "7", "y"),
        "stream": ("XADD", "copy", "*", "a", "c"),
    }
    raw: Any = Redis(unix_socket_path=any_server.socket, legacy_responses=False)
    versions = set()
    for key, change in changes.items():
        one, other = await both(raw, key)
        assert same_value(one, other, 0)
        assert not same_value(*await both(raw, key, *change), 0)
        versions.add(rdb_version(one))
        assert (module_type(one), has_ended(one, 2**62)) == ("", False)
    (version,) = versions
    assert version is not None
    assert 9 <= version < 100
    await raw.aclose()


@pytest.mark.needs("hpexpire")
async def test_fields_that_ended_meanwhile_do_not_make_another_value(redis: Redis, server: EmbeddedServer) -> None:
    raw: Any = Redis(unix_socket_path=server.socket, legacy_responses=False)
    seconds, _ = await redis.time()
    ends = (int(seconds) + 1_000) * 1_000
    for fields in (3, 900):
        await raw.hset("hash", mapping={f"field {number}": number for number in range(fields)})
        await raw.execute_command("HPEXPIREAT", "hash", ends, "FIELDS", 1, "field 1")
        one, other = await both(raw, "hash", "HDEL", "copy", "field 1")
        assert not same_value(one, other, ends - 1)
        assert same_value(one, other, ends)
        assert not same_value(*await both(raw, "hash", "HDEL", "copy", "field 2"), ends)
        assert not has_ended(one, ends)
        every = [f"field {number}" for number in range(fields)]
        await raw.execute_command("HPEXPIREAT", "hash", ends, "FIELDS", fields, *every)
        whole = await raw.dump("hash")
        assert (has_ended(whole, ends - 1), has_ended(whole, ends)) == (False, True)
        await raw.delete("hash")
    await raw.aclose()


def test_a_modules_value_tells_its_type() -> None:
    assert module_type(TIME_SERIES) == "TSDB-TYPE"
    assert module_type(TIME_SERIES[:9]) == module_type(b"") == module_type(b"\x00\x01a" + bytes(10)) == ""


@given(st.binary(), st.binary(), st.integers(0, 2**62))
def test_any_bytes_are_judged(one: bytes, other: bytes, now: int) -> None:
    assert same_value(one, one, now)
    assert same_value(one, other, now) in (True, False)
    assert has_ended(one, now) in (True, False)
    assert isinstance(module_type(one), str)
    version = rdb_version(one)
    assert version is None or 0 <= version < 65_536


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        ("0f0000000300" + "8161" + "02" + "05" + "01" + "7f" + "01" + "ff", [b"a", b"5", b"127"]),
        ("0f0000000300" + "dfff" + "02" + "d000" + "02" + "ff", [b"-1", b"-4096"]),
        ("0f0000000300" + "f10080" + "03" + "f2000080" + "04" + "ff", [b"-32768", b"-8388608"]),
        (
            "0f0000000300" + "f300000080" + "05" + "f4ffffffffffffff7f" + "09" + "ff",
            [b"-2147483648", b"%d" % (2**63 - 1)],
        ),
        ("0f0000000300" + "e003" + "616263" + "05" + "f003000000" + "616263" + "08" + "ff", [b"abc", b"abc"]),
    ],
)
def test_a_listpack_is_read(packed: str, told: list[bytes]) -> None:
    assert elements(bytes.fromhex(packed)) == told


def test_what_is_compressed_is_read() -> None:
    assert decompressed(b"\x00a\xe0\x0a\x00", 20) == b"a" * 20
    assert decompressed(b"\x02abc\x20\x02", 6) == b"abcabc"
    for broken in (b"\x20\x05", b"\x00a", b"\xe0"):
        with pytest.raises((ValueError, IndexError)):
            decompressed(broken, 20)
