"""The keys that a person can choose: every binding by its id, and which of them can be active at the same time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

from pymon_tui.model.text import safe

Keymap = Mapping[str, str]

_MODIFIERS = frozenset(("ctrl", "alt", "shift", "super", "hyper", "meta"))
_KEYS = frozenset((*(key.value for key in Keys), *FUNCTIONAL_KEYS.values(), *KEY_NAME_REPLACEMENTS.values()))
"""What Textual calls the keys that have no character, or one that Unicode calls otherwise."""
_SPELLED = {short: name for name, short in KEY_NAME_REPLACEMENTS.items()}
"""What Unicode calls the keys that Textual calls otherwise."""

_IDLE = frozenset(("scroll_left", "scroll_right", "page_left", "page_right"))
"""What widgets that scroll up and down alone leave to others."""


@dataclass(frozen=True, slots=True)
class Context:
    """Bindings that can be active at the same time: those of what has the focus, and of all around it.

    Attributes:
        bindings: Each with one key, as it is without a keymap. Those without an id can't be changed.
        is_typing: A field has the focus, so that keys with a character go into its text.
    """

    bindings: tuple[Binding, ...]
    is_typing: bool = False


def context(*owners: type[DOMNode] | Sequence[Any], without: Iterable[str] = (), is_typing: bool = False) -> Context:
    """The bindings of these classes, or of these lists of them, but for the ids in ``without``."""
    left_out = frozenset(without)
    found = (binding for owner in owners for binding in _bindings(owner))
    kept = [one for one in found if one.id not in left_out and (one.id or one.action not in _IDLE)]
    return Context(tuple(kept), is_typing)


def wrong_keymap(keymap: Keymap, contexts: Sequence[Context]) -> str | None:
    """One line about a name that no binding has, a key that is none, or a key of two actions; None if all is well.

    Two actions that have a key in common without a keymap may have one with it: never both of them do something.
    """
    chosen = App._normalize_keymap(dict(keymap))
    wrong = _unknown(chosen, contexts) or _no_key(keymap) or next(_clashes(chosen, contexts), None)
    return None if wrong is None else safe(wrong)


def completed(keymap: Keymap, contexts: Sequence[Context]) -> dict[str, str]:
    """The keymap as Textual is to have it.

    Where one of several actions of a key gets another key, Textual takes the key from all of them: so each of the
    others is given what it has.
    """
    chosen = App._normalize_keymap(dict(keymap))
    whole = dict(chosen)
    keys: dict[str, dict[str, None]] = defaultdict(dict)
    owners: dict[str, set[str]] = defaultdict(set)
    for binding in (binding for one in contexts for binding in one.bindings):
        if binding.id:
            keys[binding.id][binding.key] = None
            owners[binding.key].add(binding.id)
    for name in chosen:
        for other in {other for key in keys.get(name, ()) for other in owners[key]} - chosen.keys():
            whole[other] = ",".join(keys[other])
    return whole


def _unknown(keymap: Keymap, contexts: Sequence[Context]) -> str | None:
    known = sorted({binding.id for one in contexts for binding in one.bindings if binding.id})
    for name in keymap:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known)}"
            return f'keymap: no key binding is called "{name}"; {hint}'
    return None


def _no_key(keymap: Keymap) -> str | None:
    for name, keys in keymap.items():
        for key in filter(None, map(str.strip, keys.split(","))):
            if not _is_key(key):
                near = get_close_matches(key, _KEYS, n=1)
                hint = (
                    f'did you mean "{near[0]}"?'
                    if near
                    else 'there are such as "f5", "ctrl+x", "space", and characters'
                )
                return f'keymap: no key is called "{key}", as "{name}" has it; {hint}'
    return None


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+") if len(key) > 1 else (key,)
    return _MODIFIERS.issuperset(modifiers) and (last in _KEYS or key_to_character(last) is not None)


def _clashes(keymap: Keymap, contexts: Sequence[Context]) -> Iterator[str]:
    for one in contexts:
        before: dict[str, set[str]] = defaultdict(set)
        for binding in one.bindings:
            before[_name(binding)].add(binding.key)
        now = {name: _keys(keymap.get(name)) or keys for name, keys in before.items()}
        for name in (name for name in keymap if name in before):
            for other, keys in now.items():
                shared = sorted(keys & now[name]) if other != name and not before[name] & before[other] else []
                if shared:
                    yield _said(shared[0], name, other, fixed=other in _fixed(one))
    yield from _typed(keymap, contexts)


def _typed(keymap: Keymap, contexts: Sequence[Context]) -> Iterator[str]:
    """Keys that would be letters of a text wherever they are bound."""
    elsewhere = {binding.id for one in contexts if not one.is_typing for binding in one.bindings}
    typing = {binding.id for one in contexts if one.is_typing for binding in one.bindings}
    for name in keymap.keys() & typing - elsewhere:
        for key in sorted(_keys(keymap[name])):
            if (character := key_to_character(key)) is not None and character.isprintable():
                yield _said(key, name, "the text that is typed there", fixed=True)


def _said(key: str, name: str, other: str, *, fixed: bool) -> str:
    character = key_to_character(_SPELLED.get(key, key))
    shown = character if character is not None and character.isprintable() and not character.isspace() else key
    if fixed:
        return f'keymap: "{shown}" is the key of "{name}" and always that of {other}; choose another for "{name}"'
    return f'keymap: "{shown}" is the key of "{name}" and of "{other}"; choose another for one of them'


def _fixed(one: Context) -> set[str]:
    return {_name(binding) for binding in one.bindings if not binding.id}


def _name(binding: Binding) -> str:
    return binding.id or f'"{(binding.description or binding.action).lower()}"'


def _keys(keys: str | None) -> set[str]:
    return {key for key in (keys or "").split(",") if key}


def _bindings(owner: type[DOMNode] | Sequence[Any]) -> Iterator[Binding]:
    if isinstance(owner, type):
        for bindings in owner._merge_bindings().key_to_bindings.values():
            yield from bindings
    else:
        yield from Binding.make_bindings(owner)
