"""What the program meets in its own process: few keys to a page, and a wall clock that is set."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Self
from unittest.mock import patch

from pymon_tui.invalidation import brake, memory, pacing, passage, plan_pages, portions, reconnecting, restore


@contextmanager
def in_small_pages() -> Iterator[None]:
    """Let pages have few keys, so that a few dozen of them are many pages, and let nothing wait to feel the server."""
    with ExitStack() as patches:
        for module, name, value in (
            (brake, "SMALLEST", 3),
            (brake, "FIRST", 5),
            (brake, "LARGEST", 7),
            (pacing, "FIRST", 5),
            (pacing, "_IDLE", 0.0),
            (passage, "_AT_ONCE", 4),
            (passage, "LARGEST", 7),
            (memory, "FEWEST", 2),
            (plan_pages, "FEWEST", 2),
            (plan_pages, "LARGEST", 7),
            (restore, "FIRST", 5),
            (portions, "KEYS", 4),
            (reconnecting, "backoff", lambda *_: 0.02),
        ):
            patches.enter_context(patch.object(module, name, value))
        yield


@contextmanager
def wall_clock(ahead: float) -> Iterator[None]:
    """Let the wall clock of this process be so many seconds ahead; the monotonic one goes on as it does."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(seconds=ahead)

    real = time.time
    with ExitStack() as patches:
        if ahead:
            for module in ("journal", "ids", "lock"):
                patches.enter_context(patch(f"pymon_tui.journal.{module}.datetime", Ahead))
            patches.enter_context(patch("time.time", lambda: real() + ahead))
        yield
