"""Values: what goes in comes back, and what can't is refused at once."""

from __future__ import annotations

import enum
import json
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.services.values import dumps, loads

ZONES = [None, UTC, timezone(timedelta(hours=5, minutes=45)), ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")]
KEYS = st.text(max_size=5) | st.sampled_from(["$date", "$$date", "$", "$tuple", "$x"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.dates()
    | st.datetimes(timezones=st.sampled_from(ZONES), min_value=datetime(1970, 1, 2))  # noqa: DTZ001 - a bound
    | st.decimals(allow_nan=False)
    | st.uuids()
)
VALUES = st.recursive(
    SCALARS,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(KEYS, each, max_size=3) | st.tuples(each, each),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types throughout."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, datetime):
        return (one, one.utcoffset(), one.tzname()) == (other, other.utcoffset(), other.tzname())
    return repr(one) == repr(other)


@given(VALUES)
def test_what_goes_in_comes_back(value: Any) -> None:
    written = dumps(value)
    assert same(loads(written), value)
    assert same(loads(written.decode()), value)
    json.loads(written)


@given(st.binary(max_size=60) | st.text('{}[]"$:,date0-', max_size=40).map(str.encode))
def test_whatever_bytes_are_a_value_or_an_error(data: bytes) -> None:
    try:
        value = loads(data)
    except ValueError:
        return
    assert same(loads(dumps(value)), value)


def test_what_is_written_can_be_read_by_people() -> None:
    value = {"이름": "김철수", "at": datetime(2026, 11, 22, 9, tzinfo=ZoneInfo("Asia/Seoul")), "sum": Decimal("1.50")}
    assert dumps(value).decode() == (
        '{"이름":"김철수","at":{"$datetime":"2026-11-22T09:00:00+09:00[Asia/Seoul]"},"sum":{"$decimal":"1.50"}}'
    )


def test_the_hour_that_is_there_twice() -> None:
    for fold in (0, 1):
        at = datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=ZoneInfo("Europe/Berlin"))
        back = loads(dumps(at))
        assert (back.utcoffset(), back.fold, back.tzinfo) == (at.utcoffset(), fold, at.tzinfo)


def test_a_zone_with_new_rules_keeps_the_instant() -> None:
    back = loads('{"$datetime":"2026-11-22T09:00:00+08:00[Asia/Seoul]"}')
    assert back == datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert back.hour == 10


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_floats_that_json_lacks(value: str) -> None:
    assert repr(loads(dumps([float(value)]))) == f"[{value}]"
    assert repr(loads(dumps(Decimal(value)))) == repr(Decimal(value))


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"x", "type bytes"),
        ({1, 2}, "type set"),
        ({1: "a"}, "key of type int"),
        (Colour.RED, "type Colour"),
        ([{"a": OrderedDict()}], "type OrderedDict"),
        (object(), "type object"),
    ],
)
def test_what_would_not_come_back_is_refused(value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        dumps(value)


def test_a_value_that_holds_itself() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="nested this deep"):
        dumps(value)
    with pytest.raises(ValueError, match="nested this deep"):
        loads("[" * 100_000)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"{'a': 1}",
        b"NaN",
        b'{"$unknown": 1}',
        b'{"$date": 5}',
        b'{"$date": "soon"}',
        b'{"$decimal": "x"}',
        b'{"$decimal": null}',
        b'{"$decimal": [1]}',
        b'{"$uuid": "x"}',
        b'{"$uuid": 1}',
        b'{"$tuple": 1}',
        b'{"$datetime": null}',
        b'{"$datetime": "2026-11-22T09:00:00+09:00[No/Where]"}',
        b'{"$datetime": "2026-11-22T09:00:00+09:00[../etc]"}',
        b'{"$datetime": "2026-11-22T09:00:00+09:00[Asia]"}',
        b'{"$datetime": "2026-11-22T09:00:00[Asia/Seoul]"}',
        b'{"$datetime": "0001-01-01T00:00:00+14:00[America/New_York]"}',
    ],
)
def test_what_is_no_value_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(data)
