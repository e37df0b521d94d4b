"""Since when a server has counted, by the day where that isn't today's."""

from __future__ import annotations

import pytest

from pymon_tui.model.history import History
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.metrics import COMMANDS
from pymon_tui.ui.since_text import peaks_since, since

NOON = 1_790_000_000.0 // 86_400 * 86_400 + 43_200


@pytest.mark.parametrize(
    ("hours", "counted", "peaks"),
    [
        (1, "since 12:00", "peaks since 12:00"),
        (13, "since 21 Sep", "peaks of 13h"),
        (49, "since 21 Sep", "peaks of 2d"),
    ],
)
@pytest.mark.usefixtures("utc")
def test_a_moment_of_another_day_is_told_by_its_day(hours: int, counted: str, peaks: str) -> None:
    history = History((COMMANDS,))
    history.align(NOON)
    history.record(-1.0, {COMMANDS.name: 5.0}, {})
    assert since(history.view()) == "since start"
    history.record(0.0, {COMMANDS.name: 1.0}, {})
    history.reset_peaks()
    history.record(hours * 3600.0, {COMMANDS.name: 2.0}, {})
    assert (since(history.view()), peaks_since(history.view())) == (counted, peaks)


def test_a_reset_that_nobody_saw_is_told() -> None:
    history = History((COMMANDS,))
    history.record(0.0, {COMMANDS.name: 5.0}, {})
    history.reset_before = True
    assert since(history.view()) == "since reset"
    history.break_(anew=True)
    history.reset_before = False
    assert since(history.view()) == "since start"


@pytest.mark.parametrize(
    ("line", "was"),
    [
        ("cmdstat_config|resetstat:calls=1,usec=3,usec_per_call=3.00,rejected_calls=0,failed_calls=0", True),
        ("cmdstat_config|resetstat:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0", False),
        ("cmdstat_config:calls=9,usec=3,usec_per_call=3.00", False),  # before Redis 7, of CONFIG GET as well
    ],
)
def test_a_server_tells_that_it_was_reset(line: str, *, was: bool) -> None:
    assert parse_info(line.encode() + b"\r\n").was_reset is was
