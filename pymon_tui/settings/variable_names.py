"""Which names of variables are meant for this program, and are none of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches

from pymon_tui.model.text import safe
from pymon_tui.settings.problem import SettingsError

_OURS = "PYMON"
_OTHERS = ("PYMON_PROFILE", "PYMON_CONFIG")
"""Variables that are no settings, besides those that our own processes hand each other (``PYMON_TUI_…``)."""
_LIKE = 0.77  # "PROJECT" is less like "PROTECTED"
_RESTRAINING = {"PROTECT": "PYMON_PROTECTED", "READONLY": "PYMON_READ_ONLY", "MAXKEY": "PYMON_MAX_KEYS"}
"""Words of which a variable's name says that it holds runs back, whatever else stands in it."""


def judge(variables: Mapping[str, tuple[str, str]], settings: Collection[str], warn: Callable[[str], None]) -> None:
    """Refuse each name that is nearly that of a setting, and say which others aren't read.

    A name that is misspelled would otherwise restrain nothing, or leave the run to another server.

    Args:
        variables: The value and the origin of each, by name.
        settings: The names that are read.
        warn: Told of each name that begins as ours do and is like none of them.

    Raises:
        SettingsError: For the first that is misspelled.
    """
    known = {_letters(name): name for name in (*settings, *_OTHERS)}
    for name, (_, origin) in variables.items():
        letters = _letters(name)
        if name in known.values() or not name.upper().startswith(_OURS) or name.startswith("PYMON_TUI_"):
            continue
        meant = _meant(letters, known)
        if meant is not None:
            raise SettingsError(safe(name), origin, f'no such variable; did you mean "{meant}"?')
        warn(f"{safe(origin)} is no variable of pymon-tui, and isn't read")


def _letters(name: str) -> str:
    return name.upper().replace("_", "").removeprefix(_OURS)


def _meant(letters: str, known: Mapping[str, str]) -> str | None:
    """The name that was meant: in another case, cut short, with letters in another order, or much like this one."""
    if letters in known:
        return known[letters]
    found = [name for word, name in _RESTRAINING.items() if word in letters]
    found += [name for word, name in known.items() if len(letters) > 2 and word.startswith(letters)]
    found += [name for word, name in known.items() if sorted(word) == sorted(letters)]
    found += [known[word] for word in get_close_matches(letters, known, n=1, cutoff=_LIKE)]
    return found[0] if found else None
