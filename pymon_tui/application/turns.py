"""Whose turn it is to be asked about: a few keys a tick, so that many keys cost the server no more than few."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def next_keys(known: Mapping[bytes, object], existing: Collection[bytes], most: int) -> tuple[bytes, ...]:
    """The keys to ask about now: those of which nothing is known, then those that were asked about longest ago.

    Args:
        known: What was answered, by key, in the order of the answers.
        existing: Every key that there is.
        most: How many to ask about at once.
    """
    fresh = (key for key in existing if key not in known)
    chosen = tuple(islice(fresh, most))
    return (*chosen, *islice(known, most - len(chosen)))


def answered(
    known: Mapping[bytes, T] | None, answers: Iterable[tuple[bytes, T | None]], most: int
) -> Mapping[bytes, T]:
    """What is known after these answers, the newest last; keys that are gone (None) are forgotten.

    Args:
        known: What was known before; None for nothing.
        answers: Keys with what is now known of them.
        most: How many keys to remember; those that were asked about longest ago are forgotten first.
    """
    merged = dict(known or {})
    for key, answer in answers:
        merged.pop(key, None)
        if answer is not None:
            merged[key] = answer
    return dict(islice(merged.items(), max(0, len(merged) - most), None))
