"""What runs and undos must leave behind, in plain Python: for each key what may be there, and how it is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tests.stateful.keyspace import Expected, Given, Key, Keyspace, Span, is_as
from tests.stateful.known import KNOWN, Difference
from tests.stateful.wishes import Wish

Fate: TypeAlias = str
"""How a key is counted: a name in the account; empty where it is counted nowhere."""
Options: TypeAlias = list[tuple[Fate, Expected]]
"""What may become of one key: more than one where it isn't for us to know."""

REMOVED, GONE, PROTECTED = "removed", "already_gone", "protected"
RESTORED, SKIPPED, EXPIRED = "restored", "skipped", "expired"

ROUNDED = 100
"""Milliseconds that an end may be beside the truth, where that is known."""


class Different(AssertionError):  # noqa: N818 - what was found
    """The program and the model disagree."""


@dataclass(slots=True)
class Kept:
    """A key in the trash of a run.

    Attributes:
        before: What it was when the run came to it.
        went: Whether the run removed it, or gave it the end in `given`; None where nobody can know.
        given: That end; 0 with a run that removes, or where the key was left alone.
        returned: Whether an undo has brought it back.
        named: Whether the run has named it to the server, as far as can be known.
    """

    before: Key
    went: bool
    given: int = 0
    returned: bool = False
    named: bool = True


@dataclass(slots=True)
class Run:
    """A run that has ended, however that was.

    Attributes:
        process: The run ids of the servers that it worked on.
        removed: Keys that it removed, or gave an end.
        kept: What it kept, by name.
        door: The address that was typed.
        whole: Whether it came to its end.
        undone: Whether the journal says so; None where it may or may not.
        begun_again: The undo that was cut off and is gone on with: whether it replaces, and on which process.
        resumed_by: The run that took it up again.
    """

    id: str
    wish: Wish
    process: str
    door: str
    removed: int
    kept: dict[bytes, Kept]
    whole: bool
    state: str
    undone: bool | None = False
    begun_again: tuple[bool, str] | None = None
    resumed_by: list[str] = field(default_factory=list)
    wall: float = 0.0


def removal_options(
    wish: Wish, keys: Keyspace, usage: Mapping[bytes, int], span: Span, *, named: frozenset[bytes] | None, whole: bool
) -> dict[bytes, Options]:
    """What a run may do to each key that there is before it.

    Args:
        usage: MEMORY USAGE of each key.
        named: The keys that were named to the server, where that is known.
        whole: Whether it came to its end; else it may have come to a key or not.
    """
    meant = wish.meant(keys, usage, span.begin)
    doubtful = meant ^ wish.meant(keys, usage, span.end)
    held_back = wish.held_back(keys)
    options: dict[bytes, Options] = {}
    for name, key in keys.items():
        unchanged: Options = [("", key)]
        if name in held_back:
            options[name] = [(PROTECTED, key)] + ([] if whole else unchanged)
        elif name not in meant | doubtful or (named is not None and name not in named and not whole):
            options[name] = unchanged
        else:
            done = _done(wish, key, span)
            ended = key.at(span.end) is None
            options[name] = done + ([(GONE, None)] if ended else [])
            options[name] += unchanged if not whole or name in doubtful or ended else []
    return options


def _done(wish: Wish, key: Key, span: Span) -> Options:
    """A key that the run has come to."""
    if not wish.expire:
        return [(REMOVED, None)]
    first, last = span.begin + 1000 * wish.expire, span.end + 1000 * (wish.expire + wish.jitter) + 1
    options: Options = []
    if not key.end or key.end > first:
        options.append((REMOVED, Given(key, first, min(last, key.end) if key.end else last)))
    if key.end and key.end <= last:
        options.append((GONE, key))
    return options


def undo_options(
    run: Run, keys: Keyspace, span: Span, *, replaces: bool, goes_on: bool, whole: bool, broken: bool
) -> dict[bytes, Options]:
    """What an undo may do to each key of a run's trash.

    Args:
        goes_on: Whether an undo that was cut off is gone on with: what that one has settled isn't looked at again.
        whole: Whether it came to its end.
        broken: Whether its line broke, so that it finds keys that it has brought back itself.
    """
    options: dict[bytes, Options] = {}
    for name, kept in run.kept.items():
        now = keys.get(name)
        some = _returned(run, kept, now, span, replaces=replaces)
        if broken and Difference.UNSTABLE_DUMP in KNOWN:
            some = some + [(SKIPPED, each) for fate, each in some if fate == RESTORED]
        if goes_on:
            some = some + [(fate, now) for fate in (RESTORED, SKIPPED, EXPIRED)]
        options[name] = some if whole else [*some, ("", now)]
    return options


