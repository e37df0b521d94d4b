"""What the title says, where names are longer than there is room for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pymon_tui.model.text import safe
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.server import SERVER
from pymon_tui.ui.screens.status import left_title, right_title
from pymon_tui.ui.widgets.ink import line_width, text_of
from tests.script import ready, snapshot
from tests.state.deployed import cluster

LONG = safe("cache-0001-001." + "x" * 300 + ".example:6379")


@pytest.mark.parametrize(
    ("width", "shown"), [(40, "● cache-0001-0…"), (80, "● cache-0001-001.xxxxxxxxxxxxxxxxxxxxxxx…")]
)
def test_a_long_name_of_a_node_is_cut_and_not_left_out(width: int, shown: str) -> None:
    assert text_of(left_title(replace(snapshot({}), node=LONG), width)) == f" pymon  {shown}"


def test_all_nodes_together_have_no_role_and_no_uptime_of_one() -> None:
    info = parse_info(b"redis_version:7.0.15\r\nrole:master\r\nuptime_in_seconds:90\r\n")
    server = {SERVER: ready(SERVER.parse(info))}
    one = replace(snapshot(server), node=safe("main"))
    assert text_of(left_title(one, 120)) == " pymon  ● main  redis 7.0.15 · primary · up 1m 30s"
    assert text_of(left_title(replace(one, fleet=cluster()), 120)) == " pymon  ● main  all 6 nodes  redis 7.0.15"
    chosen = replace(one, fleet=cluster(chosen=0))
    assert text_of(left_title(chosen, 120)) == " pymon  ● main  node 1 of 6  redis 7.0.15 · primary · up 1m 30s"


def test_a_long_name_of_an_environment_leaves_room_for_the_rest() -> None:
    one = replace(snapshot({}), environment=LONG)
    line = right_title(one, None, one.at, width=80, read_only=True)
    assert text_of(line).startswith(" CACHE-0001-001.X… ")
    assert line_width(line) <= 50


@pytest.mark.parametrize(
    ("environment", "role"), [(" prod-eu", "alarm"), ("PRODUCTION", "alarm"), ("staging", "strong")]
)
def test_what_is_production_for_a_run_is_an_alarm_in_the_title(environment: str, role: str) -> None:
    one = replace(snapshot({}), environment=safe(environment))
    assert right_title(one, None, one.at, width=80, read_only=False)[0].role == role
