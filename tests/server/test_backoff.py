"""The pause between two tries: short where nothing is lost by it, long where somebody would pay for it."""

from __future__ import annotations

import random

import pytest

from pymon_tui.model.link import Trouble
from pymon_tui.server.backoff import LONGEST_WAIT, backoff


class Middle(random.Random):
    """Dice that always fall in the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def test_doubles_and_is_capped() -> None:
    waits = [backoff(Trouble.UNREACHABLE, tries, Middle()) for tries in range(1, 9)]
    assert waits == [0.25, 0.5, 1, 2, 4, 8, LONGEST_WAIT, LONGEST_WAIT]
    assert backoff(Trouble.UNREACHABLE, 1_000_000, Middle()) == LONGEST_WAIT


@pytest.mark.parametrize("trouble", Trouble)
def test_is_spread_around_its_middle(trouble: Trouble) -> None:
    dice = random.Random(7)
    middle = backoff(trouble, 3, Middle())
    waits = [backoff(trouble, 3, dice) for _ in range(200)]
    assert 0.75 * middle <= min(waits) < 0.8 * middle
    assert 1.2 * middle < max(waits) <= 1.25 * middle


def test_two_connections_try_a_refused_password_no_more_than_three_times_a_minute() -> None:
    for tries in range(1, 20):
        assert 2 * 60 / backoff(Trouble.LOCKED, tries, Middle()) < 3


def test_a_full_server_is_left_alone_for_a_while() -> None:
    dice = random.Random(8)
    assert min(backoff(Trouble.CROWDED, tries, dice) for tries in (1, 2, 3) for _ in range(200)) > 5


def test_all_but_passwords_and_rights_are_tried_again_within_16_seconds() -> None:
    """A certificate that can't be verified for a moment holds no run up for longer than a server that is away."""
    dice, slow = random.Random(9), {Trouble.LOCKED, Trouble.REFUSED}
    for trouble in set(Trouble) - slow:
        assert max(backoff(trouble, tries, dice) for tries in (1, 2, 3, 100) for _ in range(200)) <= 16
