"""The memory pane: its lines, its graphs, and when it has a colour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pymon_tui.model.history import History
from pymon_tui.model.query import PENDING
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.memory import MEMORY, Memory, parse_memory
from pymon_tui.readings.memory_use import concerns
from pymon_tui.readings.metrics import EVICTED, EXPIRED, METRICS, USED_MEMORY
from pymon_tui.ui.panes.memory import MemoryPane, details, glance
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.ink import Line, line_width, text_of
from tests.readings.test_memory import RECORDED, memory, together
from tests.replies import recorded
from tests.script import ready, snapshot
from tests.ui.panes.alone import alone

GIB = 1 << 30
CACHE = memory(
    used_memory=int(2.32 * GIB),
    used_memory_rss=int(2.71 * GIB),
    used_memory_peak=int(3.1 * GIB),
    used_memory_dataset=2 * GIB,
    used_memory_overhead=int(0.32 * GIB),
    used_memory_startup=1 << 20,
    used_memory_scripts=320,
    maxmemory=4 * GIB,
    maxmemory_policy="allkeys-lru",
    total_system_memory=16 * GIB,
    mem_fragmentation_ratio=1.17,
    mem_fragmentation_bytes=int(0.39 * GIB),
    mem_allocator="jemalloc-5.3.0",
    mem_clients_normal=30 << 20,
    mem_clients_slaves=0,
    mem_replication_backlog=1 << 20,
    evicted_keys=0,
    expired_keys=90_000,
)
FULL = memory(
    used_memory=990, maxmemory=1000, maxmemory_policy="noeviction", used_memory_rss=99, total_system_memory=16 * GIB
)


def shown(of: Memory, seconds: int = 100) -> Snapshot:
    """This memory at the end of a time in which used memory grew and four keys a second expired."""
    history = History(METRICS)
    for at in range(seconds + 1):
        used = (of.used_memory or 0) * (0.5 + 0.5 * at / seconds)
        history.record(float(at), {USED_MEMORY.name: used, EXPIRED.name: 4.0 * at, EVICTED.name: 0.0}, {})
    return snapshot({MEMORY: ready(of)}, history=history)


def overview(of: Memory, width: int = 36) -> tuple[Line, ...]:
    return glance(of, shown(of), concerns(of), width)


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [text_of(line).rstrip() for line in lines]


def test_the_overview_says_how_much_of_how_much_first() -> None:
    assert texts(overview(CACHE))[:4] == [
        "━━━━━━━━━━━━━━━━━────────────  58.0%",
        "used      2.32 GiB of 4.00 GiB",
        "evicted        0/s  expired      4/s",
        "rss       2.71 GiB frag 1.17",
    ]


def test_where_nothing_is_evicted_what_the_process_holds_comes_before_it() -> None:
    assert texts(overview(memory(used_memory=5, maxmemory_policy="noeviction")))[2].startswith("rss")


def test_what_is_wrong_is_said_and_coloured() -> None:
    bar, warning, rest, *_ = overview(FULL)
    assert bar[0].role == bar[-1].role == "act"
    assert (text_of(warning), text_of(rest)) == ("writes fail when full: noeviction, ", "99.0% of maxmemory")
    assert {piece.role for piece in (*warning, *rest)} == {"act"}


@pytest.mark.parametrize("width", [10, 36, 60])
def test_the_bar_is_as_wide_as_the_pane(width: int) -> None:
    assert line_width(overview(CACHE, width)[0]) == width


def test_a_warning_is_whole_at_every_width() -> None:
    for width in (20, 36, 56, 100):
        lines = [line for line in overview(FULL, width) if {role for _, role in line} == {"act"}]
        assert "".join(text_of(line) for line in lines) == "writes fail when full: noeviction, 99.0% of maxmemory"
        assert all(line_width(line) <= width for line in lines)


def test_of_several_nodes_the_bar_is_that_of_the_fullest_which_is_named() -> None:
    full = memory(used_memory=98 << 20, maxmemory=100 << 20, maxmemory_policy="allkeys-lru", db0="keys=9,expires=0")
    free = memory(used_memory=1 << 30, maxmemory=0)
    shown = texts(overview(together(free=free, full=full, other=free), 40))
    assert shown[0].endswith("98.0%")
    assert shown[1:3] == ["fullest   98.0% full", "its limit 100 MiB  none on 2 of 3"]
    in_full = "\n".join(texts(details(together(free=free, full=full), snapshot({}), (), 100, 30)))
    assert "fullest   98.0% full" in in_full
    assert "its limit 100 MiB  none on 1 of 2" in in_full


def test_a_server_that_says_little_is_drawn_with_what_it_says() -> None:
    little = memory(used_memory=5)
    assert texts(details(little, shown(little), (), 76, 5))[0].split()[:3] == ["used", "5", "B"]
    assert texts(overview(little))[1] == "used           5 B"


@pytest.mark.parametrize(("width", "height"), [(74, 11), (76, 11), (116, 23), (196, 37)])
@pytest.mark.parametrize("name", RECORDED)
def test_the_full_form_has_what_was_asked_for_at_each_size(name: str, width: int, height: int) -> None:
    read = parse_memory(parse_info(recorded(name)))
    lines = details(read, shown(read), (), width, height)

    assert len(lines) <= height
    assert max(map(line_width, lines)) <= width
    text = "\n".join(texts(lines))
    assert "…" not in text
    for wanted in ("used", "rss", "peak", "dataset", "key tables", "clients", "replicas", "backlog"):
        assert wanted in text
    for wanted in ("frag", "allocator", "policy", "allkeys-lru", "evicted", "expired"):
        assert wanted in text


async def test_the_overview_says_what_its_graph_is_measured_by() -> None:
    async with alone(MemoryPane(), 40, 7) as stage:
        await stage.show(shown(CACHE), full=False)
        graph = stage.pane.query_one("#used", Graph)
        assert (graph._low, graph._high) == (0, 4 * GIB)
        assert graph.size.height == 2
        assert stage.edge == "allkeys-lru   0–4 GiB · 5m"


async def test_in_full_its_graphs_say_what_they_are_measured_by() -> None:
    async with alone(MemoryPane(), 80, 22) as stage:
        await stage.show(shown(CACHE), full=True)
        assert stage.said("#used-caption") == ["used memory of 4.00 GiB   0–4 GiB · 5m   · not known"]
        assert stage.said("#gone-caption") == ["expired per second   0–6/s · 5m   · not known"]
        await stage.press("w")
        assert stage.said("#used-caption") == ["used memory of 4.00 GiB   0–4 GiB · 15m   · not known"]


async def test_memory_above_its_limit_is_drawn_as_what_it_is() -> None:
    over = replace(CACHE, used_memory=int(5.66 * 4 * GIB), maxmemory_policy=safe("noeviction"))
    async with alone(MemoryPane(), 80, 22) as stage:
        await stage.show(shown(over, 400), full=True)
        graph = stage.pane.query_one("#used", Graph)
        assert graph._high == 24 * GIB
        assert graph._line == 4 * GIB
        assert max(column or 0.0 for column in graph._columns) > 22 * GIB
        assert graph.tone == "act"


async def test_in_full_all_is_seen_at_every_size() -> None:
    async with alone(MemoryPane(), 80, 22) as stage:
        await stage.show(shown(CACHE), full=True)
        for size in ((80, 22), (120, 34), (200, 48)):
            await stage.resize(*size)
            assert stage.rows_taken == stage.pane.size.height
            assert stage.cut() == []
            assert all(graph.size.height >= 2 for graph in stage.pane.query(Graph))


async def test_the_frame_has_the_colour_of_the_worst_concern_while_it_lasts() -> None:
    async with alone(MemoryPane(), 40, 7) as stage:
        await stage.show(shown(FULL), full=False)
        assert stage.pane.has_class("-act")
        await stage.show(shown(CACHE), full=False)
        assert not stage.pane.has_class("-act", "-look")


async def test_a_gap_leaves_no_colour_behind() -> None:
    async with alone(MemoryPane(), 40, 7) as stage:
        await stage.show(shown(FULL), full=False)
        await stage.show(snapshot({MEMORY: PENDING}), full=False)
        assert stage.said(".gap") == ["waiting for an answer"]
        assert str(stage.pane.border_subtitle) == ""


async def test_without_maxmemory_the_frame_says_so() -> None:
    async with alone(MemoryPane(), 40, 7) as stage:
        await stage.show(shown(memory(used_memory=5, maxmemory=0, maxmemory_policy="noeviction")), full=False)
        assert stage.edge == "no maxmemory   0–5 B · 5m"


async def test_its_facts_are_copied_as_one_line() -> None:
    async with alone(MemoryPane(), 40, 7) as stage:
        await stage.show(shown(CACHE), full=False)
        copied = stage.pane.copied()
        assert copied is not None
        assert copied.startswith("limit · used 2.32 GiB of 4.00 GiB 58.0% · rss 2.71 GiB of 16.0 GiB 16.9% · peak")
        assert "allocator jemalloc-5.3.0" in copied
        assert "━" not in copied
