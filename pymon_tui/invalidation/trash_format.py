"""How the trash is laid out in its file: a line of JSON, and blocks that are each whole for themselves.

A block holds records, or marks: which of the records were named to the server since, which of those turned out not to
have been removed, and what undos found. Files of version 1 have no marks: all of their records count as named.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from pymon_tui.journal.folder import StateError
from pymon_tui.journal.ids import is_id

TrashRecord: TypeAlias = tuple[bytes, int, bytes]
"""A key, its end in unix milliseconds (0 for none), and the payload of DUMP."""

HEAD = struct.Struct("<4sIQI")
"""What a block begins with: magic, number of records, bytes that follow, and their checksum."""

Used: TypeAlias = Literal["", "idle", "freq"]
"""What is known of how a key was used: nothing, seconds since its last use, or its logarithmic LFU counter."""

RECORDS: dict[bytes, Used] = {b"PYMT": "", b"PYMI": "idle", b"PYMF": "freq"}
"""Blocks of records by their magic."""

NAMED, SPARED = b"PYMN", b"PYMS"
"""Blocks of marks: records that were named to the server, and records whose keys turned out to have stayed."""

FOUND = b"PYMX"
"""Blocks of what an undo found of records: a byte for each, as ``State``."""

State: TypeAlias = Literal[0, 1, 2]
"""What undos found of a key that a run gave an end: nothing yet, ``HAS_FORMER``, or ``IS_OTHERS``."""

HAS_FORMER: State = 1
"""The key has its former end, or had it: the end that the run gave it is no more."""

IS_OTHERS: State = 2
"""It was gone before the end that the run gave it, or had another: others have changed it since."""

CLOSED = b"PYME"
"""The block that a run ends its file with: the size of each block of records, and which of them count as named."""

# No one bit makes another of these two, nor of the others, but for PYMF and PYMN.
MAGICS = frozenset((*RECORDS, NAMED, SPARED, FOUND, CLOSED))
"""All that a block may begin with."""

PLACE = struct.Struct("<QI")
"""A record's place: the offset of its block in the file, and its index there."""

LONGEST_HEADER = 65_536
"""Bytes that a file's first line has at most."""

_MAGIC_OF: dict[Used, bytes] = {used: magic for magic, used in RECORDS.items()}
_VERSION = 2
_LATEST = 1e12  # unix seconds, beyond which no file was started
_LEVEL = 1  # values are compressed by the server as well: more effort gains little
_PER_RECORD = 16  # bytes: the end of the key's life, the length of the key and of its payload


class TrashError(StateError):
    """A trash file that can't be written or read."""


@dataclass(frozen=True, slots=True)
class TrashHeader:
    """Whose the trash is.

    Attributes:
        run: The run that removed the keys.
        run_id: The server process that they were removed from; a restart makes another of it.
        db: The database.
        server: What the server was called: a profile's name, or its address.
        started: When the run started (unix seconds).
        mode: ``unlink`` or ``expire``; empty where it isn't told.
        marks: Whether the records that were named are marked; else all of them count as named.
        holds: Bytes that the run said it would take, which are no room for others while it is under way.
        closes: Whether the run ends its file with a block that tells all of it; one that is killed doesn't come to it.
        number: Rises from file to file of a state folder, whatever the clock says; 0 where it isn't told.
    """

    run: str
    run_id: str
    db: int
    server: str
    started: float
    mode: str = ""
    marks: bool = False
    number: int = 0
    closes: bool = False
    holds: int = 0


def header_line(header: TrashHeader) -> bytes:
    """The first line of a file."""
    return json.dumps({"version": _VERSION, **asdict(header)}).encode() + b"\n"


def packed(records: Sequence[TrashRecord], uses: Sequence[int], used: Used) -> bytes:
    """A block of at least one record; ``uses`` has a number for each where ``used`` isn't empty."""
    keys, ends, payloads = zip(*records, strict=True)
    count = len(records)
    # Column by column: it is put together faster than record by record, and like stands beside like.
    frame = struct.pack(f"<{count}Q{2 * count}I", *ends, *map(len, keys), *map(len, payloads))
    column = struct.pack(f"<{count}I", *uses) if used else b""
    data = zlib.compress(b"".join((frame, column, *keys, *payloads)), _LEVEL)
    return _block(_MAGIC_OF[used], count, data)


def unpacked(data: bytes, count: int, used: Used) -> tuple[tuple[TrashRecord, ...], tuple[int, ...]]:
    """The records of a block, and how each was used where that is known.

    Raises:
        ValueError, struct.error, zlib.error: If these are not the bytes that were written.
    """
    raw = zlib.decompress(data)
    numbers = struct.unpack_from(f"<{count}Q{2 * count}I", raw)
    ends, sizes = numbers[:count], numbers[count:]
    place = count * _PER_RECORD
    uses: tuple[int, ...] = ()
    if used:
        uses = struct.unpack_from(f"<{count}I", raw, place)
        place += 4 * count
    pieces = []
    for size in sizes:
        pieces.append(raw[place : place + size])
        place += size
    return tuple(zip(pieces[:count], ends, pieces[count:], strict=True)), uses


