"""Rows of CLIENT LIST for tests."""

from __future__ import annotations

from pymon_tui.readings.clients import ClientTable, parse_clients

_FIELDS: dict[str, object] = {
    "id": 7,
    "addr": "10.0.0.1:5000",
    "laddr": "10.0.0.9:6379",
    "fd": 8,
    "name": "",
    "age": 60,
    "idle": 0,
    "flags": "N",
    "db": 0,
    "multi": -1,
    "qbuf": 0,
    "omem": 0,
    "tot-mem": 2000,
    "cmd": "get",
    "user": "default",
    "lib-name": "redis-py",
    "lib-ver": "8.1.0",
    "tot-net-in": 0,
    "tot-net-out": 0,
    "tot-cmds": 0,
}


def row(client_id: int, **fields: object) -> bytes:
    """A row with these fields, ``_`` for ``-``; one that is None is left out."""
    told = {**_FIELDS, "id": client_id, **{name.replace("_", "-"): value for name, value in fields.items()}}
    return " ".join(f"{name}={value}" for name, value in told.items() if value is not None).encode()


def listing(*rows: bytes) -> ClientTable:
    """The list that has these rows."""
    return parse_clients(b"".join(each + b"\n" for each in rows))
