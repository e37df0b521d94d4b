"""Who else there is: a cluster's nodes by CLUSTER NODES, SHARDS or SLOTS, replicas and primary by INFO or ROLE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

    It is the one answer that tells both ports of a node that has two, whichever of them was asked.

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
    """The nodes of CLUSTER SLOTS: a list of ranges, each with its primary and its replicas.

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
        primary_id, address = _named(primary)
        served.setdefault(primary_id, []).append((first, last))
        found[primary_id] = Member(address, primary_id, Role.PRIMARY, None, (), None, 0, 0)
        for replica in replicas:
            replica_id, address = _named(replica)
            found.setdefault(replica_id, Member(address, replica_id, Role.REPLICA, primary_id, (), None, 0, 0))
    members = [
        Member(one.address, name, one.role, one.primary, tuple(sorted(served.get(name, ()))), None, 0, 0)
        for name, one in islice(found.items(), MOST)
    ]
    return Layout(Kind.CLUSTER, in_order(members), None)


def replication_layout(info: Info) -> Layout:
    """The primary and the replicas that a node's INFO tells of; the node itself isn't among them.

    A replica knows its primary alone, which knows the others.
    """
    members = []
    host, port = info.text("master_host"), info.integer("master_port")
    if host is not None and port is not None:
        members.append(Member(Address(host, port), None, Role.PRIMARY, None, (), None, 0, 0))
    for number, values in info.with_prefix("slave"):
        line = Info(values)
        host, port = line.text("ip"), line.integer("port")
        if number.isdecimal() and host is not None and port is not None:
            members.append(Member(Address(host, port), None, Role.REPLICA, None, (), None, 0, 0))
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
    return Member(
        _address(address),
        node_id,
        Role.PRIMARY if "master" in marks else Role.REPLICA if "slave" in marks else Role.UNKNOWN,
        None if primary == "-" else primary,
        tuple(sorted(map(_range, ranges))),
        safe(told) if told else None,
        len(slots) - len(ranges),
        int(epoch) if epoch.isdecimal() else 0,
    )


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        raise ValueError("CLUSTER NODES answered with slots that are no numbers")
    return int(first), int(last or first)


def _address(text: str) -> Address | None:
    """``ip:port@bus,hostname``: the name, where there is one, is what certificates are for."""
    where, _, name = text.partition(",")
    host, _, port = where.partition("@")[0].rpartition(":")
    host = name.partition(",")[0] or host.strip("[]")
    return Address(host, int(port)) if host and port.isdecimal() and int(port) else None


def _shard(ranges: tuple[tuple[int, int], ...], nodes: list[Mapping[Any, Any]]) -> Iterable[Member]:
    primary = next((_text(node, b"id") for node in nodes if _text(node, b"role") == "master"), None)
    for node in nodes:
        is_primary = _text(node, b"role") == "master"
        host = _text(node, b"hostname") or _text(node, b"endpoint") or _text(node, b"ip")
        plain, tls = node.get(b"port"), node.get(b"tls-port")
        port = plain or tls
        health = _text(node, b"health")
        yield Member(
            Address(host, port) if host and host != "?" and isinstance(port, int) else None,
            _text(node, b"id"),
            Role.PRIMARY if is_primary else Role.REPLICA,
            None if is_primary else primary,
            ranges if is_primary else (),
            None if health in (None, "online") else safe(health),
            0,
            0,
            tls if plain and tls and isinstance(tls, int) else None,
        )


def _named(node: Reply) -> tuple[str, Address | None]:
    """A node of CLUSTER SLOTS: host, port, id, and maybe more."""
    if not isinstance(node, list) or len(node) < 3 or not isinstance(node[2], bytes):
        raise ValueError("CLUSTER SLOTS answered with a node without an id")
    host, port, node_id = node[:3]
    known = isinstance(host, bytes) and host and isinstance(port, int)
    return _decoded(node_id), Address(_decoded(host), port) if known else None


def _mapped(reply: Reply) -> Mapping[Any, Any]:
    if isinstance(reply, dict):
        return reply
    if not isinstance(reply, list) or len(reply) % 2 or not all(isinstance(name, bytes) for name in reply[::2]):
        raise ValueError("CLUSTER SHARDS answered with something other than maps")
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
"""Where there is neither."""

ROLE = Query("role", Command("role", fixed("ROLE"), parse_role, every=_EVERY), itself)
"""Where a node doesn't let us see INFO."""

TOPOLOGY: tuple[Query[Layout], ...] = (CLUSTER_NODES, CLUSTER_SHARDS, CLUSTER_SLOTS)
"""The ways to learn a cluster's nodes, the best first; each is asked where those before it are refused."""
