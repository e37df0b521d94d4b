"""What a snapshot tells of the server, gathered for the functions that write it out."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.model.link import Live
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.commands import COMMANDSTATS, Commands
from pymon_tui.readings.health import Wrong, wrongs
from pymon_tui.readings.keyspace import KEYSPACE, Keyspace
from pymon_tui.readings.latency import LATENCY, Latency
from pymon_tui.readings.metrics import COMMANDS
from pymon_tui.readings.persistence import PERSISTENCE, Persistence
from pymon_tui.readings.replication import REPLICATION, Replication
from pymon_tui.readings.server import SERVER, Server, server_now


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """The server's readings; all but the first may be missing.

    Attributes:
        server_time: Unix seconds by the server's clock where it tells it, else by ours.
        rtt: Our own round trip in seconds; None while there is no link.
    """

    snapshot: Snapshot
    server: Server
    commands: Commands | None
    latency: Latency | None
    persistence: Persistence | None
    replication: Replication | None
    keyspace: Keyspace | None
    server_time: float
    rtt: float | None

    def latest(self, metric: str) -> float | None:
        """The newest level or rate per second of a metric."""
        return self.snapshot.history.latest(metric)

    @property
    def wrongs(self) -> tuple[Wrong, ...]:
        """What is wrong with it, the worst first."""
        return wrongs(self.server, self.persistence, self.replication)

    @property
    def rate(self) -> float | None:
        """Commands per second without ours; where the server counts none, its own number, in which ours are."""
        counts = self.server.total_commands_processed is not None
        return self.latest(COMMANDS.name) if counts else self.server.instantaneous_ops_per_sec


def told(snapshot: Snapshot) -> Told | None:
    """What this snapshot tells; None while it doesn't even say which server answers."""
    server = snapshot.value(SERVER)
    if server is None:
        return None
    return Told(
        snapshot=snapshot,
        server=server,
        commands=snapshot.value(COMMANDSTATS),
        latency=snapshot.value(LATENCY),
        persistence=snapshot.value(PERSISTENCE),
        replication=snapshot.value(REPLICATION),
        keyspace=snapshot.value(KEYSPACE),
        server_time=server_now(snapshot),
        rtt=snapshot.link.rtt if isinstance(snapshot.link, Live) else None,
    )
