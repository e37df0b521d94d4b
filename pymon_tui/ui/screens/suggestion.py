"""What the focused pane suggests as a pattern."""

from __future__ import annotations

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.monitor import MonitorScreen


def suggested_by(monitor: MonitorScreen) -> Pattern | None:
    """The pattern of the keys that the row under the cursor is about; None where it is about none."""
    nodes = monitor.focused.ancestors_with_self if monitor.focused is not None else ()
    focused = [node for node in nodes if isinstance(node, Pane)]
    in_full = [pane for pane in monitor.query(Pane) if pane.full]
    return next((pane.suggestion() for pane in (*focused, *in_full)), None)
