"""Where the keys of a deployment are: its one primary, or each primary of a cluster with its slots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from redis.exceptions import ResponseError

from pymon_tui.invalidation.memory import evicted_of, memory_and_evicted
from pymon_tui.invalidation.named import Named
from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.pipe import Answer, Pipe, open_pipe
from pymon_tui.invalidation.slots import Ranges
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.model.deployment import Address, Layout, Role
from pymon_tui.model.link import Trouble
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.topology import deployed, is_cluster, parse_nodes, parse_shards, parse_slots, replication_layout
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError, is_sentinel, sentinel_error

_ASKED = pack_all([(b"INFO", b"server"), (b"INFO", b"replication"), (b"INFO", b"cluster"), (b"INFO", b"stats")])
_HOPS = 3  # from a replica to the primary of its primary
_NOT_A_CLUSTER = "cluster support disabled"


@dataclass(frozen=True, slots=True)
class Primary:
    """A primary that answers.

    Attributes:
        endpoint: Where it is reached; its label is what the cluster calls it.
        node_id: The cluster's id of it; empty outside a cluster.
        slots: What it serves; empty outside a cluster.
        run_id: Of its process; empty where it doesn't tell.
        replicas: The cluster's ids of its replicas.
        replids: Of the replication histories that it holds.
        evicted: Keys that it has evicted since its start, as of then; None where it doesn't tell.
    """

    endpoint: Endpoint
    node_id: str
    slots: Ranges
    run_id: str
    replicas: frozenset[str]
    replids: tuple[str, ...] = ()
    evicted: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The primaries of a deployment.

    Attributes:
        is_cluster: Whether keys are spread over them by their slots; else there is one.
        primaries: All of them, in the order of their slots.
        note: That another server is meant than the one that was named; None where it is that one.
        addresses: Every node's address by which it may be named.
        replicas: Where the replicas of a lone primary are, as it announces and as we reach them; those of a cluster are
            among ``addresses``. After a failover the former primary is one of them.
        port: At which a lone primary listens, by what it tells itself; None where it isn't told.
        process: The number of a lone primary's process on its machine (INFO ``process_id``); None where it isn't told.
    """

    is_cluster: bool
    primaries: tuple[Primary, ...]
    note: SafeText | None
    addresses: tuple[str, ...]
    replicas: tuple[str, ...] = ()
    process: int | None = None
    port: int | None = None

    @property
    def owners(self) -> dict[int, str]:
        """The node that serves each slot, by its id."""
        return {
            slot: primary.node_id
            for primary in self.primaries
            for first, last in primary.slots
            for slot in range(first, last + 1)
        }


async def find(endpoint: Endpoint, others: Iterable[Endpoint] = ()) -> Found:
    """Ask this server, or where it is away one of the others, and look whether every primary answers.

    Raises:
        LinkError: If none of them can be reached, a primary can't be, or no node serves some of the slots.
        Refused: If the cluster doesn't let us know its nodes.
    """
    lost: LinkError | None = None
    for asked in (endpoint, *others):
        try:
            layout, found = await _asked(asked, _HOPS)
        except LinkError as error:
            lost = lost or error
            continue
        if layout is None:
            return found
        return await _of_cluster(asked, layout)
    assert lost is not None  # there is at least one to ask
    raise lost


def told_by(endpoint: Endpoint, info: Info) -> Found:
    """What one node tells by its INFO alone, a replica too, as if it were a primary; nothing is asked."""
    members = replication_layout(info)
    primary = Primary(endpoint, "", (), info.text("run_id") or "", frozenset())
    addresses = (endpoint.address, *_beside(endpoint, info), *_named(endpoint, members, Role.PRIMARY))
    replicas = _named(endpoint, members, Role.REPLICA)
    return Found(False, (primary,), None, addresses, replicas, info.integer("process_id"), info.integer("tcp_port"))


async def near(endpoint: Endpoint) -> Found:
    """What one node tells, with the addresses of all nodes of its cluster; raises as ``find``.

    No other node is asked, and no Sentinel whether this is the primary.
    """
    layout, found = await _asked(replace(endpoint, watched=None), 0)
    if layout is None:
        return found
    return replace(found, addresses=(*found.addresses, *_named(endpoint, layout, *Role)))


