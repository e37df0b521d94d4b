"""The fleet pane: how each node stands, what they add up to, and what is marked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pymon_tui.model.deployment import Kind, Role
from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.snapshot import FleetView, SentinelView
from pymon_tui.model.text import safe
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.memory import MEMORY
from pymon_tui.readings.memory_use import Severity
from pymon_tui.ui.panes.fleet import FleetPane
from pymon_tui.ui.panes.fleet.columns import columns_of, ordered, summary
from pymon_tui.ui.panes.fleet.standing import standings, together
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.widgets.ink import text_of
from pymon_tui.ui.widgets.table import Table
from tests.script import Script, ready
from tests.state.deployed import cluster, fleet, node, shown_of
from tests.ui.panes.alone import alone
from tests.ui.stage import app_of, until, until_shown

LOST = Lost(Trouble.UNREACHABLE, safe("refuses connections"), safe(""), 90.0, 101.0, 3)


def said(view: FleetView) -> str:
    return " ".join(text_of(line) for line in summary(view, together(view, standings(view))))


def under(view: SentinelView) -> str:
    nodes = [node(7000, Role.PRIMARY), node(7001, Role.REPLICA, primary=7000)]
    return text_of(summary(replace(fleet(Kind.SENTINEL, nodes), sentinels=view), together(cluster(), ()))[0])


def test_the_first_line_is_of_the_sentinels() -> None:
    well = SentinelView(safe("main"), "7000", 3, 3, 2, None, ())
    assert under(well) == "service main  sentinels that answer 3 of 3  quorum 2"
    away = replace(well, answering=2, away=(safe("10.0.0.9:26379 refuses connections"),))
    assert under(away).endswith("answer 2 of 3  quorum 2  10.0.0.9:26379 refuses connections")
    few = replace(away, answering=1, problem=safe("NOQUORUM 1 usable Sentinels"))
    assert under(few).endswith("answer 1 of 3  quorum 2  NOQUORUM 1 usable Sentinels")
    assert under(replace(well, quorum=None)) == "service main  sentinels that answer 3 of 3"


def test_the_sums_of_a_large_deployment_fit_into_80_columns() -> None:
    whole = together(cluster(), standings(cluster()))
    large = replace(
        whole, primaries=128, replicas=256, away=12, ops=123_456_789.0, hits=0.5, misses=0.5, used_memory=123 << 40,
        keys=123_456_789_012, clients=123_456.0, lag_bytes=123 << 30,
    )  # fmt: skip
    assert max(len(text_of(line)) for line in summary(cluster(), large)) <= 76


def test_a_replica_is_behind_by_what_it_lacks_of_its_primarys_stream() -> None:
    behind = [(one.name[-4:], one.lag_bytes, one.lag_seconds) for one in standings(cluster()) if one.is_replica]
    assert behind == [("7010", 0, 1), ("7011", 1_000, 1), ("7012", 2_000, 1)]
    assert together(cluster(), standings(cluster())).lag_bytes == 2_000


@pytest.mark.parametrize(
    ("line", "theirs", "own", "lag"),
    [
        (None, "8d37", "8d37", 1_000),
        (None, "8d37", "f0a1", None),  # it never copied, or what it copied went on elsewhere
        (None, None, None, None),
        (None, "8d37", None, None),
        ("state=online,offset=4900,lag=0", "8d37", "f0a1", 100),
        ("state=wait_bgsave,offset=0,lag=0", "8d37", "f0a1", None),
        ("state=send_bulk,offset=5000,lag=0", "8d37", "8d37", None),
    ],
)
def test_offsets_are_held_against_each_other_within_one_stream(
    line: str | None, theirs: str | None, own: str | None, lag: int | None
) -> None:
    replicas = () if line is None else (f"ip=10.0.0.1,port=2,{line}",)
    nodes = [
        node(1, Role.PRIMARY, replid=theirs, replicas=replicas),
        node(2, Role.REPLICA, primary=1, offset=4_000, replid=own),
    ]
    view = fleet(Kind.REPLICATION, nodes)
    (_, replica) = shown = standings(view)
    assert replica.lag_bytes == lag
    assert together(view, shown).lag_bytes == lag
    (column,) = [column for column in columns_of(view, 200) if column.name == "lag"]
    assert (column.cell(replica).text == "–") == (lag is None)
    assert ("  lag " in "".join(map(text_of, summary(view, together(view, shown))))) == (lag is not None)


def test_a_replica_that_holds_nothing_is_not_level_with_a_primary_that_is_ahead_of_it() -> None:
    nodes = [node(1, Role.PRIMARY, offset=40), node(2, Role.REPLICA, primary=1, offset=5_000, replid="f0a1")]
    assert standings(fleet(Kind.REPLICATION, nodes))[1].lag_bytes is None


def test_an_idle_primary_that_pings_every_ten_seconds_is_not_silent() -> None:
    (column,) = [column for column in columns_of(cluster(), 200) if column.name == "heard"]
    replica = next(one for one in standings(cluster()) if one.is_replica)
    seen = {seconds: tuple(column.cell(replace(replica, lag_seconds=seconds))) for seconds in (11, 19, 20, None)}
    assert seen == {11: ("11s", "label"), 19: ("19s", "label"), 20: ("20s", "warn"), None: ("–", "label")}


def test_a_primary_that_has_far_more_than_the_others_is_marked() -> None:
    assert [one.skewed for one in standings(cluster())] == [
        frozenset(),
        frozenset(),
        {"ops", "keys", "memory"},
        frozenset(),
        frozenset(),
        frozenset(),
    ]
    idle = fleet(Kind.CLUSTER, [node(1, Role.PRIMARY, keys=2, ops=2), node(2, Role.PRIMARY, keys=0, ops=0)])
    assert not any(one.skewed for one in standings(idle))


@pytest.mark.parametrize(
    ("told", "alarm"),
    [
        ("maxmemory_policy:allkeys-lru", None),  # a cache that evicts is meant to be full
        ("maxmemory_policy:noeviction", Severity.ACT),
        ("maxmemory_policy:allkeys-lru\r\nused_memory_rss:95\r\ntotal_system_memory:100", Severity.ACT),
        ("maxmemory_policy:allkeys-lru\r\ncurrent_eviction_exceeded_time:5000", Severity.LOOK),
    ],
)
def test_a_share_is_marked_where_the_memory_pane_says_that_something_is_wrong(
    told: str, alarm: Severity | None
) -> None:
    one = node(1, Role.PRIMARY)
    memory = MEMORY.parse(parse_info(f"used_memory:99\r\nmaxmemory:100\r\n{told}\r\n# Keyspace\r\ndb0:keys=9".encode()))
    readings = {**one.snapshot.readings, MEMORY.name: ready(memory)}
    (row,) = standings(fleet(Kind.SINGLE, [replace(one, snapshot=replace(one.snapshot, readings=readings))]))
    assert (row.memory_share, row.alarm) == (0.99, alarm)
    (column,) = [column for column in columns_of(cluster(), 200) if column.name == "full"]
    role = {None: "label", Severity.LOOK: "warn", Severity.ACT: "act"}[alarm]
    assert tuple(column.cell(row)) == ("99.0%", role)


def test_a_node_that_has_not_told_its_role_is_no_primary() -> None:
    view = fleet(Kind.CLUSTER, [node(1, Role.PRIMARY, keys=7), node(2, Role.UNKNOWN, link=LOST)])
    whole = together(view, standings(view))
    assert (whole.primaries, whole.replicas, whole.unknown, whole.keys) == (1, 0, 1, 7)
    assert "primaries 1  replicas 0  not known 1  away 1" in said(view)
    assert "1 of 2 nodes" in said(view)


def test_data_is_added_up_over_primaries_and_reads_over_all() -> None:
    whole = together(cluster(), standings(cluster()))
    assert (whole.primaries, whole.replicas, whole.away) == (3, 3, 0)
    assert whole.keys == 1_100_000
    assert whole.ops == pytest.approx(11_000)
    assert whole.hits == pytest.approx(48)
    assert whole.misses == pytest.approx(12)
    assert "hit rate 80" in said(cluster())
    assert "slots all" in said(cluster())


def test_a_sum_without_a_node_that_answers_is_not_told() -> None:
    untold = node(2, Role.PRIMARY)
    kept = {name: reading for name, reading in untold.snapshot.readings.items() if name != KEYSPACE.name}
    nodes = [node(1, Role.PRIMARY), replace(untold, snapshot=replace(untold.snapshot, readings=kept))]
    whole = together(view := fleet(Kind.CLUSTER, nodes), standings(view))
    assert (whole.keys, whole.used_memory, whole.ops) == (None, 2_000_000, 200)


def test_a_node_that_is_away_adds_nothing_up_and_is_counted() -> None:
    view = fleet(
        Kind.REPLICATION, [node(1, Role.PRIMARY, keys=10, link=LOST), node(2, Role.REPLICA, primary=1, keys=10)]
    )
    assert together(view, standings(view)).keys is None
    assert "away 1" in said(view)
    assert "slots" not in said(view)
    assert "1 of 2 nodes  –  hits 80" in said(view)


def test_a_node_that_is_away_is_not_told_as_it_was() -> None:
    nodes = [
        node(1, Role.PRIMARY, keys=10, link=LOST),
        node(2, Role.PRIMARY, keys=7),
        node(3, Role.REPLICA, primary=1, offset=4_000),
        node(4, Role.REPLICA, primary=2, offset=4_000, link=LOST, link_up=False),
    ]
    gone, there, orphan, away = standings(fleet(Kind.CLUSTER, nodes))
    for one in (gone, away):
        told = (one.ops, one.reads.hit_rate, one.used_memory, one.memory_share, one.keys, one.clients, one.lag_seconds)
        assert told == (None,) * 7
        assert (one.lag_bytes, one.link_down) == (None, False)
    assert (there.keys, there.used_memory) == (7, 7_000)
    # How far its primary has come is known of a primary that answers alone.
    assert (orphan.lag_bytes, orphan.lag_seconds) == (None, 1)
    whole = together(cluster(), (gone, there, orphan, away))
    assert (whole.keys, whole.used_memory) == (7, 7_000)
    assert whole.ops == pytest.approx(100)


async def test_what_is_wrong_with_the_sentinels_is_seen_whole() -> None:
    problem = (
        "NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the specified quorum for this primary"
    )
    view = SentinelView(safe("main"), "1", 3, 1, 2, safe(problem), ())
    async with alone(FleetPane(), 80, 24) as on:
        nodes = [node(1, Role.PRIMARY), node(2, Role.REPLICA, primary=1)]
        await on.show(shown_of(replace(fleet(Kind.SENTINEL, nodes), sentinels=view)), full=True)
        assert problem in " ".join(" ".join(on.said("#together")).split())


def test_sorted_by_a_column_what_is_not_known_comes_last() -> None:
    rows = standings(cluster())
    places = [row.place for row in ordered(rows, "lag", descending=True)]
    assert places[:3] == [5, 3, 1]
    assert [row.place for row in ordered(rows, "node", descending=False)] == [0, 1, 2, 3, 4, 5]
    assert next(row.place for row in ordered(rows, "keys", descending=True)) == 2


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_the_pane_at_each_size(size: tuple[int, int]) -> None:
    async with alone(FleetPane(), *size) as on:
        await on.show(shown_of(cluster()), full=True)
        assert on.said("#together")[0].startswith("cluster  primaries 3  replicas 3")
        assert "10.0.0.1:7001 became primary" in on.said("#changes")[0]
        table = on.pane.query_one(Table)
        lines = [table.render_line(y).text for y in range(7)]
        assert "node" in lines[0]
        assert "└ replica" in lines[2] or size[0] < 100
        assert "10.0.0.1:7011" in lines[4]
        assert on.pane.border_subtitle is not None
        assert "6 nodes" in str(on.pane.border_subtitle)


async def test_a_lost_node_is_told_in_its_row_and_in_the_border() -> None:
    view = fleet(Kind.REPLICATION, [node(1, Role.PRIMARY, link=LOST), node(2, Role.REPLICA, primary=1, link_up=False)])
    async with alone(FleetPane(), 100, 24) as on:
        await on.show(shown_of(view), full=True)
        table = on.pane.query_one(Table)
        assert "lost 10s" in table.render_line(1).text
        assert "link down" in table.render_line(2).text
        assert "1 away" in str(on.pane.border_subtitle)


async def test_before_anybody_is_known_it_waits() -> None:
    async with alone(FleetPane(), 80, 24) as on:
        await on.show(replace(shown_of(cluster()), fleet=None), full=True)
        assert on.pane.has_class("-gap")


async def test_enter_shows_the_node_and_n_and_zero_step_through_them() -> None:
    script = Script(one := shown_of(cluster(chosen=0)))
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        monitor = await until_shown(pilot, one)
        await pilot.press("f", "down", "down", "enter")
        await until(pilot, lambda: script.chosen == [2])
        assert not any(pane.full for pane in monitor.query(Pane))
        await pilot.press("n", "N", "0")
        assert script.chosen == [2, 1, 5, None]


async def test_where_there_is_one_server_there_is_no_step() -> None:
    script = Script(one := shown_of(fleet(Kind.SINGLE, [node(1, Role.PRIMARY)], chosen=0)))
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        await pilot.press("n", "0")
        assert script.chosen == []
