"""What an undo is to bring back: counted from the trash, and what that takes on the server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from redis.crc import key_slot

from pymon_tui.invalidation.payload import LINKED, module_type
from pymon_tui.invalidation.restore_account import Mark
from pymon_tui.invalidation.restore_before import damage_of, placed, to_come
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.invalidation.trash_copies import only_copied
from pymon_tui.invalidation.trash_damage import Damage, added
from pymon_tui.invalidation.trash_format import TrashRecord
from pymon_tui.invalidation.trash_marks import COPIED, UNPROVEN
from pymon_tui.invalidation.trash_of import reader_of
from pymon_tui.journal.records import Record

_OVERHEAD = 80  # bytes that a key takes besides its name and value, about: of entry, object and expiry

Owners = Mapping[int, str]
"""What the node is called that serves each slot of a cluster; empty where there is one server, called nothing."""


@dataclass(slots=True)
class Coming:
    """What comes back to one node; ``bytes`` and ``raw`` as of ``Load``, how many keys that is, and how many end."""

    keys: int = 0
    ending: int = 0
    bytes: float = 0.0
    raw: int = 0

    @property
    def scale(self) -> float:
        """Bytes there for each raw one."""
        return self.bytes / self.raw if self.raw else 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is to come back.

    Attributes:
        keys: How many keys.
        copied: Further keys in the trash that the run didn't come to remove; they are left alone.
        bytes: What those of them take on the server, about, that an undo before hasn't brought back.
        linked: Those of them whose type has links that RESTORE doesn't bring, by the type.
        torn: Whether some of the trash isn't whole.
        damage: What is lost by that; None where nothing is, or only what was never written.
        raw: Bytes of the same keys as ``raw_of`` counts them.
        at: When this was counted (unix ms): what hasn't ended by then takes no room.
        to: What of it comes to which node.
        owners: By which that was told.
    """

    keys: int
    copied: int
    bytes: int
    linked: tuple[tuple[str, int], ...]
    torn: bool
    damage: Damage | None = None
    raw: int = 0
    at: float = 0.0
    to: Mapping[str, Coming] = field(default_factory=dict)
    owners: Owners = field(default_factory=dict, repr=False)


def owner_of(key: bytes, owners: Owners) -> str:
    """The node that a key comes to."""
    return owners.get(key_slot(key), "") if owners else ""


def raw_of(key: bytes, payload: bytes) -> int:
    """What a key takes on the server, about, by its name and its payload alone."""
    return len(key) + len(payload) + _OVERHEAD


def load_of(
    parts: Sequence[Record],
    *,
    replace: bool,
    marks: Mapping[str, Mark] | None = None,
    owners: Owners | None = None,
    there: Mapping[str, Mapping[int, int]] | None = None,
) -> Load:
    """What the trash of these records holds; reads all of it, and blocks.

    A key that hasn't come to the end that it was given is there: it takes no more room once its former end is back.

    Args:
        parts: The parts of a run that have a trash.
        replace: Whether keys are replaced: those come back as well of which it isn't known if they were removed.
        marks: Where an undo is that will be gone on with, by the part; what is before it takes no more room.
        owners: Of the cluster that they come to; None for one server.
        there: Records whose keys are there already and take no more room, as of ``there_by_now``, by the part.

    Raises:
        TrashError: If a trash can't be read.
    """
    keys, linked, to = 0, dict[str, int](), dict[str, Coming]()
    owners, now = owners or {}, time.time() * 1000
    with ExitStack() as held:
        kept = [part for part in parts if part.undo_path is not None]
        readers = [held.enter_context(reader_of(part)) for part in kept]
        for part, reader in zip(kept, readers, strict=True):
            reader.examine()
            mark = placed((marks or {}).get(part.id, Mark()), reader)
            here: dict[str, Coming] = {}
            known = (there or {}).get(part.id, {})
            for place, (key, end, payload), given in _records(reader):
                if given == COPIED or (given == UNPROVEN and not replace) or given > now:
                    continue
                if (name := module_type(payload)) in LINKED:
                    linked[name] = linked.get(name, 0) + 1
                if place >= (mark.offset, mark.index) and not known.get(place[0], 0) >> place[1] & 1:
                    coming = here.setdefault(owner_of(key, owners), Coming())
                    coming.keys += 1
                    coming.ending += end > 0
                    coming.raw += raw_of(key, payload)
            keys += to_come(reader, replace=replace)
            _add(here, to, _key_bytes(part))
        return Load(
            keys,
            only_copied(readers),
            round(sum(coming.bytes for coming in to.values())),
            tuple(sorted(linked.items())),
            any(reader.torn for reader in readers),
            added([damage for reader in readers if (damage := damage_of(reader, replaced=replace)) is not None]),
            sum(coming.raw for coming in to.values()),
            now,
            to,
            owners,
        )


def _add(here: Mapping[str, Coming], to: dict[str, Coming], key_bytes: float) -> None:
    """Add what a part brings back to what the others do; ``key_bytes`` is what a key of it takes, about."""
    raw = sum(coming.raw for coming in here.values())
    size = max(raw, round(key_bytes * sum(coming.keys for coming in here.values())))
    for node, coming in here.items():
        every = to.setdefault(node, Coming())
        every.keys += coming.keys
        every.ending += coming.ending
        every.raw += coming.raw
        every.bytes += coming.raw * size / raw


def _records(reader: TrashReader) -> Iterator[tuple[tuple[int, int], TrashRecord, int]]:
    """Where each record is found, the record, and what was done with its key."""
    for block in reader.blocks():
        for index, (record, given) in enumerate(zip(block.records, block.given, strict=True)):
            yield (block.offset, index), record, given


def copied_in(parts: Sequence[Record]) -> int:
    """How many keys are in the trash of these parts of a run that none of them removed; blocks.

    Raises:
        TrashError: If a trash can't be read.
    """
    with ExitStack() as held:
        readers = [held.enter_context(reader_of(part)) for part in parts if part.undo_path is not None]
        for reader in readers:
            reader.examine()
        return only_copied(readers)


def count_of(parts: Sequence[Record], *, replace: bool) -> int:
    """How many keys would come back, as for ``load_of``; reads little where the trash isn't damaged, and blocks.

    Raises:
        TrashError: If a trash can't be read.
    """
    total = 0
    for part in parts:
        if part.undo_path is not None:
            with reader_of(part) as reader:
                reader.count()
                if reader.torn or reader.marks().closed is None:
                    reader.examine()
                total += to_come(reader, replace=replace)
    return total


def _key_bytes(part: Record) -> float:
    """What a key of the run takes on the server, by its plan's sample; 0 where that isn't known."""
    plan = part.plan or {}
    size, matched = plan.get("bytes"), plan.get("matched")
    return size / matched if isinstance(size, int | float) and isinstance(matched, int) and matched else 0.0