def named(block: int, first: int, count: int, ends: Sequence[int]) -> bytes:
    """The mark that so many records of a block were named; ``ends`` is the end that each was given, or empty."""
    return _block(NAMED, count, PLACE.pack(block, first) + struct.pack(f"<{len(ends)}Q", *ends))


def unpacked_named(data: bytes, count: int) -> tuple[int, int, tuple[int, ...]]:
    """Block, index of the first record, and the ends that were given, or none; what ``named`` packed.

    Raises:
        ValueError, struct.error: If it is something else.
    """
    if len(data) not in (PLACE.size, PLACE.size + 8 * count):
        raise ValueError("no mark")
    block, first = PLACE.unpack_from(data)
    given = count if len(data) > PLACE.size else 0
    return block, first, struct.unpack_from(f"<{given}Q", data, PLACE.size)


def spared(places: Sequence[tuple[int, int]]) -> bytes:
    """The mark that these records' keys were named and stayed."""
    return _block(SPARED, len(places), b"".join(PLACE.pack(*place) for place in places))


def found(block: int, first: int, states: Sequence[State]) -> bytes:
    """The mark of what an undo found of so many records of a block."""
    return _block(FOUND, len(states), PLACE.pack(block, first) + bytes(states))


def unpacked_found(data: bytes) -> tuple[int, int, bytes]:
    """Block, index of the first record, and the states; what ``found`` packed.

    Raises:
        struct.error: If it is something else.
    """
    block, first = PLACE.unpack_from(data)
    return block, first, data[PLACE.size :]


def sum_of(line: bytes) -> int:
    """By what the end of a file knows its first line."""
    return zlib.crc32(line)


def closed(blocks: Mapping[int, tuple[int, int]], line: int | None = None) -> bytes:
    """What a file ends with: where each block of records is, how many they are, and as bits which of them are named.

    Args:
        blocks: That, by the offsets of the blocks.
        line: ``sum_of`` the first line: it stands in the place of an offset, with no record.
    """
    rows = [PLACE.pack(line, 0)] if line is not None else []
    rows += [
        PLACE.pack(offset, count) + bits.to_bytes(-(-count // 8), "little") for offset, (count, bits) in blocks.items()
    ]
    return _block(CLOSED, len(blocks), b"".join(rows))


def unpacked_closed(data: bytes) -> tuple[dict[int, tuple[int, int]], int | None]:
    """What ``closed`` packed: the blocks, and what the first line is known by, if it is.

    Raises:
        struct.error: If it is something else.
    """
    blocks, place, line = {}, 0, None
    while place < len(data):
        offset, count = PLACE.unpack_from(data, place)
        place += PLACE.size
        if not count:
            line = offset
            continue
        size = -(-count // 8)
        blocks[offset] = count, int.from_bytes(data[place : place + size], "little")
        place += size
    return blocks, line


def room_of_row(count: int) -> int:
    """Bytes that so many records take in the block that ends the file."""
    return PLACE.size + -(-count // 8)


def room_of_mark(count: int, *, ends: bool) -> int:
    """Bytes that the mark of so many records takes."""
    return HEAD.size + PLACE.size + 8 * count * ends


def is_whole(data: bytes, count: int, checksum: int) -> bool:
    """Whether a block's data is what was written."""
    return zlib.crc32(data, count) == checksum


def _block(magic: bytes, count: int, data: bytes) -> bytes:
    return HEAD.pack(magic, count, len(data), zlib.crc32(data, count)) + data


def header_of(line: bytes) -> TrashHeader:
    """The header in a file's first line.

    Raises:
        ValueError: If it is none.
    """
    try:
        told: Any = json.loads(line)
    except RecursionError:
        raise ValueError("no header") from None
    match told:
        case {
            "version": 1 | 2,
            "run": str(run),
            "run_id": str(run_id),
            "db": int(db),
            "server": str(server),
            "started": int() | float() as started,
        } if is_id(run) and abs(started) < _LATEST:
            mode, marks, number, holds = (told.get(name) for name in ("mode", "marks", "number", "holds"))
            return TrashHeader(
                *(run, run_id, db, server, float(started)),
                mode=mode if isinstance(mode, str) else "",
                marks=marks is True,
                number=number if isinstance(number, int) else 0,
                closes=told.get("closes") is True,
                holds=holds if isinstance(holds, int) else 0,
            )
    raise ValueError("no header")
