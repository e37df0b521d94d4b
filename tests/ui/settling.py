"""Pilots that wait until a screen has settled, however busy the machine is.

Textual's own wait sends a callback to each widget, several hundred for one click, and lets each take what was sent to
it. What that asks for, a layout and the Resize of each widget after it, comes with a later frame, for which a pilot
waits by looking whether the processor is idle.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from textual._compositor import Compositor
from textual._context import active_app
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen

from pymon_tui.ui import app

_PATIENCE = 30.0
"""Seconds that a screen has to settle."""
_ROUNDS = 100
"""Of the loop, until who waits for something slower lets the processor rest."""
_PAINT = Compositor.render_update


@pytest.fixture(scope="session", autouse=True)
def settling_pilots() -> Iterator[None]:
    """Have every pilot wait for layouts and paints that are due, and for what follows from them."""
    idle = Pilot.pause

    async def settle(pilot: Pilot[object]) -> bool:
        end = time.monotonic() + _PATIENCE
        while await _quiet(pilot.app, end):
            screen = pilot.app.screen
            if not screen.is_current or pilot.app._batch_count or not _is_due(screen):
                return True
            screen._on_timer_update()
        return False

    async def pause(pilot: Pilot[object], delay: float | None = None) -> None:
        await idle(pilot, delay)
        await settle(pilot)  # what the last frame of `idle` has asked for

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pilot, "_wait_for_screen", settle)
        patched.setattr(Pilot, "pause", pause)
        yield


@pytest.fixture(scope="session", autouse=True)
def unpainted() -> Iterator[None]:
    """Leave out what would be painted on a terminal that isn't there: a sixth of the time of the tests of screens.

    Layouts are made as ever, and whoever looks at the screen has it rendered then.
    """

    def leave_out(compositor: Compositor, full: bool = False, **named: Any) -> object:  # noqa: FBT001, FBT002
        if not full and active_app.get().is_headless:
            compositor._dirty_regions.clear()
        return _PAINT(compositor, full, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Compositor, "render_update", leave_out)
        yield


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each frame painted, though there is no terminal."""
    monkeypatch.setattr(Compositor, "render_update", _PAINT)


@pytest.fixture(scope="session", autouse=True)
def no_collections_at_starts() -> Iterator[None]:
    """Leave the objects of all tests alone where an app has started: to look through them takes 45 ms each time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(app, "gc", SimpleNamespace(collect=int, freeze=int, enable=gc.enable))
        yield


def _is_due(screen: Screen[object]) -> bool:
    """Whether the next frame has anything to lay out, to paint or to call."""
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )


async def _quiet(app: App[object], end: float) -> bool:
    """Wait until no widget has anything to do. False where the app has failed or has no screen any more.

    Raises:
        AssertionError: If one is still at work at this end, in seconds of the monotonic clock.
    """
    rounds = 0
    busy: MessagePump = app
    while not app._exception_event.is_set():
        if not _is_busy(busy):
            try:
                found = next(filter(_is_busy, (app, *app.screen.walk_children(with_self=True))), None)
            except ScreenStackError:
                return False
            if found is None:
                return True
            busy = found
        assert time.monotonic() < end, f"{busy} never settles"
        rounds += 1
        await asyncio.sleep(0 if rounds < _ROUNDS else 0.001)
    return False


def _is_busy(pump: MessagePump) -> bool:
    """Whether it handles or has something."""
    if pump._closing or pump._closed:
        return False
    ready: Any = pump._message_queue.ready_event
    waits = bool(ready._waiters) and not ready.is_set()
    return not waits or bool(pump._next_callbacks)
