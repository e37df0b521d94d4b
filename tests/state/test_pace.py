"""Snapshots of all together keep step with one node, and with another where that one is late."""

from __future__ import annotations

from dataclasses import replace

from pymon_tui.model.link import Link, Live, Lost, Trouble
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.state.pace import Pace
from tests.script import snapshot

LOST = Lost(Trouble.UNREACHABLE, safe("gone"), safe(""), 1.0, 2.0, 1)


def at(moment: float, link: Link | None = None) -> Snapshot:
    return replace(snapshot({}, link=link), at=moment, interval=1.0)


def test_one_node_keeps_the_pace_until_it_is_late() -> None:
    pace = Pace()
    for one, other, name in (
        (at(1.0), at(0.5), "one"),
        (at(1.0), at(1.5), "one"),
        (at(2.0), at(1.5), "one"),
        (at(2.0), at(3.5), "other"),
        (at(4.0), at(3.5), "other"),
    ):
        assert pace.of([("one", one), ("other", other)]) == (name, {"one": one, "other": other}[name])


def test_who_does_not_answer_sets_no_pace() -> None:
    pace, live = Pace(), Live(0.0, 0.001)
    assert pace.of([("one", at(5.0, LOST)), ("other", at(1.0, live))])[0] == "other"
    assert pace.of([("one", at(5.0, LOST)), ("other", at(2.0, LOST))])[0] == "one"
