"""One snapshot of every reading, for scripts and for eyes; nothing here needs Textual."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from pymon_tui.journal.met import note_production
from pymon_tui.model import units
from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Pending, Reading, Ready, Unavailable
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.memory import MEMORY, Memory
from pymon_tui.readings.queries import QUERIES
from pymon_tui.readings.server import SERVER, Server
from pymon_tui.removing.console import say, tell, tell_json
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.poller import Poller
from pymon_tui.server.reasons import LinkError
from pymon_tui.settings import Settings

SCHEMA_VERSION = 1
NO_SERVER = 3


def run_once(settings: Settings, *, as_json: bool) -> int:
    """Print one snapshot on stdout. Returns 0, or 3 with one line on stderr if no server answers.

    Raises:
        BrokenPipeError, OutputError: As ``console.tell``.
    """
    try:
        readings, seconds = asyncio.run(_read(settings.endpoint))
    except LinkError as error:
        say(str(error))
        return NO_SERVER
    except KeyboardInterrupt:
        return 130
    server = readings.get(SERVER.name)
    if isinstance(server, Ready):
        note_production(settings.name, settings.environment, server.value.run_id)
    if as_json:
        tell_json(document(settings.endpoint, readings, time.time(), seconds))
    else:
        tell(summary(settings.endpoint, readings))
    return 0


def document(endpoint: Endpoint, readings: Mapping[str, Reading[Any]], wall: float, seconds: float) -> dict[str, Any]:
    """The object that ``once --json`` prints. Numbers are raw, in base units; a gap says why and what would help."""
    return {
        "schema_version": SCHEMA_VERSION,
        "at": round(wall, 3),
        "nodes": [
            {
                "node": safe(endpoint.label),
                "address": safe(endpoint.address),
                "db": endpoint.db,
                "seconds": round(seconds, 6),
                "readings": {name: _reading(reading) for name, reading in readings.items()},
            }
        ],
    }


def summary(endpoint: Endpoint, readings: Mapping[str, Reading[Any]]) -> tuple[str, ...]:
    """A few lines for a person; each gap has its own."""
    lines = [f"{safe(endpoint.label)}"]
    for name, reading in readings.items():
        if isinstance(reading, Unavailable):
            lines.append(
                f"  {name:<12} not available: {reading.detail}" + (f"; {reading.remedy}" * bool(reading.remedy))
            )
    server, memory = readings.get(SERVER.name), readings.get(MEMORY.name)
    if isinstance(server, Ready):
        lines[1:1] = _server_lines(server.value)
    if isinstance(memory, Ready):
        lines.append(_memory_line(memory.value))
    return tuple(lines)


async def _read(endpoint: Endpoint) -> tuple[Mapping[str, Reading[Any]], float]:
    session, _ = await open_session(endpoint, Handshake.RESP3)
    try:
        poller = Poller(QUERIES)
        names = [query.name for query in QUERIES]
        began = time.perf_counter()
        await poller.tick(session, 0.0, 1.0, names)
        # Once more at the same moment, for commands whose arguments the first answers told.
        await poller.tick(session, 0.0, 1.0, names)
        return poller.readings, time.perf_counter() - began
    except LinkError as error:
        if error.trouble is Trouble.SILENT:
            raise LinkError(error.trouble, error.what, error.remedy or "is the server blocked?") from None
        raise
    finally:
        await session.close()


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


def _server_lines(server: Server) -> list[str]:
    clients = f"{units.count(server.connected_clients)} clients"
    what = [
        f"{server.product} {server.version}",
        server.role or "",
        f"up {units.duration(server.uptime_in_seconds)}",
        clients,
    ]
    ops = f"{units.count(server.instantaneous_ops_per_sec)} commands/s"
    return ["  " + " · ".join(part for part in (*what, ops) if part)]


def _memory_line(memory: Memory) -> str:
    policy: SafeText = memory.maxmemory_policy or safe("?")
    return f"  memory {units.bytes_(memory.used_memory)} of {units.bytes_(memory.limit)}, {policy}"
