"""Locks between processes, which end with the process that holds them, whatever ends it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pymon_tui.journal.folder import open_private
from pymon_tui.journal.journal import JournalError, is_at
from pymon_tui.journal.who import os_user
from pymon_tui.model.text import SafeText, safe

_TRIES = 4
_BETWEEN = 0.01  # seconds: who only looks whether a lock is free holds it for far less


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lock: a process, its user, the run that it holds the lock for, and since when (UTC).

    Each is None, or 0, in the instant between taking the lock and writing this down.
    """

    run: SafeText | None
    pid: int
    user: SafeText | None
    since: SafeText | None


class Locked(Exception):  # noqa: N818 - a state of the world, said as such
    """Another process has the lock; ``holder`` says which. Its text is one line."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        who = f"process {holder.pid} of {holder.user}, since {holder.since}" if holder.pid else "another process"
        super().__init__(f"run {holder.run or 'unknown'} is under way in {who}; wait for its end, or end it there")


@contextlib.contextmanager
def lock(folder: Path, name: str, *, run: str) -> Iterator[None]:
    """Hold ``locks/<name>.lock`` in the state folder, for a run.

    Raises:
        Locked: If another process has it, or another part of this one.
        JournalError: If the lock's file can't be made.
    """
    path = _path(folder, name)
    try:
        descriptor = _take(path)
    except OSError as error:
        raise JournalError("can't make the lock", path, error) from None
    try:
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same, without a name
            _sign(descriptor, run)
        yield
    finally:
        # Removed while it is held: nobody can have taken it in between.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


@contextlib.asynccontextmanager
async def patient_lock(folder: Path, name: str, *, run: str) -> AsyncIterator[None]:
    """Hold the lock as with ``lock``; who only looks at it is waited for, while the loop goes on.

    Raises:
        Locked, JournalError: As ``lock``.
    """
    with contextlib.ExitStack() as held:
        for left in reversed(range(_TRIES)):
            try:
                held.enter_context(lock(folder, name, run=run))
                break
            except Locked:
                if not left:
                    raise
            await asyncio.sleep(_BETWEEN)
        yield


def holder(folder: Path, name: str) -> Holder | None:
    """Who holds the lock of this name; None where it is free.

    Raises:
        JournalError: If that can't be found out.
    """
    path = _path(folder, name)
    try:
        descriptor = open_private(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError("can't look at the lock", path, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    except OSError as error:
        raise JournalError("can't look at the lock", path, error) from None
    finally:
        os.close(descriptor)
    return None


def _path(folder: Path, name: str) -> Path:
    return folder / "locks" / f"{name}.lock"


def _take(path: Path) -> int:
    for _ in range(_TRIES):
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_at(descriptor, path):
                return descriptor
            os.close(descriptor)  # who held it has removed it; the next try makes it anew
        except BlockingIOError:
            held_by = _read(descriptor)
            os.close(descriptor)
            raise Locked(held_by) from None
        except OSError:
            os.close(descriptor)
            raise
    raise Locked(Holder(None, 0, None, None))


def _sign(descriptor: int, run: str) -> None:
    since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps([run, os.getpid(), os_user(), since]).encode(), 0)


def _read(descriptor: int) -> Holder:
    try:
        match json.loads(os.pread(descriptor, 4096, 0)):
            case [str(run), int(pid), str(user), str(since)]:
                return Holder(safe(run), pid, safe(user), safe(since))
    except (OSError, ValueError, RecursionError):
        pass
    return Holder(None, 0, None, None)
