"""Words that several rows and lines share: what is done to keys, in each form, and how many, as far as is known."""

from __future__ import annotations

from typing import NamedTuple

from pymon_tui.invalidation.account import State
from pymon_tui.journal.dropped import Dropped
from pymon_tui.journal.record import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe


class Words(NamedTuple):
    """What is done to keys, in each form that a door says it in; ``done`` by somebody, ``are`` of the keys."""

    do: SafeText
    does: SafeText
    doing: SafeText
    done: SafeText
    are: SafeText
    would: SafeText


_UNLINK = Words(*map(safe, ("remove", "removes", "removing", "removed", "removed", "would remove")))
_EXPIRE = Words(
    *map(safe, ("let expire", "lets expire", "letting expire", "let expire", "given an end", "would expire"))
)
_RESTORE = Words(*map(safe, ("restore", "restores", "restoring", "restored", "restored", "would restore")))


def words(mode: str) -> Words:
    """The words for a run of this mode."""
    return _EXPIRE if mode == "expire" else _UNLINK


def words_of(record: Record) -> Words:
    """The words for a run or an undo of the journal."""
    return _RESTORE if record.kind == "undo" else words(record.mode)


def between(least: int, most: int | None) -> SafeText:
    """How many keys, as far as is known: ``5``, ``5 to 9``, ``5+``."""
    if most is None:
        return safe(f"{units.whole(least)}+")
    return units.whole(least) if most == least else safe(f"{units.whole(least)} to {units.whole(most)}")


def keys_between(least: int, most: int | None) -> SafeText:
    """How many keys, where that is said in a sentence: ``1 key``, ``5 to 9 keys``, ``up to 9 keys``, ``unknown``."""
    if most is None:
        return safe(f"at least {units.keys(least)}" if least else "unknown")
    if least == most:
        return units.keys(most)
    return safe(f"{units.whole(least)} to {units.keys(most)}" if least else f"up to {units.keys(most)}")


def dropped_text(dropped: Dropped) -> SafeText:
    """What no undo brings back any more, as the trash is gone, and of which nodes."""
    keys = "an unknown number of keys" if dropped.keys == (0, None) else keys_between(*dropped.keys)
    of = f" of {', '.join(dropped.nodes)}" if dropped.nodes else ""
    return safe(f"the undo of {keys}{of} was dropped for newer ones, or removed by hand", 500)


def counted(record: Record) -> SafeText:
    """How many keys a run removed, or an undo restored, as ``between``."""
    return between(record.removed_at_least, record.removed_at_most)


def came_back(record: Record, least: str = "at least ") -> SafeText:
    """How many keys of a run came back, of how many: ``5 of 9``, ``at least 5 of 9 to 20``, ``5 of up to 20``.

    Args:
        record: One of which some came back.
        least: What stands before a number that may be higher.
    """
    back = record.back
    assert back is not None
    came = f"{least if back.more else ''}{units.whole(back.keys)}"
    if back.keys <= record.removed_at_least:
        return safe(f"{came} of {counted(record)}")
    most = record.removed_at_most  # who replaces restores as well what never went
    return safe(f"{came} of {'an unknown number' if most is None else f'up to {units.whole(max(most, back.keys))}'}")


def counted_keys(record: Record) -> SafeText:
    """How many keys, with the word for them: ``1 key``, ``5 to 9 keys``."""
    return safe(f"{counted(record)} {'key' if record.removed_at_least == record.removed_at_most == 1 else 'keys'}")


_STATES: dict[str, str] = {
    "starting": "feeling the server's pulse",
    "asking": "a question",
    "verifying": "counting what is left",
    "ended": "ended, tidying the journal",
}


def state(state: State) -> SafeText:
    """What a run does, where that isn't what it is for."""
    return safe(_STATES.get(state, state))
