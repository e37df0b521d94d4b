"""Lines that are whole and on disk, or an error that says why not."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pymon_tui.journal.journal import Journal, JournalError
from tests.journal.processes import ended, started


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state")


def numbers(journal: Journal) -> list[int]:
    return [entry.fields["number"] for entry in journal.entries()]


def test_an_entry_says_when_who_where_from_and_what(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.7 50022 10.0.0.1 22")
    before = datetime.now(UTC)
    journal.append("run", "started", run="20261122-120411-7c3f", patterns=["a\\x00*"], plan={"matched": 3}, undo=None)
    (entry,) = journal.entries()
    assert (entry.kind, entry.event, entry.ssh, entry.pid) == ("run", "started", "203.0.113.7", os.getpid())
    assert entry.user
    assert abs((entry.at - before).total_seconds()) < 60
    assert entry.fields == {
        "run": "20261122-120411-7c3f",
        "patterns": ["a\\x00*"],
        "plan": {"matched": 3},
        "undo": None,
    }
    written = json.loads(journal.path.read_text())
    assert written["time"].endswith("Z")
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_a_line_is_on_disk_before_append_returns(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    write, sync = os.write, os.fsync

    def written(descriptor: int, data: bytes) -> int:
        order.append("write")
        return write(descriptor, data)

    def synced(descriptor: int) -> None:
        order.append("fsync")
        sync(descriptor)

    monkeypatch.setattr(os, "write", written)
    monkeypatch.setattr(os, "fsync", synced)
    journal.append("action", "done", number=1)
    assert order == ["write", "fsync", "fsync"]  # and its name in the folder
    journal.append("action", "done", number=2)
    assert order[3:] == ["write", "fsync"]


def test_no_journal_has_no_entries(journal: Journal) -> None:
    assert list(journal.entries()) == []
    assert not journal.path.exists()


@pytest.mark.parametrize("cut", [1, 2, 20, 60])
def test_a_torn_last_line_is_passed_over_and_the_next_one_is_whole(journal: Journal, cut: int) -> None:
    for number in (1, 2):
        journal.append("action", "done", number=number)
    os.truncate(journal.path, journal.path.stat().st_size - cut)
    kept = [1, 2] if cut == 1 else [1]  # only the end of the line is missing
    assert numbers(journal) == kept
    journal.append("action", "done", number=3)
    assert numbers(journal) == [*kept, 3]


@pytest.mark.parametrize(
    "line",
    [b"\n", b"\xff\xfe\n", b"[]\n", b"12\n", b"{}\n", b"[" * 100_000 + b"\n", b'{"time":"yesterday"}\n'],
    ids=["blank", "binary", "list", "number", "empty", "deep", "other"],
)
def test_lines_that_are_not_ours_are_passed_over(journal: Journal, line: bytes) -> None:
    journal.append("action", "done", number=1)
    with journal.path.open("ab") as file:
        file.write(line)
    journal.append("action", "done", number=2)
    assert numbers(journal) == [1, 2]


def test_a_date_that_is_none_is_passed_over(journal: Journal) -> None:
    journal.append("action", "done", number=1)
    journal.path.write_text(journal.path.read_text().replace('"time":"', '"time":"x'))
    assert numbers(journal) == []


APPEND = """
import sys
from pathlib import Path
from pymon_tui.journal.journal import Journal
journal = Journal(Path(sys.argv[1]))
print("up", flush=True)
sys.stdin.readline()
for number in range(200):
    journal.append("action", "done", number=number, filled=sys.argv[2] * (number * 50))
"""


def test_two_processes_append_at_once(journal: Journal) -> None:
    processes = [started(APPEND, journal.folder, letter) for letter in "ab"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        ended(process)
    by_process: dict[int, list[int]] = {}
    for entry in journal.entries():
        by_process.setdefault(entry.pid, []).append(entry.fields["number"])
        assert len(set(entry.fields["filled"])) <= 1
    assert list(by_process.values()) == [list(range(200))] * 2


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"can't write the journal .*/file/state/journal\.jsonl: Not a directory; "):
        Journal(tmp_path / "file" / "state").append("run", "started")


def test_a_folder_that_cannot_be_written_is_an_error(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", denied)  # root, who may run this, is refused nothing
    with pytest.raises(JournalError, match=r"Permission denied; make it yours to write, or set XDG_STATE_HOME"):
        journal.append("run", "started")


def test_a_journal_that_cannot_be_read_is_an_error(journal: Journal) -> None:
    journal.path.mkdir(parents=True)
    with pytest.raises(JournalError, match=r"can't read the journal .*: Is a directory; "):
        list(journal.entries())


def test_a_link_in_its_place_is_an_error(journal: Journal, tmp_path: Path) -> None:
    journal.folder.mkdir()
    journal.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="symbolic link"):
        journal.append("run", "started")
    assert not (tmp_path / "elsewhere").exists()


def test_a_process_that_was_stopped_while_it_prunes_is_said(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append("run", "started", number=1)
    monkeypatch.setattr("pymon_tui.journal.journal._PATIENCE", 0.0)
    with journal.path.open("rb+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(JournalError, match="another process prunes it, and has been stopped; let that go on"):
            journal.append("run", "started", number=2)
    journal.append("run", "started", number=3)
    assert numbers(journal) == [1, 3]


def test_a_file_system_without_locks_is_written_to_all_the_same(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    for number in (1, 2):
        journal.append("run", "started", number=number)
    assert numbers(journal) == [1, 2]


LIMITED = """
import resource, sys
from pathlib import Path
from pymon_tui.journal.journal import Journal, JournalError
print("up", flush=True)
sys.stdin.readline()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    Journal(Path(sys.argv[1])).append("run", "started", number=2, filled="x" * 5000)
except JournalError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [0, 1, 3000])
def test_a_full_disk_is_an_error_and_leaves_what_was_there(journal: Journal, room: int) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    journal.append("run", "started", number=1)
    error = ended(started(LIMITED, journal.folder, str(journal.path.stat().st_size + room)))
    assert error.startswith("can't write the journal ")
    assert error.endswith("; free some space there\n")
    assert numbers(journal) == [1]
    journal.append("run", "started", number=3)
    assert numbers(journal) == [1, 3]
