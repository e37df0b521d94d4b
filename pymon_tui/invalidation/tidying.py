"""What follows a run or an undo: the journal gives up what is too old."""

from __future__ import annotations

from contextlib import suppress

from pymon_tui.invalidation.blocking import to_its_end
from pymon_tui.invalidation.trash_files import trashed
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.pruning import prune


async def tidied(journal: Journal) -> None:
    """Prune the journal, if it is time; what can't be pruned stays, and the next run or undo tries again."""
    if journal.keep is not None:
        await to_its_end(_tidy, journal)


def _tidy(journal: Journal) -> None:
    with suppress(OSError):  # nobody knows what can be undone where the trash can't be looked at
        prune(journal, trashed(journal.folder))
