"""One client in full: each field with its meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.clients import Client
from pymon_tui.ui.panes.clients.columns import flags_cell, output_cell
from pymon_tui.ui.panes.clients.rows import Row
from pymon_tui.ui.widgets.ink import Line, Span, fit, label, span

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


def _bytes(value: int | None) -> Span:
    return Span(units.bytes_(value), "value" if value else "faint")


_FIELDS: Sequence[tuple[str, str, _Cell]] = (
    ("id", "unique id", lambda client: _number(client.id)),
    ("addr", "comes from", lambda client: _text(client.addr)),
    ("laddr", "connected to", lambda client: _text(client.laddr)),
    ("name", "set by client", lambda client: _text(client.name)),
    ("user", "ACL user", lambda client: _text(client.user)),
    ("lib-name", "client library", lambda client: _text(client.lib_name)),
    ("lib-ver", "its version", lambda client: _text(client.lib_ver)),
    ("resp", "protocol version", lambda client: _number(client.resp)),
    ("capa", "capabilities", lambda client: _text(client.capa)),
    ("age", "connected for", lambda client: span(units.duration(client.age))),
    ("idle", "idle for", lambda client: span(units.duration(client.idle))),
    ("cmd", "last command", lambda client: _text(client.cmd)),
    ("flags", "", flags_cell),
    ("db", "selected database", lambda client: _number(client.db)),
    ("multi", "queued in MULTI", lambda client: _number(client.multi)),
    ("watch", "watched keys", lambda client: _number(client.watch)),
    ("sub", "channels", lambda client: _number(client.sub)),
    ("psub", "patterns", lambda client: _number(client.psub)),
    ("ssub", "shard channels", lambda client: _number(client.ssub)),
    ("redir", "tracking target", lambda client: _number(client.redir)),
    ("qbuf", "query buffer", lambda client: _bytes(client.qbuf)),
    ("qbuf-free", "of it free", lambda client: _bytes(client.qbuf_free)),
    ("argv-mem", "arguments", lambda client: _bytes(client.argv_mem)),
    ("multi-mem", "queued commands", lambda client: _bytes(client.multi_mem)),
    ("rbs", "reply buffer", lambda client: _bytes(client.rbs)),
    ("rbp", "its peak", lambda client: _bytes(client.rbp)),
    ("obl", "of it used", lambda client: _bytes(client.obl)),
    ("oll", "output list", lambda client: _number(client.oll)),
    ("omem", "its memory", lambda client: output_cell(client.omem)),
    ("tot-mem", "total memory", lambda client: _bytes(client.tot_mem)),
    ("tot-net-in", "bytes received", lambda client: _bytes(client.tot_net_in)),
    ("tot-net-out", "bytes sent", lambda client: _bytes(client.tot_net_out)),
    ("tot-cmds", "commands run", lambda client: span(units.count(client.tot_cmds))),
    ("events", "waits to", lambda client: _text(client.events)),
    ("io-thread", "I/O thread", lambda client: _number(client.io_thread)),
    ("fd", "file descriptor", lambda client: _number(client.fd)),
)
"""Redis' name of the field, its meaning in two words, and its value."""


def detail(row: Row) -> tuple[Line, ...]:
    """Every field of the client, one a line; what it does now comes first."""
    client, traffic = row.client, row.traffic
    rates = (
        ("commands/s", "now", span(units.rate(traffic.commands))),
        ("bytes in", "now", span(units.byte_rate(traffic.net_in))),
        ("bytes out", "now", span(units.byte_rate(traffic.net_out))),
    )
    known = [(name, _flags(client) if name == "flags" else means, cell(client)) for name, means, cell in _FIELDS]
    other = [(str(name), "", Span(value)) for name, value in client.other.items()]
    return tuple(_line(*each) for each in (*rates, *known, *other))


def _flags(client: Client) -> str:
    return ", ".join(FLAGS.get(flag, "unknown") for flag in client.flags or "")


def _line(name: str, means: str, value: Span) -> Line:
    # A long value takes the meaning's place: a path or a name is to be read whole.
    shown = safe(fit(value.text, _VALUE)) if len(value.text) < _VALUE else value.text
    return label(name.ljust(_NAME)), Span(shown, value.role), span(f" {means}", "faint")
