"""One look at every reading of a deployment, for scripts and for eyes; nothing here needs Textual."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from pymon_tui.journal.met import note_production
from pymon_tui.model import units
from pymon_tui.model.deployment import Kind
from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Pending, Reading, Ready, Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.readings.commands import COMMANDSTATS
from pymon_tui.readings.health import What, Wrong, wrongs
from pymon_tui.readings.hits import HIT_RATE, Hits
from pymon_tui.readings.keyspace import KEYSPACE, Keyspace
from pymon_tui.readings.latency import LATENCY, Histogram, Latency
from pymon_tui.readings.memory import MEMORY, Memory
from pymon_tui.readings.memory_use import Concern, Severity, concerns
from pymon_tui.readings.persistence import PERSISTENCE
from pymon_tui.readings.queries import QUERIES
from pymon_tui.readings.replication import REPLICATION
from pymon_tui.readings.server import SERVER, Server
from pymon_tui.removing.console import say, tell, tell_json
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from pymon_tui.settings import Settings
from pymon_tui.state.glance import Glance, Glimpse, NoSuchNode, glance

SCHEMA_VERSION = 1
NO_NODE = 2
NO_SERVER = 3


def run_once(settings: Settings, *, as_json: bool, span: float, node: str | None) -> int:
    """Print one look at a deployment on stdout.

    Args:
        span: Seconds between two askings, of which latencies and shares of time are told; with 0 there is one.
        node: The only node to print, by its address; None for all of them.

    Returns:
        0; 2 or 3 with one line on stderr if there is no such node, or if the server that was named doesn't answer,
        or the only node that is wanted.

    Raises:
        BrokenPipeError, OutputError: As ``console.tell``.
    """
    try:
        seen = asyncio.run(glance(settings.endpoint, QUERIES, span=span, only=node))
    except NoSuchNode as error:
        say(str(error))
        return NO_NODE
    except LinkError as error:
        return _unanswered(error)
    except KeyboardInterrupt:
        return 130
    if node is not None and (lost := next((one.lost for one in seen.nodes if one.lost is not None), None)) is not None:
        return _unanswered(lost)
    for one in seen.nodes:
        server = one.readings.get(SERVER.name)
        if isinstance(server, Ready):
            note_production(settings.name, settings.environment, server.value.run_id)
    if as_json:
        tell_json(document(seen, time.time()))
    else:
        tell(summary(settings.endpoint, seen))
    return 0


def _unanswered(error: LinkError) -> int:
    """Say why a server that was named doesn't answer."""
    if error.trouble is Trouble.SILENT:
        error = LinkError(error.trouble, error.what, error.remedy or "is the server blocked?")
    say(str(error))
    return NO_SERVER


def document(seen: Glance, wall: float) -> dict[str, Any]:
    """The object that ``once --json`` prints. Numbers are raw, in base units; a gap says why and what would help."""
    return {
        "schema_version": SCHEMA_VERSION,
        "at": round(wall, 3),
        "kind": seen.kind.value,
        "uncovered": [list(slots) for slots in seen.uncovered],
        "nodes": [_node(one) for one in seen.nodes],
        "whole": None if seen.whole is None else _whole(seen, seen.whole),
    }


def _node(one: Glimpse) -> dict[str, Any]:
    return {
        "node": safe(one.endpoint.label),
        "address": safe(one.endpoint.address),
        "db": one.endpoint.db,
        "role": one.member.role.value,
        "primary": one.primary,
        "seconds": round(one.seconds, 6),
        "lost": one.lost and {"detail": safe(one.lost.what), "remedy": safe(one.lost.remedy)},
        "readings": {name: _reading(reading) for name, reading in one.readings.items()},
    }


def _whole(seen: Glance, readings: Mapping[str, Reading[Any]]) -> dict[str, Any]:
    return {
        "nodes": len(seen.nodes),
        "answering": sum(one.lost is None for one in seen.nodes),
        "readings": {name: _reading(reading) for name, reading in readings.items()},
    }


