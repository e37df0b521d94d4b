"""What runs and undos must leave behind, in plain Python: for each key what may be there, and how it is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tests.stateful.keyspace import Expected, Given, Key, Keyspace, Span, is_as
from tests.stateful.wishes import Wish

Fate: TypeAlias = str
"""How a key is counted: a name in the account; empty where it is counted nowhere."""
Options: TypeAlias = list[tuple[Fate, Expected]]
"""What may become of one key: more than one where it isn't for us to know."""

REMOVED, GONE, SOONER, PROTECTED = "removed", "already_gone", "ending_sooner", "protected"
RESTORED, SKIPPED, EXPIRED, THERE = "restored", "skipped", "expired", "there"


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
        kept: What it kept, by name.
        whole: Whether it came to its end.
        undone: Whether the journal says so.
        came_to_an_end: Whether an undo of it did.
        begun_again: The undo that was cut off and is gone on with: whether it replaces, and on which process.
        resumed_by: The run that took it up again.
        is_back: Whether an undo told of keys that are there again: the run isn't gone on with then.
        may_be_back: Whether one that told nothing may have brought some back.
    """

    id: str
    wish: Wish
    process: str
    kept: dict[bytes, Kept]
    whole: bool
    state: str
    undone: bool = False
    came_to_an_end: bool = False
    begun_again: tuple[bool, str] | None = None
    resumed_by: list[str] = field(default_factory=list)
    is_back: bool = False
    may_be_back: bool = False


def removal_options(
    wish: Wish,
    keys: Keyspace,
    usage: Mapping[bytes, int],
    span: Span,
    *,
    named: frozenset[bytes] | None,
    whole: bool,
    broken: bool,
) -> dict[bytes, Options]:
    """What a run may do to each key that there is before it.

    Args:
        usage: MEMORY USAGE of each key.
        named: The keys that were named to the server, where that is known.
        whole: Whether it came to its end; else it may have come to a key or not.
        broken: Whether its line broke: what it did to keys that end soon is told only by an end that it knows.
    """
    meant = wish.meant(keys, usage, span.begin)
    doubtful = meant ^ wish.meant(keys, usage, span.end)
    held_back = wish.held_back(keys)
    options: dict[bytes, Options] = {}
    for name, key in keys.items():
        unchanged: Options = [("", key)]
        if name in held_back:
            options[name] = [(PROTECTED, key)] + ([] if whole and key.at(span.end) is not None else unchanged)
        elif name not in meant | doubtful or (named is not None and name not in named and not whole):
            options[name] = unchanged
        else:
            done = _done(wish, key, span)
            if broken and not wish.undo:
                done += [(REMOVED, each) for fate, each in done if fate == SOONER]
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
        options.append((REMOVED, Given(key, first, min(last, key.end - 1) if key.end else last)))
    if key.end and key.end <= last:
        options.append((SOONER, key))
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
        returned = _ends_returned if run.wish.expire else _returned
        some = returned(kept, now, span, replaces=replaces) if kept.went else _left_alone(run, kept, now)
        if broken or goes_on:
            some = some + [(RESTORED, each) for fate, each in some if fate == THERE]
        if goes_on:
            some = some + [(fate, now) for fate in (RESTORED, SKIPPED, EXPIRED, THERE)]
        options[name] = some if whole else [*some, ("", now)]
    return options


def _returned(kept: Kept, now: Key | None, span: Span, *, replaces: bool) -> Options:
    """A key that the run removed."""
    back = kept.before
    options: Options = [(EXPIRED, now)] if back.at(span.end) is None else []
    if back.at(span.begin) is None:
        return options
    if now is None or now.at(span.end) is None or replaces:
        options.append((RESTORED, back))
    if now is not None and not replaces:
        options += _as_it_was(kept, now) if is_as(back, now, span) else [(SKIPPED, now)]
    return options


def _ends_returned(kept: Kept, now: Key | None, span: Span, *, replaces: bool) -> Options:
    """A key that the run gave an end, which is far away still."""
    back = kept.before
    ended: Options = [(EXPIRED, now)] if back.at(span.end) is None else []
    options: Options = []
    if now is None or now.at(span.end) is None:
        options += ended if back.at(span.begin) is None else [*ended, (SKIPPED, now)]
    if now is None:
        return options
    if now.end == kept.given:
        return [*options, (RESTORED, replace(now, end=back.end))]
    if now.end == back.end:
        options += _as_it_was(kept, now)
    if not (now.end == back.end and kept.returned):
        changed: Options = [(RESTORED, back)] if back.at(span.begin) is not None else []
        options += [*changed, *ended] if replaces else [(SKIPPED, now)]
    return options


def _as_it_was(kept: Kept, now: Key) -> Options:
    """A key that is there as it was: whoever looks only sees that where an undo has brought it back."""
    return [(THERE, now)] if kept.returned else [(THERE, now), (SKIPPED, now)]


def _left_alone(run: Run, kept: Kept, now: Key | None) -> Options:
    """A key that is in the trash and that the run didn't change, as far as is known."""
    options: Options = [(fate, now) for fate in ("", SKIPPED, EXPIRED, THERE)]
    if kept.named and not run.whole:
        options.append((RESTORED, kept.before))
        if now is not None and run.wish.expire:
            options.append((RESTORED, replace(now, end=kept.before.end)))
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


def check_counts(told: Mapping[str, object], settled: Mapping[bytes, set[Fate]], names: Iterable[Fate]) -> None:
    """Hold the counts of an account against the fates of the keys.

    Raises:
        Different: With the counts that are impossible.
    """
    least = Counter(fate for some in settled.values() if len(some) == 1 for fate in some)
    most = Counter(fate for some in settled.values() for fate in some)
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
