"""The lines of a journal: read from its end in blocks, and looked at before they are parsed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

BLOCK = 1 << 18
"""Bytes that are read at once."""

_HEAD = re.compile(rb'\{"time":"[^"]*","kind":"(\w+)","event":"(\w+)",')
_FORM = rb'":"(\d{8}-\d{6}-[0-9a-f]{4})"'
_SERVER = re.compile(rb'"server":("(?:[^"\\]|\\.)*")')
_RUN_ID = re.compile(rb'"run_id":"([0-9A-Za-z]+)"')
_ID = {name: re.compile(b'"' + name.encode() + _FORM) for name in ("run", "undo", "group", "resumes")}


@dataclass(frozen=True, slots=True)
class Head:
    """What a line says of itself.

    Attributes:
        kind: ``run``, ``undo``, ``action`` or another one.
        event: What happened to it.
        id: Of the run or the undo; empty for other kinds, and where it has none.
    """

    kind: str
    event: str
    id: str


def lines_backwards(descriptor: int, end: int, needles: Sequence[bytes] = ()) -> Iterator[tuple[int, bytes]]:
    """The lines before offset ``end`` with their offsets, the last one first, without their ends of line.

    Args:
        needles: Only lines that have one of these; what has none is passed over as fast as it is read.

    Raises:
        OSError: If they can't be read.
    """
    pieces: list[bytes] = []  # of a line that goes on before the block, the last one first
    at = end
    while at > 0:
        size = min(BLOCK, at)
        at -= size
        block = os.pread(descriptor, size, at)
        first = block.find(b"\n") + 1
        if not first and at:
            pieces.append(block)
            continue
        first = first if at else 0  # at the begin of the file a line begins
        lines = b"".join((block[first:], *reversed(pieces)))
        pieces = [block[:first]]
        if not needles or any(needle in lines for needle in needles):
            for offset, line in _reversed(lines):
                if not needles or any(needle in line for needle in needles):
                    yield at + first + offset, line


def _reversed(lines: bytes) -> Iterator[tuple[int, bytes]]:
    stop = len(lines)
    while stop >= 0:
        begin = lines.rfind(b"\n", 0, stop) + 1
        if begin < stop:
            yield begin, lines[begin:stop]
        stop = begin - 1


def head_of(line: bytes) -> Head | None:
    """What a line is about; None where it is torn, or isn't ours."""
    if (found := _HEAD.match(line)) is not None:
        kind, event = found[1].decode(), found[2].decode()
        return Head(kind, event, id_in(line, kind) if kind in ("run", "undo") else "")
    try:
        written: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match written:
        case {"kind": str(kind), "event": str(event)}:
            own = written.get(kind) if kind in ("run", "undo") else ""
            return Head(kind, event, own if isinstance(own, str) else "")
    return None


def id_in(line: bytes, name: str) -> str:
    """The id that a line has as ``run``, ``undo``, ``group`` or ``resumes``; empty where it has none.

    In a string of JSON quotes are escaped: what a stranger has named can't look like a field.
    """
    found = _ID[name].search(line)
    return found[1].decode() if found is not None else ""


def server_in(line: bytes) -> str | None:
    """The address that a line has as ``server``; None where it has none."""
    found = _SERVER.search(line)
    try:
        return str(json.loads(found[1])) if found is not None else None
    except ValueError:
        return None


def run_id_in(line: bytes) -> str:
    """The server process that a line has as ``run_id``; empty where it has none."""
    found = _RUN_ID.search(line)
    return found[1].decode() if found is not None else ""
