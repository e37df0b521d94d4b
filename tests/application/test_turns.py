"""Whose turn it is to be asked about."""

from __future__ import annotations

from collections.abc import Mapping

from pymon_tui.application.turns import answered, next_keys


def test_new_keys_come_first_then_those_asked_longest_ago() -> None:
    known = {b"a": 1, b"b": 2, b"c": 3}
    assert next_keys(known, [b"c", b"d", b"a", b"e", b"b"], 4) == (b"d", b"e", b"a", b"b")
    assert next_keys(known, [b"d", b"e"], 1) == (b"d",)


def test_every_key_has_its_turn() -> None:
    existing = [b"%d" % number for number in range(10)]
    known: Mapping[bytes, int] = {}
    asked: list[bytes] = []
    for _ in range(5):
        turn = next_keys(known, existing, 4)
        asked += turn
        known = answered(known, [(key, 1) for key in turn], 100)
    assert asked == [*existing, *existing]


def test_a_key_that_is_gone_is_forgotten() -> None:
    assert answered({b"a": 1, b"b": 2}, [(b"a", None), (b"c", 3)], 100) == {b"b": 2, b"c": 3}


def test_no_more_keys_are_remembered_than_is_said() -> None:
    assert list(answered({b"a": 1, b"b": 2}, [(b"a", 3), (b"c", 4)], 2)) == [b"a", b"c"]
