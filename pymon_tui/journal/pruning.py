"""Old entries of the journal are given up; what can still be undone or resumed stays, however old it is.

A new file takes the journal's place, under the lock that whoever appends takes too. Those that read the old one read it
to its end, and a process that is killed here leaves the journal as it was.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from pymon_tui.journal.folder import StateError, open_private
from pymon_tui.journal.ids import is_id
from pymon_tui.journal.journal import Journal, entry_of, is_at, locked, sync_folder
from pymon_tui.journal.lines import BLOCK, Head, head_of, id_in, lines_backwards
from pymon_tui.journal.lock import Locked, lock

_SLACK = 8  # an eighth more than is to be kept may come together, so that few runs prune
_STARTED, _GROUP, _ACTION = b'"event":"started"', b'"group":"', b'"kind":"action"'
_DONE, _NODES = b'"outcome":"done"', b'"nodes":[{'
_LONGEST_FIRST = 4_096  # bytes of the line that says how much was looked through


@dataclass(slots=True, eq=False)
class _Survey:
    """What the journal has, read from its end on.

    Attributes:
        cut: The offset from which on everything is new enough to stay.
        stay: Runs and undos from before it that stay, and the groups that they belong to.
    """

    cut: int = 0
    stay: set[str] = field(default_factory=set)


def prune(journal: Journal, trash: Collection[str]) -> bool:
    """Give up all but the newest ``journal.keep`` runs, undos and actions, now and then: whether that was done.

    Those that can be undone or resumed, or are under way, stay with their undos. Blocks for as long as the disk takes.
    Where the journal can't be rewritten, or another process does it, it stays as it is.

    Args:
        trash: The runs, and the parts of runs, that have a trash.
    """
    keep = journal.keep
    if keep is None:
        return False
    try:
        descriptor = open_private(journal.path, os.O_RDWR)
    except OSError:
        return False
    try:
        end = os.fstat(descriptor).st_size
        if not _is_due(descriptor, end, keep):
            return False
        with lock(journal.folder, "journal", run=""):
            return _rewritten(journal, descriptor, end, keep, trash)
    except (OSError, StateError, Locked):
        return False
    finally:
        os.close(descriptor)


def _is_due(descriptor: int, end: int, keep: int) -> bool:
    """Whether more have come together than stay, by the density of the newest ones."""
    size = max(0, end - _looked_through(descriptor))
    looked_at = min(BLOCK, size)
    tail = os.pread(descriptor, looked_at, end - looked_at)
    counted = tail.count(_STARTED) - tail.count(_GROUP) + tail.count(_ACTION)
    return counted * size > (keep + keep // _SLACK) * looked_at


def _looked_through(descriptor: int) -> int:
    """Bytes at the begin of the file that stayed when it was pruned last."""
    entry = entry_of(os.pread(descriptor, _LONGEST_FIRST, 0).partition(b"\n")[0])
    if entry is None or (entry.kind, entry.event) != ("journal", "pruned"):
        return 0
    size = entry.fields.get("stayed")
    return size if isinstance(size, int) else 0


def _rewritten(journal: Journal, descriptor: int, end: int, keep: int, trash: Collection[str]) -> bool:
    if not is_at(descriptor, journal.path):
        return False  # another process has done it meanwhile
    found = _survey(lines_backwards(descriptor, end), keep, trash)
    if not found.cut:
        return False  # the newest ones stand closer together than the others: there are fewer than they looked like
    path = journal.path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # of a process that was killed
    new = open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        of = os.fstat(descriptor)
        if of.st_uid != os.geteuid():
            os.fchown(new, of.st_uid, of.st_gid)  # by root, for whoever it belongs to
        room = len(journal.line("journal", "pruned", stayed=end))
        os.lseek(new, room, os.SEEK_SET)
        for line in _staying(descriptor, found):
            _write(new, line + b"\n")
        stayed = os.lseek(new, 0, os.SEEK_CUR)
        first = journal.line("journal", "pruned", stayed=stayed)
        os.pwrite(new, first.rstrip(b"\n").ljust(room - 1) + b"\n", 0)
        _copy(descriptor, found.cut, end, new)
        os.fsync(new)
        # Nobody appends from here on; who does and was stopped in that instant isn't waited for for ever.
        if not locked(descriptor) or not is_at(descriptor, journal.path):
            return False
        _copy(descriptor, end, os.fstat(descriptor).st_size, new)
        os.fsync(new)
        path.replace(journal.path)
        sync_folder(journal.folder)
        return True
    finally:
        os.close(new)
        path.unlink(missing_ok=True)


def _survey(lines: Iterator[tuple[int, bytes]], keep: int, trash: Collection[str]) -> _Survey:
    """Find out what stays; a run whose end wasn't written down, or isn't ``done``, can be resumed or is under way."""
    found = _Survey()
    newer: dict[str, bool] = {}  # of those whose begin wasn't read yet: whether they came to their end
    left = keep
    for offset, line in lines:
        head = head_of(line)
        if head is None or head.kind not in ("run", "undo", "action"):
            continue
        if head.kind != "action" and not is_id(head.id):
            continue  # nobody can undo it, or resume it
        if head.kind != "action" and head.event != "started":
            newer[head.id] = newer.get(head.id, False) or _is_done(head, line)
            continue
        group = id_in(line, "group") if head.kind != "action" else ""
        is_done = newer.pop(head.id, False)
        if left:
            if group:
                newer.setdefault(group, False)
            else:
                left -= 1
            if not left:
                found.cut = offset
                found.stay |= newer.keys()
        elif head.kind == "run" and (head.id in trash or not (is_done or b'"dry_run":true' in line)):
            found.stay.update((head.id, group) if group else (head.id,))
    return found


def _is_done(head: Head, line: bytes) -> bool:
    if head.event != "ended" or _DONE not in line:
        return False
    if _NODES not in line:  # whose accounts have an outcome each
        return True
    entry = entry_of(line)
    return entry is not None and entry.fields.get("outcome") == "done"


def _staying(descriptor: int, found: _Survey) -> Iterator[bytes]:
    """The lines before the cut that stay: also the parts of runs that do, and what undid them."""
    if not found.stay:
        return
    staying = set(found.stay)
    for line in _lines(descriptor, found.cut):
        head = head_of(line)
        if head is None or not is_id(head.id):
            continue
        if head.event == "started" and not {id_in(line, "group"), id_in(line, "run")}.isdisjoint(staying):
            staying.add(head.id)
        if head.id in staying:
            yield line


def _lines(descriptor: int, end: int) -> Iterator[bytes]:
    rest, at = b"", 0
    while at < end:
        block = os.pread(descriptor, min(BLOCK, end - at), at)
        at += len(block)
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
        if not block:
            return
    if rest:
        yield rest


def _copy(descriptor: int, start: int, end: int, new: int) -> None:
    while start < end and (block := os.pread(descriptor, min(BLOCK, end - start), start)):
        _write(new, block)
        start += len(block)


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