def _returned(run: Run, kept: Kept, now: Key | None, span: Span, *, replaces: bool) -> Options:
    if not kept.went:
        return _left_alone(run, kept, now, span, replaces=replaces)
    back = kept.before
    if back.at(span.begin) is None:
        return _ended(kept, now, span)
    options: Options = [(EXPIRED, now)] if back.at(span.end) is None else []
    if now is not None and kept.given and now.end == kept.given:
        options.append((RESTORED, _with_end_of(now, back)))
        if replaces:
            options.append((RESTORED, _with_end_of(back, back)))
        if Difference.EXPIRE_BY_DUMP in KNOWN:
            options.append((SKIPPED, now))
    elif now is None:
        options.append((RESTORED, _with_end_of(back, back)))
    elif is_as(_with_end_of(back, back), now, span):
        options.append((RESTORED, _with_end_of(back, back)))
        if not kept.returned or Difference.UNSTABLE_DUMP in KNOWN:
            options.append((SKIPPED, now))
    elif replaces:
        options.append((RESTORED, _with_end_of(back, back)))
    else:
        options.append((SKIPPED, now))
        if Difference.WINDOWS in KNOWN and run.wish.expire and replace(now, end=0) == replace(back, end=0):
            options.append((RESTORED, _with_end_of(back, back)))
        if Difference.OTHER_END in KNOWN and replace(now, end=0) == replace(back, end=0):
            options.append((RESTORED, now))
    return options


def _with_end_of(key: Key, back: Key) -> Expected:
    """A key with the end that another has, as exactly as undos bring ends back."""
    if back.end and Difference.ROUNDED_ENDS in KNOWN:
        return Given(key, back.end - ROUNDED, back.end + ROUNDED)
    return replace(key, end=back.end)


def _ended(kept: Kept, now: Key | None, span: Span) -> Options:
    """A key that would have ended by itself by now."""
    options: Options = [(EXPIRED, now)]
    if not 0 < kept.before.end <= span.end and Difference.ENDED_FIELDS in KNOWN:
        options += [(RESTORED, now), (RESTORED, None), (SKIPPED, now)]
    return options


def _left_alone(run: Run, kept: Kept, now: Key | None, span: Span, *, replaces: bool) -> Options:
    """A key that is in the trash and that the run didn't change, as far as is known."""
    options: Options = [(fate, now) for fate in ("", RESTORED, SKIPPED, EXPIRED)]
    known = Difference.SHORTER_RESTORED if run.whole else Difference.COPIED_RESTORED
    if known in KNOWN or (kept.named and not run.whole):
        options.append((RESTORED, _with_end_of(kept.before, kept.before)))
        if now is not None and run.wish.expire:
            options.append((RESTORED, _with_end_of(now, kept.before)))
    return options


def check_keys(options: Mapping[bytes, Options], before: Keyspace, after: Keyspace, span: Span) -> None:
    """Hold what is there against what may be; a key without options must be as it was.

    Raises:
        Different: With every key that isn't as it should be.
    """
    wrong = []
    for name in sorted({*options, *before, *after}):
        expected = [each for _, each in options.get(name, [("", before.get(name))])]
        actual = after.get(name)
        if not any(is_as(each, actual, span) for each in expected):
            wrong.append(f"{name!r}: should be {' or '.join(map(_said, expected))}, is {_said(actual)}")
    if wrong:
        raise Different("\n".join(wrong))


def fates(options: Mapping[bytes, Options], after: Keyspace, span: Span) -> dict[bytes, set[Fate]]:
    """How each key may be counted, given what is there."""
    return {name: {fate for fate, each in some if is_as(each, after.get(name), span)} for name, some in options.items()}


def check_counts(
    told: Mapping[str, object], settled: Mapping[bytes, set[Fate]], names: Iterable[Fate], *, stay: bool
) -> None:
    """Hold the counts of an account against the fates of the keys.

    Args:
        stay: Whether keys that are counted as removed are there still, as those that were given an end.

    Raises:
        Different: With the counts that are impossible.
    """
    least = Counter(fate for some in settled.values() if len(some) == 1 for fate in some)
    most = Counter(fate for some in settled.values() for fate in some)
    if Difference.FOUND_TWICE in KNOWN:
        most[GONE] += most[REMOVED] + most[GONE]
        most[PROTECTED] *= 2
        most[REMOVED] *= 2 if stay else 1
    sure = {name: sorted(key for key, some in settled.items() if some == {name}) for name in names}
    wrong = [
        f"{name}: {told.get(name)} instead of {least[name]}"
        + (f" to {most[name]}" if most[name] > least[name] else "")
        + f" {sure[name]}"
        for name in names
        if not isinstance(count := told.get(name), int) or not least[name] <= count <= most[name]
    ]
    if wrong:
        raise Different(", ".join(wrong))


def _said(expected: Expected) -> str:
    if isinstance(expected, Given):
        return f"{expected.key} with an end of {expected.first} to {expected.last}"
    return "nothing" if expected is None else str(expected)
