"""Which guard rails hold: those of each profile whose server is the one that will be written to."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.invalidation.places import places_of
from pymon_tui.invalidation.rules import Rules
from pymon_tui.journal.met import Met
from pymon_tui.server.endpoint import Endpoint


async def rules_of(found: Found, endpoint: Endpoint, rules: Rules, met: Met) -> Rules:
    """The rules for what was found behind ``endpoint``: the strictest of its own and of each profile that means it.

    A profile means it whose address is that of one of its nodes, a replica of it among them, or which led to one of
    these server processes before. Of one whose host can't be resolved nobody knows: the rules name it.
    """
    run_ids = [one.run_id for one in found.primaries if one.run_id]
    if endpoint.name is not None and any(guard.profile == endpoint.name for guard in rules.guards):
        await asyncio.to_thread(met.note, endpoint.name, run_ids)
    if not rules.guards and rules.gone is None:
        return rules
    led = await asyncio.to_thread(met.profiles, run_ids)
    rules = rules.remembering(led)
    addresses = {
        endpoint.address,
        *found.addresses,
        *found.replicas,
        *(one.endpoint.address for one in found.primaries),
    }
    if endpoint.watched is not None:
        addresses.add(service := f"service {endpoint.watched.name}")
        addresses.add(f"{service} via {endpoint.via}" if endpoint.via else service)
    known = [guard for guard in rules.guards if guard.profile in led or guard.address in addresses]
    open_ = [guard for guard in rules.guards if guard not in known and guard.address is not None]
    places = (
        await places_of({*addresses, *(guard.address for guard in open_ if guard.address is not None)}) if open_ else {}
    )
    here = frozenset[str]().union(*(places.get(address) or () for address in addresses))
    unresolved, meant = [], set(known)
    for guard in open_:
        there = places.get(guard.address or "", frozenset())
        if there is None:
            unresolved.append(guard.profile)
        elif not here.isdisjoint(there):
            meant.add(guard)
    strict = rules.under(guard for guard in rules.guards if guard in meant)
    return replace(strict, unresolved=tuple(unresolved))
