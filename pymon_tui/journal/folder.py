"""Where the program keeps what must outlive it: folders and files that only their owner can read."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

from platformdirs import user_state_path

from pymon_tui.model.text import safe

ABSENT = (FileNotFoundError, NotADirectoryError)
"""What opening a file raises that isn't there: nor need its folders be, and one of them may be a file."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_FILES = ("/proc", "/sys")
"""Where the system shows itself as files, and no other can be made."""
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


class StateError(Exception):
    """A file of ours that can't be read or written. Its text is one line: what failed, why, and what to do."""

    def __init__(self, what: str, path: Path, why: OSError | str) -> None:
        """``what`` can't be done ("can't write the journal"), and ``why``; a text as ``why`` says what to do, too."""
        if isinstance(why, OSError):
            why = f"{safe(why.strerror or str(why))}; {_remedy(why)}"
        super().__init__(f"{what} {safe(os.fsencode(path))}: {why}")


def state_folder() -> Path:
    """The platform's folder for a program's state; it need not exist (``XDG_STATE_HOME``, ``~/.local/state``)."""
    return user_state_path("pymon-tui")


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a file that its owner alone can read and write; follows no link, and waits for nobody.

    With ``os.O_CREAT`` its folders come to be, too, where they are missing. To read it, it may be another's, or on a
    file system that nobody can write to: then it stays as it is.

    Raises:
        OSError: If it can't be opened, or is a folder, a pipe or a device.
    """
    if flags & os.O_CREAT:
        make_private(path.parent)
    # A pipe that somebody left there would be waited for: whoever opens one waits for its other end.
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, os.strerror(number) if number == errno.EISDIR else "Is no regular file")
    try:
        if stat.S_IMODE(mode) & 0o077:
            os.fchmod(descriptor, 0o600)  # copied here, or made under another mask
    except OSError:
        if flags & (os.O_WRONLY | os.O_RDWR):
            os.close(descriptor)
            raise
    return descriptor


def make_private(folder: Path) -> None:
    """Make a folder and those above it where they are missing, each for its owner alone; others stay as they are.

    Raises:
        OSError: If one can't be made.
    """
    missing = [folder, *folder.parents]
    for each in reversed(missing):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def free_bytes(folder: Path) -> int | None:
    """Bytes that the disk of this folder has left for us; None where that can't be known, or there is no disk."""
    try:
        there = next((each for each in (folder, *folder.parents) if each.exists()), None)
        disk = None if there is None else shutil.disk_usage(there)
    except OSError:
        return None
    return disk.free if disk is not None and disk.total else None


def unwritable(folder: Path) -> StateError | None:
    """Why nothing can be written in a folder that need not exist, as far as is known without a try; None otherwise."""
    try:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        number = _why_not(there)
    except OSError as error:
        return StateError("can't write to", folder, error)
    return None if number is None else StateError("can't write to", folder, OSError(number, os.strerror(number)))


def _why_not(there: Path) -> int | None:
    """The error that writing in this existing path ends with; None where it can be written in."""
    if not there.is_dir():
        return errno.ENOTDIR
    if there.stat().st_dev in {each.stat().st_dev for each in map(Path, _NO_FILES) if each.exists()}:
        return errno.ENOENT
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        return errno.EROFS
    return None if os.access(there, os.W_OK | os.X_OK) else errno.EACCES


def _remedy(error: OSError) -> str:
    if error.errno in _FULL:
        return "free some space there"
    if error.errno in _DENIED:
        return "make it yours to write, or set XDG_STATE_HOME to a folder that is"
    if error.errno == errno.ELOOP:
        return "it is a symbolic link, which isn't followed: remove it"
    return "check that path, or set XDG_STATE_HOME to another folder"
