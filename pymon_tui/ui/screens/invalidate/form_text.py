"""What the form says of what is typed, in lines; pure."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.invalidation.estimate import Estimate
from pymon_tui.invalidation.explained import explained, matches_nothing
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.presets import Preset
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.ink import BLANK, Line, Span, label, span

_NAME = 11


def _also(name: str, example: str) -> Line:
    return (label(f"     {name}  "), span(example))


SYNTAX: tuple[Line, ...] = (
    (
        label("*".ljust(_NAME)),
        span("any bytes     "),
        label("?  "),
        span("one byte     "),
        label("[ab]  "),
        span("one of"),
    ),
    (
        label("\\*".ljust(_NAME)),
        span("a star itself "),
        label("\\x20  "),
        span("a byte by its number, such as a blank"),
    ),
    (label("user:* a:*".ljust(_NAME)), span("several patterns, with blanks between them")),
    (
        label("expiry".ljust(_NAME)),
        span("none  <1h  >1h"),
        label("     idle  "),
        span(">1h"),
        label("     larger  "),
        span(">1M"),
    ),
)


HOW: tuple[Line, ...] = (BLANK, *SYNTAX)
"""What stands below the meaning of what was typed, for what is typed next."""


def meaning(patterns: Sequence[Pattern], protected: Sequence[Pattern]) -> tuple[Line, ...]:
    """What each pattern matches, and what is never touched."""
    lines: list[Line] = [(span(pattern.shown, "strong"), span("  "), *_about(pattern)) for pattern in patterns]
    return (*lines, *_protected(protected))


def presets(known: Sequence[Preset], protected: Sequence[Pattern]) -> tuple[Line, ...]:
    """How a pattern is written, the presets there are, and what is never touched."""
    lines: list[Line] = [
        (
            label("preset "),
            span(preset.name, "strong"),
            label("".join(f" {parameter}" for parameter in preset.parameters)),
            label(f"  {safe(preset.about)}"),
        )
        for preset in known
    ]
    return (*SYNTAX, BLANK, *lines, *_protected(protected))


def templates(preset: Preset, protected: Sequence[Pattern]) -> tuple[Line, ...]:
    """The patterns of a preset whose values aren't all known yet."""
    return (*((span(pattern, "strong"),) for pattern in preset.patterns), *_protected(protected))


def _about(pattern: Pattern) -> Line:
    if pattern.is_catch_all:
        return (span("matches every key", "act"),)
    if pattern.only_key is not None:
        return (label("is one key"),)
    if matches_nothing(pattern):
        return (span("matches no key: a set has no member", "warn"),)
    first, *others = explained(pattern)
    if pattern.literal_prefix and others == ["anything"]:
        return (label("keys that begin with "), span(first))
    pieces: list[Span] = [label("keys with "), span(first)]
    for place in others:
        pieces += [label(" then "), span(place)]
    return tuple(pieces)


def _protected(protected: Sequence[Pattern]) -> tuple[Line, ...]:
    if not protected:
        return ()
    shown = [span(f" {pattern.shown}") for pattern in protected]
    return (BLANK, (label("never touched:"), *shown))


def estimated(found: Estimate | None) -> tuple[Line, ...]:
    """An estimate, which says that it is one."""
    if found is None:
        return ((label("no estimate: the server doesn't tell how many keys it has"),),)
    if found.complete:
        return (
            (span(units.keys(found.matched), "strong"), label(" matches" if found.matched == 1 else " match")),
            (label(f"all of {units.keys(found.total)} looked at; enter makes the plan"),),
        )
    low, high = units.whole(found.matched_low), units.whole(found.matched_high)
    share = found.scanned / found.total if found.total else 0.0
    return (
        (
            label("about "),
            span(units.keys(found.matched), "strong"),
            label(f" match, between {low} and {high}"),
        ),
        (label(f"an estimate from {units.percent(share)} of {units.keys(found.total)}; enter counts them all"),),
    )


def wrong(text: SafeText) -> tuple[Line, ...]:
    """Why there is no estimate."""
    return ((span(text, "warn"),),)


WAITING: tuple[Line, ...] = ((label("type a pattern, or choose a preset"),),)
ASKING: tuple[Line, ...] = ((label("estimating"),),)
