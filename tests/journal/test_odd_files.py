"""Files of the state folder that nothing of ours wrote, or that were damaged: none of them ends or holds a command."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.reending import Window
from pymon_tui.invalidation.restore_load import _key_bytes
from pymon_tui.invalidation.trash_files import next_number
from pymon_tui.invalidation.trash_format import TrashError
from pymon_tui.invalidation.trash_reader import TrashReader
from pymon_tui.journal.folder import free_bytes, open_private, state_folder
from pymon_tui.journal.journal import Journal, JournalError, entry_of
from pymon_tui.journal.lock import Locked, holder, lock
from pymon_tui.journal.met import Met
from pymon_tui.journal.pruning import prune
from pymon_tui.journal.records import runs
from pymon_tui.settings.config_file import read
from pymon_tui.settings.lists import items
from pymon_tui.settings.problem import SettingsError
from pymon_tui.settings.recent import recent

RUN = "20261122-120411-7c3f"
DEEP = "[" * 100_000


def line(**more: Any) -> bytes:
    head = {"time": "2026-11-22T12:04:11Z", "kind": "run", "event": "started", "user": "a", "ssh": None, "pid": 1}
    return json.dumps(head | {"run": RUN} | more).encode() + b"\n"


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-12:00", "", "x", "2026-13-01"])
def test_a_time_that_is_none_is_passed_over(tmp_path: Path, time: str) -> None:
    assert entry_of(line(time=time)) is None
    (tmp_path / "journal.jsonl").write_bytes(line(time=time) + line(run="20261122-120412-0000"))
    assert [record.id for record in runs(Journal(tmp_path))] == ["20261122-120412-0000"]


@pytest.mark.parametrize("undo", ["x" * 5_000, "/" + "x" * 5_000 + "/y", "a\0b", "..", "/", "\ud800"])
def test_a_path_that_cannot_be_is_no_trash(tmp_path: Path, undo: str) -> None:
    (tmp_path / "journal.jsonl").write_bytes(line(undo=undo))
    (record,) = runs(Journal(tmp_path))
    assert record.undo_path is None


NUMBERS = st.sampled_from(
    [float("inf"), float("-inf"), float("nan"), 10**400, -(10**400), 2**64, 0, -1, True, None, "x"]
)


@given(
    st.fixed_dictionaries({"expire": NUMBERS, "jitter": NUMBERS}),
    st.fixed_dictionaries(dict.fromkeys(("bytes", "matched", "scanned", "node"), NUMBERS)),
    st.fixed_dictionaries(dict.fromkeys(("planned", "db", "named_up_to", "cursor", "pattern_index"), NUMBERS)),
    NUMBERS,
)
def test_a_number_of_any_size_is_reckoned_with_or_not_known(
    tmp_path_factory: pytest.TempPathFactory,
    options: dict[str, Any],
    plan: dict[str, Any],
    more: dict[str, Any],
    seconds: Any,
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    ended = line(event="ended", outcome="cancelled", seconds=seconds)
    (folder / "journal.jsonl").write_bytes(line(options=options, plan=plan, undo=None, **more) + ended)
    (record,) = runs(Journal(folder))
    Window.of(record, 0.0)
    _key_bytes(record)
    with pytest.raises(OrderError):
        Order.resuming(record)


@pytest.mark.parametrize("told", ['"started": 1e999', f'"started": 1{"0" * 400}', f'"started": {DEEP}'])
def test_a_trash_with_an_odd_header_is_none(tmp_path: Path, told: str) -> None:
    path = tmp_path / "trash" / f"{RUN}.trash"
    path.parent.mkdir()
    path.write_text(f'{{"version": 2, "run": "{RUN}", "run_id": "a", "db": 0, "server": "b", {told}}}\n')
    with pytest.raises(TrashError):
        TrashReader(path)
    assert next_number(tmp_path) == 1


def test_what_is_nested_deeply_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text(f'{{"a": {DEEP}')
    assert Met(tmp_path).profiles(["a"]) == frozenset()
    assert entry_of(DEEP.encode()) is None
    with lock(tmp_path, "run-1", run="1"):
        (tmp_path / "locks" / "run-1.lock").write_text(DEEP[:4_096])
        held = holder(tmp_path, "run-1")
        assert held is not None
        assert held.run is None
        with pytest.raises(Locked), lock(tmp_path, "run-1", run="2"):
            pass
    config = tmp_path / "config.toml"
    config.write_text(f"protected = {DEEP}")
    with pytest.raises(SettingsError):
        read(config, None, lambda _: None)
    with pytest.raises(ValueError, match="begins as JSON"):
        items(f'["a", {DEEP}')


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "trash").mkdir()
    (tmp_path / "locks").mkdir()
    trash = tmp_path / "trash" / f"{RUN}.trash"
    state_folder().mkdir(parents=True)
    for path in (
        tmp_path / "journal.jsonl", tmp_path / "servers.json", tmp_path / "locks" / "run-1.lock", trash,
        state_folder() / "recent",
    ):  # fmt: skip
        os.mkfifo(path)
    journal = Journal(tmp_path, keep=1)
    with pytest.raises(JournalError, match="Is no regular file"):
        runs(journal)
    with pytest.raises(JournalError, match="Is no regular file"):
        journal.append("run", "started")
    assert not prune(journal, ())
    assert Met(tmp_path).profiles(["a"]) == frozenset()
    with pytest.raises(JournalError):
        holder(tmp_path, "run-1")
    with pytest.raises(JournalError), lock(tmp_path, "run-1", run="1"):
        pass
    with pytest.raises(TrashError):
        TrashReader(trash)
    assert next_number(tmp_path) == 1
    assert recent() == ()
    with pytest.raises(OSError, match="No such device"):
        open_private(tmp_path / "journal.jsonl", os.O_WRONLY)


def test_a_folder_that_cannot_be_looked_into_has_no_known_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(Path, "exists", denied)
    assert free_bytes(tmp_path) is None
