"""All clients: CLIENT LIST kept as raw rows, of which only those that somebody looks at are parsed.

With 10,000 clients the reply has 2.6 MB. To parse it all takes a hundred milliseconds, to split it and to pull one
field out of it takes six.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import overload

from pymon_tui.model.query import Command, Part, Query, Reply, fixed, itself
from pymon_tui.model.text import safe
from pymon_tui.readings.clients.client import UNIX_SOCKET, Client, closed, opened, parse_client

# Neighbours in a row of every server: one pass finds them together.
_NEIGHBOURS = (("omem", "tot-mem"), ("tot-net-in", "tot-net-out", "tot-cmds"))
_SEARCHED = ("id", "addr", "name", "user", "cmd", "lib-name", "lib-ver", "node")


class ClientTable(Sequence[Client]):
    """The rows of a CLIENT LIST. A row is parsed when it is asked for, a field when it is needed.

    Fields have the names that Redis gives them (``tot-mem``). Asked twice, a field is looked up once.
    """

    __slots__ = ("_joined", "_numbers", "_places", "_rows", "_searched", "_texts")

    def __init__(self, rows: Sequence[bytes]) -> None:
        """Each of ``rows`` begins with its id, such as ``id=3 addr=...``."""
        self._rows = tuple(map(closed, rows))
        self._joined: bytes | None = None
        self._numbers: dict[str, list[int | None]] = {}
        self._texts: dict[str, list[bytes | None]] = {}
        self._places: dict[bytes, int] | None = None
        self._searched: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Client: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Client]: ...
    def __getitem__(self, index: int | slice) -> Client | Sequence[Client]:
        """The client at this place, parsed."""
        if isinstance(index, slice):
            return [parse_client(row) for row in self._rows[index]]
        return parse_client(self._rows[index])

    def __iter__(self) -> Iterator[Client]:
        return map(parse_client, self._rows)

    def row(self, index: int) -> bytes:
        """The row as the server sent it."""
        return opened(self._rows[index])

    def key(self, index: int) -> bytes:
        """What tells this connection from all others, also of another run of the server: its id and addresses."""
        return _key(self._rows[index])

    def find(self, key: bytes) -> int | None:
        """Where the connection with this key stands."""
        return self._by_key().get(key)

    def places_in(self, other: ClientTable) -> Sequence[int | None]:
        """Where each of these connections stands in another list."""
        places = other._by_key()
        return [places.get(_key(row)) for row in self._rows]

    def without(self, ids: Collection[int]) -> Sequence[int]:
        """The places of all clients but those with these ids."""
        beginnings = tuple(b"id=%d " % client_id for client_id in ids)
        return [index for index, row in enumerate(self._rows) if not row.startswith(beginnings)]

    def number(self, index: int, field: str) -> int | None:
        """One field of one row, other than its id, as a whole number."""
        if field in self._numbers:
            return self._numbers[field][index]
        found = _numbers((field,)).search(self._rows[index])
        return int(found[1]) if found else None

    def numbers(self, field: str) -> Sequence[int | None]:
        """One field of all rows as whole numbers; None where it is missing."""
        if field == "id" and field not in self._numbers:
            self._numbers[field] = [int(row[3 : row.index(b" ")]) for row in self._rows]
        if field not in self._numbers:
            together = next((fields for fields in _NEIGHBOURS if field in fields), (field,))
            found = _numbers(together).findall(self._raw())
            if found and len(together) > 1 and len(found) == len(self._rows):
                for column, name in enumerate(together):
                    self._numbers[name] = [int(values[column]) for values in found]
            else:
                self._numbers[field] = [
                    None if value is None else int(value) for value in self._column(_numbers((field,)))
                ]
        return self._numbers[field]

    def texts(self, field: str) -> Sequence[bytes | None]:
        """One field of all rows as bytes; None where it is missing or empty."""
        if field not in self._texts:
            found = self._column(_text(field))
            self._texts[field] = [opened(value) if value else None for value in found]
        return self._texts[field]

    def matching(self, text: str, among: Sequence[int]) -> Sequence[int]:
        """Those of the places whose clients hold each word of ``text``, whatever its case.

        A word is looked for in what is shown of id, address, name, user, command, library and node; ``db=3`` also in
        that field, from its beginning.
        """
        found = among
        for word in text.lower().encode("utf-8", "surrogateescape").split():
            haystack, field = self._haystack(), b" " + word
            is_field = b"=" in word
            found = [
                index
                for index in found
                if word in haystack[index] or (is_field and field in b" " + self._rows[index].lower())
            ]
        return found

    def _raw(self) -> bytes:
        if self._joined is None:
            self._joined = b"\n".join(self._rows)
        return self._joined

    def _by_key(self) -> Mapping[bytes, int]:
        if self._places is None:
            self._places = {_key(row): index for index, row in enumerate(self._rows)}
        return self._places

    def _haystack(self) -> Sequence[bytes]:
        """What is shown of each client, in small letters."""
        if self._searched is None:
            columns = [self._shown(field) for field in _SEARCHED]
            self._searched = [b" ".join(values) for values in zip(*columns, strict=True)]
        return self._searched

    def _shown(self, field: str) -> Sequence[bytes]:
        if field == "id":
            return [row[3 : row.index(b" ")] for row in self._rows]
        values = [value or b"" for value in self.texts(field)]
        if field == "addr":
            by_socket = UNIX_SOCKET.encode() + b" "
            values = [by_socket + value if value.startswith((b"/", b"[/")) else value for value in values]
        if b"".join(values).isascii():
            return [value.lower() for value in values]
        # What isn't ASCII may be shown by its codes.
        return [value.lower() if value.isascii() else safe(value).lower().encode() for value in values]

    def _column(self, pattern: re.Pattern[bytes]) -> Sequence[bytes | None]:
        """What the pattern finds in each row, by one pass over all of them if each row has it once."""
        found: list[bytes] = pattern.findall(self._raw())
        if len(found) == len(self._rows):
            return found
        if not found:
            return [None] * len(self._rows)
        return [match[1] if (match := pattern.search(row)) else None for row in self._rows]


def parse_clients(reply: Reply) -> ClientTable:
    """The reply of CLIENT LIST: one bulk or verbatim string, a row a client. The oldest comes first.

    Raises:
        ValueError: If the reply is no text, or its rows don't begin with an id.
    """
    if not isinstance(reply, bytes):
        raise ValueError("CLIENT LIST answered with something other than a text")
    rows = [row for row in reply.splitlines() if row]
    ids = [int(match[1]) if (match := _BEGINNING.match(row)) else -1 for row in rows]
    if -1 in ids:
        raise ValueError("CLIENT LIST has a row without an id")
    # The server turns its list round while it looks after its clients; by id, equal ones keep their order.
    return ClientTable([rows[place] for place in sorted(range(len(rows)), key=ids.__getitem__)])


_BEGINNING = re.compile(rb"id=([0-9]{1,20}) ")


def _key(row: bytes) -> bytes:
    end = row.find(b" fd=")
    return row[: end if end > 0 else row.index(b" ")]


@lru_cache(maxsize=64)
def _numbers(fields: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile(b"".join(b" %s=(-?[0-9]{1,20})" % field.encode() for field in fields))


@lru_cache(maxsize=64)
def _text(field: str) -> re.Pattern[bytes]:
    return re.compile(rb" " + field.encode() + rb"=([^ \n]*)")


def node_field(node: str) -> str:
    """What stands in the field ``node`` of the clients of this node, where a list is of several."""
    return node.replace(" ", "_")


def _of_nodes(parts: Sequence[Part[ClientTable]]) -> ClientTable:
    """The clients of all nodes but ourselves, each row with the node as one field more."""
    rows: list[bytes] = []
    for part in parts:
        field = b" node=" + node_field(part.node).encode()
        rows += [part.value.row(place) + field for place in part.value.without(part.own_ids)]
    return ClientTable(rows)


CLIENTS = Query("clients", Command("client|list", fixed("CLIENT", "LIST"), parse_clients), itself, merge=_of_nodes)
