"""Keys: families declared once, values that match themselves alone, cache keys of any parts."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.presets import BUILT_IN
from pymon_tui.model.key_part import escape
from pymon_tui.services import keys
from pymon_tui.services.keys import FAMILIES, LONGEST_PART, Family, cache_key, namespace_of

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
HOSTILE = TEXT | st.text("a%:*?[]\\^-~{}", min_size=1, max_size=8)
BOTH = Family("both", "both:{first}:{second}", None, "")


def test_the_contract() -> None:
    lives = {family.template: family.life for family in FAMILIES}
    assert len(lives) == len(FAMILIES)
    assert lives["monitoring:result:{project_id}"] == 300
    assert lives["alerts:recent:{project_id}:{limit}"] == 60
    assert lives["session:{id}"] == 3600
    assert lives["notifications:recent:{user_id}"] == 86_400
    assert lives["cache:stats:hits:{day}"] == lives["cache:stats:misses:{day}"] == 90 * 86_400
    assert lives["project:config:{project_id}"] is None


def test_keys_are_as_they_always_were() -> None:
    assert keys.ALERTS_RECENT.key(project_id=42, limit=20) == "alerts:recent:42:20"
    assert keys.STATS_HITS.key(day=date(2026, 11, 22)) == "cache:stats:hits:2026-11-22"
    assert keys.SESSION.key(id="b0-_x") == "session:b0-_x"
    assert keys.PROJECT_CONFIG.key(project_id=UUID(int=1)) == "project:config:00000000-0000-0000-0000-000000000001"
    assert keys.NOTIFICATIONS_CHANNEL.key(user_id="김철수") == "notifications:김철수"


def test_patterns_leave_the_other_parameters_open() -> None:
    assert keys.ALERTS_RECENT.pattern(project_id=42).glob == b"alerts:recent:42:*"
    assert keys.ALERTS_RECENT.glob == b"alerts:recent:*:*"
    assert keys.MONITORING_RESULT.pattern(project_id=42).only_key == b"monitoring:result:42"


def test_the_presets_are_these_families() -> None:
    for preset, families in zip(BUILT_IN, (keys.OF_PROJECT, keys.OF_USER, keys.OF_ALL), strict=True):
        values = dict.fromkeys(preset.parameters, "42")
        assert preset.filled(values) == tuple(family.pattern(**values) for family in families)


def test_all_families_of_a_project_or_user_are_invalidated_with_it() -> None:
    assert tuple(family for family in FAMILIES if "project_id" in family.parameters) == keys.OF_PROJECT
    assert tuple(family for family in FAMILIES if "user_id" in family.parameters) == keys.OF_USER


@given(HOSTILE, HOSTILE)
def test_a_value_is_no_part_and_no_glob(first: str, second: str) -> None:
    key = BOTH.key(first=first, second=second)
    assert key.count(":") == 2
    assert BOTH.values(key) == BOTH.values(key.encode()) == {"first": first, "second": second}
    assert BOTH.pattern(first=first, second=second).only_key == key.encode()
    assert BOTH.pattern(first=first).matches(key.encode())


@given(HOSTILE, HOSTILE)
def test_typed_as_a_pattern_a_key_matches_itself_alone(value: str, other: str) -> None:
    key, another = BOTH.key(first=value, second="x"), BOTH.key(first=other, second="x")
    assert Pattern(key.encode()).matches(another.encode()) == (value == other)


def test_a_key_of_another_family_has_no_values() -> None:
    assert keys.SESSION.values("session:a:b") is None
    assert keys.SESSION.values("user:sessions:1") is None
    assert keys.SESSION.values(b"session:\xff") == {"id": "\ufffd"}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "needs a value for project_id, limit"),
        ({"project_id": 1}, "needs a value for limit"),
        ({"project_id": 1, "limit": ""}, "limit can't be empty"),
        ({"project_id": 1, "limit": 2, "user": 3}, "have no user; they have project_id, limit"),
        ({"project_id": "\ud800", "limit": 2}, "surrogates not allowed"),
    ],
)
def test_a_key_needs_just_its_values(values: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        keys.ALERTS_RECENT.key(**values)


def test_a_pattern_has_no_other_values() -> None:
    with pytest.raises(ValueError, match="have no user"):
        keys.ALERTS_RECENT.pattern(user=1)


def test_cache_keys_are_readable() -> None:
    assert cache_key("report", 42, "monthly", date(2026, 11, 1)) == "report:42:monthly:2026-11-01"
    assert cache_key("search:projects", "이름 = a:b*") == "search:projects:이름%20=%20a%3Ab%2A"
    assert cache_key("search", "") == "search:"


def test_a_long_part_ends_in_a_hash() -> None:
    one, other = (cache_key("search", "x" * 1000 + end, "page-2") for end in ("a", "b"))
    assert one != other
    assert one.startswith("search:xxxxx")
    assert one.endswith(":page-2")
    assert len(one) == len("search:") + LONGEST_PART + len(":page-2")


@given(st.lists(HOSTILE | st.just("") | st.text("x", min_size=90, max_size=100), min_size=1, max_size=3), st.data())
def test_different_parts_make_different_keys_of_one_glob(parts: list[str], data: st.DataObject) -> None:
    others = data.draw(st.lists(HOSTILE, min_size=1, max_size=3))
    key = cache_key("p:q", *parts)
    assert Pattern(b"p:q:*").matches(key.encode())
    assert (key == cache_key("p:q", *others)) == (parts == others)


@pytest.mark.parametrize("prefix", ["", "a:", "a*", "a b", "{a}", "a\n"])
def test_a_prefix_is_words(prefix: str) -> None:
    with pytest.raises(ValueError, match="should be words"):
        cache_key(prefix, 1)


def test_a_cache_key_needs_a_part() -> None:
    with pytest.raises(ValueError, match="needs a part"):
        cache_key("report")


def test_namespaces() -> None:
    assert namespace_of("monitoring:result:42") == "monitoring:result"
    assert namespace_of("session:abc") == "session"
    assert namespace_of("session:abc:def") == "session"
    assert namespace_of("report:42:monthly") == "report"
    assert namespace_of("plain") == "plain"


@given(st.text("ab%:*?[]\\^-~ \n한", max_size=12))
def test_an_escaped_value_has_nothing_of_a_glob(value: str) -> None:
    escaped = escape(value)
    assert not set(escaped) & set(":*?[]\\^~ \n")


async def test_the_server_finds_a_family_s_keys(redis: Redis) -> None:
    hostile = ["1", "*", "a:b", "[x]", "\\", "한글 1"]
    for value in hostile:
        await redis.set(keys.ALERTS_RECENT.key(project_id=value, limit=20), "")
    for value in hostile:
        glob = keys.ALERTS_RECENT.pattern(project_id=value).glob
        found = [key async for key in redis.scan_iter(match=glob)]
        assert found == [keys.ALERTS_RECENT.key(project_id=value, limit=20)]
