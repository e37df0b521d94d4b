"""The server pane on the screen: its two forms, its tables and its keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.feed import Feed
from pymon_tui.model.query import Ready, Reason, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.commands import COMMANDSTATS, Growth
from pymon_tui.readings.latency import LATENCY
from pymon_tui.readings.server import SERVER
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.state.monitor import Monitor
from pymon_tui.ui.panes.server import ServerPane
from pymon_tui.ui.panes.server.tables import CommandRow
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.status import right_title
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.ink import Facts, Ink, text_of
from pymon_tui.ui.widgets.plot import Plot
from pymon_tui.ui.widgets.table import Table
from tests.script import Script, snapshot
from tests.server.fake import unrecorded
from tests.ui.panes.alone import alone
from tests.ui.panes.server.made import ORPHAN, PRIMARY, REDIS, REPLICA, snapshot_of
from tests.ui.stage import app_of, until

pytestmark = pytest.mark.usefixtures("utc")

# What is left to a pane on screens of 80x24, 120x36 and 200x50, its frame included.
IN_OVERVIEW = [(40, 7), (40, 11), (66, 16)]
IN_FULL = [(80, 22), (120, 34), (200, 48)]
DENIED = Unavailable(Reason.DENIED, safe("NOPERM"), safe("ACL SETUSER pymon +info"))


def text(widget: Ink) -> str:
    """What a widget shows, line by line."""
    return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))


def commands_of(pane: ServerPane) -> Table[CommandRow]:
    """The table of commands."""
    return pane.query_one("#server-commands", Table)


def names(pane: ServerPane) -> list[str]:
    """The commands shown, in order."""
    rows = commands_of(pane).rows
    return [str(rows[index].statistic.name) for index in range(len(rows))]


@pytest.mark.parametrize("size", IN_OVERVIEW)
async def test_the_overview_keeps_a_graph_under_its_facts(size: tuple[int, int]) -> None:
    async with alone(ServerPane(), *size) as stage:
        await stage.show(snapshot_of(), full=False)
        graph = stage.pane.query_one("#server-rate Graph", Graph)
        assert graph.size.height >= 2
        assert stage.rows_taken == stage.pane.size.height
        assert "█" in text(graph)
        assert "…" not in text(stage.pane.query_one("#server-facts", Facts))
        assert stage.edge == f"12.4k/s   {'peaks since 00:00   ' if size[0] > 60 else ''}0–18k/s · 5m"


@pytest.mark.parametrize("size", IN_FULL)
async def test_the_full_form_has_room_for_all_its_parts(size: tuple[int, int]) -> None:
    async with alone(ServerPane(), *size) as stage:
        for name in (PRIMARY, REPLICA, REDIS):
            await stage.show(snapshot_of(name), full=True)
            pane = stage.pane
            # One line lies between the facts and the graphs.
            assert stage.rows_taken + 1 == pane.size.height
            plots = [plot for plot in pane.query(Plot) if plot.display]
            assert len(plots) == (3 if size[0] > 100 else 2)
            for plot in plots:
                assert plot.graph.size.height >= 2
                assert "█" in text(plot.graph)
                assert "…" not in text(plot.query_one(Facts))
            assert commands_of(pane).size.height >= 5
            assert pane.query_one("#server-replicas").display is (name != REPLICA)


async def test_the_edge_says_what_is_wrong() -> None:
    async with alone(ServerPane(), 40, 7) as stage:
        await stage.show(snapshot_of(ORPHAN, {"master_link_down_since_seconds": 72}), full=False)
        assert stage.edge == "primary down 1m 12s   0–18k/s · 5m"
        assert stage.pane.has_class("-act")
        await stage.show(snapshot_of(), full=False)
        assert stage.edge == "12.4k/s   0–18k/s · 5m"
        assert not stage.pane.has_class("-act")


async def test_without_info_the_pane_says_why_and_nothing_else() -> None:
    async with alone(ServerPane(), 80, 22) as stage:
        for full in (False, True):
            await stage.show(snapshot_of(), full=full)
            await stage.show(snapshot({SERVER: DENIED}), full=full)
            gap = stage.pane.query_one(".gap", Facts)
            assert [part for part in stage.pane.children if part.display] == [gap]
            assert "ACL SETUSER pymon +info" in text(gap)


async def test_a_server_that_accounts_for_nothing_has_an_empty_table_that_says_so() -> None:
    async with alone(ServerPane(), 80, 22) as stage:
        await stage.show(snapshot_of(without=("cmdstat",)), full=True)
        assert "doesn't account for its commands" in text(commands_of(stage.pane))
        assert stage.pane.opened() is None
        assert stage.pane.copied() is None


async def test_commands_are_sorted_filtered_and_opened() -> None:
    async with alone(ServerPane(), 120, 34) as stage:
        await stage.show(snapshot_of(), full=True)
        pane, table = stage.pane, commands_of(stage.pane)
        table.focus()
        assert names(pane)[0] == "info"
        await stage.press("s", "s")
        assert (table.sort, names(pane)[0]) == ("calls", "set")
        await stage.press("slash", *"hse", "enter")
        assert names(pane) == ["hset"]
        assert str(pane.border_title) == "Server  filter: hse"
        opened = pane.opened()
        assert opened is not None
        assert opened.title == "hset"
        assert opened.copied.startswith("hset · calls now 30/s")
        await stage.press("escape")
        assert len(names(pane)) > 5
        assert str(pane.border_title) == "Server"


async def test_a_replica_is_opened_from_its_own_table() -> None:
    async with alone(ServerPane(), 120, 34) as stage:
        await stage.show(snapshot_of(), full=True)
        stage.pane.query_one("#server-replicas").focus()
        await stage.press("down")
        opened = stage.pane.opened()
        assert opened is not None
        assert opened.title == "127.0.0.1:6381"
        assert "lag 0s since it last acknowledged" in opened.copied


async def test_the_overview_copies_what_it_says() -> None:
    async with alone(ServerPane(), 40, 7) as stage:
        await stage.show(snapshot_of(), full=False)
        assert (stage.pane.copied() or "").startswith("commands 12.4k/s peak 18.0k in 1m · network in 3.10M/s")
        assert stage.pane.opened() is None


async def test_the_graphs_show_more_time() -> None:
    async with alone(ServerPane(), 120, 34) as stage:
        await stage.show(snapshot_of(), full=True)
        commands_of(stage.pane).focus()
        captions = [text(plot.query_one(Facts)) for plot in stage.pane.query(Plot)]
        assert [caption.split()[-3:] for caption in captions] == [
            ["0–18k/s", "·", "5m"],
            ["0–5M/s", "·", "5m"],
            ["0–60M/s", "·", "5m"],
        ]
        await stage.press("w")
        assert all("· 15m" in text(plot.query_one(Facts)) for plot in stage.pane.query(Plot))


async def test_keys_of_tables_that_are_not_shown_do_nothing() -> None:
    script = Script(snapshot_of())
    async with app_of(script).run_test() as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        pane = pilot.app.screen.query_one(ServerPane)
        await pilot.press("2", "escape", "s", "slash")
        assert pilot.app.focused is pane
        assert commands_of(pane).sort == "time"
        assert not pane.query_one(FilterLine).has_class("-open")


@pytest.mark.parametrize(("width", "said"), [(100, True), (99, False)])
def test_the_title_has_the_number_of_keys_where_there_is_room(width: int, said: bool) -> None:  # noqa: FBT001
    one = snapshot_of()

    title = text_of(right_title(one, None, one.at, width=width, read_only=False))

    assert ("551 keys" in title) is said


async def test_a_real_server_is_read_and_commands_of_others_are_counted(server: EmbeddedServer, redis: Redis) -> None:
    endpoint = Endpoint(socket=server.socket)
    monitor = Monitor(endpoint, ServerPane.QUERIES, interval=0.05, feed=Feed(), read_only=True, record=unrecorded)
    monitor.want([query.name for query in ServerPane.QUERIES])
    snapshots = monitor.snapshots()
    async with asyncio.timeout(10):
        one, growth = await _counted(snapshots, redis)
    await snapshots.aclose()

    unknown = [query.name for query in ServerPane.QUERIES if not isinstance(one.readings[query.name], Ready)]
    assert unknown == []
    assert growth.calls > 1
    assert growth.usec > 0
    commands = one.reading(COMMANDSTATS)
    assert isinstance(commands, Ready)
    assert "info" not in {each.name for each in commands.value.statistics}
    assert commands.value.growth("info") == Growth(0.0, 0.0)


async def _counted(snapshots: AsyncIterator[Snapshot], redis: Redis) -> tuple[Snapshot, Growth]:
    """The first snapshot that knows what EVAL of somebody else did lately, and how long all calls took."""
    async for one in snapshots:
        await redis.eval("for _ = 1, 5000 do end", 0)  # long enough to take whole microseconds
        commands = one.reading(COMMANDSTATS)
        if not isinstance(one.reading(LATENCY), Ready):
            continue
        if isinstance(commands, Ready) and (growth := commands.value.growth("eval")) is not None and growth.calls:
            return one, growth
    raise AssertionError("the monitor ended")
