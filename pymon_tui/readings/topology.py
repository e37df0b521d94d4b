"""Who else there is: a cluster's nodes by CLUSTER NODES, SHARDS or SLOTS, replicas and primary by INFO or ROLE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from pymon_tui.model.deployment import Address, Kind, Layout, Member, Role, in_order
from pymon_tui.model.query import Argument, Command, Query, Reply, fixed, itself
from pymon_tui.model.text import safe
from pymon_tui.readings.info import INFO, Info

MOST = 1_024
"""Nodes that are read of one answer; a cluster is advised to have 1 000 at most."""

_EVERY = 2.0
_LINKED = "connected"


def parse_nodes(reply: Reply) -> Layout:
    """The nodes of CLUSTER NODES: a text with a line a node.

    Raises:
        ValueError: If it isn't such a text.
    """
    if not isinstance(reply, bytes):
        raise ValueError("CLUSTER NODES answered with something other than a text")
    # Of bytes: a name may hold what ends a line of Unicode, such as U+2028.
    lines = [_decoded(line).split(" ") for line in reply.splitlines() if line][:MOST]
    own = next((words[0] for words in lines if "myself" in ",".join(words[2:3]).split(",")), None)
    return Layout(Kind.CLUSTER, in_order(map(_node, lines)), own)


def parse_shards(reply: Reply) -> Layout:
    """The nodes of CLUSTER SHARDS: a list of shards, each with its slots and its nodes.

    It is the one answer that tells both ports of a node that has two, whichever of them was asked. Each node is at its
    ``endpoint``.

    Raises:
        ValueError: If it isn't such a list.
    """
    if not isinstance(reply, list):
        raise ValueError("CLUSTER SHARDS answered with something other than a list")
    members: list[Member] = []
    for shard in map(_mapped, reply):
        numbers = shard.get(b"slots")
        if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
            raise ValueError("CLUSTER SHARDS answered with a shard without slots")
        ranges = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        members += _shard(ranges, [_mapped(node) for node in shard.get(b"nodes") or ()])
    return Layout(Kind.CLUSTER, in_order(members[:MOST]), None)


def parse_slots(reply: Reply) -> Layout:
    """The nodes of CLUSTER SLOTS: a list of ranges, each with its primary and its replicas, at their endpoints.

    Raises:
        ValueError: If it isn't such a list.
    """
    if not isinstance(reply, list):
        raise ValueError("CLUSTER SLOTS answered with something other than a list")
    served: dict[str, list[tuple[int, int]]] = {}
    found: dict[str, Member] = {}
    for part in reply:
        if not isinstance(part, list) or len(part) < 3 or not all(isinstance(number, int) for number in part[:2]):
            raise ValueError("CLUSTER SLOTS answered with a range without nodes")
        first, last, primary, *replicas = part
        lead = _slots_node(primary, None)
        served.setdefault(lead.id or "", []).append((first, last))
        found[lead.id or ""] = lead
        for replica in replicas:
            one = _slots_node(replica, lead.id)
            found.setdefault(one.id or "", one)
    members = [replace(one, slots=tuple(sorted(served.get(name, ())))) for name, one in islice(found.items(), MOST)]
    return Layout(Kind.CLUSTER, in_order(members), None)


def deployed(nodes: Layout | None, shards: Layout | None, slots: Layout | None) -> Layout | None:
    """A cluster by the best of what was answered; each is None where it wasn't. None where none was.

    CLUSTER NODES tells most of the nodes, and not where they are to be reached: which of their address, their name or
    the host that is asked is meant (``cluster-preferred-endpoint-type``) is in the others alone.
    """
    endpoints = slots or shards
    if nodes is None:
        return shards or slots
    return nodes if endpoints is None else _at_endpoints(nodes, endpoints)


def _at_endpoints(nodes: Layout, told: Layout) -> Layout:
    """The nodes, each where the other answer has it; those that serve no slots aren't in it, and follow the others."""
    known = {member.id: member for member in told.members if member.address is not None}
    named = any(one.hostname is not None and one.address == _named(one, one.hostname) for one in known.values())
    unnamed = any(one.address == _named(one, "") for one in known.values())

    def at_endpoint(member: Member) -> Member:
        if (found := known.get(member.id)) is not None:
            return replace(member, address=found.address, tls_port=found.tls_port)
        if unnamed or (named and member.hostname is not None):
            return replace(member, address=_named(member, "" if unnamed else member.hostname or ""))
        return member

    return replace(nodes, members=in_order(map(at_endpoint, nodes.members)))


