"""Whether a run of the journal was on this server: by its process, its replication, and only then by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.journal.records import Record
from pymon_tui.model.text import SafeText, safe


@dataclass(frozen=True, slots=True)
class Server:
    """A server, or the primaries of a cluster.

    Attributes:
        run_ids: Of their processes (INFO ``run_id``); empty where they aren't told.
        replids: Of the histories that they hold (``master_replid``, ``master_replid2``): a replica that became a
            primary has that of the primary before it.
        addresses: By which they may be named.
    """

    run_ids: frozenset[str]
    replids: frozenset[str]
    addresses: frozenset[SafeText]

    @classmethod
    def of(cls, found: Found) -> Self:
        """What was found."""
        primaries = found.primaries
        return cls(
            run_ids=frozenset(one.run_id for one in primaries) - {""},
            replids=frozenset(replid for one in primaries for replid in one.replids),
            addresses=frozenset(map(safe, found.addresses)),
        )

    def is_of(self, record: Record) -> bool:
        """Whether it was on this server.

        A name alone counts where another process answers by it: after a restart it is still the server that is meant.
        """
        every = (record, *record.parts)
        known = any(one.run_id in self.run_ids or one.replid in self.replids for one in every)
        return known or not self.addresses.isdisjoint(record.addresses)
