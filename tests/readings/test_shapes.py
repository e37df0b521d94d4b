from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.text import safe
from pymon_tui.readings.shapes import shape_of, shapes_of
from pymon_tui.readings.slowlog import SlowEntry


def entry(number: int, command: str, duration: int, client: str | None = "api-web") -> SlowEntry:
    arguments = tuple(word.encode() for word in command.split())
    name = safe(client) if client else None
    return SlowEntry(0, number, 1_790_000_000 + number, duration, arguments, safe("10.0.0.1:5000"), name)


@pytest.mark.parametrize(
    ("command", "shape"),
    [
        ("hgetall user:42", "HGETALL user:*"),
        ("HGETALL project:stats:totals", "HGETALL project:stats:totals"),
        ("ZRANGEBYSCORE leaderboard -inf +inf", "ZRANGEBYSCORE leaderboard * *"),
        ("ZRANGEBYSCORE leaderboard (1 5 WITHSCORES", "ZRANGEBYSCORE leaderboard * * WITHSCORES"),
        ("SET session:7c0eab12 value EX 60", "SET session:* …"),
        ("GET session:9f86d081-1a2b-4c3d-8e9f-0123456789ab", "GET session:*"),
        ("GET session:k3j9fk2l9dkf0slq8d7fj2k1", "GET session:*"),
        ("GET facade:monitoring:results", "GET facade:monitoring:results"),
        ('GET cache:"Seoul":page', "GET cache:*:page"),
        ("GET report:2026-11-22", "GET report:*-*-*"),
        ("SORT invoices:pending DESC LIMIT 0 50", "SORT invoices:pending DESC LIMIT * *"),
        ("SCAN 0 MATCH user:1* COUNT 1000", "SCAN * MATCH user:* COUNT *"),
        ("KEYS session:*", "KEYS session:*"),
        ("MGET a:1 a:2 a:3", "MGET a:* …"),
        ("SADD s 1 2 3 4 5", "SADD s * * …"),
        ("CONFIG GET *", "CONFIG GET *"),
        ("memory usage user:7", "MEMORY USAGE user:*"),
        ("FLUSHALL", "FLUSHALL"),
        ("XREADGROUP GROUP g c COUNT 10 STREAMS events:7 >", "XREADGROUP STREAMS events:* …"),
        ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 user:5 9", "EVALSHA e0e1f9fabfc9d480… user:* *"),
        ("FCALL tidy 0", "FCALL tidy"),
    ],
)
def test_shapes(command: str, shape: str) -> None:
    assert shape_of(tuple(word.encode() for word in command.split())) == shape


def test_a_script_is_known_by_its_beginning() -> None:
    script = b"-- tidy\nlocal x = 1\nreturn redis.call('get', KEYS[1])"
    assert shape_of((b"EVAL", script, b"1", b"user:5")) == 'EVAL "-- tidy local x = 1 return redis.call(\'g…" user:*'


def test_a_key_that_was_cut_ends_in_one_ellipsis() -> None:
    assert shape_of((b"GET", b"user:" + b"x" * 20 + b"... (99 more bytes)")) == f"GET user:{'x' * 20}…"
    assert shape_of((b"GET", b"user:" + b"x" * 123 + b"... (99 more bytes)")).count("…") == 1


@given(st.lists(st.binary(max_size=170), max_size=33))
def test_hostile_bytes_have_a_plain_shape(arguments: list[bytes]) -> None:
    shape = shape_of(tuple(arguments))
    assert shape.isprintable() or not shape
    assert len(shape) < 500


def test_groups_say_how_often_how_long_and_by_whom() -> None:
    shapes = shapes_of(
        [
            entry(4, "KEYS a*", 50_000),
            entry(3, "HGETALL user:1", 10_000),
            entry(2, "hgetall user:2", 30_000, "celery"),
            entry(1, "HGETALL user:3", 110_000, None),
            entry(0, "HGETALL user:4", 0, "celery"),
        ]
    )
    assert [shape.shape for shape in shapes] == ["HGETALL user:*", "KEYS a*"]
    users = shapes[0]
    assert (users.count, users.total, users.worst.id, users.mean) == (4, 150_000, 1, 37_500)
    assert users.share == 0.75
    assert users.last == 1_790_000_003
    assert users.clients == ("celery", "api-web", "10.0.0.1")
    assert shapes_of([]) == ()
    assert shapes_of([entry(1, "GET a", 0)])[0].share == 0.0
