"""Filters: what stays in a selection, and that what isn't known never does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.filters import FilterError, Filters
from pymon_tui.invalidation.pattern import PatternError

FILTERS = (
    Filters(),
    Filters(type="hash", expiry="none"),
    Filters(expiry="within", expiry_seconds=60),
    Filters(expiry="later", expiry_seconds=0.5, idle_over=3600, larger_than=1024),
)


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (Filters(expiry="none"), [-1]),
        (Filters(expiry="within", expiry_seconds=5), [0, 4999, 5000]),
        (Filters(expiry="later", expiry_seconds=5), [5001]),
        (Filters(expiry="later", expiry_seconds=0), [4999, 5000, 5001]),
    ],
)
def test_expiry(filters: Filters, kept: list[int]) -> None:
    times = (None, -2, -1, 0, 4999, 5000, 5001)
    assert [pttl_ms for pttl_ms in times if filters.keep(pttl_ms, None, None)] == kept


def test_idle_time_and_size() -> None:
    idle, large = Filters(idle_over=60), Filters(larger_than=100)
    assert [idle.keep(None, seconds, None) for seconds in (61, 60, 0, None)] == [True, False, False, False]
    assert [large.keep(None, None, size) for size in (101, 100, 0, None)] == [True, False, False, False]
    assert Filters(idle_over=60, larger_than=100).keep(None, 61, 100) is False


@given(*[st.none() | st.integers(-2, 10**12)] * 3)
def test_no_filter_keeps_everything(pttl_ms: int | None, idle: int | None, size: int | None) -> None:
    assert Filters(type="hash").keep(pttl_ms, idle, size)


def test_what_must_be_asked() -> None:
    assert [filters.needs for filters in FILTERS] == [(), ("pttl",), ("pttl",), ("pttl", "idle", "bytes")]
    assert Filters(idle_over=0).needs == ("idle",)


def test_in_words() -> None:
    assert [filters.shown for filters in FILTERS] == [
        "",
        "hash · no expiry",
        "expires within 1m 0s",
        "expires later than 0s · idle over 1h 0m · over 1.00 KiB",
    ]


@pytest.mark.parametrize("filters", FILTERS)
def test_they_can_be_written_down(filters: Filters) -> None:
    assert Filters.from_json(json.loads(json.dumps(filters.as_json()))) == filters


@pytest.mark.parametrize("written", [{"colour": "red"}, {"type": 3}, {"larger_than": "x"}, {"expiry": "soon"}])
def test_what_is_written_down_wrongly(written: dict[str, Any]) -> None:
    with pytest.raises(PatternError):
        Filters.from_json(written)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"type": ""}, "name of a type"),
        ({"type": "a b"}, "name of a type"),
        ({"type": "\x1b[2J"}, r"not \"\\x1b\[2J\""),
        ({"expiry": "within"}, "seconds"),
        ({"expiry": "none", "expiry_seconds": 3}, "seconds"),
        ({"expiry_seconds": 3}, "seconds"),
        ({"expiry": "later", "expiry_seconds": -1}, "expiry: should be a number from 0"),
        ({"idle_over": float("nan")}, "idle: should be a number from 0"),
        ({"larger_than": -1}, "size: should be a number from 0, not -1"),
    ],
)
def test_what_cannot_be_asked(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(FilterError, match=says):
        Filters(**wrong)
