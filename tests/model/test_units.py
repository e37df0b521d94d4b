"""Numbers as they are drawn: short, and never wider than their column."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pymon_tui.model import units

Unit = Callable[[float | None], str]

WIDTHS: dict[Unit, tuple[int, float]] = {  # in cells, and the greatest value that it holds for
    units.bytes_: (8, 1e20),
    units.short_bytes: (5, 1e20),
    units.count: (7, 1e20),
    units.short_count: (5, 1e20),
    units.rate: (7, 1e20),
    units.byte_rate: (10, 1e20),
    units.percent: (5, 1),
    units.duration: (8, 30 * 365 * 86400),
    units.age: (6, 30 * 365 * 86400),
    units.milliseconds: (7, 99_000),
    units.took: (7, 99_000),
    units.microseconds: (7, 99_000 * 1e6),
}
EXAMPLES: list[tuple[Unit, float, str]] = [
    (units.bytes_, 0, "0 B"),
    (units.bytes_, 512, "512 B"),
    (units.bytes_, 1023, "1.00 KiB"),
    (units.bytes_, 2.32 * 1024**3, "2.32 GiB"),
    (units.short_bytes, 512, "512B"),
    (units.short_bytes, 2355, "2.3K"),
    (units.short_bytes, 880 * 1024**2, "880M"),
    (units.count, 12_412, "12 412"),
    (units.count, 999_999, "999 999"),
    (units.count, 1_210_000, "1.21M"),
    (units.short_count, 0, "0"),
    (units.short_count, 0.4, "0.4"),
    (units.short_count, 9.96, "10"),
    (units.short_count, 830, "830"),
    (units.short_count, 999.6, "1.00k"),
    (units.short_count, 12_412, "12.4k"),
    (units.short_count, 99_960, "100k"),
    (units.short_count, 1_210_000, "1.21M"),
    (units.rate, 12_412, "12.4k/s"),
    (units.byte_rate, 3.1 * 1024**2, "3.10 MiB/s"),
    (units.percent, 0, "0.0%"),
    (units.percent, 0.973, "97.3%"),
    (units.percent, 0.99999, "99.9%"),
    (units.percent, 1, "100%"),
    (units.percent, 1.004, "100%"),
    (units.percent, 1.03, "103%"),
    (units.percent, 5.6553, "566%"),
    (units.percent, 123.4, "12k%"),
    (units.percent, 9_999.0, "999k%"),
    (units.percent, 1e9, ">1M%"),
    (units.duration, 41.9, "41s"),
    (units.duration, 252, "4m 12s"),
    (units.duration, 3 * 3600 + 300, "3h 5m"),
    (units.duration, 12 * 86400 + 3 * 3600, "12d 3h"),
    (units.duration, 2000 * 86400, "2000d"),
    (units.age, 252, "4m"),
    (units.age, 13 * 3600, "13h"),
    (units.milliseconds, 0.00071, "0.71 ms"),
    (units.milliseconds, 0.412, "412 ms"),
    (units.milliseconds, 0.9994, "999 ms"),
    (units.milliseconds, 0.9996, "1.00 s"),
    (units.milliseconds, 5.006, "5.01 s"),
    (units.milliseconds, 12.34, "12.3 s"),
    (units.milliseconds, 59.96, "1m 0s"),
    (units.milliseconds, 252.4, "4m 12s"),
    (units.took, 0.04, "0.0 s"),
    (units.took, 12.34, "12.3 s"),
    (units.took, 252.4, "4m 12s"),
    (units.microseconds, 0, "0 µs"),
    (units.microseconds, 0.001, "<1 µs"),
    (units.microseconds, 1.003, "1.0 µs"),
    (units.microseconds, 71.4, "71 µs"),
    (units.microseconds, 1_531.9, "1.53 ms"),
    (units.microseconds, 12_340_000, "12.3 s"),
]


@pytest.mark.parametrize(("unit", "value", "shown"), EXAMPLES)
def test_examples(unit: Unit, value: float, shown: str) -> None:
    assert unit(value) == shown


@pytest.mark.parametrize("unit", WIDTHS, ids=lambda unit: unit.__name__)
@given(st.data())
def test_is_never_wider_than_its_column(unit: Unit, data: st.DataObject) -> None:
    width, greatest = WIDTHS[unit]
    assert len(unit(data.draw(st.floats(0, greatest)))) <= width


@pytest.mark.parametrize("unit", WIDTHS, ids=lambda unit: unit.__name__)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_a_dash(unit: Unit, value: float | None) -> None:
    assert unit(value) == units.UNKNOWN


@example(995.526, 75)
@given(st.floats(min_value=0, max_value=2e9), st.integers(min_value=0, max_value=10**6))
def test_whole_seconds_after_any_moment_are_whole_seconds(moment: float, seconds: int) -> None:
    assert units.duration((moment + seconds) - moment) == units.duration(seconds)


@pytest.mark.parametrize(("seconds", "said"), [(-1e-9, "0s"), (-1e-3, units.UNKNOWN), (59.9999999, "1m 0s")])
def test_a_rounding_error_is_no_span_of_its_own(seconds: float, said: str) -> None:
    assert units.duration(seconds) == said


@pytest.mark.parametrize(
    ("since", "said"),
    [(941, "59s ago"), (1000, "0s ago"), (1001, "0s ago"), (1600, units.UNKNOWN), (None, units.UNKNOWN)],
)
def test_what_is_still_to_come_has_no_age(since: float | None, said: str) -> None:
    assert units.ago(units.age(units.elapsed(since, 1000.0))) == said


def test_a_moment_is_its_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        moment = 1_790_000_000.0
        assert units.clock(moment, moment + 46 * 60) == "23:13"
        assert units.clock(moment, moment + 47 * 60) == "21 Sep"
        assert units.precise_clock(moment, moment + 46 * 60) == "23:13:20"
        assert units.precise_clock(moment, moment + 47 * 60) == "21 Sep 23:13"
        assert units.clock(None, moment) == ""
    finally:
        monkeypatch.undo()
        time.tzset()
