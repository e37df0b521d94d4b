"""Pilots that wait until a screen has settled, however busy the machine is.

Textual's own wait lets each widget take what was sent to it. What that asks for, a layout and the Resize of each widget
after it, comes with a later frame, for which a pilot waits by looking whether the processor is idle.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from pymon_tui.ui import app

_PATIENCE = 30.0
"""Seconds that a screen has to settle."""


@pytest.fixture(scope="session", autouse=True)
def settling_pilots() -> Iterator[None]:
    """Have every pilot wait for layouts and paints that are due, and for what follows from them."""
    wait, idle = Pilot._wait_for_screen, Pilot.pause

    async def settle(pilot: Pilot[object], *timeout: float) -> bool:
        end = time.monotonic() + _PATIENCE
        while await wait(pilot, *timeout):
            screen = pilot.app.screen
            if not screen.is_current or pilot.app._batch_count or not _is_due(screen):
                return True
            assert time.monotonic() < end, f"{screen} never settles"
            screen._on_timer_update()
        return False

    async def pause(pilot: Pilot[object], delay: float | None = None) -> None:
        await idle(pilot, delay)
        end = time.monotonic() + _PATIENCE
        while any(_is_about_to_ask(widget) for widget in pilot.app.screen.walk_children(with_self=True)):
            assert time.monotonic() < end, f"{pilot.app.screen} never settles"
            await asyncio.sleep(0)
        await settle(pilot)  # what the last frame of `idle` has asked for

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pilot, "_wait_for_screen", settle)
        patched.setattr(Pilot, "pause", pause)
        yield


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


def _is_about_to_ask(widget: DOMNode) -> bool:
    """Whether a widget will ask its screen for a layout: it does once it is idle, after it took what was sent to it."""
    return bool(widget.message_queue_size) or (isinstance(widget, Widget) and widget._layout_required)
