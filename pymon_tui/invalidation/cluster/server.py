"""Whether a run of the journal was on this server: by its process, its replication, and only then by its name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from pymon_tui.invalidation.cluster.primaries import Found, find
from pymon_tui.invalidation.places import Spellings
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.journal.records import Record, Whose
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError

_PATIENCE = 1.0  # seconds that a server is waited for which is known by its address as well


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
    _spellings: Spellings = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_spellings", Spellings(self.addresses))

    @classmethod
    def of(cls, found: Found) -> Self:
        """What was found."""
        primaries = found.primaries
        return cls(
            run_ids=frozenset(one.run_id for one in primaries) - {""},
            replids=frozenset(replid for one in primaries for replid in one.replids),
            addresses=frozenset(map(safe, found.addresses)),
        )

    @classmethod
    def named(cls, endpoint: Endpoint) -> Self:
        """What is known without asking it: its address."""
        return cls(frozenset(), frozenset(), frozenset((safe(endpoint.address),)))

    @property
    def whose(self) -> Whose:
        """What tells its entries in the journal."""
        return Whose(
            run_ids=self.run_ids,
            replids=self.replids,
            addresses=self.addresses,
            same=self._spellings.same,
            hints=self._spellings.hints,
        )

    def is_of(self, record: Record) -> bool:
        """Whether it was on this server. Blocks, where an address that it doesn't know has to be looked up.

        A name alone counts where another process answers by it: after a restart it is still the server that is meant.
        """
        every = (record, *record.parts)
        known = any(one.run_id in self.run_ids or one.replid in self.replids for one in every)
        return known or any(self._spellings.same(address) for address in record.addresses)


async def server_at(endpoint: Endpoint) -> Server:
    """Which server is there; known by its address alone where it doesn't answer, or only ssh leads there."""
    if endpoint.via is not None:  # which may have to ask for a password
        return Server.named(endpoint)
    brief = min(_PATIENCE, endpoint.connect_timeout), min(_PATIENCE, endpoint.command_timeout)
    try:
        return Server.of(await find(replace(endpoint, connect_timeout=brief[0], command_timeout=brief[1])))
    except (LinkError, Refused):
        return Server.named(endpoint)
