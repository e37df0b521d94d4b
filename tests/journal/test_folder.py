"""Files that only their owner reads, and errors that say what to do."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pymon_tui.journal.folder import StateError, open_private, state_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_state_is_in_the_home_of_whoever_runs_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home in state_folder().parents
    assert not state_folder().exists()


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        os.close(open_private(tmp_path / "state" / "locks" / "file", os.O_WRONLY | os.O_CREAT))
    finally:
        os.umask(previous)
    assert mode(tmp_path / "state" / "locks" / "file") == 0o600
    assert mode(tmp_path / "state" / "locks") == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o644)
    os.close(open_private(tmp_path / "file", os.O_RDONLY))
    assert mode(tmp_path / "file") == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to("/dev/full")
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is what matters
        open_private(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    assert caught.value.errno == errno.ELOOP
    error = StateError("can't write", tmp_path / "file", caught.value)
    assert str(error).endswith("; it is a symbolic link, which isn't followed: remove it")


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "No space left on device; free some space there"),
        (errno.EACCES, "Permission denied; make it yours to write, or set XDG_STATE_HOME to a folder that is"),
        (errno.EIO, "Input/output error; check that path, or set XDG_STATE_HOME to another folder"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(number: int, remedy: str) -> None:
    error = StateError("can't write the journal", Path("/a\nb"), OSError(number, os.strerror(number)))
    assert str(error) == f"can't write the journal /a\\nb: {remedy}"
