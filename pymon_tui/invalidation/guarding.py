"""Which guard rails hold: those of each profile whose server is the one that will be written to."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.invalidation.places import is_here, listener, places_of, port_of, tunnels
from pymon_tui.invalidation.rules import Guard, Rules
from pymon_tui.journal.met import Met
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.opinions import namings
from pymon_tui.server.reasons import LinkError

_SECONDS = 1.0  # for the Sentinels of a profile: whoever goes elsewhere doesn't wait long for them


async def rules_of(found: Found, endpoint: Endpoint, rules: Rules, met: Met) -> Rules:
    """The rules for what was found behind ``endpoint``: the strictest of its own and of each profile that means it.

    A profile means it whose address is that of one of its nodes, a replica of it among them, or which led to one of
    these server processes before. The Sentinels of a profile are asked where its server is. Of one whose host can't be
    resolved, or whose Sentinels don't tell, nobody knows: the rules name it. Nor of one where ssh leads to one of the
    two: the rules name it where the ports are the same, or the profile has led nowhere yet.
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
    others = [guard for guard in rules.guards if guard not in known and guard.address is not None]
    told = zip(others, await asyncio.gather(*map(_addresses_now, others)), strict=True)
    open_ = [(guard, address) for guard, found_at in told for address in found_at or (None,)]
    places = await places_of({*addresses, *(address for _, address in open_ if address)}) if open_ else {}
    here = frozenset[str]().union(*(places.get(address) or () for address in addresses))
    unresolved, meant, ports = [], set(known), {found.port, *map(port_of, addresses)}
    unproved = []
    for guard, address in open_:
        there = places.get(address, frozenset()) if address is not None else None
        if there is None:
            unresolved.append(guard.profile)
        elif address in addresses or not here.isdisjoint(there) or (is_here(here) and await _listens(address, found)):
            meant.add(guard)
        elif address is not None and (far := tunnels(address, endpoint.address)) != "apart":
            if far == "same":
                meant.add(guard)
            elif port_of(address) in (None, *ports) or not await asyncio.to_thread(met.knows, guard.profile):
                unproved.append(guard.profile)
    strict = rules.under(guard for guard in rules.guards if guard in meant)
    known_by = {guard.profile for guard in meant}
    unknown, unproved = ([one for one in dict.fromkeys(each) if one not in known_by] for each in (unresolved, unproved))
    return replace(strict, unresolved=tuple(unknown), tunnelled=tuple(unproved))


async def _listens(address: str | None, found: Found) -> bool:
    """Whether the socket of this path is the server's: that it has a port and a socket, only the system tells."""
    if address is None or found.process is None:
        return False
    return await asyncio.to_thread(listener, address) == found.process


async def _addresses_now(guard: Guard) -> tuple[str | None, ...]:
    """Where the guarded server is now; none where its Sentinels don't tell. An ssh of its own isn't begun for that.

    Where they don't agree each is taken for it: the rails are too strict then for as long as that lasts.
    """
    watched = guard.watched
    if watched is None or watched.service is None or watched.via is not None:
        return (guard.address,)
    asked = replace(watched, connect_timeout=_SECONDS, command_timeout=_SECONDS)
    with suppress(LinkError, TimeoutError):
        async with asyncio.timeout(_SECONDS):
            named = await namings(asked, watched.service, _SECONDS / 2)
            return tuple(dict.fromkeys(asked.at(one.primary).address for one in named))
    return ()
