"""The application pane on scripted readings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pymon_tui.application.groups import DATABASE_SIZE, KEY_GROUPS, groups_of
from pymon_tui.application.samples import KEY_BYTES, KEY_LIVES
from pymon_tui.application.statistics import APPLICATION_TODAY
from pymon_tui.application.walk import decode_page
from pymon_tui.model.query import PENDING, Query, Reading, Reason, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.ui.panes.application import ApplicationPane
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.table import Table
from tests.application.keyspace_made import readings
from tests.script import Script, ready, snapshot
from tests.ui.panes.alone import Alone, alone
from tests.ui.stage import app_of, until_shown

DENIED = Unavailable(Reason.DENIED, safe("NOPERM no"), safe("ACL SETUSER mon +memory|usage"))


def shown(*keys: bytes, **made: Any) -> Snapshot:
    return snapshot(readings(*keys, **made))


def lines(stage: Alone[ApplicationPane]) -> list[str]:
    table = stage.pane.query_one(Table)
    return [text for y in range(1, table.size.height) if (text := table.render_line(y).text.strip())]


@asynccontextmanager
async def pane_of(one: Snapshot, width: int = 120) -> AsyncIterator[Alone[ApplicationPane]]:
    async with alone(ApplicationPane(), width, 30) as stage:
        await stage.show(one, full=True)
        stage.pane.query_one(Table).focus()
        yield stage


async def test_families_namespaces_and_the_rest() -> None:
    async with pane_of(shown()) as stage:
        assert [line.split("  ")[0] for line in lines(stage)] == [
            "monitoring results",
            "sessions",
            "project settings",
            "feed:*",
            "\\x1b\\[*J:*",
            "queue",
            "other keys",
        ]
        assert str(stage.pane.border_title) == "Application"
        assert str(stage.pane.border_subtitle) == "51 keys in families, 64.6% of all"
        assert "no keys  recent alerts" in stage.said("#absent")[0]


async def test_an_empty_database_says_so() -> None:
    nothing = groups_of(decode_page([b"0", []]))
    async with pane_of(snapshot(readings() | {KEY_GROUPS: ready(nothing)})) as stage:
        assert lines(stage) == ["no keys in this database"]
        assert stage.said("#absent") == []
        assert str(stage.pane.border_subtitle) == ""


async def test_what_may_not_be_asked_is_said_and_the_rest_is_drawn() -> None:
    denied: dict[Query[Any], Reading[Any]] = {KEY_BYTES: DENIED, KEY_LIVES: DENIED, DATABASE_SIZE: DENIED}
    async with pane_of(snapshot(readings() | denied)) as stage:
        assert "monitoring results" in lines(stage)[0]
        assert "40" in lines(stage)[0]
        assert stage.said("#facts")[1] == "bytes not available: denied  ACL SETUSER mon +memory|usage"
    async with pane_of(snapshot(readings() | {KEY_GROUPS: DENIED})) as stage:
        assert stage.pane.has_class("-gap")
    async with pane_of(snapshot(dict.fromkeys(readings(), PENDING))) as stage:
        assert stage.said(".gap") == ["waiting for an answer"]


async def test_the_first_round_is_projected() -> None:
    async with pane_of(shown(complete=False, total=790)) as stage:
        assert "~400" in lines(stage)[0]
        assert stage.said("#facts")[0].startswith("walking: 79 of 790 keys met, 10.0%")


async def test_rows_are_sorted_and_filtered() -> None:
    async with pane_of(shown()) as stage:
        await stage.press("s")  # the next column is the pattern's
        stage.pane.query_one(Table).sort_by("keys")
        await stage.press("S")
        assert lines(stage)[0].startswith(("\\x1b", "queue", "project settings"))
        stage.pane.query_one(FilterLine).filter_by("feed")
        await stage.press("down")
        assert [line.split()[0] for line in lines(stage)] == ["feed:*"]
        assert "filter: feed" in str(stage.pane.border_title)


async def test_a_row_suggests_its_pattern_and_is_copied() -> None:
    async with pane_of(shown()) as stage:
        table = stage.pane.query_one(Table)
        pattern = stage.pane.suggestion()
        assert pattern is not None
        assert pattern.glob == b"monitoring:result:*"
        assert stage.pane.copied() == "monitoring results  monitoring:result:*  40 keys  3.91 KiB"
        table.action_last()
        assert stage.pane.suggestion() is None
        assert stage.pane.copied() == "other keys  1 keys"


async def test_it_is_asked_for_only_while_it_is_open() -> None:
    one = shown()
    script = Script(one)
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        assert not script.wanted & {query.name for query in ApplicationPane.QUERIES if query is not APPLICATION_TODAY}
        await pilot.press("9")
        await pilot.pause()
        assert script.wanted == {query.name for query in ApplicationPane.QUERIES}


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_nothing_is_cut_where_there_is_room(size: tuple[int, int]) -> None:
    async with alone(ApplicationPane(), *size) as stage:
        await stage.show(shown(), full=True)
        assert not any("…" in line for line in lines(stage))
