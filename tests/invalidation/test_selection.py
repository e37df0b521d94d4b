"""Selections: what is refused, what is protected, and that one can be written down."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import PatternError, parse_pattern
from pymon_tui.invalidation.selection import Selection, SelectionError, check

SELECTION = Selection(
    patterns=(parse_pattern(r"user:\xff*"), parse_pattern("alerts:*")),
    filters=Filters(type="hash", idle_over=60),
    protected=(parse_pattern("session:*"), parse_pattern("*:config")),
    max_keys=1_000_000,
    every=False,
)


def test_protected_keys() -> None:
    keys = (b"session:1", b"user:config", b"user:1", b"")
    assert [SELECTION.is_protected(key) for key in keys] == [True, True, False, False]
    assert not replace(SELECTION, protected=()).is_protected(b"session:1")


def test_in_words() -> None:
    assert SELECTION.shown == r"user:\xff* alerts:* · hash · idle over 1m 0s"
    assert replace(SELECTION, filters=Filters()).shown == r"user:\xff* alerts:*"


def test_it_can_be_written_down() -> None:
    assert Selection.from_json(json.loads(json.dumps(SELECTION.as_json()))) == SELECTION


@pytest.mark.parametrize(
    "change",
    [
        {"patterns": [""]},
        {"patterns": 3},
        {"patterns": [3]},
        {"filters": 3},
        {"filters": {"type": ""}},
        {"protected": ["\\"]},
        {"max_keys": "many"},
    ],
)
def test_what_is_written_down_wrongly(change: dict[str, Any]) -> None:
    with pytest.raises(PatternError):
        Selection.from_json(SELECTION.as_json() | change)
    with pytest.raises(SelectionError):
        Selection.from_json({name: value for name, value in SELECTION.as_json().items() if name not in change})


@pytest.mark.parametrize("typed", ["*", "**", "?*", "[^]*", r"\x2a"])
def test_every_key_must_be_meant(typed: str) -> None:
    selection = replace(SELECTION, patterns=(parse_pattern("user:*"), parse_pattern(typed)))
    with pytest.raises(SelectionError, match="matches every key"):
        check(selection)
    check(replace(selection, every=True))


@pytest.mark.parametrize(("change", "says"), [({"patterns": ()}, "no pattern"), ({"max_keys": 0}, "max_keys")])
def test_what_is_refused(change: dict[str, Any], says: str) -> None:
    check(SELECTION)
    with pytest.raises(SelectionError, match=says):
        check(replace(SELECTION, **change))
