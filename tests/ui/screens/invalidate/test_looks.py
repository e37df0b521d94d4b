"""How the screens of invalidation look; ``pytest --snapshot-update`` takes them anew."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from pymon_tui.invalidation.account import NOTHING
from pymon_tui.model.history import History
from pymon_tui.model.metric import Kind, Metric
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.metrics import HITS, METRICS, MISSES, RTT
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.table import Table
from tests.samples import sample
from tests.script import WALL
from tests.ui.screens.invalidate.walk import Walk, walk
from tests.ui.scripted_desk import HERE, RUN, UNDO, ScriptedDesk, progress_of, record_of, result_of
from tests.ui.stage import until

SIZES = [(80, 24), (120, 36)]
pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def desk(tmp_path: Path) -> ScriptedDesk:
    """In production, with something in the journal."""
    desk = ScriptedDesk(tmp_path, endpoint=replace(HERE, environment="production"))
    cut_off = record_of(
        id="20261122-093000-51d2",
        run="20261122-093000-51d2",
        state="interrupted",
        patterns=(safe("monitoring:result:7"), safe("alerts:recent:7:*")),
        removed_at_least=400,
        removed_at_most=900,
        undo_path=None,
    )
    desk.known = (
        record_of(id=UNDO, kind="undo", removed_at_least=12_000, removed_at_most=12_000, undo_path=None),
        record_of(undone=True),
        cut_off,
        replace(cut_off, id="20261121-180000-0f0f", state="stopped", node=safe("staging"), ssh=None),
    )
    return desk


def history(*, run: bool) -> History:
    """Three minutes of reads that mostly hit, and fewer after a run."""
    made = History((*METRICS, RTT))
    made.align(WALL - 99)
    hits = misses = 0.0
    for second in range(200):
        if run and second == 170:
            made.note(safe("removing user:cache:*"), WALL + 70, run=RUN)
        share = 0.92 + 0.03 * math.sin(second / 7)
        if run and second >= 170:
            share -= 0.6 * math.exp(-(second - 170) / 20)
        hits, misses = hits + 2_400 * share, misses + 2_400 * (1 - share)
        made.record(float(second), {HITS.name: hits, MISSES.name: misses, RTT.name: 0.0007 + second % 7 / 1e5}, {})
    return made


def felt(looks: int) -> History:
    """What other clients felt at so many looks, the last of them now."""
    made = History((Metric("ping", Kind.GAUGE, lambda _: None),))
    made.align(WALL)
    for number in range(looks):
        ping = (58 if 370 < number < 385 else 14 + number % 6) / 1e4
        made.record(100.0 + (number - looks) / 4, {"ping": ping}, {})
    return made


async def one(*, run: bool) -> Snapshot:
    """A server in production with these reads."""
    return replace(await sample(), history=history(run=run).view(), environment=safe("production"))


def svg(on: Walk) -> str:
    """What is seen, without an id that is a hash of nothing that is seen."""
    return re.sub(r"terminal-\d+", "terminal", on.pilot.app.export_screenshot(title="pymon-tui"))


@pytest.mark.parametrize("size", SIZES)
async def test_form(look: SnapshotAssertion, desk: ScriptedDesk, size: tuple[int, int]) -> None:
    async with walk(desk, await one(run=False), size=size) as on:
        await on.to_form()
        await on.press(*"user:cache:*")
        await on.until_says("#estimate", "about 12 040")
        assert svg(on) == look


async def test_empty_form(look: SnapshotAssertion, desk: ScriptedDesk) -> None:
    async with walk(desk, await one(run=False)) as on:
        await on.to_form()
        assert svg(on) == look


async def test_preset(look: SnapshotAssertion, desk: ScriptedDesk) -> None:
    async with walk(desk, await one(run=False)) as on:
        form = await on.to_form()
        await on.press("down", "right", "down", *"42")
        await on.until_says("#estimate", "about 12 040")
        assert isinstance(form, FormScreen)
        assert svg(on) == look


@pytest.mark.parametrize("size", SIZES)
async def test_planning(look: SnapshotAssertion, desk: ScriptedDesk, size: tuple[int, int]) -> None:
    async with walk(desk, await one(run=False), size=size) as on:
        await on.to_plan()
        await on.until_says("#progress", "762 000")
        assert svg(on) == look


@pytest.mark.parametrize("size", SIZES)
async def test_plan(look: SnapshotAssertion, desk: ScriptedDesk, size: tuple[int, int]) -> None:
    async with walk(desk, await one(run=False), size=size) as on:
        await on.to_ready_plan()
        await on.until_says("#names", "8 400")
        await on.press("enter", *"user:ca")
        assert svg(on) == look


async def test_plan_in_trouble(look: SnapshotAssertion, desk: ScriptedDesk) -> None:
    desk.plan_changes = {
        "removal_problem": safe("NOPERM: user oncall may not run UNLINK; ACL SETUSER oncall +unlink"),
        "refusals": (safe("OBJECT IDLETIME denied: ACL SETUSER oncall +object|idletime"),),
        "idle": None,
    }
    async with walk(desk, await one(run=False)) as on:
        await on.to_ready_plan()
        await on.until_says("#names", "8 400")
        await on.until_says("#troubles", "OBJECT IDLETIME")
        troubles, height = on.screen.query_one("#troubles"), on.screen.size.height
        await until(on.pilot, lambda: troubles.region.height == 2 and troubles.region.bottom < height)  # laid out
        assert svg(on) == look


@pytest.mark.parametrize("size", SIZES)
async def test_run(look: SnapshotAssertion, desk: ScriptedDesk, size: tuple[int, int]) -> None:
    async with walk(desk, await one(run=True), size=size) as on:
        screen, removal = await on.to_run()
        await on.until_says("#progress", "pulse")
        removal.progress = progress_of()
        await on.until_says("#progress", "7 602")
        on.hold()
        # Always the same looks, however many there were while we waited.
        screen.felt = felt(400)
        screen.draw_pings(progress_of())
        await on.pilot.pause(0)
        assert svg(on) == look


@pytest.mark.parametrize("size", SIZES)
async def test_done(look: SnapshotAssertion, desk: ScriptedDesk, size: tuple[int, int]) -> None:
    async with walk(desk, await one(run=True), size=size) as on:
        screen, removal = await on.to_run()
        await until(on.pilot, lambda: screen.is_current)
        removal.finish(result_of(why=NOTHING))
        await on.until_says("#progress", "done")
        await on.until_says("#took", "rewarmed")
        screen.felt = felt(0)
        screen.look()
        await on.pilot.pause()
        assert svg(on) == look


@pytest.mark.parametrize("size", SIZES)
async def test_journal(look: SnapshotAssertion, desk: ScriptedDesk, size: tuple[int, int]) -> None:
    async with walk(desk, await one(run=False), size=size) as on:
        await on.press("J")
        screen = await on.until_on(JournalScreen)
        await until(on.pilot, lambda: len(screen.query_one(Table).rows) == len(desk.known))
        await on.press("j", "j")
        await until(on.pilot, lambda: "Resume" in {hint.name for hint in screen.query_one(KeyBar).hints})
        assert svg(on) == look


async def test_undo(look: SnapshotAssertion, desk: ScriptedDesk) -> None:
    desk.known = (record_of(),)
    async with walk(desk, await one(run=True), panes="".join(PANES_BY_KEY)) as on:
        await on.press("u")
        await on.until_on(UndoScreen)
        await on.until_says("#lines", "bring back")
        assert svg(on) == look
