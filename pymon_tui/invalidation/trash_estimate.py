"""How big the file of a removal's dumps would become: a few keys are dumped and compressed, and nothing is kept."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from redis.exceptions import ResponseError

from pymon_tui.invalidation.fitting import SizeClasses
from pymon_tui.invalidation.key_bytes import Total, size_class
from pymon_tui.invalidation.memory import Memory, memory_now
from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.invalidation.redirect import is_redirect
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.invalidation.touched import Touched
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import gap

_MOST_DUMPS = 100
_LARGEST_DUMP = 65_536  # bytes by MEMORY USAGE: what is sent for a preview stays within a few megabytes
_AT_ONCE = 10
_MOST_BYTES = _AT_ONCE * _LARGEST_DUMP
_LEVEL = 1
_FRAME = 16  # bytes of a record beside its key and payload: their lengths, the expiry


@dataclass(frozen=True, slots=True)
class TrashEstimate:
    """What the trash would hold, by a sample.

    Attributes:
        bytes: Of the file, compressed; None where it isn't known.
        oversized: Keys too big to be kept in it.
        problem: Why nothing can be kept in it; None if it can.
        sizes: The keys that may be kept by their sizes, which are those in memory where ``bytes`` isn't known; empty
            where those aren't either.
    """

    bytes: int | None
    oversized: int
    problem: SafeText | None
    sizes: SizeClasses = ()


async def trash_estimate(
    pipe: Pipe,
    samples: Sequence[Sample],
    total: Total,
    keys: int,
    *,
    key_cap: int,
    memory: Memory,
    problem: SafeText | None,
    untouched: bool,
    touched: Touched,
) -> TrashEstimate:
    """What the trash of ``keys`` keys would hold; those of more than ``key_cap`` bytes don't go in.

    DUMP counts as use of a key, so only up to a hundred small ones are dumped; none, where all must be left untouched.
    Each class of sizes is assumed to compress as its dumped keys do; a class without any counts in full.

    Args:
        samples: Keys some of which may be dumped.
        total: Sizes of all keys, or of a sample that stands for them.
        touched: Takes how the keys were used that are dumped.
        memory: Of the server; asked for again where it has little room.

    Raises:
        LinkError: If the link is lost.
    """
    times = keys / total.count if total.count else 0.0
    oversized = round(times * total.oversized)
    if problem is not None or not total.count:
        return TrashEstimate(None if keys else 0, oversized, problem)
    small = [sample for sample in samples if sample.bytes is not None and sample.bytes <= min(_LARGEST_DUMP, key_cap)]
    ratios: dict[int, float] = {}
    for which, some in _by_size([] if untouched else small).items():
        ratio = await _ratio(pipe, some, memory, touched)
        if isinstance(ratio, SafeText):
            return TrashEstimate(None, oversized, ratio)
        if ratio is not None:
            ratios[which] = ratio
    shrunk = {which: times * ratios.get(which, 1.0) * size for which, size in total.by_size.items()}
    sizes = tuple((round(times * total.counts[which]), round(size)) for which, size in shrunk.items())
    known = ratios or not total.kept
    return TrashEstimate(round(sum(shrunk.values())) if known else None, oversized, None, sizes)


def _by_size(samples: Sequence[Sample]) -> dict[int, list[Sample]]:
    """Some of each class of sizes, and no more than are to be dumped."""
    classes: dict[int, list[Sample]] = {}
    for sample in samples:
        classes.setdefault(size_class(sample.bytes or 0), []).append(sample)
    each = _MOST_DUMPS // max(1, len(classes))
    return {which: some[:: max(1, len(some) // each)][:each] for which, some in classes.items()}


async def _ratio(pipe: Pipe, samples: Sequence[Sample], memory: Memory, touched: Touched) -> float | SafeText | None:
    """Bytes in the trash per byte in memory; why it can't be known; None if there is nothing to dump."""
    usage = 0
    records: list[bytes] = []
    rest = list(samples)
    while rest:
        if memory.is_tight:
            memory = await memory_now(pipe)
        fits = min(_MOST_BYTES, memory.allowed(1.0))
        count = sum(size <= fits for size in accumulate(sample.bytes or 0 for sample in rest[:_AT_ONCE]))
        if not count:
            del rest[0]  # there is no room for its dump
            continue
        some, rest = rest[:count], rest[count:]
        await touched.ask(pipe, [sample.key for sample in some])
        answers = await pipe.ask(pack_all((b"DUMP", sample.key) for sample in some), len(some))
        for sample, answer in zip(some, answers, strict=True):
            if isinstance(answer, ResponseError) and is_redirect(answer):
                continue
            if isinstance(answer, ResponseError):
                why = gap(answer, "dump", pipe.user)
                return safe(f"DUMP is refused: {why.detail}; {why.remedy}" if why.remedy else f"no DUMP: {why.detail}")
            if isinstance(answer, bytes):  # else the key has gone
                usage += sample.bytes or 0
                records += (sample.key, bytes(_FRAME), answer)
    if not usage:
        return None
    return len(await asyncio.to_thread(zlib.compress, b"".join(records), _LEVEL)) / usage