def ranges_text(slots: Iterable[int]) -> str:
    """Slots in words: ``0-5460, 7000``."""
    found: list[list[int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot - 1:
            found[-1][1] = slot
        else:
            found.append([slot, slot])
    return text_of_ranges(found)


def text_of_ranges(ranges: Iterable[Sequence[int]]) -> str:
    """As ``ranges_text``, of first and last of each range."""
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


async def _asked(endpoint: Endpoint, hops: int) -> tuple[Layout | None, Found]:
    """The cluster that a server belongs to, or the primary that it is or copies."""
    pipe = await open_pipe(endpoint)
    try:
        texts = [answer for answer in await pipe.ask(_ASKED, 4) if isinstance(answer, bytes)]
        info = parse_info(b"\r\n".join(texts)) if any(texts) else Info({})
        layout = await _layout(pipe, info) if is_cluster(info) or not texts else None
    finally:
        await pipe.close()
    if is_sentinel(info):
        raise sentinel_error(endpoint)
    if pipe.identity.role != "slave":
        await Named(endpoint, pipe.identity.run_id).must_be()
    who = pipe.identity
    primary = Primary(endpoint, "", (), who.run_id, frozenset(), who.replids, evicted_of(info))
    members = replication_layout(info)
    addresses, replicas = (endpoint.address, *_beside(endpoint, info)), _named(endpoint, members, Role.REPLICA)
    found = Found(False, (primary,), None, addresses, replicas, info.integer("process_id"), info.integer("tcp_port"))
    known = members.primaries if pipe.identity.role == "slave" else ()
    if layout is None and known and known[0].address is not None and hops:
        address = known[0].address
        return await _behind(endpoint, endpoint.at(address), hops - 1)
    return layout, found


def _beside(asked: Endpoint, info: Info) -> tuple[str, ...]:
    """The port of this machine by which a server is reached, too, that was asked through its socket."""
    port = info.integer("tcp_port")
    return (f"127.0.0.1:{port}",) if asked.socket is not None and asked.via is None and port else ()


def _named(asked: Endpoint, layout: Layout, *roles: Role) -> tuple[str, ...]:
    """The addresses of the nodes with these roles, as they are announced and as they are reached from here."""
    found: list[str] = []
    for one in layout.members:
        if one.address is not None and one.role in roles:
            others = (Address(name, one.address.port) for name in (one.ip, one.hostname) if name is not None)
            found += (str(one.address), *map(str, others), asked.at(one.address, one.hostname).address)
    return tuple(dict.fromkeys(found))


async def _behind(replica: Endpoint, primary: Endpoint, hops: int) -> tuple[Layout | None, Found]:
    try:
        layout, found = await _asked(primary, hops)
    except LinkError as error:
        what = f"{replica.label} is a replica, and its primary is away: {error.what}"
        raise LinkError(error.trouble, what, error.remedy) from None
    there = found.primaries[0].endpoint
    note = safe(f"{replica.label} is a replica: this is about its primary, {there.label}")
    return layout, replace(found, note=note, addresses=(replica.address, *found.addresses))


async def _layout(pipe: Pipe, info: Info) -> Layout | None:
    """The cluster as a node knows it; None where it is in none.

    Raises:
        Refused: If it is in one and doesn't tell.
    """
    nodes: Answer = await pipe.ask_one(b"CLUSTER", b"NODES")
    if isinstance(nodes, ResponseError) and (_NOT_A_CLUSTER in str(nodes) or not is_cluster(info)):
        return None
    slots: Answer = await pipe.ask_one(b"CLUSTER", b"SLOTS")
    shards: Answer = None
    if isinstance(nodes, ResponseError) or isinstance(slots, ResponseError):
        shards = await pipe.ask_one(b"CLUSTER", b"SHARDS")
    layout = deployed(_parsed(parse_nodes, nodes), _parsed(parse_shards, shards), _parsed(parse_slots, slots))
    if layout is None:
        assert isinstance(nodes, ResponseError)
        raise Refused("CLUSTER NODES", nodes, pipe.user)
    return layout.reached(tls=pipe.endpoint.tls is not None, host=pipe.endpoint.asked_host)


def _parsed(parse: Callable[[Answer], Layout], answer: Answer) -> Layout | None:
    return None if answer is None or isinstance(answer, ResponseError) else parse(answer)


async def _of_cluster(asked: Endpoint, layout: Layout) -> Found:
    if layout.uncovered:
        what = f"no node serves slots {text_of_ranges(layout.uncovered)}"
        raise LinkError(Trouble.UNREACHABLE, what, "keys would be passed over: bring the cluster up, and try again")
    unproved = []
    for member in layout.primaries:
        named = str(member.address)
        if member.id is not None and member.id == layout.own:
            # A node that has met no other yet may not know its own address.
            endpoint = replace(asked, name=named if member.address is not None else None)
        elif member.address is not None:
            endpoint = replace(asked.at(member.address, member.hostname), name=named)
        else:
            what = f"nobody knows where the primary of slots {text_of_ranges(member.slots)} is"
            raise LinkError(Trouble.UNREACHABLE, what, "bring it up, and try again")
        replicas = frozenset(
            one.id for one in layout.members if one.role is Role.REPLICA and one.primary == member.id and one.id
        )
        unproved.append(Primary(endpoint, member.id or named, member.slots, "", replicas))
    primaries = await asyncio.gather(*map(_proved, unproved))
    addresses = tuple(dict.fromkeys((asked.address, *_named(asked, layout, *Role))))
    return Found(True, tuple(primaries), None, addresses)


async def _proved(primary: Primary) -> Primary:
    """The primary with what it tells of itself."""
    try:
        pipe = await open_pipe(primary.endpoint)
    except LinkError as error:
        what = f"the primary of slots {text_of_ranges(primary.slots)} is away: {error.what}"
        raise LinkError(error.trouble, what, error.remedy) from None
    try:
        _, evicted = await memory_and_evicted(pipe)
    finally:
        await pipe.close()
    who = pipe.identity
    if who.role == "slave":
        what = f"{primary.endpoint.label} is no primary any more"
        raise LinkError(Trouble.UNREACHABLE, what, "a failover is under way: try again in a moment")
    return replace(primary, run_id=who.run_id, replids=who.replids, evicted=evicted)
