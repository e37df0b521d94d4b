"""Presets: named parameters, whose values match themselves alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.pattern import PatternError
from pymon_tui.invalidation.presets import BUILT_IN, Preset, with_built_in


def _globs(preset: Preset, values: dict[str, str]) -> list[bytes]:
    return [pattern.glob for pattern in preset.filled(values)]


def test_py_monitor_s_own() -> None:
    project, user, everywhere = BUILT_IN
    assert (project.name, project.parameters) == ("project", ("project_id",))
    assert _globs(project, {"project_id": "42"}) == [
        b"monitoring:result:42",
        b"alerts:recent:42:*",
        b"project:stats:42",
        b"project:config:42",
    ]
    assert (user.name, user.parameters) == ("user", ("user_id",))
    assert b"user:preferences:7" in _globs(user, {"user_id": "7"})
    assert (everywhere.name, everywhere.parameters) == ("global", ())
    assert b"global:config:*" in _globs(everywhere, {})


def test_a_value_is_never_a_wildcard() -> None:
    preset = Preset("cache", ("cache:{id}:*",), "")
    (pattern,) = preset.filled({"id": "*"})
    assert pattern.shown == r"cache:\*:*"
    assert pattern.matches(b"cache:*:1")
    assert not pattern.matches(b"cache:1:1")


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), st.binary(max_size=10))
def test_a_value_matches_itself_alone(value: str, other: bytes) -> None:
    (pattern,) = Preset("cache", ("a:{id}:b",), "").filled({"id": value})
    assert pattern.only_key == b"a:" + value.encode() + b":b"
    assert pattern.matches(b"a:" + other + b":b") == (other == value.encode())


def test_parameters_and_braces() -> None:
    preset = Preset("two", (r"{{tag}}:{b}:{a}:\xff*", "{a}{b}", "{a}"), "")
    assert preset.parameters == ("b", "a")
    assert _globs(preset, {"a": "1", "b": "2"}) == [b"{tag}:2:1:\xff*", b"12", b"1"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, 'preset "cache" needs a value for id'),
        ({"id": ""}, 'preset "cache" needs a value for id'),
        ({"id": "1", "user": "2"}, 'preset "cache" has no parameter "user", it has id'),
        ({"id": "x" * 1024}, "a pattern can have 1024 bytes"),
        ({"id": "\ud800"}, "half of a character"),
    ],
)
def test_values_that_do_not_fit(values: dict[str, str], says: str) -> None:
    with pytest.raises(PatternError, match=says):
        Preset("cache", ("cache:{id}",), "").filled(values)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a:{user id}", r'"a:{user id}": "{user id}" should be a parameter, as "{user_id}"'),
        ("a:{}", "should be a parameter"),
        ("a:}b", "a brace of the key itself is written twice"),
        ("a:{b", "a brace of the key itself is written twice"),
        ("[{id}]", r"a parameter can't stand inside \[...\]"),
        ("[a{id}", r"a parameter can't stand inside \[...\]"),
        (r"a\x5c{id}", "or after a backslash"),
        ("a\\{id}", "should be"),
        (r"a\xg", "two hexadecimal digits"),
        ("", "can't be empty"),
    ],
)
def test_patterns_that_cannot_be_filled(pattern: str, says: str) -> None:
    with pytest.raises(PatternError, match=says):
        Preset("bad", (pattern,), "")


def test_a_preset_needs_a_pattern() -> None:
    with pytest.raises(PatternError, match="at least one"):
        Preset("bad", (), "")


def test_one_s_own_take_the_place_of_the_built_in() -> None:
    own = (Preset("user", ("u:{id}",), "ours"), Preset("mine", ("m:*",), ""))
    together = {preset.name: preset for preset in with_built_in(own)}
    assert tuple(together) == ("project", "user", "global", "mine")
    assert together["user"].about == "ours"
