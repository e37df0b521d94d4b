"""Which entries of the journal are about one server, whatever name led to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from pymon_tui.journal.journal import Entry, Journal
from pymon_tui.journal.lines import run_id_in, server_in
from pymon_tui.journal.record import Record
from pymon_tui.model.text import safe

_LOOKED_AT = 2_000
"""Lines that may be about the server, the newest, that are looked through for its processes."""


class Whose:
    """One server: its processes, the histories that they hold, and where it is.

    Each process that an entry names with the server's address is one of its own from then on: another name may have led
    to that process, too.
    """

    def __init__(
        self,
        *,
        run_ids: Iterable[str],
        replids: Iterable[str],
        addresses: Iterable[str],
        same: Callable[[str], bool],
        hints: Iterable[str],
    ) -> None:
        """Know it by these.

        Args:
            run_ids: Of its processes, as far as they are known.
            replids: Of its replication histories, as far as they are known.
            addresses: By which it is named.
            same: Whether an address leads there, too.
            hints: Texts one of which is in each address that does.
        """
        self._run_ids = set(run_ids) - {""}
        self._replids = frozenset(replids) - {""}
        self._texts = {_bytes(text) for text in (*self._run_ids, *self._replids, *addresses)}
        self._hints = [_bytes(text) for text in hints]
        self._same = same

    def look_through(self, journal: Journal) -> bool:
        """Whether any entry may be about it. Where no process is known, those are learned from the newest entries.

        Raises:
            JournalError: If the journal can't be read.
        """
        found = False
        most = 1 if self._run_ids else _LOOKED_AT
        for line in islice(journal.newest_lines([*self._texts, *self._hints]), most):
            found = True
            self._learn(line)
        return found

    def may_mean(self, line: bytes) -> bool:
        """Whether a line may be about it, without parsing it; ``means`` tells for certain."""
        self._learn(line)
        return any(text in line for text in self._texts)

    def means(self, record: Record) -> bool:
        """Whether a run or undo, or a part of it, was on it."""
        every = (record, *record.parts)
        known = any(one.run_id in self._run_ids or one.replid in self._replids for one in every)
        return known or any(self._same(address) for address in record.addresses)

    def is_of(self, entry: Entry) -> bool:
        """Whether an action was on it."""
        return entry.fields.get("run_id") in self._run_ids or self._leads_there(entry.fields.get("server"))

    def _learn(self, line: bytes) -> None:
        server = server_in(line)
        if server is None or not self._leads_there(server):
            return
        self._texts.add(_bytes(server))
        if run_id := run_id_in(line):
            self._run_ids.add(run_id)
            self._texts.add(_bytes(run_id))

    def _leads_there(self, server: Any) -> bool:
        return isinstance(server, str) and self._same(safe(server))


def _bytes(text: str) -> bytes:
    """The text as it stands in a line."""
    return json.dumps(text)[1:-1].encode()
