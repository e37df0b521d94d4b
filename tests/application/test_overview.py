"""What is put together for the overview of all keys."""

from __future__ import annotations

import math
from datetime import date
from random import Random

import pytest

from pymon_tui.application.groups import Groups, groups_of
from pymon_tui.application.overview import Overview, Row, overview
from pymon_tui.application.samples import Known, Refused
from pymon_tui.application.walk import decode_page
from pymon_tui.services.days import Day, HitRate
from pymon_tui.services.keys import FAMILIES, SESSION

KEYS = (b"session:a", b"session:b", b"project:config:1", *(b"feed:%d" % number for number in range(5)), b"7", b"8")


def groups(*keys: bytes, cursor: bytes = b"0") -> Groups:
    return groups_of(decode_page([cursor, list(keys or KEYS)]))


def row(told: Overview, name: str) -> Row:
    return next(row for row in told.rows if row.group is not None and row.group.pattern.shown == name)


def test_rows_are_the_groups_that_have_keys_and_the_rest() -> None:
    told = overview(groups(), 10, None, None, None)
    assert [(row.group and row.group.pattern.shown, row.keys) for row in told.rows] == [
        ("project:config:*", 1),
        ("session:*", 2),
        ("feed:*", 5),
        (None, 2),
    ]
    assert (told.keys, told.of_families) == (10, 3)
    assert len(told.absent) == len(FAMILIES) - 2


def test_where_no_family_has_a_key_none_is_missed() -> None:
    assert overview(groups(b"feed:1"), 1, None, None, None).absent == ()


def test_in_the_first_round_counts_are_extrapolated() -> None:
    told = overview(groups(cursor=b"7"), 40, None, None, None)
    assert (row(told, "feed:*").keys, told.keys, told.progress) == (20, 40, 0.25)
    assert told.projected
    unknown = overview(groups(cursor=b"7"), None, None, None, None)
    assert (unknown.keys, unknown.progress) == (10, None)


@pytest.mark.parametrize(("total", "keys"), [(10, 10), (12, 10), (9, 10), (20, 20), (5, 5), (None, 10), (0, 10)])
def test_a_count_that_is_out_of_date_is_projected(total: int | None, keys: int) -> None:
    told = overview(groups(*(b"feed:%d" % number for number in range(10))), total, None, None, None)
    assert (told.keys, told.projected, told.complete) == (keys, keys != 10, True)


def test_bytes_and_expiry_are_those_of_the_samples() -> None:
    sizes: Known = {b"feed:1": 100, b"feed:2": 300, b"session:a": 70, b"session:b": Refused.REFUSED, b"8": 9}
    lives = {b"feed:1": -1, b"feed:2": 5_000, b"session:a": -1}
    told = overview(groups(), 10, sizes, lives, None)
    feed, session = row(told, "feed:*"), row(told, "session:*")
    assert feed.bytes is not None
    assert (feed.bytes.value, feed.sampled, feed.without_expiry) == (1_000, 2, 0.5)
    assert feed.bytes.error > 0
    assert (session.sampled, session.without_expiry) == (1, 1.0)
    assert (session.must_expire, feed.must_expire, row(told, "project:config:*").must_expire) == (True, False, False)
    assert row(told, "project:config:*").bytes is None


def test_the_error_of_a_walk_that_goes_on_covers_the_truth() -> None:
    chance = Random(3)
    sizes = {b"cart:%d" % number: chance.randrange(60, 70) for number in range(500)}
    sizes |= {b"page:%d" % number: 140 for number in range(9_500)}
    truth, covered = sum(size for key, size in sizes.items() if key.startswith(b"cart")), 0
    for _ in range(200):
        met = chance.sample(sorted(sizes), 2_000)
        found = row(
            overview(groups(*met, cursor=b"7"), len(sizes), {key: sizes[key] for key in met}, None, None), "cart:*"
        )
        assert found.bytes is not None
        covered += abs(found.bytes.value - truth) <= found.bytes.error
    assert 180 <= covered <= 199


def test_nobody_knows_which_keys_came_since() -> None:
    carts = [b"cart:%d" % number for number in range(100)]
    known = overview(groups(*carts), 200, {key: number for number, key in enumerate(carts)}, None, None)
    (cart,) = known.rows
    assert cart.keys == 200
    assert cart.bytes is not None
    assert cart.bytes.error == math.inf


def test_hits_of_today_are_those_of_the_namespace() -> None:
    today = Day(date(2026, 11, 22), ((SESSION.prefix, HitRate(9, 1)), ("feed", HitRate(1, 3)), ("gone", HitRate(1, 1))))
    told = overview(groups(), 10, None, None, today)
    assert row(told, "session:*").today == HitRate(9, 1)
    assert row(told, "feed:*").today == HitRate(1, 3)
    assert row(told, "project:config:*").today is None
