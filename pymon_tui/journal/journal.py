"""The journal: one JSON line for everything that was done to a server, on disk before the next step is taken."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

from pymon_tui.journal.folder import ABSENT, StateError, open_private
from pymon_tui.journal.lines import lines_backwards
from pymon_tui.journal.who import os_user, ssh_origin

_TRIES = 100  # to open the file that is the journal: each fails only where it was pruned in that instant

_LARGEST = 2**64  # cursors go up to there

_PATIENCE = 10.0  # seconds to wait for who prunes
_BETWEEN = 0.002  # seconds between two tries

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


class JournalError(StateError):
    """The journal, or a lock beside it, can't be written or read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal.

    Attributes:
        at: When it was written (UTC).
        kind: ``run``, ``undo`` or ``action``.
        event: What happened to it, such as ``started``.
        user: The user of the operating system.
        ssh: The address that user came from by SSH, or None.
        pid: The process that wrote it.
        fields: The rest, as ``append`` was given it.
    """

    at: datetime
    kind: str
    event: str
    user: str
    ssh: str | None
    pid: int
    fields: Mapping[str, Any]


class Journal:
    """The file ``journal.jsonl`` of a folder. Several processes may write to it at once.

    Attributes:
        folder: The state folder, in which the trash and the locks are as well.
        path: The file; it need not exist.
        keep: How many runs, undos and actions stay when it is pruned; None for all.
    """

    def __init__(self, folder: Path, *, keep: int | None = None) -> None:
        self.folder = folder
        self.keep = keep
        self.path = folder / "journal.jsonl"

    @property
    def stands(self) -> tuple[int, int] | None:
        """What is another one as soon as something is written down or pruned; None where there is no file."""
        try:
            told = self.path.stat(follow_symlinks=False)
        except OSError:
            return None
        return told.st_ino, told.st_size

    def append(self, kind: str, event: str, **fields: JsonValue) -> None:
        """Write one entry, and return when it is on disk. Blocks for as long as the disk takes.

        Raises:
            JournalError: If it can't be written; nothing that depends on it should then be done.
        """
        try:
            self._write(self.line(kind, event, **fields))
        except OSError as error:
            raise JournalError("can't write the journal", self.path, error) from None

    def line(self, kind: str, event: str, **fields: JsonValue) -> bytes:
        """An entry of now as it stands in the file."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        who = {"user": os_user(), "ssh": ssh_origin(os.environ), "pid": os.getpid()}
        line = json.dumps({"time": now, "kind": kind, "event": event, **who, **fields}, separators=(",", ":"))
        return line.encode() + b"\n"

    def entries(self) -> Iterator[Entry]:
        """All entries, the oldest first; lines that were cut off, or that aren't ours, are passed over.

        Raises:
            JournalError: If the file is there and can't be read.
        """
        try:
            with os.fdopen(open_private(self.path, os.O_RDONLY), "rb") as file:
                for line in file:
                    if entry := entry_of(line):
                        yield entry
        except ABSENT:
            return
        except OSError as error:
            raise JournalError("can't read the journal", self.path, error) from None

    def newest_lines(self, needles: Sequence[bytes] = ()) -> Iterator[bytes]:
        """The lines, the newest first, as they stood when the first one was asked for.

        The file is read from its end, as far as lines are asked for. One that is pruned meanwhile is read on.

        Args:
            needles: Only lines that have one of these.

        Raises:
            JournalError: If the file is there and can't be read.
        """
        try:
            descriptor = open_private(self.path, os.O_RDONLY)
        except ABSENT:
            return
        except OSError as error:
            raise JournalError("can't read the journal", self.path, error) from None
        try:
            for _, line in lines_backwards(descriptor, os.fstat(descriptor).st_size, needles):
                yield line
        except OSError as error:
            raise JournalError("can't read the journal", self.path, error) from None
        finally:
            os.close(descriptor)

    def _write(self, line: bytes) -> None:
        is_new = not self.path.exists()
        descriptor = self._opened()
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # a full disk, or a dead machine, cut the last one off
            # One write: where nothing can be locked, what two processes append at once stands one after the other.
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # who prunes from now on has the line, and syncs it
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self.path.parent)

    def _opened(self) -> int:
        """The file, locked against being pruned, where the file system knows locks."""
        for _ in range(_TRIES):
            descriptor = open_private(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            try:
                has_it = locked(descriptor)
            except OSError:
                return descriptor
            if not has_it:
                os.close(descriptor)
                why = "another process prunes it, and has been stopped; let that go on, or end it"
                raise JournalError("can't write the journal", self.path, why)
            if is_at(descriptor, self.path):
                return descriptor
            os.close(descriptor)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def locked(descriptor: int) -> bool:
    """Whether the lock was got. Who prunes has it for an instant, but may be stopped (Ctrl+Z) in just that.

    Raises:
        OSError: If the file system knows no locks.
    """
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() - began > _PATIENCE:
                return False
        time.sleep(_BETWEEN)


def is_at(descriptor: int, path: Path) -> bool:
    """Whether the file that is open is the one of this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except ABSENT:
        return False


def sync_folder(folder: Path) -> None:
    """Put the name of a new file on disk as well."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _finite(text: str) -> float | None:
    return number if isfinite(number := float(text)) else None


def _whole(text: str) -> int | None:
    return number if abs(number := int(text)) <= _LARGEST else None


# What is infinite, or too large for a float, would fail wherever it is reckoned with.
_DECODER = json.JSONDecoder(parse_float=_finite, parse_int=_whole, parse_constant=lambda _name: None)


def entry_of(line: bytes) -> Entry | None:
    """The entry of a line; None where it was cut off, or isn't ours. A number that nothing of ours has is None."""
    try:
        written: dict[str, Any] = _DECODER.decode(line.decode())
        match written:
            case {
                "time": str(time),
                "kind": str(kind),
                "event": str(event),
                "user": str(user),
                "ssh": str() | None as ssh,
                "pid": int(pid),
                **fields,
            }:
                return Entry(datetime.fromisoformat(time).astimezone(UTC), kind, event, user, ssh, pid, fields)
    except (ValueError, OverflowError, RecursionError):
        return None
    return None
