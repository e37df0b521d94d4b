"""Pilots that wait until a screen has settled, however busy the machine is.

Textual's own wait lets each widget take what was sent to it. What that asks for, a layout and the Resize of each widget
after it, comes with a later frame, for which a pilot waits by looking whether the processor is idle.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

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
        await settle(pilot)  # what the last frame of `idle` has asked for

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pilot, "_wait_for_screen", settle)
        patched.setattr(Pilot, "pause", pause)
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
