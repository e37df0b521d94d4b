from __future__ import annotations

import pytest

from pymon_tui.settings import Settings
from pymon_tui.ui.app import _run
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.key_bar import KeyBar
from tests.samples import sample
from tests.script import Script
from tests.ui.stage import app_of, until_shown


def test_a_name_that_no_binding_has_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    app = app_of(Script(), Settings(host="h", keymap={"puase": "f5"}))
    assert _run(app) == 2
    assert capsys.readouterr().err == 'pymon-tui: keymap: no key binding is called "puase"; did you mean "pause"?\n'


def test_known_names_are_those_of_panes_and_windows_too() -> None:
    keymap = {"table.sort": "f6", "pane.memory": "m", "confirm.yes": "f10", "quit": "x", "run.pause": "f7"}
    assert app_of(Script(), Settings(host="h", keymap=keymap)).wrong_key is None


async def test_a_pane_gets_another_key() -> None:
    one = await sample()
    async with app_of(Script(one), Settings(host="h", keymap={"pane.memory": "m"})).run_test(size=(120, 36)) as pilot:
        monitor = await until_shown(pilot, one)
        await pilot.press("m")
        assert monitor.query_one("#pane-memory").has_class("-full")
        assert any(hint.press == "m" or "panes" in hint.name for hint in monitor.query_one(KeyBar).hints)


@pytest.mark.parametrize(("glyphs", "body"), [("blocks", "█"), ("braille", "⣿"), ("ascii", ":")])
async def test_graphs_are_made_of_what_was_set(glyphs: str, body: str) -> None:
    one = await sample()
    async with app_of(Script(one), Settings(host="h", graph=glyphs)).run_test(size=(120, 36)) as pilot:  # type: ignore[arg-type]
        monitor = await until_shown(pilot, one)
        graphs = [graph for graph in monitor.query(Graph) if graph.size.height and graph.is_on_screen]
        assert graphs
        drawn = "".join(graph.render_line(y).text for graph in graphs for y in range(graph.rows))
        assert body in drawn
        others = {"█", "⣿", ":"} - {body}
        assert not others & set(drawn)
