"""Which keys of a run are there before it is undone: an undo before may have brought them back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.invalidation.cluster.routes import open_routes
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.invalidation.portions import Astray
from pymon_tui.invalidation.restore_after import Sought, there_by_now
from pymon_tui.invalidation.trash_of import reader_of
from pymon_tui.journal.records import Record


async def there_in(kept: Sequence[Record], found: Found, *, replaces: bool) -> Mapping[str, Mapping[int, int]]:
    """The records whose keys are there, as of ``there_by_now``, by the part of the run that has a trash.

    Raises:
        LinkError: If one of the servers can't be reached.
        TrashError: If a trash can't be read.
    """
    opens = open_routes if found.is_cluster else open_pipe
    line = await opens(replace(found.primaries[0].endpoint, db=kept[0].db))
    try:
        there = {}
        for part in kept:
            with reader_of(part) as reader:
                await asyncio.to_thread(reader.examine)
                there[part.id] = await there_by_now(line, Sought(reader, Astray(), replaces, ends=False))
        return there
    finally:
        await line.close()
