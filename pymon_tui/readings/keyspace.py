"""How many keys each database has. From INFO keyspace, which leaves out empty databases."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.model.query import Query
from pymon_tui.readings.info import INFO, Info, NotTold


@dataclass(frozen=True, slots=True)
class Database:
    """One ``dbN`` line.

    Attributes:
        keys: Keys in it, expired ones that nobody has noticed included.
        expires: Keys that have a time to live.
        avg_ttl: Their mean time to live in milliseconds, by the server's estimate; None if it has none.
    """

    index: int
    keys: int
    expires: int | None
    avg_ttl: int | None


@dataclass(frozen=True, slots=True)
class Keyspace:
    """The databases that are not empty, by their index."""

    databases: tuple[Database, ...]

    @property
    def keys(self) -> int:
        """Keys in all databases."""
        return sum(database.keys for database in self.databases)

    @property
    def expires(self) -> int | None:
        """Keys with a time to live in all databases; None where one of them doesn't tell it."""
        told = [database.expires for database in self.databases]
        return None if None in told else sum(filter(None, told))


def parse_keyspace(info: Info) -> Keyspace:
    """The keyspace part of INFO; a line without a number of keys is left out.

    Raises:
        ValueError: If INFO has no such part, or none of its lines tells a number of keys.
    """
    found: list[Database] = []
    lines = 0
    for index, values in info.with_prefix("db"):
        line = Info(values)
        keys = line.integer("keys")
        if not (index.isascii() and index.isdecimal() and len(index) < 10):
            continue
        lines += 1
        if keys is None:
            continue
        ttl = line.integer("avg_ttl")
        found.append(Database(int(index), keys, line.integer("expires"), ttl if ttl is not None and ttl > 0 else None))
    if not found and not lines and not info.tells("keyspace"):
        raise NotTold("INFO doesn't tell how many keys there are")
    if not found and lines:
        raise ValueError("INFO doesn't tell how many keys there are")
    return Keyspace(tuple(sorted(found, key=lambda database: database.index)))


def keyspace_of(info: Info) -> Keyspace | None:
    """The same; None where it isn't told."""
    try:
        return parse_keyspace(info)
    except ValueError:
        return None


KEYSPACE = Query("keyspace", INFO, parse_keyspace)
