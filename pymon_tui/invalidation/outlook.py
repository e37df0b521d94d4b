"""What an undo would bring back and what that would cost, before it begins: counted from the trash, and by INFO."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.payload import LINKED, module_type
from pymon_tui.invalidation.pipe import Line, open_pipe
from pymon_tui.invalidation.restore_before import damage_of, to_come
from pymon_tui.invalidation.trash_copies import only_copied
from pymon_tui.invalidation.trash_damage import Damage, added, torn_text
from pymon_tui.invalidation.trash_marks import COPIED, UNPROVEN
from pymon_tui.invalidation.trash_of import reader_of
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.keyspace import parse_keyspace
from pymon_tui.server.endpoint import Endpoint

_OVERHEAD = 80  # bytes that a key takes besides its name and value, about: of entry, object and expiry
_ASKED = pack_all([(b"INFO", b"memory"), (b"INFO", b"stats"), (b"INFO", b"keyspace")])


@dataclass(frozen=True, slots=True)
class Memory:
    """What a server holds, and what it may hold (INFO).

    Attributes:
        room: Bytes left below ``maxmemory``; None where there is no limit, or it isn't told.
        policy: What it evicts when they are used up (``maxmemory_policy``).
        evicted: Keys evicted since it started; None where it isn't told.
        keys: Keys that the policy may evict.
        key_bytes: What one key takes on average; None where that isn't known.
    """

    room: int | None
    policy: str
    evicted: int | None
    keys: int
    key_bytes: float | None


@dataclass(frozen=True, slots=True)
class Load:
    """What is to come back.

    Attributes:
        keys: How many keys.
        copied: Further keys in the trash that the run didn't come to remove; they are left alone.
        bytes: What the keys take on the server, about.
        linked: Those of them whose type has links that RESTORE doesn't bring, by the type.
        torn: Whether some of the trash isn't whole.
        damage: What is lost by that; None where nothing is, or only what was never written.
    """

    keys: int
    copied: int
    bytes: int
    linked: tuple[tuple[str, int], ...]
    torn: bool
    damage: Damage | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known before an undo.

    Attributes:
        load: What is to come back.
        room: Bytes left below ``maxmemory`` on all servers; None where there is no limit.
        policy: What a server evicts, of the first that has a limit; empty where there is none.
        evicted: Keys that would be evicted for it, about; with ``noeviction``, keys that wouldn't fit.
    """

    load: Load
    room: int | None
    policy: str
    evicted: int

    @property
    def warnings(self) -> tuple[SafeText, ...]:
        """What a person should know before it begins; empty where nothing is."""
        load, lines = self.load, []
        if self.evicted and self.room is not None:
            need = f"about {units.bytes_(load.bytes)} come back, and {units.bytes_(self.room)} are left below maxmemory"
            about, are = units.keys(self.evicted, about=True), "is" if self.evicted == 1 else "are"
            if self.policy == "noeviction":
                lines.append(safe(f"{need}: {about} won't fit; raise maxmemory first"))
            else:
                lines.append(safe(f"{need}: {about} {are} evicted for them ({self.policy})"))
        for name, count in load.linked:
            come, their = ("comes", "its") if count == 1 else ("come", "their")
            what = f"back without {their} {LINKED[name]}, if there were any"
            lines.append(safe(f"{units.keys(count)} of type {name} {come} {what}"))
        if load.copied:
            lines.append(
                safe(f"not removed by the run, though in the trash: {units.keys(load.copied)} more, and left out")
            )
        if load.torn:
            lines.append(torn_text(load.damage))
        return tuple(lines)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``; bytes."""
        return {
            "keys": self.load.keys,
            "copied": self.load.copied,
            "bytes": self.load.bytes,
            "room": self.room,
            "policy": self.policy,
            "evicted": self.evicted,
        }


def load_of(parts: Sequence[Record], *, replace: bool) -> Load:
    """What the trash of these records holds; reads all of it, and blocks.

    An undo that replaces keys brings those back as well of which it isn't known if they were removed.

    A key that hasn't come to the end that it was given is there: it takes no more room once its former end is back.

    Raises:
        TrashError: If a trash can't be read.
    """
    keys = size = 0
    linked: dict[str, int] = {}
    now = time.time() * 1000
    with ExitStack() as held:
        kept = [part for part in parts if part.undo_path is not None]
        readers = [held.enter_context(reader_of(part)) for part in kept]
        for part, reader in zip(kept, readers, strict=True):
            reader.examine()
            raw = gone = 0
            for block in reader.blocks():
                for (key, _, payload), given in zip(block.records, block.given, strict=True):
                    if given == COPIED or (given == UNPROVEN and not replace) or given > now:
                        continue
                    gone += 1
                    raw += len(key) + len(payload) + _OVERHEAD
                    if (name := module_type(payload)) in LINKED:
                        linked[name] = linked.get(name, 0) + 1
            keys += to_come(reader, replace=replace)
            size += max(raw, round(_key_bytes(part) * gone))
        return Load(
            keys,
            only_copied(readers),
            size,
            tuple(sorted(linked.items())),
            any(reader.torn for reader in readers),
            added([damage for reader in readers if (damage := damage_of(reader, replaced=replace)) is not None]),
        )


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


async def memory_at(endpoint: Endpoint) -> Memory:
    """What the server there holds.

    Raises:
        LinkError: If it can't be reached.
    """
    pipe = await open_pipe(endpoint)
    try:
        return await memory_of(pipe)
    finally:
        await pipe.close()


async def memory_of(pipe: Line) -> Memory:
    """What the server behind this connection holds.

    Raises:
        LinkError: If the link is lost.
    """
    texts = [answer for answer in await pipe.ask(_ASKED, 3) if isinstance(answer, bytes)]
    if not any(texts):
        return Memory(None, "", None, 0, None)
    info = parse_info(b"\r\n".join(texts))
    used, most = info.integer("used_memory"), info.integer("maxmemory")
    apart = info.integer("mem_not_counted_for_evict") or 0
    policy = str(info.text("maxmemory_policy") or "")
    databases = parse_keyspace(info)
    evictable = databases.expires if policy.startswith("volatile") else databases.keys
    dataset = info.integer("used_memory_dataset")
    return Memory(
        room=max(0, most - used + apart) if used is not None and most else None,
        policy=policy,
        evicted=info.integer("evicted_keys"),
        keys=evictable,
        key_bytes=dataset / databases.keys if dataset is not None and databases.keys else None,
    )


def outlook_of(load: Load, memories: Sequence[Memory]) -> Outlook:
    """Both together; what comes back is taken to go to the servers in equal shares."""
    limited = [memory for memory in memories if memory.room is not None]
    if not limited:
        return Outlook(load, None, "", 0)
    share, evicted = load.bytes / len(memories), 0
    per_key = load.bytes / load.keys if load.keys else 0.0
    for memory in limited:
        over = share - (memory.room or 0)
        if over > 0 and memory.policy == "noeviction":
            evicted += math.ceil(over / per_key) if per_key else 0
        elif over > 0:
            evicted += min(memory.keys, math.ceil(over / (memory.key_bytes or per_key or over)))
    return Outlook(load, sum(memory.room or 0 for memory in limited), limited[0].policy, evicted)


def _key_bytes(part: Record) -> float:
    """What a key of the run takes on the server, by its plan's sample; 0 where that isn't known."""
    plan = part.plan or {}
    size, matched = plan.get("bytes"), plan.get("matched")
    return size / matched if isinstance(size, int | float) and isinstance(matched, int) and matched else 0.0