def summary(endpoint: Endpoint, seen: Glance) -> tuple[str, ...]:
    """A few lines for a person: all nodes as one, each gap, and of several nodes a line for each."""
    readings = seen.nodes[0].readings if seen.whole is None else seen.whole
    label = seen.nodes[0].endpoint.label if len(seen.nodes) == 1 else endpoint.label
    lines = [f"{safe(label)}"]
    server, memory = readings.get(SERVER.name), readings.get(MEMORY.name)
    if isinstance(server, Ready):
        kind = server.value.role or "" if seen.whole is None else _together(seen)
        lines.append(_server_line(server.value, kind, readings.get(LATENCY.name)))
    if (latency := _latency_line(readings)) is not None:
        lines.append(latency)
    for name, reading in readings.items():
        if isinstance(reading, Unavailable) and reading.reason is not Reason.PER_NODE:
            lines.append(
                f"  {name:<12} not available: {reading.detail}" + (f"; {reading.remedy}" * bool(reading.remedy))
            )
    lines += _wrong_lines(seen)
    if isinstance(memory, Ready):
        lines += [_memory_line(memory.value), *map(_concern_line, concerns(memory.value))]
    if (kept := _keys_line(readings)) is not None:
        lines.append(kept)
    lines += [_node_line(one) for one in seen.nodes if len(seen.nodes) > 1 or one.lost is not None]
    lines += [f"  slots {first}-{last} are served by no node" for first, last in seen.uncovered]
    return tuple(lines)


def _together(seen: Glance) -> str:
    what = {Kind.CLUSTER: "cluster of {} nodes", Kind.SENTINEL: "{} nodes under Sentinel"}
    answering = sum(one.lost is None for one in seen.nodes)
    of = "" if answering == len(seen.nodes) else f", of the {answering} that answer"
    return f"{what.get(seen.kind, '{} nodes').format(len(seen.nodes))}{of}"


def _node_line(one: Glimpse) -> str:
    server, memory = one.readings.get(SERVER.name), one.readings.get(MEMORY.name)
    name = f"  {one.member.role.value:<8} {safe(one.endpoint.address)}"
    if one.lost is not None:
        return f"{name}  lost: {safe(str(one.lost))}"
    parts = []
    if one.primary is not None:
        parts.append(f"of {one.primary}")
    if isinstance(memory, Ready):
        limited = f" ({_limited(memory.value)})" if memory.value.maxmemory else ""
        parts.append(f"{units.bytes_(memory.value.used_memory)}{limited}")
    if isinstance(server, Ready):
        parts.append(_commands(server.value, one.readings.get(LATENCY.name)))
    return f"{name}  " + " · ".join(parts)


def _reading(reading: Reading[Any]) -> Any:
    if isinstance(reading, Unavailable):
        return {"unavailable": reading.reason.value, "detail": reading.detail, "remedy": reading.remedy}
    if isinstance(reading, Pending):
        return {"unavailable": "unasked", "detail": "", "remedy": ""}
    return _plain(reading.value)


def _plain(value: Any) -> Any:
    """The value in JSON's types. Bytes are shown as they are displayed, escapes and all."""
    if isinstance(value, bytes):
        return safe(value)
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    as_json = getattr(value, "as_json", None)
    if as_json is not None:
        return _plain(as_json())
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _server_line(server: Server, kind: str, latency: Reading[Latency] | None) -> str:
    """What it is and does; ``kind`` is its role, or what several are together."""
    among = "" if server.own_clients else ", ours among them"
    clients = f"{units.count(server.other_clients)} client{'s' * (server.other_clients != 1)}{among}"
    what = [
        f"{server.product} {server.version}",
        kind,
        f"up {units.duration(server.uptime_in_seconds)}",
        clients,
    ]
    return "  " + " · ".join(part for part in (*what, _commands(server, latency)) if part)


def _commands(server: Server, latency: Reading[Latency] | None) -> str:
    """Commands per second: those of others where they are counted, else all, ours among them."""
    last = latency.value.last if isinstance(latency, Ready) else None
    if last is not None and last.seconds:
        return f"{units.count(round(last.others / last.seconds))} commands/s of others"
    return f"{units.count(server.instantaneous_ops_per_sec)} commands/s, ours among them"


