"""A deployment as a whole: what its nodes do is added up, each thing where it is done, over the time that it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pymon_tui.model.deployment import Kind, Role
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import History
from pymon_tui.model.link import Connecting, Link, Live, Lost, Trouble
from pymon_tui.model.metric import Kind as Counts
from pymon_tui.model.metric import Metric
from pymon_tui.model.query import PENDING, Reading, Ready, Reason, Unavailable
from pymon_tui.model.snapshot import Node, Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.hits import HIT_RATE
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.latency import LATENCY, Calls, Count, Histogram, Latency
from pymon_tui.readings.memory import MEMORY
from pymon_tui.readings.metrics import CLIENTS, COMMANDS, CONNECTIONS, ERRORS, HITS, METRICS, MISSES, RTT, USED_MEMORY
from pymon_tui.readings.topology import CLUSTER_NODES
from pymon_tui.state.whole import Whole
from tests.state.deployed import fleet, node


def doing(port: int, role: Role, does: Mapping[Metric[Any], float], link: Link | None = None) -> Node:
    """A node that does this each second; of what doesn't count up it is the level."""
    history = History((*METRICS, RTT))
    for second in (1.0, 2.0):
        values = {each.name: value * (second if each.kind is Counts.COUNTER else 1) for each, value in does.items()}
        history.record(second, values, {})
    one = node(port, role, link=link)
    return replace(one, snapshot=replace(one.snapshot, history=history.view()))


def together(*nodes: Node, moments: Sequence[float] = (100.0, 101.0), infos: Sequence[Info | None] = ()) -> Snapshot:
    """All of them as one, at the last of these moments."""
    whole, view = Whole((HIT_RATE,), safe("shop")), fleet(Kind.REPLICATION, nodes)
    *earlier, last = (replace(nodes[0].snapshot, at=at) for at in moments)
    for pace in earlier:
        whole.snapshot(view, infos or [None] * len(nodes), pace, Feed())
    return whole.snapshot(view, infos or [None] * len(nodes), last, Feed())


def lost(since: float) -> Lost:
    return Lost(Trouble.UNREACHABLE, safe(f"away since {since:g}"), safe(""), since, 200.0, 3)


def test_what_reaches_one_node_counts_on_replicas_too_and_what_all_do_counts_once() -> None:
    primary = {HITS: 8.0, MISSES: 2.0, CLIENTS: 7.0, CONNECTIONS: 3.0, COMMANDS: 100.0, USED_MEMORY: 500.0}
    replica = {HITS: 80.0, MISSES: 20.0, CLIENTS: 70.0, CONNECTIONS: 30.0, COMMANDS: 90.0, USED_MEMORY: 500.0}
    shown = together(doing(1, Role.PRIMARY, primary), doing(2, Role.REPLICA, replica))
    latest = {metric: shown.history.latest(metric.name) for metric in primary}
    assert latest == {HITS: 88, MISSES: 22, CLIENTS: 77, CONNECTIONS: 33, COMMANDS: 100, USED_MEMORY: 500}


def test_a_late_tick_counts_for_the_time_it_covers() -> None:
    one = doing(1, Role.PRIMARY, {COMMANDS: 100.0})
    assert together(one, moments=(100.0, 101.0, 104.0)).history.latest(COMMANDS.name) == 100


def test_after_a_gap_the_sample_is_what_came_in_it_and_not_the_newest_rate() -> None:
    history = History((*METRICS, RTT))
    for second, total in enumerate((0.0, 10.0, 20.0, 30.0, 40.0, 140.0)):
        history.record(96.0 + second, {COMMANDS.name: total}, {})
    one = node(1, Role.PRIMARY)
    one = replace(one, snapshot=replace(one.snapshot, history=history.view()))
    assert together(one, moments=(97.0, 101.0)).history.latest(COMMANDS.name) == (140 - 10) / 4
    assert together(one, moments=(100.0, 101.0)).history.latest(COMMANDS.name) == 100


def test_what_one_node_does_not_tell_is_not_told_of_all() -> None:
    first, second = doing(1, Role.PRIMARY, {COMMANDS: 100.0, ERRORS: 5.0}), doing(2, Role.PRIMARY, {COMMANDS: 10.0})
    shown = together(first, second)
    assert shown.history.latest(COMMANDS.name) == 110
    assert shown.history.latest(ERRORS.name) is None