def _named(member: Member, host: str) -> Address | None:
    return Address(host, member.address.port) if member.address is not None else None


def replication_layout(info: Info) -> Layout:
    """The primary and the replicas that a node's INFO tells of; the node itself isn't among them.

    A replica knows its primary alone, which knows the others.
    """
    members = []
    host, port = info.text("master_host"), info.integer("master_port")
    if host is not None and port is not None:
        members.append(Member(Address(host, port), None, Role.PRIMARY))
    for number, values in info.with_prefix("slave"):
        line = Info(values)
        host, port = line.text("ip"), line.integer("port")
        if number.isdecimal() and host is not None and port is not None:
            members.append(Member(Address(host, port), None, Role.REPLICA))
    return Layout(Kind.REPLICATION if members else Kind.SINGLE, tuple(members[:MOST]), None)


def parse_role(reply: Reply) -> Info:
    """What ROLE tells of a primary or a replica, in the fields of ``INFO replication``.

    Raises:
        ValueError: If it tells of neither.
    """
    match reply:
        case [b"master", _, list(replicas)]:
            lines = ((one[0], one[1]) for one in replicas if isinstance(one, list) and len(one) > 1)
            named = ((host, port) for host, port in lines if isinstance(host, bytes) and isinstance(port, bytes))
            told = {f"slave{n}": f"ip={_decoded(host)},port={_decoded(port)}" for n, (host, port) in enumerate(named)}
            return Info({"role": "master", **told})
        case [b"slave", bytes(host), int(port), *_]:
            return Info({"role": "slave", "master_host": _decoded(host), "master_port": str(port)})
    raise ValueError("ROLE answered with neither a primary nor a replica")


def is_cluster(info: Info) -> bool:
    """Whether a node is one of a cluster: ``cluster_enabled``, or the mode where that is left out."""
    return info.flag("cluster_enabled") is True or info.text("redis_mode") == "cluster"


def _node(words: list[str]) -> Member:
    if len(words) < 8:
        raise ValueError("CLUSTER NODES answered with a line of fewer than eight words")
    node_id, address, flags, primary, _, _, epoch, link, *slots = words
    marks = set(flags.split(","))
    told: str | None = next((mark for mark in ("fail", "fail?", "handshake") if mark in marks), None)
    if told is None and link != _LINKED and "myself" not in marks:
        told = "link down"
    ranges = [slot for slot in slots if not slot.startswith("[")]
    where, hostname = _announced(address)
    return Member(
        where,
        node_id,
        Role.PRIMARY if "master" in marks else Role.REPLICA if "slave" in marks else Role.UNKNOWN,
        None if primary == "-" else primary,
        tuple(sorted(map(_range, ranges))),
        safe(told) if told else None,
        len(slots) - len(ranges),
        int(epoch) if epoch.isdecimal() else 0,
        ip=where.host or None if where is not None else None,
        hostname=hostname,
    )


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        raise ValueError("CLUSTER NODES answered with slots that are no numbers")
    return int(first), int(last or first)


def _announced(text: str) -> tuple[Address | None, str | None]:
    """``ip:port@bus,hostname``. A node that has met no other yet may not know its own address."""
    where, _, name = text.partition(",")
    host, _, port = where.partition("@")[0].rpartition(":")
    known = port.isdecimal() and int(port)
    return Address(host.strip("[]"), int(port)) if known else None, name.partition(",")[0] or None


