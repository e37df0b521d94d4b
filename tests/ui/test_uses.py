"""The table of what is sent says for each pane what it asks: that is what a user of least privilege is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pymon_tui.model.query import Command
from pymon_tui.server.commands import PANES as USES
from pymon_tui.server.commands import Use, sent
from pymon_tui.ui.panes import PANES
from pymon_tui.ui.panes.pane import Pane


def _with_givens(command: Command[Any] | None) -> Iterator[Command[Any]]:
    while command is not None:
        yield command
        command = command.given


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.NAME)
def test_every_command_of_a_pane_is_listed_for_it(pane: type[Pane]) -> None:
    use = Use(pane.TITLE)
    asked = {command.acl for query in (*pane.QUERIES, *pane.DETAIL_QUERIES) for command in _with_givens(query.command)}
    missing = {name for name in asked if (known := sent(name)) is None or use not in known.uses}
    assert missing == set()


def test_every_pane_is_a_use_and_every_use_of_a_pane_has_one() -> None:
    assert {use.value for use in USES} == {pane.TITLE for pane in PANES}
