from __future__ import annotations

import re
from pathlib import Path

import pytest

from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.text import safe
from pymon_tui.settings import Settings
from pymon_tui.ui import named_keys
from pymon_tui.ui.app import PymonApp, _run
from pymon_tui.ui.contexts import contexts
from pymon_tui.ui.keymap import completed, wrong_keymap
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.key_bar import KeyBar
from tests.samples import sample
from tests.script import Script, snapshot
from tests.ui.stage import app_of, until, until_shown

CONTEXTS = contexts(PymonApp)


def test_a_name_that_no_binding_has_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    app = app_of(Script(), Settings(host="h", keymap={"puase": "f5"}))
    assert _run(app) == 2
    assert capsys.readouterr().err == 'pymon-tui: keymap: no key binding is called "puase"; did you mean "pause"?\n'


def test_known_names_are_those_of_panes_and_windows_too() -> None:
    keymap = {"table.sort": "f6", "pane.memory": "m", "confirm.yes": "f10", "quit": "ctrl+x", "run.pause": "f7"}
    assert app_of(Script(), Settings(host="h", keymap=keymap)).wrong_key is None


def test_a_key_of_two_actions_is_refused_with_both_names(capsys: pytest.CaptureFixture[str]) -> None:
    app = app_of(Script(), Settings(host="h", keymap={"pause": "p"}))
    assert _run(app) == 2
    said = (
        'pymon-tui: keymap: "p" is the key of "pause" and of "notifications.publish"; choose another for one of them\n'
    )
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("escape", "escape"),
        ("tab", "tab"),
        ("space", "space"),
        ("ctrl+p", "ctrl+p"),
        ("slash", "/"),
        ("/", "/"),
        ("question_mark", "?"),
    ],
)
def test_a_key_is_told_by_its_character_or_its_name(key: str, told: str) -> None:
    wrong = wrong_keymap({"quit": key, "pause": key}, CONTEXTS)
    assert wrong is not None
    assert wrong.startswith(f'keymap: "{told}" is the key of "')


@pytest.mark.parametrize("keymap", [{"pa\x1b[2Juse": "f5"}, {"pause": "ctrl+\x1b[2J"}])
def test_what_no_key_is_called_reaches_no_terminal_as_it_is(keymap: dict[str, str]) -> None:
    wrong = wrong_keymap(keymap, CONTEXTS)
    assert wrong is not None
    assert wrong.isprintable()


@pytest.mark.parametrize(
    ("keymap", "names"),
    [
        ({"pause": "ctrl+p"}, ("pause", "palette")),
        ({"pause": "?"}, ("pause", "help")),
        ({"reader.copy": "up"}, ("reader.copy", "scroll up")),
        ({"reader.copy": "home"}, ("reader.copy", "scroll home")),
        ({"prompt.cancel": "backspace"}, ("prompt.cancel", "delete character left")),
        ({"prompt.cancel": "x"}, ("prompt.cancel", "the text that is typed there")),
        ({"quit": "f9", "pause": "f9"}, ("pause", "quit")),
        ({"table.sort": "f9,f10", "graph.timespan": "f10"}, ("table.sort", "graph.timespan")),
        ({"run.pause": "ctrl+l"}, ("run.pause", "redraw")),
    ],
)
def test_each_kind_of_clash_is_refused(keymap: dict[str, str], names: tuple[str, str]) -> None:
    wrong = wrong_keymap(keymap, CONTEXTS)
    assert wrong is not None
    assert "\n" not in wrong
    assert all(f'"{name}"' in wrong or name in wrong for name in names), wrong


@pytest.mark.parametrize(
    "keymap",
    [
        {"pause": "p", "notifications.publish": "space"},  # one takes the other's place
        {"run.pause": "u"},  # a run that goes can't be undone yet
        {"undo.cancel": "y"},
        {"clients.kill": "f9", "slowlog.reset": "f9"},  # of two panes
        {"confirm.yes": "x"},  # a window has its keys alone
        {"table.all": "backspace", "clients.groups": "backspace"},  # they share escape as it is
        {"quit": "f10"},
    ],
    ids=str,
)
def test_what_is_never_active_together_may_share_a_key(keymap: dict[str, str]) -> None:
    assert wrong_keymap(keymap, CONTEXTS) is None


