"""One client in full: each field with its meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from rich.cells import cell_len

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.clients import Client
from pymon_tui.ui.panes.clients.columns import flags_cell, output_cell
from pymon_tui.ui.panes.clients.rows import Row
from pymon_tui.ui.widgets.ink import BLANK, Line, Role, Span, fit, label, span

_NAME, _VALUE = 12, 26

FLAGS = {
    "A": "to be closed at once",
    "B": "tracking by broadcast",
    "M": "our primary",
    "N": "nothing special",
    "O": "runs MONITOR",
    "P": "subscriber",
    "R": "tracking's target is gone",
    "S": "replica",
    "T": "doesn't touch keys",
    "U": "unix socket",
    "b": "blocked",
    "c": "to be closed after its reply",
    "d": "watched key changed: EXEC will fail",
    "e": "never evicted",
    "i": "waits for I/O",
    "r": "reads from a replica",
    "t": "tracks keys",
    "u": "unblocked",
    "x": "in MULTI",
}
"""What each letter of ``flags`` says."""

_Cell: TypeAlias = Callable[[Client], Span]


def _text(value: SafeText | None) -> Span:
    return Span(units.UNKNOWN, "faint") if value is None else Span(value)


def _number(value: int | None) -> Span:
    return Span(units.UNKNOWN, "faint") if value is None else span(str(value))


def _bytes(value: int | None, role: Role = "value") -> Span:
    return Span(units.bytes_(value), role if value else "faint")


_FIELDS: Sequence[Sequence[tuple[str, str, _Cell]]] = (
    (
        ("id", "unique id", lambda client: _number(client.id)),
        ("addr", "comes from", lambda client: _text(client.addr)),
        ("laddr", "connected to", lambda client: _text(client.laddr)),
        ("name", "set by client", lambda client: _text(client.name)),
        ("user", "ACL user", lambda client: _text(client.user)),
        ("lib-name", "client library", lambda client: _text(client.lib_name)),
        ("lib-ver", "its version", lambda client: _text(client.lib_ver)),
        ("resp", "protocol version", lambda client: _number(client.resp)),
        ("capa", "capabilities", lambda client: _text(client.capa)),
    ),
    (
        ("age", "connected for", lambda client: span(units.duration(client.age))),
        ("idle", "idle for", lambda client: span(units.duration(client.idle))),
        ("flags", "", flags_cell),
        ("db", "selected database", lambda client: _number(client.db)),
        ("cmd", "last command", lambda client: _text(client.cmd)),
        ("tot-cmds", "commands run", lambda client: span(units.count(client.tot_cmds))),
        ("tot-net-in", "bytes received", lambda client: _bytes(client.tot_net_in)),
        ("tot-net-out", "bytes sent", lambda client: _bytes(client.tot_net_out)),
    ),
    (
        ("qbuf", "query buffer", lambda client: _bytes(client.qbuf)),
        ("qbuf-free", "of it free", lambda client: _bytes(client.qbuf_free)),
        ("argv-mem", "arguments", lambda client: _bytes(client.argv_mem)),
        ("multi-mem", "queued commands", lambda client: _bytes(client.multi_mem)),
        ("rbs", "reply buffer", lambda client: _bytes(client.rbs)),
        ("rbp", "its peak", lambda client: _bytes(client.rbp)),
        ("obl", "of it used", lambda client: _bytes(client.obl)),
        ("oll", "output list", lambda client: _number(client.oll)),
        ("omem", "its memory", lambda client: _bytes(client.omem, output_cell(client.omem).role)),
        ("tot-mem", "total memory", lambda client: _bytes(client.tot_mem)),
    ),
    (
        ("multi", "queued in MULTI", lambda client: _number(client.multi)),
        ("watch", "watched keys", lambda client: _number(client.watch)),
        ("sub", "channels", lambda client: _number(client.sub)),
        ("psub", "patterns", lambda client: _number(client.psub)),
        ("ssub", "shard channels", lambda client: _number(client.ssub)),
        ("redir", "tracking target", lambda client: _number(client.redir)),
        ("events", "socket events", lambda client: _text(client.events)),
        ("io-thread", "I/O thread", lambda client: _number(client.io_thread)),
        ("fd", "file descriptor", lambda client: _number(client.fd)),
    ),
)
"""Redis' name of the field, its meaning in two words, and its value; in parts that belong together."""


def detail(row: Row) -> tuple[Line, ...]:
    """Every field of the client, one a line, and what it does per second beside what it has done."""
    client = row.client
    beside = {
        "flags": ", ".join(FLAGS.get(flag, "unknown") for flag in client.flags or ""),
        "tot-cmds": f"commands run, {units.rate(row.traffic.commands)}",
        "tot-net-in": f"received, {units.byte_rate(row.traffic.net_in)}",
        "tot-net-out": f"sent, {units.byte_rate(row.traffic.net_out)}",
    }
    lines: list[Line] = []
    for part in _FIELDS:
        lines += [_line(name, beside.get(name, means), cell(client)) for name, means, cell in part]
        lines.append(BLANK)
    lines += [_line(name, "", Span(value)) for name, value in client.other.items()]
    return tuple(lines if lines[-1] else lines[:-1])


def _line(name: str, means: str, value: Span) -> Line:
    # A value that is longer pushes its meaning aside: a path or a name is to be read whole.
    shown = value.text if cell_len(value.text) > _VALUE else safe(fit(value.text, _VALUE))
    return label(name.ljust(_NAME)), Span(shown, value.role), span(f"  {means}", "faint")
