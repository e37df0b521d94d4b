"""Which addresses lead to one server."""

from __future__ import annotations

import pytest

from pymon_tui.invalidation import places
from pymon_tui.invalidation.places import LONGEST, Spellings
from pymon_tui.server import clock


def test_names_that_nobody_knows_any_more_cost_no_more_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def slow(address: str) -> frozenset[str]:
        asked.append(address)
        return frozenset({address})

    monkeypatch.setattr(places, "_looked_up", slow)
    monkeypatch.setattr(clock, "now", lambda: len(asked) * 1.0)
    spellings = Spellings(["cache:6379"])
    assert [spellings.same(f"old-{number}:6379") for number in range(100)] == [False] * 100
    assert asked[:2] == ["cache:6379", "old-0:6379"]
    assert len(asked) <= LONGEST + 1
    assert not spellings.same("other:7000")
    assert spellings.same("cache:6379")
