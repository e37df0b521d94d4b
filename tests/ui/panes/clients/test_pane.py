"""The clients pane: what is shown of whom, in which order, and who can be killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from pymon_tui.model.deployment import Kind, Role
from pymon_tui.model.query import PENDING, Ready, Reason, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.clients import CLIENTS, node_field
from pymon_tui.readings.slowlog import SLOWLOG, SlowEntry, SlowLog
from pymon_tui.ui.panes.clients import ClientsPane
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.table import Table
from tests.readings.clients.rows import listing, row
from tests.script import Script, snapshot
from tests.state.deployed import fleet, node
from tests.ui.panes.alone import Alone, alone
from tests.ui.stage import app_of, monitor_of

ROWS = (
    row(3, name="api-web", omem=100, cmd="hgetall", tot_cmds=100, idle=4),
    row(4, name="celery", omem=2 << 20, cmd="unlink", tot_cmds=100, user="worker", addr="10.0.0.2:1"),
    row(5, omem=0, cmd="get", tot_cmds=100, addr="10.0.3.14:51000"),
    row(6, name="api-web", omem=40 << 20, cmd="blpop", flags="b", tot_cmds=100),
    row(9, name="pymon-tui", cmd="client|list"),
)
LATER = (
    row(3, name="api-web", omem=100, cmd="hgetall", tot_cmds=104, idle=4),
    row(4, name="celery", omem=2 << 20, cmd="unlink", tot_cmds=900, user="worker", addr="10.0.0.2:1"),
    row(5, omem=0, cmd="get", tot_cmds=200, addr="10.0.3.14:51000"),
    row(6, name="api-web", omem=40 << 20, cmd="blpop", flags="b", tot_cmds=100),
    row(9, name="pymon-tui", cmd="client|list"),
)


def shown(*rows: bytes, at: float = 100.0, **known: Any) -> Snapshot:
    return snapshot({CLIENTS: Ready(listing(*rows), at)}, at=at, own_ids=known.pop("own_ids", {9}), **known)


def table_of(stage: Alone[ClientsPane]) -> Table[Any]:
    return stage.pane.query_one(Table)


def lines(table: Table[Any]) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.headed, table.size.height)]


def ids(table: Table[Any]) -> list[int]:
    return [table.rows[index].client.id for index in range(len(table.rows))]


def cursor_id(table: Table[Any]) -> int:
    assert table.cursor_row is not None
    client_id: int = table.cursor_row.client.id
    return client_id


@asynccontextmanager
async def pane_of(width: int = 120, height: int = 30, *rows: bytes) -> AsyncIterator[Alone[ClientsPane]]:
    async with alone(ClientsPane(), width, height) as stage:
        await stage.show(shown(*(rows or ROWS)), full=height > 20)
        table_of(stage).focus()
        yield stage


async def test_others_are_shown_largest_output_first_and_we_are_not() -> None:
    async with pane_of() as stage:
        assert ids(table_of(stage)) == [6, 4, 3, 5]
        assert str(stage.pane.border_title) == "Clients 4"
        assert str(stage.pane.border_subtitle) == "by output buffer ↓"


async def test_the_overview_at_eighty_columns_says_who_what_and_how_much() -> None:
    async with pane_of(40, 7) as stage:
        said = lines(table_of(stage))
        assert not table_of(stage).headed
        assert len(said) == 5
        assert [line.split() for line in said[:4]] == [
            ["api-web", "0s", "blpop", "40M"],
            ["celery", "0s", "unlink", "2.0M"],
            ["api-web", "4s", "hgetall", "100B"],
            ["10.0.3.14", "0s", "get", "0B"],
        ]


async def test_more_room_shows_more_columns() -> None:
    async with pane_of() as stage:
        titles = {}
        for width in (40, 80, 120, 200):
            await stage.resize(width, 30)
            titles[width] = table_of(stage).render_line(0).text.replace("↓", "").split()
        assert set(titles[40]) < set(titles[80]) < set(titles[120]) < set(titles[200])
        assert {"address", "cmd/s"} <= set(titles[80])
        assert {"id", "user", "age", "memory"} <= set(titles[120])
        assert {"db", "flags", "library", "multi"} <= set(titles[200])


async def test_who_has_no_name_is_called_by_address_where_there_is_no_room_for_addresses() -> None:
    async with pane_of() as stage:
        seen = set()
        for width in range(40, 130):
            await stage.resize(width, 30)
            table = table_of(stage)
            (name,) = [column for column in table.columns if column.name == "name"]
            has_addresses = "address" in table.render_line(0).text
            nameless = next(row for row in map(table.rows.__getitem__, range(4)) if row.client.name is None)
            assert name.cell(nameless) == (("–", "faint") if has_addresses else (nameless.client.host, "faint")), width
            seen.add(has_addresses)
        assert seen == {True, False}


async def test_amber_and_red_stand_where_a_person_should_look_or_act() -> None:
    async with pane_of() as stage:
        rows, columns = table_of(stage).rows, {column.name: column for column in table_of(stage).columns}
        assert [columns["output buffer"].cell(rows[index]).role for index in range(4)] == [
            "act",
            "warn",
            "value",
            "faint",
        ]
        assert [columns["command"].cell(rows[index]).role for index in range(4)] == ["info", "value", "value", "value"]
        assert [columns["name"].cell(rows[index]).role for index in range(4)] == ["value", "value", "value", "faint"]


async def test_rates_are_per_second_between_two_lists() -> None:
    async with pane_of() as stage:
        cell = next(column.cell for column in table_of(stage).columns if column.name == "commands")
        assert {cell(table_of(stage).rows[index]).text for index in range(4)} == {"–"}
        await stage.show(shown(*LATER, at=104.0, cadence={"clients": 4.0}), full=True)
        table_of(stage).sort_by("commands")
        await stage.press()
        assert ids(table_of(stage)) == [4, 5, 3, 6]
        assert [cell(table_of(stage).rows[index]).text for index in range(4)] == ["200", "25", "1", "0"]
        assert str(stage.pane.border_subtitle) == "by commands ↓ · every 4s"


async def test_a_list_out_of_turn_does_not_make_a_rate_of_a_moment() -> None:
    async with pane_of() as stage:
        await stage.show(shown(*ROWS, at=104.0, cadence={"clients": 4.0}), full=True)
        await stage.show(shown(*LATER, at=104.1, cadence={"clients": 4.0}), full=True)
        table_of(stage).sort_by("commands")
        await stage.press()
        assert table_of(stage).rows[0].traffic.commands == pytest.approx(800 / 4.1)


async def test_after_a_long_while_unseen_nothing_is_known_of_now() -> None:
    async with pane_of() as stage:
        await stage.show(shown(*LATER, at=700.0), full=True)
        assert table_of(stage).rows[0].traffic.commands is None


async def test_a_server_without_counters_has_no_columns_for_them() -> None:
    old = [row(number, tot_cmds=None, tot_net_in=None, tot_net_out=None, lib_name=None) for number in (1, 2)]
    async with pane_of(200, 30, *old) as stage:
        names = [column.name for column in table_of(stage).columns]
        assert not {"commands", "bytes in", "bytes out", "library"} & set(names)
        await stage.press("g")
        assert [column.name for column in table_of(stage).columns] == ["group", "clients", "output buffer", "memory"]
        assert table_of(stage).sort == "clients"


async def test_a_text_narrows_the_list_and_the_title_says_so() -> None:
    async with pane_of() as stage:
        await stage.press("slash", *"api", "enter")
        assert ids(table_of(stage)) == [6, 3]
        assert str(stage.pane.border_title) == "Clients 2 of 4  filter: api"
        await stage.press("escape")
        assert len(table_of(stage).rows) == 4


async def test_a_filter_that_finds_nobody_says_so() -> None:
    async with pane_of() as stage:
        await stage.press("slash", *"nobody", "enter")
        assert lines(table_of(stage))[0] == "no id, address, name, user, command or library holds this"
        assert stage.pane.check_action("kill", ()) is None


async def test_groups_add_up_and_are_gone_into_and_left() -> None:
    async with pane_of() as stage:
        await stage.show(shown(*LATER, at=101.0), full=True)
        await stage.press("g")
        assert str(stage.pane.border_title) == "Clients 4  by name"
        assert [line.split()[:3] for line in lines(table_of(stage))[:3]] == [
            ["celery", "1", "800"],
            ["no", "name", "1"],
            ["api-web", "2", "4"],
        ]
        await stage.press("j", "j")
        assert stage.pane.opened() is None
        assert ids(table_of(stage)) == [6, 3]
        assert str(stage.pane.border_title) == "Clients 2 of 4  by name: api-web"
        await stage.press("escape")
        assert stage.pane.copied() == "api-web"  # where it was left
        await stage.press("g", "g", "g", "g")
        assert ids(table_of(stage)) == [6, 4, 3, 5]


async def test_a_group_is_not_killed() -> None:
    async with pane_of() as stage:
        assert stage.pane.check_action("kill", ()) is True
        await stage.press("g")
        assert stage.pane.check_action("kill", ()) is None


async def test_the_cursor_stays_on_its_client_while_the_order_changes() -> None:
    async with pane_of() as stage:
        await stage.press("j", "j")
        assert cursor_id(table_of(stage)) == 3
        await stage.show(shown(row(3, omem=99 << 20), *ROWS[1:], at=101.0), full=True)
        assert ids(table_of(stage))[0] == 3
        assert cursor_id(table_of(stage)) == 3


async def test_the_row_is_copied_as_the_server_told_it() -> None:
    async with pane_of() as stage:
        assert stage.pane.copied() == safe(ROWS[3])


async def test_hostile_names_are_drawn_harmlessly() -> None:
    evil = b"\x1b]52;c;x\x07[/]\xff\xe2\x80\xae"
    async with pane_of(200, 30, row(1).replace(b"user=default", b"user=" + evil)) as stage:
        text = "\n".join(lines(table_of(stage)))
        assert "\x1b" not in text
        assert "\\x1b]52;c;x" in text
        await stage.press("g", "g")
        assert "\\x1b]52;c;x\\x07[/]\\xff\\u202e" in lines(table_of(stage))[0]


async def test_nobody_but_us_is_said() -> None:
    async with pane_of(120, 30, row(9)) as stage:
        assert str(stage.pane.border_title) == "Clients 0"
        assert lines(table_of(stage))[0] == "nobody but this monitor"


@pytest.mark.parametrize(
    "gap", [PENDING, Unavailable(Reason.DENIED, safe("NOPERM client|list"), safe("ACL SETUSER app +client|list"))]
)
async def test_a_gap_is_drawn_in_place_of_the_table(gap: Any) -> None:
    async with pane_of() as stage:
        await stage.show(snapshot({CLIENTS: gap}), full=True)
        assert not table_of(stage).display
        assert stage.pane.query_one(".gap").display


async def test_whoever_may_be_us_is_not_offered() -> None:
    async with alone(ClientsPane(), 120, 30) as stage:
        await stage.show(shown(row(9, cmd="client|list"), own_ids=()), full=True)
        assert stage.pane.check_action("kill", ()) is None
        await stage.show(shown(row(9, cmd="client|list"), at=101.0, own_ids={8}), full=True)
        assert stage.pane.check_action("kill", ()) is True


async def test_of_all_nodes_together_each_clients_node_says_who_is_left_out() -> None:
    named, unnamed = node(7000, Role.PRIMARY), node(7001, Role.PRIMARY)
    nodes = [
        replace(one, snapshot=replace(one.snapshot, own_ids=ids))
        for one, ids in ((named, frozenset({8})), (unnamed, frozenset()))
    ]
    view = fleet(Kind.CLUSTER, nodes)
    async with alone(ClientsPane(), 120, 30) as stage:
        for at, (one, is_offered) in enumerate(zip(nodes, (True, None), strict=True), start=100):
            on = node_field(one.snapshot.node)
            told = shown(row(9, cmd="client|list", node=on), at=at, own_ids=())
            await stage.show(replace(told, fleet=view), full=True)
            assert stage.pane.check_action("kill", ()) is is_offered


async def test_read_only_the_key_is_absent() -> None:
    async with pane_of() as stage:
        stage.pane.read_only = True
        assert stage.pane.check_action("kill", ()) is False


async def test_a_kill_shows_the_exact_command_and_sends_it_once_confirmed() -> None:
    script = Script(shown(*ROWS))
    app = app_of(script)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("4")
        await pilot.pause()
        assert ids(monitor_of(app).query_one(ClientsPane).query_one(Table)) == [6, 4, 3, 5]
        await pilot.press("j", "x")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("enter")
        assert script.acts == []
        await pilot.press("x")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert [act.shown for act in script.acts] == ["CLIENT KILL ID 4 ADDR 10.0.0.2:1"]
        assert script.acts[0].effect == "closes 10.0.0.2:1 celery, idle 0s"


async def test_enter_opens_the_client_in_detail() -> None:
    app = app_of(Script(shown(*ROWS)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("4")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ReaderScreen)


def slow(number: int, command: bytes, address: str, name: str | None) -> SlowEntry:
    arguments = tuple(command.split())
    return SlowEntry(0, number, 1_790_000_000, 20_000, arguments, safe(address), safe(name) if name else None)


async def test_a_client_suggests_the_keys_of_its_newest_slow_command() -> None:
    entries = (
        slow(4, b"PING", "10.0.0.2:1", "celery"),
        slow(3, b"HGETALL user:42", "10.0.0.9:7", "celery"),
        slow(2, b"GET job:7", "10.0.0.2:1", "celery"),
    )
    async with alone(ClientsPane(), 120, 20) as stage:
        one = snapshot({CLIENTS: Ready(listing(*ROWS), 100.0), SLOWLOG: Ready(SlowLog(entries, 0), 100.0)}, own_ids={9})
        await stage.show(one, full=True)
        suggestions = {}
        for index in range(len(table_of(stage).rows)):
            table_of(stage).point_at(table_of(stage).rows.key(index))
            suggestion = stage.pane.suggestion()
            suggestions[cursor_id(table_of(stage))] = suggestion.shown if suggestion is not None else None
        assert suggestions == {3: None, 4: "job:*", 5: None, 6: None}
