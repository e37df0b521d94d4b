"""Globs: the same keys as the server's, whatever is typed; what is shown can be typed again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.pattern import (
    MAX_BYTES,
    Pattern,
    PatternError,
    encoded,
    literal,
    matcher,
    parse_pattern,
    sorter,
)
from pymon_tui.model.text import safe
from tests.conftest import client_of

META = b"*?[]\\^-"
NASTY = (
    *(b"*", b"**", b"***", b"?", b"??", b"?*", b"*?", b"*?*", b"[", b"[^", b"[]", b"[^]", b"*[", b"*[^", b"[^]*"),
    *(b"\\", b"a\\", b"*\\", b"[\\", b"[\\]", b"\\*", b"\\\\", b"a\\*", b"[a-", b"[a-]", b"[a-]]", b"[z-a]", b"[a-b"),
    *(
        b"[^a",
        b"[\\a-b]",
        b"[a-\\]",
        b"[--a]",
        b"[]a]",
        b"[^]a]",
        b"[^^]",
        b"[a^]",
        b"[*]",
        b"[^-",
        b"[^\\",
        b"[a-]-z]",
    ),
    *(
        b"a*",
        b"a**",
        b"*a",
        b"*a*b",
        b"*aa",
        b"a?*b",
        b"]",
        b"^",
        b"-",
        b"\xff*",
        b"[\x80-\xff]",
        b"?\x00",
        b"[\x00-\x1f]*",
    ),
    *(b"*\n", b"a\n*", b"*[ab]*[^b]", b"a[", b"a[^", b"ab[", b"?[?]", b"**a**b**"),
)
KEYS = (
    *(bytes(key) for length in range(3) for key in itertools.product(b"ab\x00\n\x80\xff" + META, repeat=length)),
    *(b"aab", b"abab", b"a*b", b"a\\*b", b"ba\n", b"aXbYb", b"z" * 40),
)

globs = st.lists(st.sampled_from([*META, *META, *b"ab:\x00\n\x80\xff"]), min_size=1, max_size=12).map(bytes)


def _pattern(glob: bytes) -> Pattern | None:
    try:
        return Pattern(glob)
    except PatternError as error:
        if "read differently" not in str(error):
            raise
        return None


async def _named(redis: Redis, glob: bytes) -> set[bytes]:
    """The keys of a small database that the server finds with the glob."""
    _, keys = await redis.scan(0, match=glob, count=100_000)
    return {str(key).encode("utf-8", "surrogateescape") for key in keys}


def _mine(pattern: Pattern, keys: Iterable[bytes]) -> set[bytes]:
    return {key for key in keys if pattern.matches(key)}


@pytest.fixture
async def keys(any_redis: Redis) -> tuple[bytes, ...]:
    await any_redis.mset(dict.fromkeys(KEYS, b""))
    return KEYS


async def test_every_server_names_the_same_keys(any_redis: Redis, keys: tuple[bytes, ...]) -> None:
    different = [glob for glob in NASTY if await _named(any_redis, glob) != _mine(Pattern(glob), keys)]
    assert different == []


@given(
    batch=st.lists(globs, min_size=60, max_size=60),
    longer=st.lists(st.lists(st.sampled_from(b"ab:" + META), max_size=14).map(bytes), max_size=40),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15)
async def test_any_glob_names_the_keys_that_the_server_names(
    server: EmbeddedServer, batch: list[bytes], longer: list[bytes]
) -> None:
    async with client_of(server) as redis:
        await redis.flushall()
        everything = {*KEYS, *longer}
        await redis.mset(dict.fromkeys(everything, b""))
        patterns = [pattern for glob in batch if (pattern := _pattern(glob)) is not None]
        for pattern in patterns:
            assert await _named(redis, pattern.glob) == _mine(pattern, everything), pattern


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_a_literal_matches_itself_alone(value: bytes, other: bytes) -> None:
    around = Pattern(b"x" + literal(value) + b"y")
    assert around.matches(b"x" + value + b"y")
    assert around.matches(b"x" + other + b"y") == (other == value)
    assert around.only_key == b"x" + value + b"y"


def test_a_name_that_only_looks_alike_is_neither_shown_nor_typed_alike() -> None:
    pattern = Pattern("\u0430dmin:*".encode())
    assert pattern.shown == r"\xd0\xb0dmin:*"
    assert parse_pattern("admin:*") != pattern
    assert parse_pattern("\u0430dmin:*") == parse_pattern(pattern.shown) == pattern


async def test_the_server_reads_a_literal_as_well(redis: Redis) -> None:
    await redis.mset(dict.fromkeys(KEYS, b""))
    assert [key for key in KEYS if key and await _named(redis, literal(key)) != {key}] == []


@given(st.binary(min_size=1, max_size=60) | globs | st.text(min_size=1).map(lambda text: text.encode()))
@example(b"\\x41")
@example(b"\\\\x41")
@example(b"\\\xff")
@example(b"\\\\\xff")
@example("\\안녕e\u0301\u212b\u1100\u202e".encode())
@example(b"trailing\\")
@example(b"a" * MAX_BYTES)
@example("\\\u0430dmin \u0430\u0436 \\n\u0430 a\u0436\u0430".encode())
@example(b"\xff" * MAX_BYTES)
def test_what_is_shown_can_be_typed_again(glob: bytes) -> None:
    pattern = _pattern(glob)
    if pattern is not None:
        assert parse_pattern(pattern.shown) == pattern
        assert safe(str(pattern.shown), limit=len(pattern.shown)) == pattern.shown


@pytest.mark.parametrize(
    ("typed", "glob"),
    [
        ("user:*", b"user:*"),
        (r"\xff\xFE*", b"\xff\xfe*"),
        (r"\x2a", b"*"),
        (r"\*", rb"\*"),
        (r"\\xff", rb"\\xff"),
        (r"a\\", rb"a\\"),
        (r"a\x5c", b"a\\"),
        ("안녕:*", "안녕:*".encode()),
        ("\udcff*", b"\xff*"),
        ("a b\n", b"a b\n"),
    ],
)
def test_what_is_typed(typed: str, glob: bytes) -> None:
    assert parse_pattern(typed).glob == glob


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "can't be empty"),
        (r"a\xg0", r'"\xg0" at character 2 should be \xNN with two hexadecimal digits'),
        (r"\x4", r'"\x4" at character 1 should be \xNN'),
        (r"\\\x", r'"\x" at character 3'),
        ("user:\\", r'"\" at character 6 should be \\ at the end'),
        ("a" * (MAX_BYTES + 1), "a pattern can have 1024 bytes, and this one has 1025"),
        (r"\xff" * (MAX_BYTES + 1), "this one has 1025"),
        (r"[a-\xff]", r'the range "a-\xff" is read differently by servers'),
        ("\ud800", "is half of a character"),
        ("\\x\x1b[2J", r'"\x\x1b[" at character 1'),
    ],
)
def test_what_cannot_be_typed(typed: str, says: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern(typed)
    assert says in str(caught.value)
    assert safe(str(caught.value)) == str(caught.value)


@pytest.mark.parametrize("glob", [b"*", b"**", b"?*", b"*?", b"*?*?", b"[^]*", b"*[^", b"[\x00-\x7f\x80-\xff]*"])
def test_a_catch_all(glob: bytes) -> None:
    assert Pattern(glob).is_catch_all
    assert Pattern(glob).only_key is None


@pytest.mark.parametrize("glob", [b"a*", b"*a", b"?", b"??", b"[]*", b"[^a]*", rb"\*", b"[*]", b"*:*"])
def test_no_catch_all(glob: bytes) -> None:
    assert not Pattern(glob).is_catch_all


@pytest.mark.parametrize(
    ("glob", "prefix", "only"),
    [
        (b"user:1", b"user:1", b"user:1"),
        (rb"user:\*:*", b"user:*:", None),
        (b"user:[1]?", b"user:1", None),
        (b"user:[12]", b"user:", None),
        (b"*", b"", None),
        (b"[]", b"", None),
        (b"a\\", b"a\\", b"a\\"),
    ],
)
def test_what_every_match_begins_with(glob: bytes, prefix: bytes, only: bytes | None) -> None:
    assert (Pattern(glob).literal_prefix, Pattern(glob).only_key) == (prefix, only)


def test_any_of_several() -> None:
    matches = matcher((Pattern(b"a*"), Pattern(b"*b")))
    assert [key for key in (b"a", b"xb", b"x", b"", b"bx") if matches(key)] == [b"a", b"xb"]
    assert not matcher(())(b"a")


LONG = b"a" * 10_240


@pytest.mark.parametrize(
    "glob",
    [
        b"*a" * 500 + b"*b",
        b"*a" * 500 + b"b",
        b"*[ab]" * 200 + b"*c",
        b"*?" * 500 + b"b",
        b"*" + b"a" * 1000 + b"b*",
        b"*" + b"?" * 1000 + b"b*",
        (b"*" + b"[ab]" * 50 + b"c*") * 4,
        b"*a[^b]*" * 120 + b"[^a]",
    ],
)
def test_no_key_takes_long(glob: bytes) -> None:
    # One that tried all ways would not come back at all.
    assert not Pattern(glob).matches(LONG)


@pytest.mark.parametrize("glob", [b"*a" * 512, b"a*" * 512, b"*" + b"a" * 1000, b"*?" * 512, b"*[ab]" * 204])
def test_a_long_key_is_found(glob: bytes) -> None:
    assert Pattern(glob).matches(LONG)
    assert Pattern(glob).matches(LONG) != Pattern(glob).matches(b"b")


@given(st.text())
def test_any_text_has_bytes_or_a_reason(text: str) -> None:
    try:
        assert encoded(text).decode("utf-8", "surrogateescape") == text
    except PatternError:
        assert any("\ud800" <= character <= "\udfff" for character in text)


def test_keys_are_sorted_to_the_first_pattern_that_matches() -> None:
    which = sorter(tuple(map(parse_pattern, ("user:*:cart", "user:*", "?[ab]*"))))
    keys = (b"user:7:cart", b"user:7", b"xa", b"feed:1", b"")
    assert [which(key) for key in keys] == [0, 1, 2, None, None]
    assert sorter(())(b"user:7") is None