def test_the_whole_is_as_far_away_as_its_furthest_node_and_as_old_as_its_oldest_link() -> None:
    near = doing(1, Role.PRIMARY, {RTT: 0.001}, Live(50.0, 0.001))
    far = doing(2, Role.PRIMARY, {RTT: 0.2}, Live(40.0, 0.2))
    replica = doing(2, Role.REPLICA, {RTT: 0.2}, Live(40.0, 0.2))
    for nodes in ((near, far), (far, near), (near, replica)):
        shown = together(*nodes)
        assert shown.history.latest(RTT.name) == 0.2
        assert shown.link == Live(40.0, 0.2)


def timed(port: int, calls: Mapping[int, int] | None) -> Node:
    """A primary whose calls took so many microseconds; None is one that hasn't told yet."""
    one = doing(port, Role.PRIMARY, {})
    readings = {}
    if calls is not None:
        last = Calls(Histogram(calls), 5.0)
        readings[LATENCY.name] = Ready(Latency(last, last, None, Count(5.0, {}, {}), ((0.0, last),)), 1.0)
    return replace(one, snapshot=replace(one.snapshot, readings=readings))


def test_latency_is_of_the_calls_of_all_nodes_and_unknown_without_one_of_them() -> None:
    calm, slow, silent = timed(1, {4: 99}), timed(2, {8_192: 99}), timed(3, None)
    info = parse_info(b"run_id:x\r\n")

    def latency(*nodes: Node) -> Reading[Latency]:
        view = fleet(Kind.CLUSTER, nodes)
        whole = Whole((LATENCY,), safe("shop"))
        return whole.snapshot(view, [info] * len(nodes), nodes[0].snapshot, Feed()).reading(LATENCY)

    told = latency(calm, slow)
    assert isinstance(told, Ready)
    assert told.value.last is not None
    assert [told.value.last.calls.percentile(share) for share in (0.5, 0.51, 0.99)] == [4, 8_192, 8_192]
    assert latency(calm, slow, silent) == PENDING


def test_memory_names_the_primary_that_is_full_where_others_have_no_limit() -> None:
    infos = [parse_info(f"run_id:{limit}\r\nused_memory:98\r\nmaxmemory:{limit}\r\n".encode()) for limit in (0, 100, 0)]
    plain = [node(port, Role.PRIMARY) for port in (1, 2, 3)]
    nodes = [
        replace(one, snapshot=replace(one.snapshot, readings={MEMORY.name: Ready(MEMORY.parse(info), 1.0)}))
        for one, info in zip(plain, infos, strict=True)
    ]
    view = fleet(Kind.CLUSTER, nodes)
    reading = Whole((MEMORY,), safe("shop")).snapshot(view, infos, nodes[0].snapshot, Feed()).reading(MEMORY)
    assert isinstance(reading, Ready)
    assert (reading.value.used_memory, reading.value.unlimited) == (294, 2)
    assert reading.value.fullest is not None
    assert (reading.value.fullest.node, reading.value.fullest.memory.share) == ("10.0.0.1:2", 0.98)


def test_where_none_answers_the_one_that_is_away_longest_says_why() -> None:
    nodes = [doing(port, Role.PRIMARY, {}, lost(since)) for port, since in ((1, 80.0), (2, 70.0), (3, 90.0))]
    assert together(*nodes).link == lost(70.0)


def test_replicas_that_are_left_alone_count_once() -> None:
    reads = parse_info(b"role:slave\r\nkeyspace_hits:30\r\nkeyspace_misses:10\r\n")
    primary, replica = doing(1, Role.PRIMARY, {}, lost(80.0)), doing(2, Role.REPLICA, {})
    reading = together(primary, replica, infos=[reads, reads]).reading(HIT_RATE)
    assert isinstance(reading, Ready)
    assert (reading.value.keyspace_hits, reading.value.keyspace_misses) == (30, 10)


