"""What Textual finds out anew for each app, and is the same for all of them, is found out once in a process.

A test's app is one of hundreds: to parse the style sheets costs a tenth of an app's start, and to read the signatures
of what it calls a thirtieth. What apps do with either stays theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from inspect import signature
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from textual import _callback
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet


@pytest.fixture(scope="session", autouse=True)
def rules_parsed_once() -> Iterator[None]:
    """Have all style sheets share the rules of the same text with the same variables, which nothing changes."""
    parse = Stylesheet._parse_rules
    known: dict[Hashable, dict[Hashable, list[RuleSet]]] = {}
    of_sheets: WeakKeyDictionary[Stylesheet, tuple[dict[str, str], dict[Hashable, list[RuleSet]]]] = WeakKeyDictionary()

    def parsed(sheet: Stylesheet, css: str, *where: Any, **kind: Any) -> list[RuleSet]:
        variables, rules = of_sheets.get(sheet, (None, {}))
        if variables is not sheet._variables:
            rules = known.setdefault(frozenset(sheet._variables.items()), {})
            of_sheets[sheet] = sheet._variables, rules
        key = css, *where, *kind.items()
        if key not in rules:
            rules[key] = parse(sheet, css, *where, **kind)
        return rules[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stylesheet, "_parse_rules", parsed)
        yield


@pytest.fixture(scope="session", autouse=True)
def parameters_counted_once() -> Iterator[None]:
    """Have the parameters of a function counted once, also where it is called through a ``partial`` each time."""
    known: WeakKeyDictionary[Callable[..., Any], int] = WeakKeyDictionary()

    def count(called: Callable[..., Any]) -> int:
        of = called.__func__ if isinstance(called, MethodType) else called
        if of not in known:
            known[of] = len(signature(of).parameters)
        return known[of] - (of is not called)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_callback, "_count_parameters", count)
        yield
