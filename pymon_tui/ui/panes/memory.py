"""The memory pane."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from pymon_tui.model import units
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.memory import MEMORY, Memory
from pymon_tui.readings.metrics import EVICTED, EXPIRED, USED_MEMORY
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.widgets.graph import Bar, Graph
from pymon_tui.ui.widgets.ink import Facts, Line, Role, field, label, span

_NAME = 9


class MemoryPane(Pane, can_focus=True):
    """How much is used, of how much, and what happens when it is full."""

    NAME = "memory"
    TITLE = "Memory"
    ABOUT = "What the server's memory is used for, how near it is to its limit, and what is evicted or expires."
    QUERIES = (MEMORY,)

    def body(self) -> Iterable[Widget]:
        """A bar, facts and the graph of used memory."""
        yield Bar("info")
        yield Facts(id="facts")
        yield Graph("info", units.bytes_)

    def draw(self, snapshot: Snapshot) -> None:
        """Fill the bar, the facts and the graph."""
        reading = snapshot.reading(MEMORY)
        if not isinstance(reading, Ready):
            return
        memory, history = reading.value, snapshot.history
        self.query_one(Bar).show(memory.share)
        self.query_one("#facts", Facts).show(overview_facts(memory, snapshot))
        graph = self.query_one(Graph)
        graph.show(history.columns(USED_MEMORY.name, graph.columns_wanted), memory.maxmemory or None)
        self.say(self.TITLE, memory.maxmemory_policy or "")


def overview_facts(memory: Memory, snapshot: Snapshot) -> tuple[Line, ...]:
    """The few lines that a glance wants."""
    limit = units.bytes_(memory.limit)
    evicted, expired = (snapshot.history.latest(metric.name) for metric in (EVICTED, EXPIRED))
    return (
        field("used", _NAME, units.bytes_(memory.used_memory), label("of"), limit),
        field("rss", _NAME, units.bytes_(memory.used_memory_rss), label(" frag"), _fragmentation(memory)),
        field("evicted", _NAME, units.rate(evicted), label(" expired"), units.rate(expired)),
    )


def _fragmentation(memory: Memory):  # type: ignore[no-untyped-def]
    ratio = memory.mem_fragmentation_ratio
    role: Role = "warn" if ratio and ratio > 1.5 and (memory.used_memory or 0) > 100 << 20 else "value"
    return span(f"{ratio:.2f}" if ratio is not None else units.UNKNOWN, role)
