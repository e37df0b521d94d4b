"""The line on stderr that says how far the work has come: rewritten on a terminal, a new one now and then elsewhere."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

from pymon_tui.invalidation import wording
from pymon_tui.invalidation.account import Mode, Progress
from pymon_tui.invalidation.planning import PlanProgress
from pymon_tui.invalidation.restore_account import RestoreProgress
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.removing.console import exact, fitted, is_terminal, write

REFRESH = 0.25
"""Seconds between two looks."""

_PERIOD = 5.0  # seconds between two lines where they stay
_BETWEEN = "  "


class ProgressLine:
    """Writes the line, and takes it away again."""

    def __init__(self, stream: Any) -> None:
        """``stream`` is stderr, or None where that is closed."""
        self._stream = stream
        self._rewrites = is_terminal(stream) and os.environ.get("TERM") not in (None, "", "dumb")
        self._written_at = time.monotonic()
        self._is_there = False

    def show(self, line: SafeText) -> None:
        """Say how it stands now."""
        if self._rewrites:
            # One column stays free: many terminals wrap when the last one is written.
            self._write(f"\r{fitted(line, shutil.get_terminal_size().columns - 1)}\x1b[K")
            self._is_there = True
        elif time.monotonic() - self._written_at >= _PERIOD:
            self._written_at = time.monotonic()
            self._write(f"{line}\n")

    def clear(self) -> None:
        """Leave the place to something else."""
        if self._is_there:
            self._write("\r\x1b[K")
            self._is_there = False

    def _write(self, text: str) -> None:
        write(self._stream, text)


def of_planning(progress: PlanProgress) -> SafeText:
    """How a plan stands: ``looking  34.0%  412 000 of 1 210 448 keys  4 102 match``."""
    scanned = f"{exact(progress.scanned)} keys"
    if progress.total is not None:
        share = _share(progress.scanned, progress.total)
        scanned = f"{share}  {exact(progress.scanned)} of {exact(progress.total)} keys"
    protected = f"  {exact(progress.protected)} protected" if progress.protected else ""
    return safe(f"looking  {scanned}  {exact(progress.matched)} match{protected}")


def of_removal(progress: Progress, mode: Mode, *, dry_run: bool) -> SafeText:
    """How a run stands, what matters most first, for what doesn't fit is cut off."""
    tally = progress.tally
    doing = str(wording.state(progress.state))
    if progress.state == "running":
        doing = "looking" if dry_run else wording.words(mode).doing
    parts = [f"{doing}  {exact(tally.matched if dry_run else tally.removed)} of {exact(progress.planned)}"]
    parts.append(f"{units.percent(progress.share).rjust(5)} done")
    odd = (("unknown", tally.unknown), ("refused", tally.refused), ("gone", tally.already_gone))
    parts += [f"{exact(number)} {name}" for name, number in odd if number]
    if progress.state == "running":
        parts.append(f"{units.short_count(progress.keys_per_second)}/s")
        if progress.seconds_left is not None:
            parts.append(f"{units.duration(progress.seconds_left)} left")
    if progress.felt.ping_p99 is not None and "PING" not in progress.why:
        parts.append(f"PING {units.milliseconds(progress.felt.ping_p99)}")
    if progress.why:
        parts.append(progress.why)
    return safe(_BETWEEN.join(parts))


def of_restore(progress: RestoreProgress) -> SafeText:
    """How an undo stands."""
    tally = progress.tally
    doing = "restoring" if progress.state in ("starting", "running") else wording.state(progress.state)
    parts = [f"{doing} {_share(tally.settled, progress.total)}"]
    parts.append(f"{exact(tally.settled)} of {exact(progress.total)}")
    odd = (
        ("restored", tally.restored),
        ("failed", tally.failed),
        ("there", tally.there),
        ("skipped", tally.skipped),
        ("expired", tally.expired),
    )
    parts += [f"{exact(number)} {name}" for name, number in odd if number]
    if progress.why:
        parts.append(progress.why)
    return safe(_BETWEEN.join(parts))


def _share(done: int, total: int) -> str:
    return units.percent(done / total if total else 1.0).rjust(5)
