"""The server processes that a profile led to, remembered by their run id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pymon_tui.journal import met
from pymon_tui.journal.met import Met

ONE, OTHER = "a" * 40, "b" * 40


def test_a_process_is_known_by_every_profile_that_led_to_it(tmp_path: Path) -> None:
    known = Met(tmp_path)
    known.note("prod", [ONE])
    known.note("eu", [ONE, OTHER, ""])
    assert Met(tmp_path).profiles([ONE]) == {"prod", "eu"}
    assert Met(tmp_path).profiles([OTHER]) == {"eu"}
    assert Met(tmp_path).profiles(["", "c" * 40]) == frozenset()


def test_what_is_known_is_not_written_again(tmp_path: Path) -> None:
    Met(tmp_path).note("prod", [ONE])
    before = (tmp_path / "servers.json").stat().st_ino
    Met(tmp_path).note("prod", [ONE])
    assert (tmp_path / "servers.json").stat().st_ino == before


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(met, "_KEPT", 2)
    for run_id in "abc":
        Met(tmp_path).note("prod", [run_id])
    assert Met(tmp_path).profiles("abc") == {"prod"}
    assert Met(tmp_path).profiles("a") == frozenset()
    assert [path.name for path in tmp_path.iterdir()] == ["servers.json"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 3}', "\xff"])
def test_a_broken_file_tells_nothing_and_is_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "servers.json").write_bytes(text.encode("latin-1"))
    known = Met(tmp_path)
    assert known.profiles(["a"]) == frozenset()
    known.note("prod", ["a"])
    assert known.profiles(["a"]) == {"prod"}
    assert json.loads((tmp_path / "servers.json").read_text())["a"] == ["prod"]


def test_a_folder_that_cannot_be_written_is_let_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Met(tmp_path / "file").note("prod", [ONE])
    assert Met(tmp_path / "file").profiles([ONE]) == frozenset()


def test_its_owner_alone_reads_it(tmp_path: Path) -> None:
    Met(tmp_path).note("prod", [ONE])
    assert (tmp_path / "servers.json").stat().st_mode & 0o077 == 0