def _shard(ranges: tuple[tuple[int, int], ...], nodes: list[Mapping[Any, Any]]) -> Iterable[Member]:
    primary = next((_text(node, b"id") for node in nodes if _text(node, b"role") == "master"), None)
    for node in nodes:
        is_primary = _text(node, b"role") == "master"
        ip, hostname = _text(node, b"ip"), _text(node, b"hostname")
        host = _endpoint(node.get(b"endpoint"), ip) if b"endpoint" in node else ip or hostname
        plain, tls = node.get(b"port"), node.get(b"tls-port")
        port = plain or tls
        health = _text(node, b"health")
        yield Member(
            Address(host, port) if host is not None and isinstance(port, int) else None,
            _text(node, b"id"),
            Role.PRIMARY if is_primary else Role.REPLICA,
            None if is_primary else primary,
            ranges if is_primary else (),
            None if health in (None, "online") else safe(health),
            0,
            0,
            tls if plain and tls and isinstance(tls, int) else None,
            ip=ip,
            hostname=hostname,
        )


def _slots_node(node: Reply, primary: str | None) -> Member:
    """A node of CLUSTER SLOTS: endpoint, port, id, and from Redis 7.0 on what else it announces."""
    if not isinstance(node, list) or len(node) < 3 or not isinstance(node[2], bytes):
        raise ValueError("CLUSTER SLOTS answered with a node without an id")
    endpoint, port, node_id, *more = node
    others = _mapped(more[0], "CLUSTER SLOTS") if more else {}
    ip, hostname = _text(others, b"ip"), _text(others, b"hostname")
    host = _endpoint(endpoint, ip)
    if host and ip is None:  # what is the endpoint isn't told again
        ip = host
    elif host and hostname is None and host != ip:
        hostname = host
    address = Address(host, port) if host is not None and isinstance(port, int) else None
    role = Role.REPLICA if primary else Role.PRIMARY
    return Member(address, _decoded(node_id), role, primary, ip=ip, hostname=hostname)


def _endpoint(told: Reply, ip: str | None) -> str | None:
    """The host that an endpoint means: empty for that of the node that tells, which is what NULL stands for.

    ``?`` is what a server says that prefers names, of a node that has none.
    """
    if told == b"?":
        return ip or ""
    return _decoded(told) if isinstance(told, bytes) else "" if told is None else None


def _mapped(reply: Reply, command: str = "CLUSTER SHARDS") -> Mapping[Any, Any]:
    if isinstance(reply, dict):
        return reply
    if not isinstance(reply, list) or len(reply) % 2 or not all(isinstance(name, bytes) for name in reply[::2]):
        raise ValueError(f"{command} answered with something other than maps")
    return dict(zip(reply[::2], reply[1::2], strict=True))


def _text(node: Mapping[Any, Any], field: bytes) -> str | None:
    value = node.get(field)
    return _decoded(value) if isinstance(value, bytes) and value else None


def _decoded(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def _if_cluster(*arguments: Argument) -> Any:
    def asked(_own: object, info: Info | None) -> tuple[Argument, ...]:
        return arguments if info is not None and is_cluster(info) else ()

    return asked


def _query(name: str, parse: Any) -> Query[Layout]:
    words = ("CLUSTER", name.upper())
    return Query(
        f"cluster_{name}",
        Command(f"cluster|{name}", _if_cluster(*words), parse, every=_EVERY, given=INFO),
        itself,
    )


CLUSTER_NODES = _query("nodes", parse_nodes)
"""Tells most: slots on their way, and what the nodes say of each other."""
CLUSTER_SHARDS = _query("shards", parse_shards)
"""Where a managed service leaves CLUSTER NODES out."""
CLUSTER_SLOTS = _query("slots", parse_slots)
"""Where the nodes of CLUSTER NODES are to be reached, and all there is where the others are refused."""

ROLE = Query("role", Command("role", fixed("ROLE"), parse_role, every=_EVERY), itself)
"""Where a node doesn't let us see INFO."""

TOPOLOGY: tuple[Query[Layout], ...] = (CLUSTER_NODES, CLUSTER_SLOTS, CLUSTER_SHARDS)
"""The ways to learn a cluster's nodes: the first two are asked, and the last where one of them is refused."""
