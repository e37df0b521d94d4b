"""How the trash is laid out in its file: a line of JSON, and blocks that are each whole for themselves."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from pymon_tui.journal.ids import is_id

TrashRecord: TypeAlias = tuple[bytes, int, bytes]
"""A key, its end in unix milliseconds (0 for none), and the payload of DUMP."""

HEAD = struct.Struct("<4sIQI")
"""What a block begins with: magic, number of records, bytes that follow, and their checksum."""

MAGIC = b"PYMT"
_VERSION = 1
_LEVEL = 1  # values are compressed by the server as well: more effort gains little
_PER_RECORD = 16  # bytes: the end of the key's life, the length of the key and of its payload


@dataclass(frozen=True, slots=True)
class TrashHeader:
    """Whose the trash is.

    Attributes:
        run: The run that removed the keys.
        run_id: The server process that they were removed from; a restart makes another of it.
        db: The database.
        server: What the server was called: a profile's name, or its address.
        started: When the run started (unix seconds).
    """

    run: str
    run_id: str
    db: int
    server: str
    started: float


def header_line(header: TrashHeader) -> bytes:
    """The first line of a file."""
    return json.dumps({"version": _VERSION, **asdict(header)}).encode() + b"\n"


def packed(records: Sequence[TrashRecord]) -> bytes:
    """A block of at least one record."""
    keys, ends, payloads = zip(*records, strict=True)
    count = len(records)
    # Column by column: it is put together faster than record by record, and like stands beside like.
    frame = struct.pack(f"<{count}Q{2 * count}I", *ends, *map(len, keys), *map(len, payloads))
    data = zlib.compress(b"".join((frame, *keys, *payloads)), _LEVEL)
    return HEAD.pack(MAGIC, count, len(data), zlib.crc32(data, count)) + data


def unpacked(data: bytes, count: int, checksum: int) -> tuple[TrashRecord, ...]:
    """The records of a block.

    Raises:
        ValueError: If these are not the bytes that were written.
    """
    if zlib.crc32(data, count) != checksum:
        raise ValueError("wrong checksum")
    raw = zlib.decompress(data)
    numbers = struct.unpack_from(f"<{count}Q{2 * count}I", raw)
    ends, sizes = numbers[:count], numbers[count:]
    place = count * _PER_RECORD
    pieces = []
    for size in sizes:
        pieces.append(raw[place : place + size])
        place += size
    return tuple(zip(pieces[:count], ends, pieces[count:], strict=True))


def header_of(line: bytes) -> TrashHeader:
    """The header in a file's first line.

    Raises:
        ValueError: If it is none.
    """
    told: Any = json.loads(line)
    match told:
        case {
            "version": 1,
            "run": str(run),
            "run_id": str(run_id),
            "db": int(db),
            "server": str(server),
            "started": int() | float() as started,
        } if is_id(run):
            return TrashHeader(run, run_id, db, server, float(started))
    raise ValueError("no header")
