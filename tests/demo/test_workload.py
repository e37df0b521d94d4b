"""What the workload sends follows from its seed alone."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

from pymon_tui.demo.heavy import HEAVY
from pymon_tui.demo.keyspace import Command, Keyspace
from pymon_tui.demo.messages import WEIGHTS, notification
from pymon_tui.demo.workload import hit_share, job, lookups, notifications_per_second


def commands(seed: int) -> list[Command]:
    random, keyspace = Random(seed), Keyspace(Random(seed))
    asked = lookups(random, keyspace, count=100, t=5.0)
    sent: list[Command] = [cached.read(number) for cached, number in asked]
    sent += [write for cached, number in asked for write in cached.write(number)]
    sent += [*job(random, keyspace, commands=30), keyspace.report(1), *HEAVY[0].fill(random)]
    return [*sent, *keyspace.everything()]


def texts(seed: int) -> list[str]:
    random = Random(seed)
    return [notification(random, number=number, user_id=5, at="2026-01-02T03:04:05+00:00") for number in range(300)]


def test_the_same_seed_sends_the_same() -> None:
    assert commands(3) == commands(3)
    assert texts(3) == texts(3)


def test_another_seed_sends_something_else() -> None:
    assert commands(3) != commands(4)
    assert texts(3) != texts(4)


def test_hits_and_notifications_come_in_waves_within_their_bounds() -> None:
    shares = [hit_share(t) for t in range(120)]
    assert 0.88 < min(shares) < 0.9 < 0.97 < max(shares) < 0.99
    rates = [notifications_per_second(t) for t in range(60)]
    assert 2 <= min(rates) < 3 < 14 < max(rates) <= 15


def test_most_lookups_ask_for_common_values() -> None:
    asked = lookups(Random(1), Keyspace(Random(1)), count=2_000, t=0.0)
    common = sum(number <= cached.population for cached, number in asked)
    assert 0.91 < common / len(asked) < 0.96


def test_results_live_300_seconds_and_hold_json() -> None:
    ((name, key, body, *expiry),) = Keyspace(Random(1)).result(42)
    assert (name, key, expiry) == ("SET", "monitoring:result:42", ["EX", 300])
    assert isinstance(body, bytes)
    assert json.loads(body)["project_id"] == 42


def test_every_common_value_can_be_read_where_it_is_written() -> None:
    for cached in Keyspace(Random(1)).cached:
        written = {command[1] for command in cached.write(17)}
        assert cached.read(17)[1] in written


def test_notifications_have_every_level_and_both_languages() -> None:
    payloads = [json.loads(text) for text in texts(1)]
    levels = Counter(payload["level"] for payload in payloads)
    assert set(levels) == set(WEIGHTS)
    assert levels["critical"] < levels["warning"] < levels["info"]
    assert {payload["title"].isascii() for payload in payloads} == {True, False}


def test_slow_commands_have_several_shapes_and_read_what_fills_them() -> None:
    assert len({heavy.command[0] for heavy in HEAVY}) >= 5
    for heavy in HEAVY:
        assert {command[1] for command in heavy.fill(Random(1))} == {heavy.command[1]}
