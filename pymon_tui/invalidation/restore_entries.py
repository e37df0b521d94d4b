"""What an undo writes down in the journal, as far as that takes it."""

from __future__ import annotations

import time

from pymon_tui.invalidation.blocking import to_its_end
from pymon_tui.invalidation.pipe import Line
from pymon_tui.invalidation.restore_account import Mark
from pymon_tui.journal.journal import Journal, JournalError, JsonValue
from pymon_tui.model.text import SafeText, safe

PERIOD = 2.0
"""Seconds between two entries of how far it is."""


class Entries:
    """The entries of one undo. Keys are brought back all the same where the disk is full, perhaps of these keys.

    Attributes:
        lacking: Why the journal doesn't have all of it; None if it does.
    """

    def __init__(self, journal: Journal, undo: str) -> None:
        self.lacking: SafeText | None = None
        self._journal = journal
        self._undo = undo
        self._written_at = 0.0

    def lack(self, why: SafeText | None) -> None:
        """Note why something isn't written down, if that is so."""
        self.lacking = why or self.lacking

    async def begin(self, pipe: Line, **fields: JsonValue) -> None:
        """Write down that it begins, and where."""
        await self.add(
            "started",
            acl_user=pipe.user,
            node=pipe.endpoint.label,
            server=pipe.endpoint.address,
            run_id=pipe.identity.run_id,
            environment=pipe.endpoint.environment,
            **fields,
        )

    async def progress(self, mark: Mark, noted: int) -> None:
        """Tell how far it is, if it is time to; ``noted`` is as of ``TrashReader``."""
        if time.monotonic() - self._written_at > PERIOD:
            await self.add("progress", mark=mark.as_json(), noted=noted, **mark.tally.as_json())

    async def add(self, event: str, **fields: JsonValue) -> None:
        """Add an entry."""
        self._written_at = time.monotonic()
        try:
            await to_its_end(self._journal.append, "undo", event, **({"undo": self._undo} | fields))
        except JournalError as error:
            self.lacking = safe(str(error))
