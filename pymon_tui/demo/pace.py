"""How much happens when: waves over minutes, and a rate in whole events."""

from __future__ import annotations

import math
from random import Random


def hit_share(t: float) -> float:
    """The share of look-ups that ask for common values, 0.82 to 0.96, `t` seconds after the start."""
    return 0.89 + 0.07 * math.sin(t / 80 * math.tau)


def notifications_per_second(t: float) -> float:
    """Between 2 and 15, in waves of 45 s."""
    return 8.5 + 6.5 * math.sin(t / 45 * math.tau)


def times(random: Random, average: float) -> int:
    """How often something happens that happens so often on average: a whole number next to it."""
    return int(average + random.random())


class Occasion:
    """Something that happens again and again, the first time after a while.

    Args:
        random: Decides when.
        least: Seconds between two times, at least.
        most: And at most.
    """

    def __init__(self, random: Random, least: float, most: float) -> None:
        self._random = random
        self._bounds = least, most
        self._next: float | None = None

    def is_due(self, t: float) -> bool:
        """Whether it happens at `t` seconds; asked again, it doesn't until the next time."""
        due = self._next is not None and t >= self._next
        if due or self._next is None:
            self._next = t + self._random.uniform(*self._bounds)
        return due
