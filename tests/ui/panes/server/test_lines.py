"""What the server pane says of servers in all kinds of states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pymon_tui.model.history import History
from pymon_tui.model.traffic import Traffic
from pymon_tui.readings.commands import parse_commands
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.latency import Calls, Histogram, Latency
from pymon_tui.readings.metrics import COMMANDS, METRICS
from pymon_tui.ui.panes.server import lines
from pymon_tui.ui.panes.server.facts import groups, overview
from pymon_tui.ui.widgets.groups import arrange
from pymon_tui.ui.widgets.ink import Line, line_width, text_of
from tests.state.deployed import cluster
from tests.ui.panes.server.made import ORPHAN, PRIMARY, REDIS, REPLICA, told_of

pytestmark = pytest.mark.usefixtures("utc")

FAILED = {"rdb_last_bgsave_status": "err"}
BROKEN_AOF = {"aof_enabled": 1, "aof_last_write_status": "err"}
UNSAVED = {"rdb_saves": 1, "rdb_last_save_time": 1_795_370_000, "uptime_in_seconds": 388}
"""A save that has begun is counted; the last one that is good is as old as the server."""
LOADING = {"loading": 1, "loading_loaded_perc": "53.61", "loading_eta_seconds": 2}
COPYING = {"master_link_status": "down", "master_sync_in_progress": 1, "master_sync_perc": "34.5"}
BEHIND = {
    "master_repl_offset": 1_000_000,
    "slave0": "ip=10.0.0.1,port=6379,state=online,offset=500000,lag=14",
    "slave1": "ip=10.0.0.2,port=6379,state=send_bulk,offset=0,lag=0",
}
EVERYTHING = ("cmdstat", "latency", "rdb", "aof", "slave", "master", "connected", "role", "used", "db", "total")


def said(line: Line) -> str:
    """What the line says after its name, and in which role if it is one to look at."""
    alarming = [role for _, role in line if role in ("warn", "act")]
    return " ".join([*text_of(line)[lines.NAME :].split(), *(f"[{role}]" for role in alarming)])


def test_overview_of_a_primary() -> None:
    told = told_of()

    assert [text_of(line).rstrip() for line in overview(told, 5, dated=True)] == [
        "commands  12.4k/s  peak 18.0k 00:00",
        "network   in 3.10M/s  out 41.8M/s",
        "latency   mean 1.7 µs of 10s",
        "saved     2s ago ok · aof off",
        "replicas  2 online lag 0s 0B",
    ]


@pytest.mark.parametrize(
    ("without", "says"),
    [
        pytest.param((), "–", id="ours can't be left out yet"),
        pytest.param(("total_commands",), "9/s", id="the server counts none"),
    ],
)
def test_the_number_that_has_ours_in_it_is_only_told_where_there_is_no_other(without: Sequence[str], says: str) -> None:
    told = told_of(changes={"instantaneous_ops_per_sec": 9}, without=without)
    told = replace(told, snapshot=replace(told.snapshot, history=History(METRICS).view()))
    assert said(lines.commands(told, dated=True)).split()[0] == says


@pytest.mark.parametrize(("seconds", "how_long"), [(1, "1s"), (59, "59s"), (840, "14m"), (3 * 86_400, "3d")])
def test_in_a_narrow_overview_the_peak_says_how_long_it_has_counted(seconds: int, how_long: str) -> None:
    told, made = told_of(), History(METRICS)
    for at, total in ((5.0, 0.0), (5.5, 9_000.0), (5.0 + seconds, 9_000.0)):
        made.record(at, {COMMANDS.name: total}, {})
    told = replace(told, snapshot=replace(told.snapshot, history=made.view()))
    assert text_of(overview(told, 5, dated=False)[0]).endswith(f" peak 18.0k in {how_long}")


@pytest.mark.parametrize(
    ("name", "changes", "first"),
    [
        (PRIMARY, LOADING, "loading"),
        (PRIMARY, {"paused_actions": "write", "paused_timeout_milliseconds": 12_000}, "paused"),
        (PRIMARY, {"master_failover_state": "waiting-for-sync"}, "failover"),
        (PRIMARY, FAILED, "saved"),
        (PRIMARY, BROKEN_AOF, "saved"),
        (PRIMARY, BEHIND, "replicas"),
        (REPLICA, COPYING, "primary"),
        (ORPHAN, {}, "primary"),
    ],
)
def test_what_is_wrong_is_said_however_little_room_there_is(name: str, changes: dict[str, object], first: str) -> None:
    (line,) = overview(told_of(name, changes), 1, dated=True)

    assert text_of(line).startswith(first)


def test_of_several_nodes_together_roles_are_counted_and_the_uptime_is_the_youngests() -> None:
    told = replace(told_of(), snapshot=replace(told_of().snapshot, fleet=cluster()))
    said = [text_of(fact.line) for group in groups(told) for fact in group.facts]
    assert [line for line in said if line.startswith("role")] == ["role      3 primaries 3 replicas"]
    assert [line.split()[-3:] for line in said if line.startswith("uptime")] == [["of", "the", "youngest"]]


def test_how_long_a_pause_lasts_is_told_where_the_server_tells_it() -> None:
    told = told_of(changes={"paused_actions": "write", "paused_timeout_milliseconds": 12_000})
    untold = told_of(changes={"paused_actions": "write"}, without=("paused_timeout",))
    assert [said(lines.trouble(one)[0]) for one in (told, untold)] == ["write for 12s [warn]", "write for – [warn]"]


def test_keys_that_expire_are_not_told_where_the_server_does_not_tell_them() -> None:
    assert said(lines.keys(told_of(changes={"db0": "keys=7"}, without=("db3",)))) == "7 expire –"


@pytest.mark.parametrize(
    ("changes", "without", "text"),
    [
        ({}, (), "2s ago ok · aof off"),
        (FAILED, (), "failed last good 2s ago [act]"),
        ({**FAILED, "rdb_saves": 0}, ("server_time",), "failed never before [act]"),
        ({**FAILED, **UNSAVED}, (), "failed never before [act]"),
        (UNSAVED, (), "not since start · aof off"),
        ({"rdb_last_save_time": 4_000_000_000}, ("server_time",), "– ok · aof off"),
        ({**FAILED, "rdb_last_save_time": 4_000_000_000}, ("server_time",), "failed last good – [act]"),
        ({**FAILED, **BROKEN_AOF}, (), "failed · aof failed [act] [act]"),
        (BROKEN_AOF, (), "2s ago ok · aof failed [act]"),
        ({"aof_enabled": 1}, (), "2s ago ok · aof on"),
        ({"rdb_bgsave_in_progress": 1, "current_fork_perc": "41.7"}, (), "running 41.7% · aof off"),
        ({"rdb_saves": 0}, ("server_time",), "not since start · aof off"),
        ({}, ("aof_",), "2s ago ok · aof not known"),
        ({}, ("rdb_",), "not told by this server"),
    ],
)
def test_saved(changes: dict[str, object], without: tuple[str, ...], text: str) -> None:
    assert said(lines.saved(told_of(PRIMARY, changes, without))) == text


@pytest.mark.parametrize(
    ("name", "changes", "without", "text"),
    [
        (PRIMARY, {}, (), "2 online lag 0s 0B"),
        (PRIMARY, BEHIND, (), "1/2 online lag 14s 488K [warn] [warn]"),
        (PRIMARY, {"connected_slaves": 0}, ("slave",), "none"),
        (PRIMARY, {"connected_slaves": 2}, ("slave",), "2"),
        (PRIMARY, {}, ("slave", "connected"), "–"),
        (REPLICA, {}, (), "up · 127.0.0.1:6379"),
        (REPLICA, {"master_last_io_seconds_ago": 60}, (), "silent 1m 0s · 127.0.0.1:6379 [warn]"),
        (REPLICA, COPYING, (), "copying 34.5% · 127.0.0.1:6379 [warn]"),
        (ORPHAN, {"master_link_down_since_seconds": 72}, (), "down 1m 12s · 127.0.0.1:6379 [act]"),
        (ORPHAN, {"master_link_down_since_seconds": -1}, (), "down · 127.0.0.1:6379 [act]"),
    ],
)
def test_replication(name: str, changes: dict[str, object], without: tuple[str, ...], text: str) -> None:
    assert said(lines.replication(told_of(name, changes, without))) == text


@pytest.mark.parametrize(
    ("without", "text"),
    [
        ((), "mean 1.7 µs of 10s"),
        (("server_time",), "mean 1.7 µs of all calls"),
        (("cmdstat",), "not told by this server"),
    ],
)
def test_without_histograms_latency_is_a_mean_and_is_called_one(without: tuple[str, ...], text: str) -> None:
    told = told_of(PRIMARY, {}, without)
    assert said(lines.latency(told)) == text
    assert lines.lasting_latency(told) == ()
    (time,) = (group for group in groups(told) if group.title == "time in commands")
    assert [text_of(fact.line).split()[0] for fact in time.facts] == ["latency", "busy"]


@pytest.mark.parametrize("calls", [0, 3])
def test_after_a_restart_there_are_no_calls_yet(calls: int) -> None:
    ours = Traffic(calls=Counter({"info": 3}))
    told = replace(
        told_of(), commands=parse_commands(parse_info(f"cmdstat_info:calls={calls},usec=9\r\n".encode()).beside(ours))
    )
    assert said(lines.latency(told)) == "no calls yet"
    none = replace(told, commands=parse_commands(parse_info(b"# Commandstats\r\n# Stats\r\nevicted_keys:0\r\n")))
    assert said(lines.latency(none)) == "no calls yet"


@pytest.mark.parametrize(
    ("last", "long", "said_of_both"),
    [
        (
            {2: 98, 64: 2},
            {2: 9_900, 64: 99, 4_096: 1},
            ("p50 ≤2.0 µs p99 ≤64 µs", "p50 ≤2.0 µs p99 ≤2.0 µs max ≤4.10 ms"),
        ),
        ({}, {2: 1}, ("no calls in 5s", "p50 ≤2.0 µs p99 ≤2.0 µs max ≤2.0 µs")),
        ({}, {}, ("no calls in 5s", "no calls")),
    ],
)
def test_latency_is_that_of_the_last_seconds_and_minutes(
    last: dict[int, int], long: dict[int, int], said_of_both: tuple[str, str]
) -> None:
    latency = Latency(Calls(Histogram(last), 5.0), Calls(Histogram(long), 300.0), None)
    told = replace(told_of(), latency=latency)
    (lasting,) = lines.lasting_latency(told)
    assert (said(lines.latency(told)), said(lasting)) == said_of_both
    assert text_of(lasting).startswith("in 5m 0s  ")
    # The overview has both, in no more than the smallest pane.
    shown = overview(told, 20, dated=True)
    assert [said(line) for line in shown if text_of(line).startswith(("latency", "in 5m"))] == [
        said_of_both[0],
        said_of_both[1].partition(" max")[0],
    ]
    assert all(line_width(line) <= 36 for line in shown)
    assert not any(text_of(line).startswith("in 5m") for line in overview(told, 5, dated=True))


def test_busy_is_the_share_of_the_last_seconds_and_amber_when_callers_wait() -> None:
    # Ten seconds lie between, and half of the calls and of the time was before them.
    assert said(lines.busy(told_of(changes={"cmdstat_get": "calls=20,usec=18000000"}))).endswith("[warn]")
    assert "[warn]" not in said(lines.busy(told_of()))
    assert said(lines.busy(told_of(without=("server_time",)))) == "–"


def test_many_clients_are_amber_when_few_more_may_come() -> None:
    assert said(lines.clients(told_of(changes={"connected_clients": 9_500}))) == "9 500 of 10 000 blocked 0 [warn]"
    assert said(lines.clients(told_of(changes={"connected_clients": 12}))) == "12 of 10 000 blocked 0"
    told = told_of(changes={"connected_clients": 9_001})  # the limit holds for all of them
    ours = replace(told, server=replace(told.server, own_clients=2))
    assert said(lines.clients(ours)) == "8 999 of 10 000 blocked 0 [warn]"


@pytest.mark.parametrize(
    ("name", "changes", "alarm"),
    [
        (PRIMARY, {}, None),
        (PRIMARY, LOADING, ("loading 53.6%", "warn")),
        (PRIMARY, FAILED, ("save failed", "act")),
        (PRIMARY, BROKEN_AOF, ("aof failed", "act")),
        (REPLICA, {}, None),
        (REPLICA, COPYING, ("primary copying 34.5%", "warn")),
        (ORPHAN, {"master_link_down_since_seconds": 3}, ("primary down 3s", "act")),
    ],
)
def test_alarm(name: str, changes: dict[str, object], alarm: tuple[str, str] | None) -> None:
    assert lines.alarm(told_of(name, changes)) == alarm


@pytest.mark.parametrize("name", [PRIMARY, REPLICA, ORPHAN, REDIS])
@pytest.mark.parametrize("width", [76, 116, 196])
@pytest.mark.parametrize("without", [(), *((each,) for each in EVERYTHING), EVERYTHING])
def test_no_field_is_needed(name: str, width: int, without: tuple[str, ...]) -> None:
    told = told_of(name, {}, without)

    for line in (*overview(told, 20, dated=True), *arrange(groups(told), width, 30, rank_with_titles=1)):
        assert "None" not in text_of(line)
        assert line_width(line) <= width


@pytest.mark.parametrize(
    ("name", "changes"),
    [(PRIMARY, {}), (PRIMARY, {**FAILED, **BROKEN_AOF}), (PRIMARY, BEHIND), (REPLICA, {}), (ORPHAN, {}), (REDIS, {})],
)
def test_the_overview_needs_no_more_than_the_smallest_pane(name: str, changes: dict[str, object]) -> None:
    for line in overview(told_of(name, changes), 20, dated=False):
        assert line_width(line) <= 36
