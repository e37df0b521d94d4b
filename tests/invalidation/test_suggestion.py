from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.suggestion import suggested


@pytest.mark.parametrize(
    ("command", "pattern"),
    [
        ("HGETALL user:42", "user:*"),
        ("hgetall user:cache:42:profile", "user:cache:*:profile"),
        ("GET session:9f86d081-1a2b-4c3d-8e9f-0123456789ab", "session:*"),
        ("KEYS user:*", "user:*"),
        ("SCAN 0 COUNT 10 match alerts:* TYPE hash", "alerts:*"),
        ("XREAD COUNT 2 STREAMS events:7 0", "events:*"),
        ("EVALSHA abc 1 key:7 argument", "key:*"),
        ("OBJECT ENCODING user:42", "user:*"),
        ("ZUNION 2 top:1 top:2", "top:*"),
        ("GET odd[1]*?", r"odd\[*\]\*\?"),
    ],
)
def test_a_command_s_key_gives_the_pattern_of_keys_like_it(command: str, pattern: str) -> None:
    arguments = tuple(word.encode() for word in command.split())
    found = suggested(arguments, like=True)
    assert found is not None
    assert found.shown == pattern


@pytest.mark.parametrize(
    "command", ["PING", "INFO all", "CONFIG GET maxmemory", "CLIENT LIST", "SCAN 0", "PUBLISH notifications:7 text", ""]
)
def test_a_command_without_a_key_gives_none(command: str) -> None:
    assert suggested(tuple(word.encode() for word in command.split()), like=True) is None


def test_a_key_that_the_server_has_cut_goes_on() -> None:
    cut = b"user:" + b"a" * 100 + b"... (27 more bytes)"
    found = suggested((b"GET", cut), like=False)
    assert found is not None
    assert found.glob == b"user:" + b"a" * 100 + b"*"


@given(st.binary(min_size=1, max_size=60))
def test_a_key_is_among_those_like_it_and_the_only_one_of_its_own(key: bytes) -> None:
    like, itself = suggested((b"GET", key), like=True), suggested((b"GET", key), like=False)
    assert like is not None
    assert itself is not None
    assert like.matches(key)
    assert itself.matches(key)
    assert itself.only_key in (key, None)
