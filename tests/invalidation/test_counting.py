from __future__ import annotations

from pymon_tui.invalidation.counting import Count

MANY = 150_000


def _counted(keys: int) -> Count:
    count = Count()
    count.add([b"%d" % number for number in range(keys)], keys + 1)
    return count


def test_a_key_shown_twice_is_counted_once() -> None:
    count = Count()
    assert count.add([b"a", b"b"], 10) == [b"a", b"b"]
    assert count.add([b"b", b"c", b"a"], 10) == [b"c"]
    assert count.matched == 3
    assert not count.about(3, 1_000)


def test_counting_ends_at_the_most() -> None:
    count = Count()
    assert count.add([b"a", b"b", b"c"], 2) == [b"a", b"b"]
    assert count.add([b"d"], 2) == []
    assert count.matched == 2


def test_a_big_count_is_exact_while_the_table_keeps_its_size() -> None:
    count = _counted(MANY)
    assert count.matched == MANY
    assert not count.about(200_000, 200_010)


def test_a_big_count_is_about_when_the_table_grew() -> None:
    assert _counted(MANY).about(260_000, 263_000)  # past 2**18
    assert _counted(MANY).about(229_000, 230_000)  # past 7 * 2**15, where Valkey grows


def test_a_big_count_is_about_when_there_are_fewer_keys() -> None:
    assert _counted(MANY).about(140_000, 140_000)


def test_a_big_count_is_about_after_a_repeat_and_where_nothing_is_told() -> None:
    count = _counted(MANY)
    assert count.about(None, 200_000)
    assert count.add([b"5"], MANY + 10) == []
    assert count.about(200_000, 200_000)
