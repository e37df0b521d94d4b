"""Named patterns with parameters: what a person on call would otherwise have to know by heart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from pymon_tui.invalidation.pattern import Pattern, PatternError, encoded, literal, parse_pattern, tokens
from pymon_tui.model.key_part import escape
from pymon_tui.model.text import safe

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Preset:
    """Patterns that belong together, to be filled with values.

    Attributes:
        name: What it is called.
        patterns: As they are typed, with ``{parameter}`` for a value; a brace of the key itself is written twice.
        about: What it is for, in a few words; may be empty.
        escapes: Whether values are spelled as Py_Monitor spells them in its keys (``a:b`` as ``a%3Ab``).

    Raises:
        PatternError: If it has no pattern, or one of them can't be used, whatever its values.
    """

    name: str
    patterns: tuple[str, ...]
    about: str
    escapes: bool = False

    def __post_init__(self) -> None:
        if not self.patterns:
            raise PatternError("a preset needs at least one pattern")
        for pattern in self.patterns:
            try:
                _filled(pattern, dict.fromkeys(_parameters(pattern), "*"))
            except PatternError as error:
                raise PatternError(f'"{safe(pattern, limit=60)}": {error}') from None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters in the order of the patterns, each once."""
        return tuple(dict.fromkeys(chain.from_iterable(map(_parameters, self.patterns))))

    def filled(self, values: Mapping[str, str]) -> tuple[Pattern, ...]:
        """The patterns with a value in the place of each parameter; a value matches itself alone, ``*`` a star.

        Raises:
            PatternError: If a parameter has no value, or a value no parameter, or a pattern becomes too long.
        """
        for name in values:
            if name not in self.parameters:
                has = ", ".join(self.parameters) or "none"
                raise PatternError(
                    f'preset "{safe(self.name)}" has no parameter "{safe(name, limit=60)}", it has {has}'
                )
        for name in self.parameters:
            if not values.get(name):
                raise PatternError(f'preset "{safe(self.name)}" needs a value for {name}')
        try:
            spelled = {name: escape(value) if self.escapes else value for name, value in values.items()}
        except ValueError:
            raise PatternError(f'preset "{safe(self.name)}": a value is not valid Unicode') from None
        return tuple(_filled(pattern, spelled) for pattern in self.patterns)


def _parameters(pattern: str) -> tuple[str, ...]:
    return tuple(name for _, name in _pieces(pattern) if name is not None)


def _pieces(pattern: str) -> list[tuple[str, str | None]]:
    """A pattern cut at its parameters: the text before each and its name, None after the last.

    Raises:
        PatternError: If a brace stands alone, or what is in braces is no name.
    """
    pieces: list[tuple[str, str | None]] = []
    text, at = "", 0
    for brace in _BRACES.finditer(pattern):
        text += pattern[at : brace.start()]
        at = brace.end()
        if brace.group() in ("{{", "}}"):
            text += brace.group()[0]
        elif brace[1] is not None and _NAME.fullmatch(brace[1]):
            pieces.append((text, brace[1]))
            text = ""
        else:
            problem = 'should be a parameter, as "{user_id}"; a brace of the key itself is written twice'
            raise PatternError(f'"{safe(brace.group(), limit=60)}" {problem}')
    return [*pieces, (text + pattern[at:], None)]


def _filled(pattern: str, values: Mapping[str, str]) -> Pattern:
    globs: list[bytes] = []
    for text, name in _pieces(pattern):
        globs += [parse_pattern(text).glob] if text else []
        globs += [literal(encoded(values[name]))] if name is not None else []
    filled = Pattern(b"".join(globs))
    # A value in a set or after a backslash would not be read as itself.
    if tokens(filled.glob) != tuple(chain.from_iterable(map(tokens, globs))):
        raise PatternError("a parameter can't stand inside [...] or after a backslash")
    return filled


BUILT_IN = (
    Preset(
        "project",
        (
            "monitoring:result:{project_id}",
            "alerts:recent:{project_id}:*",
            "project:stats:{project_id}",
            "project:config:{project_id}",
        ),
        "what Py_Monitor keeps of one project",
        escapes=True,
    ),
    Preset(
        "user",
        ("user:sessions:{user_id}", "user:preferences:{user_id}", "notifications:recent:{user_id}"),
        "what Py_Monitor keeps of one user; the sessions themselves stay",
        escapes=True,
    ),
    Preset(
        "global",
        ("system:stats:*", "global:config:*", "cache:version:*"),
        "what Py_Monitor keeps for all projects and users",
        escapes=True,
    ),
)
"""The presets of Py_Monitor's own keys."""


def with_built_in(own: Iterable[Preset]) -> tuple[Preset, ...]:
    """The built-in presets and then one's own, which take the place of a built-in one of the same name."""
    return tuple(({preset.name: preset for preset in BUILT_IN} | {preset.name: preset for preset in own}).values())
