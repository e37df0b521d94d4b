"""What each command costs: since the start, and in the last seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.traffic import Traffic
from pymon_tui.readings.commands import WINDOW, Commands, Growth, parse_commands, remember
from pymon_tui.readings.info import parse_info
from tests.replies import recorded


def commands(at: float, totals: Mapping[str, tuple[int, int]], run_id: str = "one") -> Commands:
    """What is read at a moment of the server's clock from these calls and microseconds by command."""
    lines = [f"run_id:{run_id}", f"server_time_usec:{round(at * 1e6)}"]
    lines += [f"cmdstat_{name}:calls={calls},usec={usec}" for name, (calls, usec) in totals.items()]
    return parse_commands(parse_info("\r\n".join(lines).encode()))


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_reads_what_servers_say(server: str) -> None:
    read = parse_commands(parse_info(recorded(f"info-primary.{server}.resp2")))

    by_name = {str(each.name): each for each in read.statistics}
    set_ = by_name["set"]
    assert set_.calls == 602
    assert (set_.failed_calls, by_name["get"].rejected_calls, by_name["lpush"].failed_calls) == (0, 2, 2)
    assert set_.usec_per_call == pytest.approx(set_.usec / 602)
    assert set_.p50 is not None
    assert set_.p99 is not None
    assert set_.p999 is not None
    assert set_.p50 <= set_.p99 <= set_.p999
    assert "config|set" in by_name


def test_percentiles_of_all_are_weighted_by_calls() -> None:
    lines = (
        "cmdstat_get:calls=3,usec=3",
        "cmdstat_keys:calls=1,usec=900",
        "cmdstat_untracked:calls=100,usec=1",
        "latency_percentiles_usec_get:p50=1.0,p99=2.0,p99.9=3.0",
        "latency_percentiles_usec_keys:p50=9.0,p99=10.0",
    )
    read = parse_commands(parse_info("\r\n".join(lines).encode()))

    assert read.statistics[1].p999 is None


def test_without_latencystats_there_is_no_percentile() -> None:
    read = commands(1.0, {"get": (1, 1)})

    assert read.statistics[0].p50 is None


def test_what_a_command_did_lately_is_its_growth() -> None:
    before = remember(None, commands(100.0, {"get": (10, 100)}))
    now = remember(before, commands(102.0, {"get": (30, 500), "set": (4, 40)}))

    assert before.growth("get") is None
    assert before.total_growth is None
    growth, new = now.growth("get"), now.growth("set")
    assert growth is not None
    assert new is not None
    assert now.total_growth is not None
    assert (growth.calls, growth.usec, growth.usec_per_call) == (10.0, 200.0, 20.0)
    assert (new.calls, new.usec) == (2.0, 20.0)
    assert now.total_growth.usec == 220.0


def test_growth_covers_the_last_seconds_and_no_more_is_remembered() -> None:
    now: Commands | None = None
    for step in range(400):
        now = remember(now, commands(100 + step / 10, {"get": (step * step, step)}))

    assert now is not None
    assert now.now is not None
    assert WINDOW <= now.now.at - now.earlier[0].at < WINDOW + 1.5
    assert len(now.earlier) < WINDOW + 3


@pytest.mark.parametrize(
    "new",
    [
        commands(101.0, {"get": (20, 200)}, run_id="another"),  # restarted, or another server behind the address
        commands(101.0, {"get": (2, 200)}),  # CONFIG RESETSTAT
        commands(101.0, {"get": (20, 2)}),
        commands(101.0, {"set": (20, 200)}),
        commands(99.0, {"get": (20, 200)}),  # the server's clock was set back
        parse_commands(parse_info(b"run_id:one\r\ncmdstat_get:calls=20,usec=200")),  # no clock
    ],
)
def test_what_does_not_follow_begins_anew(new: Commands) -> None:
    before = remember(remember(None, commands(99.5, {"get": (5, 50)})), commands(100.0, {"get": (10, 100)}))

    assert remember(before, new).growth("get") is None


def test_a_burst_is_spread_over_all_of_the_seconds_that_are_known() -> None:
    read: Commands | None = None
    for at, calls in ((100.0, 0), (101.0, 0), (102.0, 0), (103.0, 0), (104.0, 400)):
        read = remember(read, commands(at, {"get": (calls, 10 * calls)}))
    assert read is not None
    assert read.growth("get") == Growth(calls=100.0, usec=1_000.0)


def test_our_own_calls_are_left_out_as_far_as_they_came_in_the_same_time() -> None:
    def told(at: int, calls: int, own: int) -> Commands:
        text = f"run_id:one\r\nserver_time_usec:{at}000000\r\ncmdstat_get:calls={calls},usec={calls * 2}"
        return parse_commands(parse_info(text.encode()).beside(Traffic(calls=Counter(get=own))))

    now = remember(told(100, 1_000, 900), told(110, 1_100, 950))
    assert now.growth("get") == Growth(5.0, 10.0)
    assert [(each.calls, each.usec) for each in now.statistics] == [(150, 300)]


def test_json_has_what_was_read_and_not_what_is_remembered() -> None:
    told = commands(1.0, {"get": (1, 1)}).as_json()
    assert set(told) == {"p50", "p99", "statistics"}
    # There was a mean of percentiles, which is none.
    assert (told["p50"], told["p99"]) == (None, None)


@given(st.text(alphabet=st.characters(exclude_characters="\r\n:")), st.text(alphabet="0123456789.,=-ex", max_size=30))
def test_hostile_names_and_values_are_shown_safely_or_left_out(name: str, value: str) -> None:
    info = f"run_id:x\r\ncmdstat_{name}:calls={value},usec={value}\r\nlatency_percentiles_usec_{name}:p50={value}"
    read = parse_commands(parse_info(info.encode("utf-8", "surrogateescape" if name.isascii() else "replace")))

    for each in read.statistics:
        assert each.name.isprintable()
        assert each.calls >= 0