def _latency_line(readings: Mapping[str, Reading[Any]]) -> str | None:
    """How long calls took: of the last moment, else since the start or a reset; a mean where that is all there is."""
    latency, commands = readings.get(LATENCY.name), readings.get(COMMANDSTATS.name)
    told: Latency | None = latency.value if isinstance(latency, Ready) else None
    if told is not None and told.last is not None and told.last.calls.calls:
        calls = f"{units.count(told.last.calls.calls)} calls in {units.took(told.last.seconds)}"
        return f"  latency {_percentiles(told.last.calls)} of {calls}"
    if told is not None and told.since_start is not None:
        none = "" if told.last is None else "only calls like ours" if told.last.like_ours else "no calls"
        why = f"{none} in {units.took(told.last.seconds)}; " if told.last is not None else ""
        return f"  latency {why}{_percentiles(told.since_start)} since start or reset"
    if not isinstance(commands, Ready) or not commands.value.told:
        return None
    if commands.value.usec_per_call is None:
        return "  latency no calls yet"
    growth = commands.value.total_growth
    if growth is not None and growth.usec_per_call is not None:
        return f"  latency mean {units.microseconds(growth.usec_per_call)} just now"
    return f"  latency mean {units.microseconds(commands.value.usec_per_call)} since start or reset"


def _percentiles(calls: Histogram) -> str:
    """Upper ends of buckets: what is known is that so many took no longer."""
    return ", ".join(
        f"{name} ≤ {units.microseconds(calls.percentile(share))}" for name, share in (("p50", 0.5), ("p99", 0.99))
    )


def _memory_line(memory: Memory) -> str:
    """What is used of how much; of several nodes also which is the fullest, as sums say nothing of that."""
    used, fullest, limit = f"  memory {units.bytes_(memory.used_memory)}", memory.fullest, memory.limit
    if limit:
        used += f" of {units.bytes_(limit)}"
    elif memory.maxmemory == 0 and fullest is None:
        used += ", no limit"
    if memory.maxmemory and fullest is None and memory.share is not None:
        used += f" ({_limited(memory)})"
    if memory.maxmemory_policy:
        used += f", {memory.maxmemory_policy}"
    if fullest is None:
        return used
    without = f"; {memory.unlimited} of {len(memory.primaries)} have no limit" if memory.unlimited else ""
    return f"{used}; {fullest.node} is at {_limited(fullest.memory)}{without}"


def _wrong_lines(seen: Glance) -> list[str]:
    """What the server pane says in colour: of several nodes of which one, and of how many others."""
    found: dict[What, list[tuple[str, Wrong]]] = {}
    for one in seen.nodes:
        name = f"{safe(one.endpoint.address)}: " if len(seen.nodes) > 1 else ""
        readings = (one.readings.get(query.name) for query in (SERVER, PERSISTENCE, REPLICATION))
        for wrong in wrongs(*(reading.value if isinstance(reading, Ready) else None for reading in readings)):
            found.setdefault(wrong.what, []).append((name, wrong))
    lines = []
    for (name, wrong), *others in (found[what] for what in What if what in found):
        more = f"; {len(others)} other{'s' * (len(others) != 1)} too" if others else ""
        lines.append(_concern_line(dataclasses.replace(wrong, text=safe(f"{name}{wrong.text}{more}"))))
    return lines


def _concern_line(concern: Concern | Wrong) -> str:
    """What a pane says in colour."""
    return f"  to {'act on' if concern.severity is Severity.ACT else 'look at'}: {concern.text}"


def _keys_line(readings: Mapping[str, Reading[Any]]) -> str | None:
    """How many keys there are, and what became of reads and of keys; what isn't told is left out."""
    keyspace, hits = readings.get(KEYSPACE.name), readings.get(HIT_RATE.name)
    said = []
    if isinstance(keyspace, Ready):
        told: Keyspace = keyspace.value
        expire = "" if told.expires is None else f", {units.count(told.expires)} expire"
        said.append(f"keys {units.count(told.keys)}{expire}")
    if isinstance(hits, Ready):
        counted: Hits = hits.value
        rate = "nothing read" if counted.hit_rate is None else f"hit rate {units.percent(counted.hit_rate)}"
        evicted = "" if counted.evicted_keys is None else f", {units.count(counted.evicted_keys)} evicted"
        said.append(f"{rate}{evicted} since start or reset")
    return f"  {' · '.join(said)}" if said else None


def _limited(memory: Memory) -> str:
    return f"{units.percent(memory.share)} of its limit"
