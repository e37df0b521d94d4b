"""The keys that a person can choose: every binding by its id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from textual.binding import Binding


def wrong_name(keymap: Mapping[str, str], kinds: Iterable[type[Any]]) -> str | None:
    """One line about the first name in the keymap that no binding of these classes has; None if all are known."""
    known = sorted({binding.id for kind in kinds for binding in _bindings(kind) if binding.id})
    for name in keymap:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known)}"
            return f'keymap: no key binding is called "{name}"; {hint}'
    return None


def _bindings(kind: type[Any]) -> Iterator[Binding]:
    for base in kind.__mro__:
        for binding in base.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding):
                yield binding