def test_every_pair_that_clashes_is_refused_with_both_names() -> None:
    tried = 0
    for one in CONTEXTS:
        named: dict[str, set[str]] = {}
        for binding in one.bindings:
            if binding.id:
                named.setdefault(binding.id, set()).add(binding.key)
        for name, keys in named.items():
            for other, theirs in named.items():
                if name != other and not keys & theirs:
                    wrong = wrong_keymap({name: min(theirs)}, [one])
                    assert wrong is not None, (name, other)
                    assert f'"{name}"' in wrong
                    rivals = [rival for rival, at in named.items() if min(theirs) in at] + ["always"]
                    assert any(rival in wrong for rival in rivals), (wrong, rivals)
                    tried += 1
    assert tried > 1_000


def test_an_action_keeps_its_key_where_another_of_that_key_gets_one() -> None:
    assert completed({"table.group": "b"}, CONTEXTS) == {"table.group": "b", "table.first": "home,g"}


async def test_a_pane_gets_another_key() -> None:
    one = await sample()
    async with app_of(Script(one), Settings(host="h", keymap={"pane.memory": "m"})).run_test(size=(80, 24)) as pilot:
        monitor = await until_shown(pilot, one)
        await pilot.press("m")
        assert monitor.query_one("#pane-memory").has_class("-full")
        assert any(hint.press == "m" or "panes" in hint.name for hint in monitor.query_one(KeyBar).hints)


@pytest.mark.parametrize(("glyphs", "body"), [("blocks", "█"), ("braille", "⣿"), ("ascii", ":")])
async def test_graphs_are_made_of_what_was_set(glyphs: str, body: str) -> None:
    one = await sample()
    async with app_of(Script(one), Settings(host="h", graph=glyphs)).run_test(size=(80, 24)) as pilot:  # type: ignore[arg-type]
        monitor = await until_shown(pilot, one)
        graphs = [graph for graph in monitor.query(Graph) if graph.size.height and graph.is_on_screen]
        assert graphs
        drawn = "".join(graph.render_line(y).text for graph in graphs for y in range(graph.rows))
        assert body in drawn
        others = {"█", "⣿", ":"} - {body}
        assert not others & set(drawn)


@pytest.mark.parametrize(
    ("keys", "wrong", "hint"),
    [
        ("ctl+x", "ctl+x", 'did you mean "ctrl+x"?'),
        ("f5, enterr", "enterr", 'did you mean "enter"?'),
        ("ctrl+hyperspace", "ctrl+hyperspace", "did you mean"),
        ("??", "??", "there are such as"),
    ],
)
def test_a_key_that_is_none_is_refused_with_its_name(
    keys: str, wrong: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(app_of(Script(), Settings(host="h", keymap={"pause": keys}))) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f'pymon-tui: keymap: no key is called "{wrong}", as "pause" has it; ')
    assert hint in said


@pytest.mark.parametrize(
    "keys", ["f5", "f24", "ctrl+f9", "alt+x", "shift+f3", "underscore", "é", "full_stop", "ctrl+shift+left", "f9,f10"]
)
def test_every_key_of_a_terminal_may_be_chosen(keys: str) -> None:
    assert wrong_keymap({"pause": keys}, CONTEXTS) is None


async def test_sentences_name_the_keys_that_there_are() -> None:
    away = snapshot({}, link=Lost(Trouble.UNREACHABLE, safe("gone"), safe(""), 90.0, 130.0, 1))
    settings = Settings(host="h", keymap={"refresh": "f5"})
    async with app_of(Script(away), settings).run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "f5 tries at once" in pilot.app.export_screenshot().replace("&#160;", " "))


def test_no_sentence_names_a_key_by_itself() -> None:
    """The keymap may have given the key to something else."""
    found = [
        f"{path.name}: {match.group()}"
        for path in Path(named_keys.__file__).parent.rglob("*.py")
        for match in re.finditer(
            r"\b(press [a-zA-Z?]\b|\b[a-z] (tries|looks|brings|asks|goes|adds) )|span\(\" *[a-zA-Z?] *\", \"accent\"",
            path.read_text(),
        )
    ]
    assert not found, found
