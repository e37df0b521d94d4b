"""What one node of a run lost with its trash is said on the screens, and no undo is offered that brings no more."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from pymon_tui.invalidation.cluster.restored import merged_result
from pymon_tui.invalidation.restore_account import RestoreResult, RestoreTally
from pymon_tui.journal.records import Back, Record
from pymon_tui.model.text import safe
from pymon_tui.ui.screens.invalidate.undo import UndoScreen, result_lines
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.ink import text_of
from tests.ui.screens.invalidate.test_journal import offered, to_journal
from tests.ui.screens.invalidate.walk import walk
from tests.ui.scripted_desk import RUN, UNDO, ScriptedDesk, record_of
from tests.ui.stage import until

DONE = RestoreResult(UNDO, RUN, "done", safe(""), 12_000, RestoreTally(12_000), False, (), 1.0, None)


@pytest.fixture
def desk(tmp_path: Path) -> ScriptedDesk:
    return ScriptedDesk(tmp_path)


def _of_nodes(back: Back | None = None) -> Record:
    """A run of two nodes, the trash of one of which is gone; ``back`` is what undos brought of the other."""
    undone = {"undone": back is not None, "back": back}
    whole = {"started": {"undo": "kept"}, "result": {"undo": "kept", "undo_left_out": 0}}
    one = record_of(id="20261122-120411-0001", removed_at_least=12_000, removed_at_most=12_000, **whole, **undone)
    gone = record_of(
        id="20261122-120411-0002", removed_at_least=17, removed_at_most=17, undo_path=None, node=safe("b:6379"), **whole
    )
    return record_of(parts=(one, gone), **whole, **undone)


async def test_what_a_node_lost_is_said_before_an_undo_and_none_is_offered_once_the_rest_is_back(
    desk: ScriptedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = "the undo of 17 keys of b:6379 was dropped for newer ones, or removed by hand"
    desk.known = (_of_nodes(),)
    monkeypatch.setattr(desk, "kept", AsyncMock(return_value=12_000))
    async with walk(desk) as on:
        await on.press("u")
        await on.until_on(UndoScreen)
        await on.until_says("#lines", f"for good {lost}")
        await on.until_says("#lines", "bring back 12 000 keys of 12 017 that were removed")
        assert "newer keys stay as they are" in on.text("#lines")
    for count, may_come in ((12_000, False), (11_999, True)):
        desk.known = (_of_nodes(Back(count, failed=12_000 - count)),)
        async with walk(desk) as on:
            await to_journal(on)
            await until(on.pilot, lambda: "Details" in offered(on))
            assert ("Undo" in offered(on)) == may_come
            await on.press("enter")
            await on.until_on(ReaderScreen)
            assert lost in on.text(".frame Facts")
            assert "undone in part" in on.text(".frame Facts")


def test_an_account_that_lacks_what_a_node_lost_is_not_whole() -> None:
    record = _of_nodes()
    result = merged_result(UNDO, record, [("a:6379", DONE)], seconds=1.0, unrecorded=None, copied=0, evicted=0)
    assert (result.outcome, result.is_whole, DONE.is_whole) == ("done", False, True)
    assert any("the undo of 17 keys of b:6379 was dropped" in text_of(line) for line in result_lines(result, record))
