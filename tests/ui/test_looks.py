"""How the screens look, on the sample: few, the same everywhere; ``pytest --snapshot-update`` takes them anew."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from syrupy.assertion import SnapshotAssertion

from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.settings import Settings
from tests.samples import sample
from tests.script import Script, snapshot
from tests.ui.stage import app_of, until_shown

pytestmark = pytest.mark.usefixtures("utc")


async def _svg(
    one: Snapshot, size: tuple[int, int], *keys: str, theme: Literal["pymon-dark", "pymon-light"] = "pymon-dark"
) -> str:
    script = Script(one)
    async with app_of(script, Settings(host="scripted", theme=theme)).run_test(size=size) as pilot:
        await until_shown(pilot, one)
        await pilot.press(*keys)
        await pilot.pause()
        svg = pilot.app.export_screenshot(title="pymon-tui")
    return re.sub(r"terminal-\d+", "terminal", svg)  # an id that is a hash of nothing that is seen


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36), (200, 50)])
async def test_overview(look: SnapshotAssertion, width: int, height: int) -> None:
    assert await _svg(await sample(), (width, height)) == look


async def test_overview_light(look: SnapshotAssertion) -> None:
    assert await _svg(await sample(), (120, 36), theme="pymon-light") == look


@pytest.mark.parametrize("number", range(2, 8))
async def test_pane(look: SnapshotAssertion, number: int) -> None:
    assert await _svg(await sample(), (100, 28), str(number)) == look


async def test_lost(look: SnapshotAssertion) -> None:
    one = await sample()
    lost = Lost(Trouble.UNREACHABLE, safe("10.0.0.1:6379 refuses connections"), safe("is it running?"), 0.0, 0.0, 3)
    assert await _svg(snapshot({}, link=lost, history=None, feed=one.feed), (80, 24)) == look
