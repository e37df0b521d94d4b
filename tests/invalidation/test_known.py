"""No more keys are said to be gone than can be: by the plan, what was agreed to, and the marks in the trash."""

from __future__ import annotations

import os
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.boot import boot_id
from pymon_tui.invalidation.bounds import GROWTH
from pymon_tui.invalidation.known import known
from pymon_tui.invalidation.ledger import Ledger
from pymon_tui.invalidation.sweep import Place
from pymon_tui.invalidation.trash import TrashHeader, TrashWriter
from tests.ui.scripted_desk import record_of

RUN = "20261122-120411-7c3f"


def killed(path: Path, *, marked: int, **changes: Any) -> Any:
    """A run of 30 000 keys that was killed, with so many keys in its trash that were named."""
    header = TrashHeader(RUN, "a" * 40, 0, "prod", 0.0, mode="unlink", marks=True, number=1)
    with TrashWriter(path, header, cap=2**20) as trash:
        trash.write([(b"k:%d" % number, 0, b"payload") for number in range(marked + 5)])
        trash.name(trash.block, 0, marked, [])
    started = {"undo": str(path), "boot": boot_id(), "unkept_up_to": 0} | changes
    return record_of(
        state="interrupted", result=None, undo_path=path, started=started, removed_at_least=40, removed_at_most=33_000
    )


@pytest.mark.skipif(boot_id() is None, reason="the system doesn't tell when it was started")
@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({}, 60),
        ({"unkept_up_to": 4}, 64),
        ({"unkept_up_to": None}, 33_000),  # an older version, which wrote no such thing
        ({"boot": "before"}, 33_000),  # what was marked last may never have come to the disk
    ],
)
def test_what_was_marked_is_all_that_may_be_gone(tmp_path: Path, changes: dict[str, Any], most: int) -> None:
    record = known(killed(tmp_path / f"{RUN}.trash", marked=60, **changes))
    assert (record.removed_at_least, record.removed_at_most) == (40, most)


@pytest.mark.skipif(boot_id() is None, reason="the system doesn't tell when it was started")
@pytest.mark.parametrize("cut", [1, 30, 3_000])
def test_where_the_end_of_the_trash_is_missing_nobody_knows_how_many_are_gone(tmp_path: Path, cut: int) -> None:
    path = tmp_path / f"{RUN}.trash"
    run = killed(path, marked=3_000)
    os.truncate(path, path.stat().st_size - cut)
    assert known(run).removed_at_most == 33_000


@pytest.mark.skipif(boot_id() is None, reason="the system doesn't tell when it was started")
@pytest.mark.parametrize("told", [{"removed": 50, "undo_left_out": 0}, {"trash_bytes": 4_000}])
def test_a_trash_that_is_cut_between_two_blocks_is_known_by_the_journal(tmp_path: Path, told: dict[str, int]) -> None:
    path = tmp_path / f"{RUN}.trash"
    run = killed(path, marked=60)
    path.write_bytes(path.read_bytes().split(b"\n", 1)[0] + b"\n")
    assert known(replace(run, progress=told)).removed_at_most == 33_000


def test_a_run_that_told_its_end_is_left_as_it_is() -> None:
    record = record_of()
    assert known(record) is record


@given(st.integers(1, 400_000), st.lists(st.integers(1, 5_000), max_size=60))
def test_no_more_is_allowed_than_the_plan_until_more_are_named(planned: int, pages: list[int]) -> None:
    ledger = Ledger(RUN, None, Place(), planned)
    expected, named = ceil(planned * GROWTH), 0
    for page in pages:
        named += page
        ledger._named = named
        if named <= expected:
            assert named <= ledger._most <= max(expected, named)
        else:
            assert ledger._most <= 2 * named
