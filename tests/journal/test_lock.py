"""Locks that one process holds, and that its end opens, whatever ends it."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

import pytest

from pymon_tui.journal.journal import JournalError
from pymon_tui.journal.lock import Locked, holder, lock, patient_lock
from tests.journal.processes import ended, killed, started

HOLD = """
import sys
from pathlib import Path
from pymon_tui.journal.lock import lock
with lock(Path(sys.argv[1]), "server-1", run="20261122-120411-7c3f"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_lock_is_held_until_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    assert holder(tmp_path, "run-1") is None
    with lock(tmp_path, "run-1", run="1"), lock(tmp_path, "run-2", run="2"):
        held = holder(tmp_path, "run-1")
        assert held is not None
        assert (held.run, held.pid) == ("1", os.getpid())
        with pytest.raises(Locked), lock(tmp_path, "run-1", run="3"):
            pass
    assert holder(tmp_path, "run-1") is None
    assert list((tmp_path / "locks").iterdir()) == []


def test_an_error_in_it_opens_it(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock(tmp_path, "run-1", run="1"):
        raise KeyError
    assert holder(tmp_path, "run-1") is None


def test_the_second_process_is_told_who_is_at_it(tmp_path: Path) -> None:
    process = started(HOLD, tmp_path)
    try:
        with pytest.raises(Locked) as caught, lock(tmp_path, "server-1", run="2"):
            pass
        assert str(caught.value).startswith(f"run 20261122-120411-7c3f is under way in process {process.pid} of ")
        assert str(caught.value).endswith("; wait for its end, or end it there")
    finally:
        ended(process)
    with lock(tmp_path, "server-1", run="2"):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    process = started(HOLD, tmp_path)
    assert holder(tmp_path, "server-1") is not None
    killed(process)
    assert holder(tmp_path, "server-1") is None
    with lock(tmp_path, "server-1", run="2"):
        held = holder(tmp_path, "server-1")
        assert held is not None
        assert held.run == "2"


TAKE_TURNS = """
import os, sys
from pathlib import Path
from pymon_tui.journal.lock import Locked, lock
folder = Path(sys.argv[1])
print("up", flush=True)
taken = 0
while taken < 100:
    try:
        with lock(folder, "run-1", run="1"):
            os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
            (folder / "inside").unlink()
            taken += 1
    except Locked:
        pass
"""


def test_two_are_never_inside(tmp_path: Path) -> None:
    for process in [started(TAKE_TURNS, tmp_path) for _ in range(2)]:
        ended(process)


async def test_who_only_looks_is_waited_for_while_the_loop_goes_on(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    path = tmp_path / "locks" / "run-1.lock"
    path.touch()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    asyncio.get_running_loop().call_soon(os.close, looking)
    async with patient_lock(tmp_path, "run-1", run="2"):
        assert holder(tmp_path, "run-1") is not None
        with pytest.raises(Locked, match="run 2 is under way"):
            async with patient_lock(tmp_path, "run-1", run="3"):
                pass
    assert holder(tmp_path, "run-1") is None


def test_a_holder_that_did_not_sign_is_a_holder(tmp_path: Path) -> None:
    with lock(tmp_path, "run-1", run="1"):
        (tmp_path / "locks" / "run-1.lock").write_text("")
        held = holder(tmp_path, "run-1")
        assert held is not None
        assert held.run is None
        with (
            pytest.raises(Locked, match="run unknown is under way in another process"),
            lock(tmp_path, "run-1", run="2"),
        ):
            pass


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "locks").touch()
    with pytest.raises(JournalError, match="can't make the lock "), lock(tmp_path, "run-1", run="1"):
        pass
    with pytest.raises(JournalError, match="can't look at the lock "):
        holder(tmp_path, "run-1")
