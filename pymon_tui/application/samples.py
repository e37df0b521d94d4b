"""Bytes and time to live of some keys of each group: a few are asked about a tick, and the answers remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from itertools import islice
from typing import TypeAlias

from pymon_tui.application.groups import groups_of
from pymon_tui.application.turns import answered
from pymon_tui.application.walk import WALK, Walk
from pymon_tui.model.query import Answers, Argument, Batch, Command, Query, Reply, Request

ENOUGH = 150
"""Keys of one group that are asked about."""
MOST_AT_ONCE = 100
"""Keys that are asked about in one tick."""
REMEMBERED = 6_000
"""Keys that are known at most: more than enough of each group."""

_AGAIN = 20  # keys that are asked about once more in one tick: some change, some are gone
_LOOKED_THROUGH = 1_000  # keys of a page: there are enough of most groups among them
_GONE = -2  # PTTL's answer for no key


class Refused(Enum):
    """What is known of a key that our user may not ask about, so that it isn't asked again."""

    REFUSED = "refused"


Known: TypeAlias = Mapping[bytes, int | Refused]
"""By key, in the order of the answers."""
_Told: TypeAlias = Mapping[bytes, int | Refused | None]
"""The same of one tick; None for a key that is gone."""


def next_sample(known: Known, walk: Walk) -> tuple[bytes, ...]:
    """The keys to ask about now: of the newest page, those of groups of which not enough are known; then old ones.

    SCAN comes along keys in the order of their hashes, so that the first of a group are as good as any.
    """
    group_of = groups_of(walk).finder
    have = Counter(map(group_of, known))
    chosen: list[bytes] = []
    for key in islice(dict.fromkeys(walk.page), _LOOKED_THROUGH):
        group = group_of(key)
        if group is not None and key not in known and have[group] < ENOUGH:
            have[group] += 1
            chosen.append(key)
            if len(chosen) == MOST_AT_ONCE:
                break
    old = (key for key, value in known.items() if isinstance(value, int))
    return (*chosen, *islice(old, min(_AGAIN, MOST_AT_ONCE - len(chosen))))


def _asking(*words: Argument) -> Callable[[_Told | None, Walk | None], Request]:
    def asked(known: _Told | None, walk: Walk | None) -> Request:
        return Batch(tuple((*words, key) for key in next_sample(_kept(known), walk))) if walk is not None else ()

    return asked


def _kept(told: _Told | None) -> Known:
    return {key: value for key, value in (told or {}).items() if value is not None}


def _by_key(answers: Answers, name: str) -> dict[bytes, Reply]:
    found = {line[-1]: reply for line, reply in answers if isinstance(line[-1], bytes)}
    if not all(reply is None or isinstance(reply, int) for reply in found.values()):
        raise ValueError(f"{name} answered with something other than a number")
    return {**{line[-1]: Refused.REFUSED for line in answers.failed if isinstance(line[-1], bytes)}, **found}


def decode_usage(answers: Answers) -> _Told:
    """What MEMORY USAGE says of each key.

    Raises:
        ValueError: If a reply is neither a number nor nothing.
    """
    return _by_key(answers, "MEMORY USAGE")


def decode_pttl(answers: Answers) -> _Told:
    """What PTTL says of each key.

    Raises:
        ValueError: If a reply isn't a number.
    """
    return {key: None if left == _GONE else left for key, left in _by_key(answers, "PTTL").items()}


def _remember(known: _Told | None, told: _Told) -> _Told:
    return answered(_kept(known), told.items(), REMEMBERED)


_ANY = (b"",)  # they are of every kind

KEY_BYTES: Query[Known] = Query(
    "key_bytes",
    Command("memory|usage", _asking("MEMORY", "USAGE"), decode_usage, given=WALK, fold=_remember, alike=_ANY),
    _kept,
)
"""Bytes as MEMORY USAGE has them, by key."""

KEY_LIVES: Query[Known] = Query(
    "key_lives", Command("pttl", _asking("PTTL"), decode_pttl, given=WALK, fold=_remember, alike=_ANY), _kept
)
"""Milliseconds to live, -1 for those that don't expire, by key."""
