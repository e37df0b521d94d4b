"""What users are told follows from the seed, and is of every level and in both languages."""

from __future__ import annotations

from collections import Counter
from random import Random

from pymon_tui.demo.messages import Message, message
from pymon_tui.services.notification import Level


def messages(seed: int) -> list[Message]:
    random = Random(seed)
    return [message(random) for _ in range(300)]


def test_the_same_seed_says_the_same() -> None:
    assert messages(3) == messages(3) != messages(4)


def test_every_level_and_both_languages_are_there() -> None:
    said = messages(1)
    levels = Counter(each.level for each in said)
    assert set(levels) == set(Level)
    assert levels[Level.CRITICAL] < levels[Level.WARNING] < levels[Level.INFO]
    assert {each.title.isascii() for each in said} == {True, False}
