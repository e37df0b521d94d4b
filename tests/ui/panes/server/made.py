"""Snapshots of servers in all kinds of states, made of recorded replies."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pymon_tui.model.history import History
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.commands import COMMANDSTATS, Commands, parse_commands, remember
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.metrics import COMMANDS, CPU, METRICS, NET_INPUT, NET_OUTPUT
from pymon_tui.readings.persistence import PERSISTENCE
from pymon_tui.readings.replication import REPLICATION
from pymon_tui.readings.server import SERVER
from pymon_tui.ui.panes.server.told import Told, told
from tests.replies import recorded
from tests.script import ready, snapshot

PRIMARY = "info-primary.valkey-9.resp2"
REPLICA = "info-replica.valkey-9.resp2"
ORPHAN = "info-orphan.valkey-9.resp2"
REDIS = "info-primary.redis-7.resp2"


def info_of(name: str, changes: Mapping[str, object], without: Collection[str] = ()) -> Info:
    """A recorded INFO with other values of some fields, and without those that begin with these words."""
    fields = dict(line.split(":", 1) for line in recorded(name).decode().split("\r\n") if ":" in line)
    fields |= {field: str(value) for field, value in changes.items()}
    kept = [f"{field}:{value}" for field, value in fields.items() if not field.startswith(tuple(without))]
    return parse_info("\r\n".join(("# Keyspace", *kept)).encode())


def history() -> History:
    """A minute of 12 400 commands a second, after one second of 18 000."""
    made = History(METRICS)
    values = {COMMANDS.name: 0.0, NET_INPUT.name: 0.0, NET_OUTPUT.name: 0.0, CPU.name: 0.0}
    for at in range(61):
        made.record(float(at), dict(values), {})
        values[COMMANDS.name] += 18_000 if at == 0 else 12_400
        values[NET_INPUT.name] += 3.1 * 1024**2
        values[NET_OUTPUT.name] += 41.8 * 1024**2
        values[CPU.name] += 0.34
    return made


def snapshot_of(
    name: str = PRIMARY, changes: Mapping[str, object] | None = None, without: Collection[str] = ()
) -> Snapshot:
    """A snapshot of this server, ten seconds after another in which its commands had been called half as often."""
    info = info_of(name, changes or {}, without)
    queries = (SERVER, PERSISTENCE, REPLICATION, *((KEYSPACE,) if any(info.with_prefix("db")) else ()))
    readings = {query: ready(query.parse(info)) for query in queries} | {COMMANDSTATS: ready(commands_of(info))}
    return snapshot(readings, history=history())


def commands_of(info: Info) -> Commands:
    """The commands of this INFO; ten seconds before, half of the calls and of the time had been."""
    now = parse_commands(info)
    clock = info.integer("server_time_usec")
    if clock is None:
        return now
    before = [f"run_id:{now.run_id}", f"server_time_usec:{clock - 10_000_000}"]
    before += [f"cmdstat_{each.name}:calls={each.calls // 2},usec={each.usec // 2}" for each in now.statistics]
    return remember(parse_commands(parse_info("\r\n".join(before).encode())), now)


def told_of(name: str = PRIMARY, changes: Mapping[str, object] | None = None, without: Collection[str] = ()) -> Told:
    """What the snapshot of this server tells."""
    known = told(snapshot_of(name, changes, without))
    assert known is not None
    return known
