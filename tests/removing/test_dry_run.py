"""A dry run needs no more than looking does: no folder to write to, and no lock."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pymon_tui.journal.folder import state_folder
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.lock import lock
from tests.removing.conftest import Command, fill, keys_of

Around = Callable[[Redis, pytest.MonkeyPatch, Path], Any]


def _missing(_db: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A folder that isn't there and can't be made: root is refused that, too."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))
    return nullcontext()


def _read_only(_db: Redis, monkeypatch: pytest.MonkeyPatch, _tmp_path: Path) -> Any:
    """A folder with a journal, on a file system that is mounted read-only."""
    Journal(state_folder()).append("action", "done", name="kill")
    folder, opened = str(state_folder()), os.open

    def refused(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if str(path).startswith(folder) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, *more, **named)

    def unchanged(*_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    (state_folder() / "journal.jsonl").chmod(0o644)
    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr(os, "fchmod", unchanged)
    return nullcontext()


@contextmanager
def _locked(db: Redis, _monkeypatch: pytest.MonkeyPatch, _tmp_path: Path) -> Iterator[None]:
    """Another run is under way."""
    with lock(state_folder(), f"server-{db.info('server')['run_id']}-0", run="20261122-120411-7c3f"):
        yield


@pytest.mark.parametrize("around", [_missing, _read_only, _locked])
@pytest.mark.parametrize("flags", [(), ("--json",), ("--no-undo",), ("--expire", "60")])
def test_a_dry_run_needs_no_folder_and_no_lock(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, around: Around, flags: tuple[str, ...]
) -> None:
    fill(db, "a:", 3)
    with around(db, monkeypatch, tmp_path):
        ran = pymon("invalidate", "a:*", "--dry-run", *flags)
        assert (ran.code, ran.err) == (0, "")
    if "--json" in flags:
        assert (ran.told["outcome"], ran.told["matched"], ran.told["removed"]) == ("done", 3, 0)
    assert len(keys_of(db)) == 3


def test_a_dry_run_leaves_no_trace(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    before = {path for path in state_folder().rglob("*") if path.is_file()}
    assert pymon("invalidate", "a:*", "--dry-run").code == 0
    assert {path for path in state_folder().rglob("*") if path.is_file()} == before


def test_the_journal_of_a_folder_that_is_mounted_read_only_is_read(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _read_only(db, monkeypatch, tmp_path)
    assert [action["name"] for action in pymon("journal", "--json", socket="").told["actions"]] == ["kill"]


def test_a_dry_run_says_what_would_be_freed(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 300)
    told = pymon("invalidate", "a:*", "--dry-run", "--json").told
    assert told["plan"]["bytes"] > 0
    assert told["bytes_estimated"] == pytest.approx(told["plan"]["bytes"], abs=1)
