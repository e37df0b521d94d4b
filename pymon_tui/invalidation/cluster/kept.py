"""What the parts of an undo on several nodes have in common: their servers, their keys and their counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import reduce

from pymon_tui.invalidation.cluster.primaries import Found, Primary
from pymon_tui.invalidation.outlook import Memory, memory_at
from pymon_tui.invalidation.portions import Astray
from pymon_tui.invalidation.restore import Restore
from pymon_tui.invalidation.restore_account import RestoreResult, RestoreTally
from pymon_tui.invalidation.restore_part import OtherServer, RestoreError, other_process
from pymon_tui.invalidation.trash_of import reader_of
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.lock import Locked
from pymon_tui.journal.records import Record
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import LinkError

LOST = (LinkError, RestoreError, Locked, StateError)
"""What keeps a part from beginning, and the others not."""


def added(tallies: Sequence[RestoreTally]) -> RestoreTally:
    """All of these together."""
    return reduce(RestoreTally.plus, tallies, RestoreTally())


async def evicted_by(found: Found) -> int | None:
    """Keys that the primaries have evicted since they started; None where one of them doesn't tell, or is away."""
    try:
        memories = await asyncio.gather(*(memory_at(one.endpoint) for one in found.primaries))
    except LinkError:
        return None
    return evicted_in(memories)


def evicted_in(memories: Sequence[Memory]) -> int | None:
    """The keys that these servers have evicted since they started; None where one of them doesn't tell."""
    counts = [memory.evicted for memory in memories if memory.evicted is not None]
    return sum(counts) if len(counts) == len(memories) else None


def require_same_servers(kept: Sequence[Record], found: Found) -> None:
    """Refuse any servers but those that the keys were removed from.

    Raises:
        OtherServer: If one of them isn't there any more, or nobody knows.
    """
    silent = next((one.endpoint.label for one in found.primaries if not one.run_id), None)
    if silent is not None:
        raise OtherServer(
            f"{silent} doesn't tell which process it is: INFO is denied or renamed; grant +info, or else restore to "
            "these servers only if that is what you want"
        )
    present = {one.run_id for one in found.primaries} - {""}
    other = next((part for part in kept if part.run_id not in present), None)
    if other is not None:
        raise OtherServer(
            f"{other.node} has failed over or was restarted since the run, or these are other servers; restore to them "
            "only if that is what you want"
        )


def other_than_then(record: Record, found: Found, user: str) -> SafeText | None:
    """Why an undo of this run would go to another server process than it was on; None where it is the same.

    ``user`` is whom the server knows us as.
    """
    if not found.is_cluster and not record.parts:
        (primary,) = found.primaries
        return other_process(primary.endpoint.label, primary.run_id, user, then=(record.node, record.run_id))
    try:
        require_same_servers([part for part in record.parts or (record,) if part.undo_path is not None], found)
    except OtherServer as error:
        return safe(str(error), 400)
    return None


def astray_in(parts: Sequence[Record]) -> list[Astray]:
    """What each of these parts has that others named before or after it; blocks.

    A key that moved to another node in mid-run is named by each part that found it. The last one has it as it was when
    it went, or the end that it has now; the first knows the end that it had before the run.

    Raises:
        TrashError: If a trash can't be read.
    """
    again = [part.started.get("astray") is True for part in parts]
    named = [dict(_named(part)) if is_again else {} for part, is_again in zip(parts, again, strict=True)]
    strays = frozenset[bytes]().union(*named)
    if not strays:
        return [Astray() for _ in parts]
    order = sorted(range(len(parts)), key=lambda place: again[place])
    found: dict[int, Astray] = {}
    first: dict[bytes, int] = {}
    for turn, place in enumerate(order):
        here = named[place] or {key: end for key, end in _named(parts[place]) if key in strays}
        ends = {key: first[key] for key in here if key in first}
        for key, end in here.items():
            first.setdefault(key, end)
        later = frozenset[bytes]().union(*(named[other] for other in order[turn + 1 :]))
        fewer = sum(key in later for key, _ in _named(parts[place])) if later else 0
        found[place] = Astray(later, ends, fewer)
    return [found[place] for place in range(len(parts))]


def _named(part: Record) -> Iterator[tuple[bytes, int]]:
    """The keys that a part removed or gave an end, and the ends that they had."""
    with reader_of(part) as reader:
        reader.examine()
        for block in reader.blocks():
            for (key, end, _), given in zip(block.records, block.given, strict=True):
                if given >= 0:
                    yield key, end


def near(part: Record, found: Found) -> Primary:
    """The primary that most of its keys go to, as far as can be told by a slot."""
    slots = part.started.get("slots")
    first = slots[0][0] if isinstance(slots, list) and slots else None
    same = (one for one in found.primaries if any(begin <= (first or 0) <= end for begin, end in one.slots))
    return next(same, found.primaries[0])


def without_begin(part: Restore, record: Record, error: BaseException | None) -> RestoreResult:
    """The account of a part that was kept from beginning, or cut off."""
    progress, known = part.progress, isinstance(error, LOST)
    return RestoreResult(
        undo=part.undo,
        run=record.run,
        outcome="stopped" if known else "interrupted",
        why=safe(str(error) if known else ""),
        total=progress.total,
        tally=progress.tally,
        torn=False,
        failures=(),
        seconds=progress.seconds,
        unrecorded=None,
    )
