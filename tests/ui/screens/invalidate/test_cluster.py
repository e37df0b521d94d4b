"""The screens of invalidation on a cluster: what each node has and does, within what fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pymon_tui.invalidation.account import NodeProgress, NodeResult, Progress, Tally
from pymon_tui.invalidation.brake import Feeling
from pymon_tui.invalidation.cluster.accounts import together
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.model.link import Trouble
from pymon_tui.model.text import safe
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.screens.invalidate.plan_text import plan_lines
from pymon_tui.ui.screens.invalidate.records import details
from pymon_tui.ui.screens.invalidate.run_text import account, node_lines
from pymon_tui.ui.widgets.ink import line_width, text_of
from tests.ui.screens.invalidate.test_looks import one
from tests.ui.screens.invalidate.walk import walk
from tests.ui.scripted_desk import ScriptedDesk, plan_of, progress_of, record_of, result_of

NODES = ("10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379")
SIZES = [(80, 24), (120, 36)]


@pytest.fixture
def desk(tmp_path: Path) -> ScriptedDesk:
    """Of a cluster of three primaries."""
    desk = ScriptedDesk(tmp_path)
    whole = plan_of(desk.selection((parse_pattern("user:cache:*"),), Filters(), every=False), desk.endpoint)
    shares = (4_010, 3_998, 4_023)
    desk.plan_changes = {
        "parts": tuple(replace(whole, node=node, matched=share) for node, share in zip(NODES, shares, strict=True))
    }
    return desk


def standing() -> Progress:
    """One node goes on, one holds, one is looked for."""
    going = replace(progress_of(4_010), scanned=300_000, total=400_000, tally=Tally(matched=3_000, removed=3_000))
    holding = replace(going, state="holding", why=safe("holding: 250 000 objects wait to be freed"))
    away = replace(
        going, state="reconnecting", why=safe("10.0.0.3:6379 refuses connections; trying again"), felt=Feeling()
    )
    return together(list(zip(NODES, (going, holding, away), strict=True)), planned=12_031, seconds=2.0)


@pytest.mark.parametrize("size", SIZES)
async def test_the_plan_says_what_nodes_have(desk: ScriptedDesk, size: tuple[int, int]) -> None:
    async with walk(desk, await one(run=False), size=size) as on:
        await on.to_ready_plan()
        await on.until_says("#facts", "nodes 3 3 998 to 4 023 each")
        assert on.screen.query_one("#samples").region.height >= 4
        assert on.screen.query_one("#confirm").region.bottom < size[1]


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_says_how_each_node_stands(desk: ScriptedDesk, size: tuple[int, int]) -> None:
    async with walk(desk, await one(run=True), size=size) as on:
        _, removal = await on.to_run()
        removal.progress = standing()
        await on.until_says("#progress", "10.0.0.1:6379 3 000 of 4 010 scan 75% PING")
        assert "removed 9 000" in on.text("#progress")
        assert "10.0.0.2:6379 3 000 scan 75% holding: 250 000 objects wait" in on.text("#progress")
        assert "10.0.0.3:6379 3 000 scan 75% refuses connections; trying again" in on.text("#progress")
        for frame in ("#run", "#brake", "#hits"):
            assert on.screen.query_one(frame).region.bottom < size[1]


def test_each_node_is_named_where_there_is_room(desk: ScriptedDesk) -> None:
    whole = plan_of(desk.selection((parse_pattern("user:*"),), Filters(), every=False), desk.endpoint)
    lines = [text_of(line) for line in plan_lines(replace(whole, **desk.plan_changes), 90)]
    (nodes,) = (line for line in lines if line.startswith("nodes"))
    assert nodes.split() == ["nodes", NODES[0], "4", "010", NODES[1], "3", "998", NODES[2], "4", "023"]


def test_the_most_strained_come_first_and_the_rest_are_counted() -> None:
    waiting = standing().nodes
    calm = [NodeProgress(f"10.0.1.{number}:6379", progress_of(100)) for number in range(9)]
    lines = [text_of(line) for line in node_lines((*calm, *waiting), 78)]
    assert [line[:13] for line in lines[:2]] == ["10.0.0.2:6379", "10.0.0.3:6379"]
    assert lines[-1] == "and 8 more nodes"
    assert all(line_width(line) <= 78 for line in node_lines(waiting, 78))


def test_the_account_has_every_node_with_what_ended_it() -> None:
    lost = LinkError(Trouble.UNREACHABLE, "10.0.0.2:6379 refuses connections", "is the server running there?")
    done, stopped = result_of(), result_of(outcome="stopped", why=safe(str(lost)), tally=Tally(matched=9, removed=7))
    whole = result_of(nodes=(NodeResult(NODES[0], done), NodeResult(NODES[1], stopped)))
    lines = [text_of(line) for line in account(whole, safe("user:cache:*"), "unlink")]
    (first,) = (line for line in lines if NODES[0] in line)
    assert first.split() == ["node", NODES[0], "12", "017", "of", "12", "031", "done"]
    assert any("7 of 9" in line and line.endswith("stopped") for line in lines)
    assert any("refuses connections; is the server" in line for line in lines)


def test_the_journal_has_the_parts_in_its_details() -> None:
    parts = tuple(record_of(id=f"20261122-120411-7c3{place}", node=safe(node)) for place, node in enumerate(NODES))
    lines = [text_of(line) for line in details(record_of(parts=parts), ())]
    assert [line.split()[1] for line in lines if line.startswith("at ")] == list(NODES)
