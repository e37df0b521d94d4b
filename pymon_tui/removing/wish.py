"""What a command line asks for, in the terms of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.filters import Expiry, Filters
from pymon_tui.invalidation.pattern import Pattern, PatternError, parse_pattern
from pymon_tui.invalidation.selection import Selection
from pymon_tui.model.text import safe
from pymon_tui.removing.exit_code import WrongUse


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command line asks for. Seconds and bytes; None and empty where nothing is said.

    Attributes:
        patterns: As they are typed.
        parameters: The preset's, as ``name=value``.
        every: Whether a pattern may match all keys.
        expire: Seconds after which the keys end, in place of removing them.
        jitter: Seconds over which their ends are spread; as ``expire`` where nothing is said.
    """

    patterns: tuple[str, ...]
    preset: str | None
    parameters: tuple[str, ...]
    type: str | None
    no_ttl: bool
    expires_within: float | None
    expires_later: float | None
    idle: float | None
    larger: int | None
    every: bool
    expire: float | None
    jitter: float | None
    dry_run: bool
    no_undo: bool


def selection_of(wish: Wish, desk: Desk) -> Selection:
    """The keys that are meant.

    Raises:
        PatternError: If a pattern or a filter can't be used.
        WrongUse: If there is no such preset, or its parameters aren't given as such.
    """
    patterns = [_pattern(typed) for typed in wish.patterns]
    if wish.preset is not None:
        patterns += _of_preset(desk, wish.preset, wish.parameters)
    return desk.selection(patterns, _filters(wish), every=wish.every)


def options_of(wish: Wish, desk: Desk) -> Options:
    """What is to be done to them."""
    if wish.expire is None:
        return desk.options("unlink", expire=0.0, jitter=0.0, undo=not wish.no_undo, dry_run=wish.dry_run)
    # All at one moment is what hurts the database behind a cache: to spread is the rule.
    jitter = wish.expire if wish.jitter is None else wish.jitter
    return desk.options("expire", expire=wish.expire, jitter=jitter, undo=not wish.no_undo, dry_run=wish.dry_run)


def _pattern(typed: str) -> Pattern:
    try:
        return parse_pattern(typed)
    except PatternError as error:
        raise PatternError(f'pattern "{safe(typed, limit=60)}": {error}') from None


def _of_preset(desk: Desk, name: str, parameters: tuple[str, ...]) -> tuple[Pattern, ...]:
    preset = next((preset for preset in desk.rules.presets if preset.name == name), None)
    if preset is None:
        known = ", ".join(safe(each.name) for each in desk.rules.presets)
        raise WrongUse(f'no preset is called "{safe(name, limit=60)}"; there are {known}')
    values: dict[str, str] = {}
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        if not equals:
            raise WrongUse(f'--param should be NAME=VALUE, not "{safe(parameter, limit=60)}"')
        if key in values:
            raise WrongUse(f"--param {safe(key, limit=60)} is given twice; one value is meant")
        values[key] = value
    return preset.filled(values)


def _filters(wish: Wish) -> Filters:
    expiry: Expiry | None = "none" if wish.no_ttl else None
    seconds = None
    if wish.expires_within is not None:
        expiry, seconds = "within", wish.expires_within
    elif wish.expires_later is not None:
        expiry, seconds = "later", wish.expires_later
    return Filters(type=wish.type, expiry=expiry, expiry_seconds=seconds, idle_over=wish.idle, larger_than=wish.larger)
