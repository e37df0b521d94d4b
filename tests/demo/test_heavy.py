"""Slow commands have several shapes, and read what fills them."""

from __future__ import annotations

from random import Random

from pymon_tui.demo.heavy import HEAVY


def test_slow_commands_have_several_shapes_and_read_what_fills_them() -> None:
    assert len({heavy.command[0] for heavy in HEAVY}) >= 5
    for heavy in HEAVY:
        assert {command[1] for command in heavy.fill(Random(1))} == {heavy.command[1]}


def test_the_same_seed_fills_with_the_same() -> None:
    assert list(HEAVY[0].fill(Random(3))) == list(HEAVY[0].fill(Random(3))) != list(HEAVY[0].fill(Random(4)))
