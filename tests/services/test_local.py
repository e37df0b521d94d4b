"""The first tier alone: what it holds, for how long, and what it must not hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.pattern import Pattern, PatternError
from pymon_tui.services.local import ABSENT, LocalCache


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def opened(max_entries: int = 100, clock: Clock | None = None) -> LocalCache:
    """A cache that holds."""
    local = LocalCache(max_entries, clock=clock or Clock())
    local.open()
    return local


def hold(local: LocalCache, *keys: bytes, life: float = 60.0) -> None:
    """Read each key, whose value is its own name."""
    for key in keys:
        assert local.fill(key, local.begin(key), key, life)


def held(local: LocalCache, *keys: bytes) -> list[bytes]:
    """Those of the keys that are held."""
    return [key for key in keys if local.get(key) is not ABSENT]


def test_a_value_is_held_until_its_own_end() -> None:
    clock = Clock()
    local = opened(clock=clock)
    hold(local, b"short", life=1.0)
    hold(local, b"long", life=10.0)
    clock.now += 0.9
    assert held(local, b"short", b"long") == [b"short", b"long"]
    clock.now += 0.2
    assert held(local, b"short", b"long") == [b"long"]


def test_none_is_a_value() -> None:
    local = opened()
    assert local.get(b"a") is ABSENT
    assert local.fill(b"a", local.begin(b"a"), None, 60.0)
    assert local.get(b"a") is None


@pytest.mark.parametrize("life", [0.0, -2.0])
def test_what_has_ended_already_is_not_held(life: float) -> None:
    local = opened()
    assert not local.fill(b"a", local.begin(b"a"), 1, life)
    assert local.get(b"a") is ABSENT


def test_the_least_recently_used_goes_first() -> None:
    local = opened(2)
    hold(local, b"a", b"b")
    local.get(b"a")
    hold(local, b"c")
    assert held(local, b"a", b"b", b"c") == [b"a", b"c"]


def test_an_empty_one_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="max_entries"):
        LocalCache(0)


def test_nothing_is_held_before_changes_are_heard_of() -> None:
    local = LocalCache(10)
    ticket = local.begin(b"a")
    assert not local.fill(b"a", ticket, 1, 60.0)
    local.open()
    assert not local.fill(b"a", ticket, 1, 60.0)


@pytest.mark.parametrize(
    "change",
    [
        lambda local: local.discard([b"a:1"]),
        lambda local: local.discard_matching([Pattern(b"a:*")]),
        lambda local: local.clear(),
        lambda local: local.close(),
        lambda local: (local.close(), local.open()),
    ],
)
def test_what_changes_while_it_is_read_is_not_held(change: Callable[[LocalCache], object]) -> None:
    local = opened()
    ticket = local.begin(b"a:1")
    change(local)
    assert not local.fill(b"a:1", ticket, "old", 60.0)
    assert local.get(b"a:1") is ABSENT


def test_an_old_reader_does_not_fill_for_a_new_one() -> None:
    local = opened()
    old = local.begin(b"a")
    local.discard([b"a"])
    new = local.begin(b"a")
    assert not local.fill(b"a", old, "old", 60.0)
    assert local.fill(b"a", new, "new", 60.0)
    assert local.get(b"a") == "new"


def test_of_two_readers_at_once_one_fills() -> None:
    local = opened()
    first, second = local.begin(b"a"), local.begin(b"a")
    assert local.fill(b"a", first, 1, 60.0)
    assert not local.fill(b"a", second, 2, 60.0)
    assert local.get(b"a") == 1


def test_closing_drops_everything_at_once() -> None:
    local = opened()
    hold(local, b"a", b"b")
    local.close()
    assert (len(local), held(local, b"a", b"b")) == (0, [])
    local.open()
    assert held(local, b"a", b"b") == []


def test_a_pattern_drops_what_it_matches_and_nothing_else() -> None:
    local = opened()
    hold(local, b"project:1", b"project:12", b"projects:1", b"user:1")
    local.discard_matching([Pattern(b"project:?"), Pattern(b"user:[1-3]")])
    assert held(local, b"project:1", b"project:12", b"projects:1", b"user:1") == [b"project:12", b"projects:1"]


@given(
    st.sets(st.binary(max_size=6) | st.text("ab:*?[]\\", max_size=6).map(str.encode)), st.text("ab:*?[]\\", max_size=8)
)
def test_any_pattern_drops_just_its_keys(keys: set[bytes], glob: str) -> None:
    try:
        pattern = Pattern(glob.encode())
    except PatternError:
        return
    local = opened(1_000)
    hold(local, *keys)
    local.discard_matching([pattern])
    assert held(local, *keys) == [key for key in keys if not pattern.matches(key)]
