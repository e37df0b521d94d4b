"""Users have names in two scripts, and some use the application more than others."""

from __future__ import annotations

from collections import Counter
from random import Random

from pymon_tui.demo.people import PEOPLE, device, is_korean, somebody


def test_some_hundred_people_have_names_of_their_own_in_two_scripts() -> None:
    assert len(set(PEOPLE)) == len(PEOPLE) > 300
    assert {"kim.minjun", "이서연", "alice"} <= set(PEOPLE)
    assert 0.2 < sum(map(is_korean, PEOPLE)) / len(PEOPLE) < 0.5


def test_the_first_come_more_often() -> None:
    random = Random(1)
    counts = Counter(somebody(random) for _ in range(10_000))
    assert counts[PEOPLE[0]] > 5 * counts[PEOPLE[200]] > 0


def test_a_session_has_the_language_of_its_user() -> None:
    assert device(Random(1), "이서연")["language"] == "ko"
    assert device(Random(1), "alice")["language"] == "en"
