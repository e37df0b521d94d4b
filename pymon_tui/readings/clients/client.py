"""One client: a row of CLIENT LIST with every field under the name that Redis gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from pymon_tui.model.text import SafeText, safe

# The path of a unix socket is the one value that may hold blanks; names, users and libraries can't. It stands between
# the id and the descriptor, and of a unix socket both addresses are the same.
_HEAD = re.compile(rb"(id=[0-9]{1,20} addr=)(\[?/.*)( fd=-?[0-9]{1,10} name=)")
_NAME = re.compile(rb"[a-z][a-z0-9-]*")
_PLAIN = re.compile(rb"id=[0-9]{1,20} addr=\[?/[^ ]* (?:laddr=[^ ]* )?fd=-?[0-9]{1,10} name=")
_LADDR = b" laddr="
_BLANK = b"\0"
"""What stands for a blank of a path in a row that is closed: no path holds this."""
_BEGINNING = re.compile(rb"id=([0-9]{1,20}) ")
UNIX_SOCKET: Final = "unix socket"
"""What is shown for the address of a client that comes by the server's own socket: it is the same for all of them."""
_WHOLE = re.compile(rb"-?[0-9]{1,20}")


@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """A connection as CLIENT LIST tells it; ``-`` in a field's name is ``_`` here.

    A field that the server doesn't tell, or leaves empty, is None. Ages are whole seconds, memory is bytes. What
    ``tot_net_in``, ``tot_net_out`` and ``tot_cmds`` count began with the connection (Valkey 8.1, Redis 8).

    Attributes:
        addr: Address and port; ``/path:0`` or ``[/path:0]:0`` for a unix socket.
        multi: Commands queued in MULTI, -1 outside of it.
        omem: Memory of the output list: what waits to be sent beyond the fixed reply buffer.
        node: Which node of the deployment it is connected to, where several are shown together; blanks are ``_``.
        other: Fields that this class has no name for.
    """

    id: int
    addr: SafeText | None
    laddr: SafeText | None
    fd: int | None
    name: SafeText | None
    age: int | None
    idle: int | None
    flags: SafeText | None
    capa: SafeText | None
    db: int | None
    sub: int | None
    psub: int | None
    ssub: int | None
    multi: int | None
    watch: int | None
    qbuf: int | None
    qbuf_free: int | None
    argv_mem: int | None
    multi_mem: int | None
    rbs: int | None
    rbp: int | None
    obl: int | None
    oll: int | None
    omem: int | None
    tot_mem: int | None
    events: SafeText | None
    cmd: SafeText | None
    user: SafeText | None
    redir: int | None
    resp: int | None
    lib_name: SafeText | None
    lib_ver: SafeText | None
    io_thread: int | None
    tot_net_in: int | None
    tot_net_out: int | None
    tot_cmds: int | None
    node: SafeText | None
    other: Mapping[SafeText, SafeText]

    @property
    def address(self) -> SafeText:
        """Where it comes from, as short as it is clear: a unix socket is its path."""
        addr = self.addr or safe("?")
        return host_of(addr) if addr.startswith(("/", "[/")) else addr

    @property
    def host(self) -> SafeText:
        """The address without the port."""
        return host_of(self.addr or safe("?"))

    @property
    def label(self) -> SafeText:
        """Its name, or where it comes from if it has none."""
        return self.name or self.address

    @property
    def library(self) -> SafeText | None:
        """The library and its version, where the client tells."""
        if self.lib_name is None:
            return None
        return safe(f"{self.lib_name} {self.lib_ver}") if self.lib_ver else self.lib_name

    @property
    def subscriptions(self) -> int | None:
        """Channels, patterns and shard channels that it is subscribed to."""
        known = [number for number in (self.sub, self.psub, self.ssub) if number is not None]
        return sum(known) if known else None

    @property
    def is_replica(self) -> bool:
        """Whether it is a replica of the server."""
        return "S" in (self.flags or "")

    @property
    def is_primary(self) -> bool:
        """Whether it is the server's own link to its primary."""
        return "M" in (self.flags or "")

    @property
    def is_blocked(self) -> bool:
        """Whether it waits in a blocking command such as BLPOP."""
        return "b" in (self.flags or "")

    @property
    def is_monitor(self) -> bool:
        """Whether it runs MONITOR, which costs every other client."""
        return "O" in (self.flags or "")


_ATTRIBUTES = {field.name: str(field.type) for field in fields(Client) if field.name not in ("id", "other")}


def parse_client(row: bytes) -> Client:
    """One row of CLIENT LIST.

    Raises:
        ValueError: If it doesn't begin with an id.
    """
    known: dict[str, SafeText | int | None] = dict.fromkeys(_ATTRIBUTES)
    other: dict[SafeText, SafeText] = {}
    beginning = _BEGINNING.match(row)
    if beginning is None:
        raise ValueError("CLIENT LIST has a row without an id")
    for name, value in fields_of(row):
        attribute = name.decode("ascii").replace("-", "_")
        if attribute == "id":
            continue
        if attribute not in _ATTRIBUTES:
            other[safe(name)] = safe(value)
        elif _ATTRIBUTES[attribute].startswith("int"):
            known[attribute] = _integer(value)
        else:
            # Older servers write NULL for the command of a client that has sent none.
            nothing = not value or (attribute == "cmd" and value == b"NULL")
            known[attribute] = None if nothing else safe(value)
    return Client(id=int(beginning[1]), other=other, **known)  # type: ignore[arg-type]


def closed(row: bytes) -> bytes:
    """The row with no blanks but those between its fields, whatever path it holds: ``opened`` gives it back."""
    head = None if _PLAIN.match(row) else _HEAD.match(row)
    if head is None:
        return row
    middle, half = head[2], (len(head[2]) - len(_LADDR)) // 2
    if middle[:half] + _LADDR + middle[:half] == middle:
        addr, laddr = middle[:half], middle[:half]
    else:
        addr, _, laddr = middle.partition(_LADDR)
    paths = [path.replace(b" ", _BLANK) for path in (addr, laddr) if path]
    return head[1] + _LADDR.join(paths) + row[head.start(3) :]


def opened(value: bytes) -> bytes:
    """A row or a value as the server sent it."""
    return value.replace(_BLANK, b" ")


def fields_of(row: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each field of a row and its value, which may hold ``=``; a word without one is no field."""
    for word in closed(row).split(b" "):
        name, equals, value = word.partition(b"=")
        if equals and _NAME.fullmatch(name):
            yield name, opened(value)


def host_of(addr: SafeText) -> SafeText:
    """An address without its port: ``10.0.3.14``, ``::1``, or the path of a unix socket."""
    host = addr.rpartition(":")[0] or addr
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return safe(host.removesuffix(":0") if host.startswith("/") else host)


def _integer(value: bytes) -> int | None:
    return int(value) if _WHOLE.fullmatch(value) else None
