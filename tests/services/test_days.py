"""What is read of the two hashes of a day."""

from __future__ import annotations

from datetime import date

import pytest

from pymon_tui.services.days import Day, Days, HitRate, counted

DAY = date(2026, 11, 22)


def test_a_namespace_of_one_hash_alone_counts() -> None:
    day = counted(DAY, {b"report": b"3"}, {b"report": b"1", b"feed": b"2"})
    assert day == Day(DAY, (("feed", HitRate(0, 2)), ("report", HitRate(3, 1))))
    assert day.total == HitRate(3, 3)
    assert Days((day, day)).namespaces == (("feed", HitRate(0, 4)), ("report", HitRate(6, 2)))


@pytest.mark.parametrize("written", [b"", b"-1", b"1.5", b"many", b"\xb2", b"9" * 5_000, "٣".encode()])
def test_what_is_no_count_is_nothing(written: bytes) -> None:
    assert counted(DAY, {b"a": written}, {}).total == HitRate(0, 0)
    assert counted(DAY, {b"a": written}, {}).total.share is None
