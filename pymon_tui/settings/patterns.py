"""Patterns among the settings: the presets, and the keys that are never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pymon_tui.invalidation.hints import mistake
from pymon_tui.invalidation.pattern import Pattern, PatternError, parse_pattern
from pymon_tui.invalidation.presets import Preset
from pymon_tui.model.text import safe
from pymon_tui.settings.levels import Level
from pymon_tui.settings.lists import items
from pymon_tui.settings.problem import SettingsError, no_such_setting, not_as_expected

_IN_PRESET = ("patterns", "about")


def presets(tables: Any, source: str) -> tuple[Preset, ...]:
    """The presets of a file's ``[presets.NAME]`` tables, in its order.

    Raises:
        SettingsError: If one has another shape, or a pattern that can't be used.
    """
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise SettingsError("presets", source, "should be tables, as in [presets.project]")
    return tuple(_preset(name, table, f"{source} [presets.{safe(name)}]") for name, table in tables.items())


def take_protected(levels: Sequence[Level]) -> tuple[tuple[Level, ...], Mapping[Pattern, str]]:
    """The levels without ``protected``, and the protected patterns of all of them with where each was first set.

    They add up: a level that protects something more doesn't give up what the levels below it protect.

    Raises:
        SettingsError: If it isn't a list of patterns, or one of them can't be used.
    """
    found: dict[Pattern, str] = {}
    for one in levels:
        if "protected" in one.values:
            origin = one.origins["protected"]
            for pattern in _protected(one.values["protected"], origin):
                found.setdefault(pattern, origin)
    without = ({name: value for name, value in one.values.items() if name != "protected"} for one in levels)
    return tuple(replace(one, values=values) for one, values in zip(levels, without, strict=True)), found


def _protected(value: Any, source: str) -> list[Pattern]:
    patterns: list[Pattern] = []
    for text in _texts("protected", value, source):
        try:
            pattern = parse_pattern(text)
        except PatternError as error:
            raise SettingsError("protected", source, f'"{safe(text, limit=60)}": {error}') from None
        if (problem := mistake(text, pattern)) is not None:  # it would protect nothing, and nobody would be told
            remedy = r"with \ before a character that is one of the key"
            raise SettingsError("protected", source, f'"{safe(text, limit=60)}" {problem}, or write it {remedy}')
        patterns.append(pattern)
    return patterns


def _preset(name: str, table: Mapping[str, Any], source: str) -> Preset:
    for setting in table:
        if setting not in _IN_PRESET:
            raise no_such_setting(setting, source, _IN_PRESET)
    about = table.get("about", "")
    if not isinstance(about, str):
        raise not_as_expected("about", source, about)
    patterns = _texts("patterns", table.get("patterns", []), source)
    try:
        return Preset(name, patterns, about)
    except PatternError as error:
        raise SettingsError("patterns", source, str(error)) from None


def _texts(setting: str, value: Any, source: str) -> tuple[str, ...]:
    try:
        return items(value)
    except ValueError as error:
        if not isinstance(value, str):
            raise not_as_expected(setting, source, value) from None
        raise SettingsError(setting, source, f'{error}, not "{safe(value, limit=60)}"') from None