def test_peaks_of_the_whole_are_set_anew() -> None:
    whole, one = Whole((HIT_RATE,), safe("shop")), doing(1, Role.PRIMARY, {COMMANDS: 100.0, CLIENTS: 7.0})
    shown = whole.snapshot(fleet(Kind.REPLICATION, [one]), [None], one.snapshot, Feed())
    assert shown.history.peak(CLIENTS.name) == 7
    whole.reset_peaks()
    later = replace(one.snapshot, at=one.snapshot.at + 60, wall=one.snapshot.wall + 60)
    less = replace(one, snapshot=replace(doing(1, Role.PRIMARY, {COMMANDS: 10.0, CLIENTS: 3.0}).snapshot, at=later.at))
    shown = whole.snapshot(fleet(Kind.REPLICATION, [less]), [None], later, Feed())
    assert (shown.history.peak(CLIENTS.name), shown.history.peak(COMMANDS.name)) == (3, 10)
    assert shown.history.peaks_since == one.snapshot.wall
    assert shown.history.peaks_cover == 60


def placed(port: int, role: Role, link: Link, failing: str | None = None) -> Node:
    """A primary of 500 bytes that does 10 commands a second, or what is known of one that hasn't told yet."""
    told = isinstance(link, Live)
    one = doing(port, role, {COMMANDS: 10.0, USED_MEMORY: 500.0} if told else {}, link)
    return replace(one, member=replace(one.member, failing=safe(failing) if failing else None))


LIVE = Live(50.0, 0.001)
TOLD = placed(1, Role.PRIMARY, LIVE)
INFO = parse_info(b"run_id:x\r\nused_memory:500\r\nused_memory_rss:500\r\n")


@pytest.mark.parametrize(
    ("nodes", "met"),
    [
        pytest.param([placed(1, Role.UNKNOWN, LIVE)], True, id="the one that was named, which knows no others yet"),
        pytest.param([TOLD], False, id="others are known, and nothing of them"),
        pytest.param([TOLD, placed(2, Role.PRIMARY, Connecting(99.0))], True, id="another is being connected to"),
    ],
)
def test_nothing_is_recorded_of_a_cluster_before_each_node_has_told(nodes: Sequence[Node], *, met: bool) -> None:
    whole = Whole((MEMORY,), safe("shop"))
    infos = [INFO if isinstance(each.snapshot.link, Live) else None for each in nodes]
    shown = whole.snapshot(fleet(Kind.CLUSTER, nodes), infos, nodes[0].snapshot, Feed(), met=met)
    assert len(shown.history) == 0
    # One that hangs doesn't hide what the others tell.
    is_hanging = len(nodes) > 1
    assert isinstance(shown.reading(MEMORY), Ready if is_hanging else type(PENDING))

    both = [TOLD, placed(2, Role.PRIMARY, LIVE)]
    for at in (101.0, 102.0):
        shown = whole.snapshot(fleet(Kind.CLUSTER, both), [INFO, INFO], replace(TOLD.snapshot, at=at), Feed())
    assert shown.history.samples(USED_MEMORY.name, 0, shown.history.end) == (1_000, 1_000)
    assert shown.history.samples(COMMANDS.name, 0, shown.history.end) == (None, 20)
    reading = shown.reading(MEMORY)
    assert isinstance(reading, Ready)
    assert reading.value.used_memory == 1_000


@pytest.mark.parametrize(
    "away", [placed(2, Role.PRIMARY, lost(80.0)), placed(2, Role.PRIMARY, Connecting(99.0), "fail")]
)
def test_a_node_that_is_known_to_be_away_is_not_waited_for(away: Node) -> None:
    shown = Whole((MEMORY,), safe("shop")).snapshot(
        fleet(Kind.CLUSTER, [TOLD, away]), [INFO, None], TOLD.snapshot, Feed()
    )
    assert shown.history.latest(USED_MEMORY.name) == 500
    assert isinstance(shown.reading(MEMORY), Ready)


def test_a_cluster_that_does_not_let_us_see_its_nodes_is_recorded_of_the_one() -> None:
    refused = Unavailable(Reason.DENIED, safe("no"), safe(""))
    one = placed(1, Role.UNKNOWN, LIVE)
    one = replace(one, snapshot=replace(one.snapshot, readings={CLUSTER_NODES.name: refused}))
    shown = Whole((MEMORY,), safe("shop")).snapshot(fleet(Kind.CLUSTER, [one]), [INFO], one.snapshot, Feed())
    assert shown.history.latest(USED_MEMORY.name) == 500
