"""What the list of keys says: a key and its facts, and how far the listing is."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from pymon_tui.application.sessions import id_of, shortened
from pymon_tui.invalidation.browsing import MOST, BrowsingProgress, KeyFacts
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.services.keys import SESSION, family_of
from pymon_tui.ui.widgets.ink import Line, Span, field, label, span
from pymon_tui.ui.widgets.rows import GAP
from pymon_tui.ui.widgets.table import Column

_NAME = 10
_SHORTEST = 24  # cells of a key
_LONGEST = 4_096


def is_secret(key: bytes) -> bool:
    """Whether who knows the key is taken for somebody: a session's has its id in it."""
    return family_of(key) is SESSION


def key_text(key: bytes) -> SafeText:
    """The key for display and for copying; a session's with so much of its id that it is known again."""
    return (
        safe(SESSION.key(id="x").removesuffix("x") + shortened(id_of(key))) if is_secret(key) else safe(key, _LONGEST)
    )


def _type(sample: Sample) -> Span:
    return span(units.UNKNOWN, "faint") if sample.type is None else label(sample.type)


def _ttl(sample: Sample) -> Span:
    if sample.pttl_ms is None:
        return span(units.UNKNOWN, "faint")
    return label("stays") if sample.pttl_ms < 0 else span(units.duration(sample.pttl_ms / 1000))


def _bytes(sample: Sample) -> Span:
    return span(units.bytes_(sample.bytes), "faint" if sample.bytes is None else "value")


def columns_of(samples: Iterable[Sample], width: int) -> tuple[Column[Sample], ...]:
    """The columns for these keys, of which the longest is seen whole if a table of ``width`` cells has room for it."""
    room = width - sum(column.width + GAP for column in _FACTS)
    longest = max((cell_len(key_text(sample.key)) for sample in samples), default=0)
    return (
        Column("key", "key", max(_SHORTEST, min(longest, room)), lambda sample: span(key_text(sample.key))),
        *_FACTS,
    )


_FACTS: tuple[Column[Sample], ...] = (
    Column("type", "type", 8, _type, rank=3),
    Column("ttl", "ttl", 8, _ttl, "right"),
    Column("bytes", "bytes", 8, _bytes, "right"),
    Column("idle", "idle", 5, lambda sample: label(units.age(sample.idle)), "right", rank=4),
)


def ordered(samples: list[Sample], by: str | None, *, descending: bool) -> list[Sample]:
    """The keys by a column, what isn't known last; as they were found where by none. Without an end is longest."""
    if by == "key":
        return sorted(samples, key=lambda sample: sample.key, reverse=descending)
    if by == "type":
        return sorted(samples, key=lambda sample: sample.type or "~", reverse=descending)
    if by not in ("ttl", "bytes", "idle"):
        return samples
    known = [sample for sample in samples if _number(sample, by) is not None]
    known.sort(key=lambda sample: _number(sample, by) or 0.0, reverse=descending)
    return known + [sample for sample in samples if _number(sample, by) is None]


def state_lines(
    progress: BrowsingProgress | None,
    trouble: Line | None,
    refusals: tuple[SafeText, ...],
    *,
    looking: bool,
    more: str,
) -> tuple[Line, ...]:
    """How far the listing is, or what is in its way; then what is unknown of every key.

    Args:
        looking: Whether more keys are being looked for.
        more: The key that looks for more, where the time was over before there were enough; else empty.
    """
    unknown = tuple((span(refusal, "warn"),) for refusal in refusals)
    if trouble is not None:
        return (trouble, *unknown)
    if progress is None:
        return ((label("connecting"),),)
    return (_state(progress, looking=looking, more=more), *unknown)


def _state(progress: BrowsingProgress, *, looking: bool, more: str) -> Line:
    listed = span(units.whole(progress.listed), "strong")
    if progress.ended:
        match = "key matches" if progress.listed == 1 else "keys match"
        return (listed, label(f" {match} {_looked_through(progress)}"))
    if progress.capped:
        return (label("the first "), span(units.whole(MOST), "strong"), label(" keys; a longer pattern shows others"))
    found = (listed, label(" keys so far")) if progress.listed else (label("nothing found yet"),)
    goes_on = " · looking" if looking else f" · {more} looks on" if more else ""
    return (*found, label(f" {_looked_through(progress)}{goes_on}"))


def _looked_through(progress: BrowsingProgress) -> str:
    total = f" of {units.count(progress.total)}" if progress.total is not None else ""
    return f"· {units.count(progress.scanned)}{total} looked at" if progress.scanned else ""


def facts_lines(key: bytes, facts: KeyFacts) -> tuple[Line, ...]:
    """All that is told of one key."""
    sample = facts.sample
    family = family_of(key)
    lines: list[Line] = [
        field("key", _NAME, span(key_text(key), "strong")),
        field("type", _NAME, _type(sample)),
        field("encoding", _NAME, facts.encoding or units.UNKNOWN),
        field("ttl", _NAME, span(_long_ttl(sample))),
        field("bytes", _NAME, span(units.whole(sample.bytes)), label(_with_samples(sample))),
        field("idle", _NAME, span(units.duration(sample.idle))),
    ]
    if family is not None:
        life = "stays" if family.life is None else f"lives {units.duration(family.life)}"
        lines += [field("family", _NAME, span(family.name), label(life)), field("", _NAME, label(family.meaning))]
    if is_secret(key):
        lines.append(field("", _NAME, label("its id logs in, so it isn't shown here")))
    return tuple(lines)


def _with_samples(sample: Sample) -> str:
    return f"{units.bytes_(sample.bytes)}, large ones by samples (MEMORY USAGE)" if sample.bytes is not None else ""


def _number(sample: Sample, by: str) -> float | None:
    if by == "ttl":
        return float("inf") if sample.pttl_ms is not None and sample.pttl_ms < 0 else sample.pttl_ms
    return sample.bytes if by == "bytes" else sample.idle


def _long_ttl(sample: Sample) -> SafeText:
    if sample.pttl_ms is None:
        return safe("gone, or not told")
    return safe("stays") if sample.pttl_ms < 0 else units.duration(sample.pttl_ms / 1000)
