"""How many keys don't fit: held against the writer that leaves them out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.fitting import lost_for_room
from pymon_tui.invalidation.trash import TrashHeader, TrashWriter, trash_path

RUN = "20261122-120411-7c3f"


@pytest.mark.parametrize(
    ("sizes", "room", "lost"),
    [
        ([(500, 5_000), (3, 9_000_000)], 4 * 2**20, 2),
        ([(1_000, 1_000_000)], 600_000, 400),
        ([(3, 9_000_000)], 2**20, 3),
        ([(500, 5_000), (3, 9_000_000)], 9_005_000, 0),
        ([(1_000, 1_000_000)], 0, 1_000),
        ([], 0, 0),
        ([(0, 0)], 10, 0),
    ],
)
def test_small_ones_go_on_behind_one_that_does_not_fit(sizes: list[tuple[int, int]], room: int, lost: int) -> None:
    found = lost_for_room(sizes, room)
    assert abs(found.keys - lost) < 1
    assert found.bytes <= sum(size for _, size in sizes)


SIZES = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10**9)), max_size=6)


@given(sizes=SIZES, room=st.integers(0, 10**10), factor=st.floats(1.0, 1.25))
def test_it_is_never_more_than_there_is(sizes: Sequence[tuple[int, int]], room: int, factor: float) -> None:
    lost = lost_for_room(sizes, room, factor)
    assert -1e-6 <= lost.keys <= sum(keys for keys, _ in sizes) * 1.000001
    assert factor * sum(size for keys, size in sizes if keys) > room or lost.keys < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_the_writer_leaves_out_as_many_as_were_told(tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    sizes = [(300, 300 * 500), (40, 40 * 20_000)]
    keys = [(b"%d" % number, 0, dice.randbytes(size // count)) for count, size in sizes for number in range(count)]
    dice.shuffle(keys)
    with TrashWriter(trash_path(tmp_path, RUN), TrashHeader(RUN, "a", 0, "s", 1.0), cap=600_000) as writer:
        kept = sum(len(writer.write([key])) for key in keys)
    told = lost_for_room(sizes, 600_000).keys
    assert abs((340 - kept) - told) <= 40
