from __future__ import annotations

from dataclasses import replace

import pytest

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.brief import is_brief
from pymon_tui.invalidation.memory import PLENTY
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.sweep import Place
from tests.invalidation.planned import selecting

ORDER = Order(
    selection=selecting("cache:*"),
    node="cache",
    run_id="1",
    db=0,
    planned=10_000,
    scan=20_000,
    key_bytes=None,
    plan={"room": None},
    preset=None,
    start=Place(),
    resumes=None,
)
WITHOUT, KEPT = Options(undo=False), Options(undo=True)


@pytest.mark.parametrize(
    ("planned", "scan", "options", "brief"),
    [
        (0, 0, WITHOUT, True),
        (10_000, 20_000, WITHOUT, True),
        (10_000, 20_000, KEPT, True),
        (100_000, 200_000, WITHOUT, True),
        (100_000, 200_000, KEPT, True),
        (10, 5_000_000, WITHOUT, False),
        (200_000, 400_000, WITHOUT, True),
        (200_000, 400_000, KEPT, False),
        (1_000_000, 2_000_000, WITHOUT, False),
        (10, 20, replace(WITHOUT, rate=5.0), False),
    ],
)
def test_a_run_is_brief_by_what_it_costs(planned: int, scan: int, options: Options, brief: bool) -> None:  # noqa: FBT001
    assert is_brief(replace(ORDER, planned=planned, scan=scan), options) is brief


@pytest.mark.parametrize(
    ("room", "brief"), [(None, True), (-1, False), (0, False), (PLENTY - 1, False), (PLENTY, True)]
)
def test_what_is_evicted_without_it_is_known_first_where_there_is_little_room(room: int | None, brief: bool) -> None:  # noqa: FBT001
    assert is_brief(replace(ORDER, plan={"room": room}), WITHOUT) is brief
