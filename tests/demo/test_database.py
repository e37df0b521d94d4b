"""What is cached: found again until it is checked anew, and listed under keys of its own."""

from __future__ import annotations

from random import Random

from pymon_tui.demo.api_web import lookups
from pymon_tui.demo.database import Database, listed


def test_a_check_changes_the_result_of_its_project_alone() -> None:
    database = Database(Random(1))
    before, other = database.result(7), database.result(8)
    assert database.result(7) == before
    database.check(7)
    assert database.result(7) != before
    assert database.result(7)["project_id"] == 7
    assert database.result(8) == other


def test_an_alert_is_the_newest_of_its_project() -> None:
    database = Database(Random(1))
    before = database.alerts(7, 20)
    database.alert(7)
    after = database.alerts(7, 20)
    assert len(after) == len(before) + 1
    assert [alert["id"] for alert in after[1:]] == [alert["id"] for alert in before]
    assert database.alerts(7, 1) == after[:1]


def test_what_is_listed_has_keys_and_values_of_its_own() -> None:
    kinds = listed(Database(Random(1)))
    assert len({kind.key(number) for kind in kinds for number in (1, 2)}) == 2 * len(kinds)
    for kind in kinds:
        assert kind.load(1) != kind.load(2)


def test_most_lookups_ask_for_common_values() -> None:
    random, kinds = Random(1), listed(Database(Random(1)))
    asked = [lookups(random, kinds, count=20, t=0.0) for _ in range(200)]
    common = sum(number <= kind.population for kind, numbers in asked for number in numbers)
    assert 0.87 < common / sum(len(numbers) for _, numbers in asked) < 0.91
    assert {kind.life for kind, _ in asked} == {kind.life for kind in kinds}
    again = Random(1)
    assert [lookups(again, kinds, count=20, t=0.0) for _ in range(200)] == asked
