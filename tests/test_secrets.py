"""The password is nowhere but where it is needed, whatever fails; and what we write is its owner's alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pymon_tui.invalidation.trash import TrashError, TrashReader, trash_path
from pymon_tui.journal.crash import report
from pymon_tui.journal.folder import state_folder
from pymon_tui.journal.journal import Journal, JournalError
from pymon_tui.journal.lock import holder, lock
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import load
from pymon_tui.settings.recent import recent, remember
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.picture import save_picture
from tests.conftest import StartServer
from tests.ui.pty_run import PtyRun

SECRET = "s3same-open-s3same"
has_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc to look into")


def children(pid: int) -> Iterator[int]:
    """All processes below this one."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from children(child)


@has_proc
def test_no_child_inherits_a_secret() -> None:
    environ = {"REDISCLI_AUTH": SECRET, "PYMON_URL": f"redis://:{SECRET}@h", "_PYMON_TUI_HANDED": SECRET}
    with PtyRun(["demo"], environ=environ, anew=True) as run:
        run.until(lambda: b"valkey" in run.output or b"redis" in run.output)
        below = list(children(run.process.pid))
        assert len(below) >= 3  # the watchdog, the server, the workload
        for pid in below:
            for told in ("environ", "cmdline"):
                assert SECRET.encode() not in Path(f"/proc/{pid}/{told}").read_bytes()
        run.send(b"q")
        assert run.ended() == 0
    assert SECRET.encode() not in run.output


def files_of(folder: Path) -> Iterator[Path]:
    """All files below a folder."""
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("place", ["poller", "listener", *(pane.NAME for pane in PANES_BY_KEY.values())])
def test_an_error_anywhere_tells_no_secret(own_server: StartServer, tmp_path: Path, place: str) -> None:
    server = own_server({"requirepass": SECRET})
    environ = {"REDISCLI_AUTH": SECRET, "HOME": str(tmp_path)}
    with PtyRun([place, "-s", server.socket], module="tests.ui.breaking", environ=environ) as run:
        keys = {pane.NAME: key for key, pane in PANES_BY_KEY.items()}
        run.until(lambda: run.process.poll() is not None or b"valkey" in run.output or b"redis" in run.output)
        if run.process.poll() is None:
            run.send(keys.get(place, "").encode())
        assert run.ended() == 1
    (log,) = (path for path in files_of(tmp_path) if path.name == "crash.log")
    assert b"LookupError: it broke" in log.read_bytes()
    assert b"the report is in" in run.output
    assert SECRET.encode() not in run.output
    assert [path for path in files_of(tmp_path) if SECRET.encode() in path.read_bytes()] == []


def test_nothing_that_is_printed_holds_a_secret() -> None:
    flags = {"sentinel_password": SECRET, "password": SECRET}
    for given in ({"url": f"redis://:{SECRET}@h"}, {"sentinels": ["s"], "service": "main", **flags}):
        settings = load(flags=given, profile=None, environ={}, dotenv=None, config=None, warn=print)
        assert settings.password is not None
        for each in (settings, settings.endpoint, settings.endpoint.service, settings.model_dump(), vars(settings)):
            assert SECRET not in f"{each} {each!r}"


def _picture() -> None:
    assert save_picture("<svg/>", (state_folder(),)) is not None


def _written() -> None:
    journal = Journal(state_folder())
    journal.append("run", "started")
    with lock(state_folder(), "db", run="r"):
        report(LookupError("it broke"))
    remember(Endpoint(host="h"))
    _picture()


def test_what_we_write_is_its_owners_alone(home: Path) -> None:
    before = os.umask(0)
    try:
        _written()
    finally:
        os.umask(before)
    made = list(home.rglob("*"))
    assert {path.name for path in made} >= {"journal.jsonl", "crash.log", "recent", "pymon-tui"}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def _read_journal() -> None:
    list(Journal(state_folder()).entries())


def _read_trash() -> None:
    TrashReader(trash_path(state_folder(), "run")).close()


@pytest.mark.parametrize(
    ("name", "use", "error"),
    [
        ("journal.jsonl", lambda: Journal(state_folder()).append("run", "started"), JournalError),
        ("journal.jsonl", _read_journal, JournalError),
        ("locks/db.lock", lambda: lock(state_folder(), "db", run="r").__enter__(), JournalError),
        ("locks/db.lock", lambda: holder(state_folder(), "db"), JournalError),
        ("trash/run.trash", _read_trash, TrashError),
    ],
)
def test_no_link_is_followed(tmp_path: Path, name: str, use: Callable[[], object], error: type[Exception]) -> None:
    target, link = tmp_path / "of somebody", state_folder() / name
    target.write_text("theirs")
    target.chmod(0o644)
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    with pytest.raises(error, match="symbolic link"):
        use()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("theirs", 0o644)


def test_a_link_in_the_place_of_the_list_of_servers_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "of somebody", state_folder() / "recent"
    target.write_text("theirs")
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    remember(Endpoint(host="h"))
    assert recent() == ("redis://h:6379",)
    assert target.read_text() == "theirs"


def test_a_link_in_the_place_of_the_log_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "of somebody"
    target.write_text("theirs")
    (tmp_path / "crash.log").symlink_to(target)
    monkeypatch.setattr("pymon_tui.journal.crash.user_log_path", lambda _name: tmp_path)
    assert "could not be written" in report(LookupError("it broke"))
    assert target.read_text() == "theirs"
