"""How the server took an invalidation, as the run's screen and the hit rate pane say it."""

from __future__ import annotations

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.aftermath import Aftermath
from pymon_tui.ui.widgets.ink import Line, Span, label, span


def aftermath_line(found: Aftermath | None) -> Line:
    """How misses, latency and hit rate took it."""
    if found is None or found.misses is None:
        return (label("misses and latency after the run are not known yet"),)
    more = found.misses_before is not None and found.misses > 2 * found.misses_before + 1
    line: list[Span] = [
        label("misses "),
        span(units.rate(found.misses), "warn" if more else "value"),
        label(f" (was {units.rate(found.misses_before)})"),
    ]
    if found.rewarmed is not None:
        line += [label("  rewarmed "), span(f"{100 * found.rewarmed:.0f}%", "strong")]
    line += [
        label("  rtt p99 "),
        span(units.milliseconds(found.rtt)),
        label(f" (was {units.milliseconds(found.rtt_before)})"),
    ]
    return tuple(line)


def marked(found: Aftermath | None, now: float) -> SafeText:
    """When the mark of the graph was made, in local time. ``now`` is in Unix seconds."""
    if found is None:
        return safe("")
    return safe(f"marked: run started {units.precise_clock(found.run.wall, now)}")
