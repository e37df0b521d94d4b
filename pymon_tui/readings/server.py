"""The server itself: who it is, since when it runs and what role it has. From INFO server, clients, replication."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.model.query import Query, Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import INFO, Info
from pymon_tui.readings.replication import role_of

# The field that holds the version, and the product that has it. A fork keeps redis_version for old clients.
_PRODUCTS = (
    ("valkey_version", "valkey"),
    ("dragonfly_version", "dragonfly"),
    ("garnet_version", "garnet"),
    ("keydb_version", "keydb"),
    ("kvrocks_version", "kvrocks"),
    ("pika_version", "pika"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """Who answers. Fields are INFO's own, None where the server doesn't tell; ``product`` is read from them.

    Totals are without what we caused ourselves.

    Attributes:
        own_errors: Errors that were answered to us, which the total leaves out.
        own_clients: Our own connections, which ``connected_clients`` has: it is what ``maxclients`` is the limit of.
        product: ``valkey``, ``redis``, ``keydb``, ``dragonfly`` and so on, as the server calls itself.
        version: Its version by that name; ``redis_version`` may be that of the protocol it follows.
        role: ``primary`` or ``replica``.
        paused_actions: What CLIENT PAUSE holds back: ``none``, ``write`` or ``all``.
        server_time_usec: The server's own clock, Unix microseconds.
    """

    product: SafeText
    version: SafeText
    redis_version: SafeText | None
    redis_mode: SafeText | None
    role: SafeText | None
    os: SafeText | None
    process_id: int | None
    run_id: SafeText | None
    tcp_port: int | None
    executable: SafeText | None
    config_file: SafeText | None
    uptime_in_seconds: int | None
    hz: int | None
    server_time_usec: int | None
    connected_clients: int | None
    blocked_clients: int | None
    maxclients: int | None
    total_connections_received: int | None
    rejected_connections: int | None
    total_commands_processed: int | None
    instantaneous_ops_per_sec: int | None
    total_net_input_bytes: int | None
    total_net_output_bytes: int | None
    total_error_replies: int | None
    used_cpu_sys: float | None
    used_cpu_user: float | None
    used_cpu_sys_children: float | None
    used_cpu_user_children: float | None
    io_threads_active: int | None
    instantaneous_eventloop_cycles_per_sec: int | None
    instantaneous_eventloop_duration_usec: int | None
    paused_actions: SafeText | None
    paused_timeout_milliseconds: int | None
    own_errors: int = 0
    own_clients: int = 0

    @property
    def other_clients(self) -> int | None:
        """Clients that are connected now, without our own connections."""
        return None if self.connected_clients is None else max(0, self.connected_clients - self.own_clients)


def parse_server(info: Info) -> Server:
    """The parts of INFO that tell who the server is and what it has done."""
    product, version = _product(info)
    return Server(
        product=product,
        version=version,
        redis_version=info.text("redis_version"),
        redis_mode=info.text("redis_mode") or info.text("server_mode"),
        role=role_of(info),
        os=info.text("os"),
        process_id=info.integer("process_id"),
        run_id=info.text("run_id"),
        tcp_port=info.integer("tcp_port"),
        executable=info.text("executable"),
        config_file=info.text("config_file"),
        uptime_in_seconds=info.integer("uptime_in_seconds"),
        hz=info.integer("hz"),
        server_time_usec=info.integer("server_time_usec"),
        connected_clients=info.integer("connected_clients"),
        blocked_clients=info.integer("blocked_clients"),
        maxclients=info.integer("maxclients"),
        total_connections_received=info.others("total_connections_received"),
        rejected_connections=info.integer("rejected_connections"),
        total_commands_processed=info.others("total_commands_processed"),
        instantaneous_ops_per_sec=info.integer("instantaneous_ops_per_sec"),
        total_net_input_bytes=info.others("total_net_input_bytes"),
        total_net_output_bytes=info.others("total_net_output_bytes"),
        total_error_replies=info.others("total_error_replies"),
        used_cpu_sys=info.number("used_cpu_sys"),
        used_cpu_user=info.number("used_cpu_user"),
        used_cpu_sys_children=info.number("used_cpu_sys_children"),
        used_cpu_user_children=info.number("used_cpu_user_children"),
        io_threads_active=info.integer("io_threads_active"),
        instantaneous_eventloop_cycles_per_sec=info.integer("instantaneous_eventloop_cycles_per_sec"),
        instantaneous_eventloop_duration_usec=info.integer("instantaneous_eventloop_duration_usec"),
        paused_actions=info.text("paused_actions"),
        paused_timeout_milliseconds=info.integer("paused_timeout_milliseconds"),
        own_errors=info.own.errors if info.own is not None else 0,
        own_clients=info.own.lines if info.own is not None else 0,
    )


def _product(info: Info) -> tuple[SafeText, SafeText]:
    unknown = safe("?")
    for field, product in _PRODUCTS:
        version = info.text(field)
        if version is not None:
            return safe(product), version
    named = info.text("server_name")
    if named is None:
        executable = info.text("executable") or safe("")
        named = safe("keydb") if "keydb" in executable else safe("redis")
    return named, info.text("redis_version") or unknown


SERVER = Query("server", INFO, parse_server)


def server_now(snapshot: Snapshot) -> float:
    """The server's clock at the snapshot, in Unix seconds; ours if it tells no time."""
    reading = snapshot.reading(SERVER)
    if isinstance(reading, Ready) and reading.value.server_time_usec is not None:
        return reading.value.server_time_usec / 1e6 + snapshot.at - reading.at
    return snapshot.wall
