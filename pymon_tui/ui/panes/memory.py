"""The memory pane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual.widget import Widget

from pymon_tui.model import units
from pymon_tui.model.metric import Metric
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.readings.info import Info
from pymon_tui.readings.memory import MEMORY, Memory
from pymon_tui.readings.memory_use import Concern, Severity, Subject, concerns, parts
from pymon_tui.readings.metrics import EVICTED, EXPIRED, USED_MEMORY
from pymon_tui.ui.panes.over_time import PaneOverTime, graph_rows
from pymon_tui.ui.since_text import since
from pymon_tui.ui.widgets.bar_line import bar_line, without_bars
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.groups import COLUMN, Fact, Group, arrange
from pymon_tui.ui.widgets.ink import Facts, Line, Role, Span, field, label, span, wrapped
from pymon_tui.ui.widgets.scale import levels, rates

_NAME = 10
_BYTES = 8
_BAR = 10

_GRAPHS_ROWS = 9
"""Rows that the full form keeps for its graphs and what they are called."""

_ALL = 100
"""Lines that all facts fit in, one under another."""

_ROLES: dict[Severity, Role] = {Severity.LOOK: "warn", Severity.ACT: "act"}


class MemoryPane(PaneOverTime, can_focus=True):
    """How much is used, of how much, and what happens when it is full."""

    NAME = "memory"
    TITLE = "Memory"
    ABOUT = (
        "What the server's memory is used for, how near it is to its limit, and what is evicted or expires. "
        "The share is that of maxmemory, or without one what the process holds of the machine's memory."
    )
    QUERIES = (MEMORY,)

    DEFAULT_CSS = """
    MemoryPane {
        & > #used { height: 2fr; }
        &.-look { border-subtitle-color: $warning; }
        &.-act { border-subtitle-color: $error; }
    }
    """

    def body(self) -> Iterable[Widget]:
        """Facts and the graph of used memory."""
        yield Facts(id="facts")
        yield Graph("bytes", id="used")

    def details(self) -> Mapping[str, Sequence[Widget]]:
        """What the graph shows, and that of the keys that go."""
        return {
            "#facts": (Facts(id="used-caption"),),
            "#used": (Facts(id="gone-caption"), Graph("info", id="gone")),
        }

    def draw(self, snapshot: Snapshot) -> None:
        """Fill the facts and the graphs."""
        memory = snapshot.value(MEMORY)
        if memory is None:
            return
        found = concerns(memory)
        width, height = self.size
        if self.full:
            lines = details(memory, snapshot, found, width, height - _GRAPHS_ROWS)
        else:
            lines = glance(memory, snapshot, found, width)[: max(1, height - graph_rows(height))]
        self.query_one("#facts", Facts).show(lines)
        ranged = self._draw_graphs(memory, snapshot, _role(found, Subject.LIMIT))
        for severity in Severity:
            self.set_class(bool(found) and found[0].severity is severity, f"-{severity.value}")
        self.say(self.TITLE, _said(memory), "" if self.full else ranged)

    def copied(self) -> SafeText | None:
        """All facts, whatever there is room for on the screen, as one line."""
        memory = self._drawn.value(MEMORY) if self._drawn is not None else None
        if self._drawn is None or memory is None:
            return None
        lines = details(memory, self._drawn, concerns(memory), COLUMN, _ALL)
        texts = [" ".join(without_bars(line).split()) for line in lines]
        return join(" · ", [safe(text) for text in texts if text])

    def _draw_graphs(self, memory: Memory, snapshot: Snapshot, role: Role) -> SafeText:
        """Returns what the edges of the graph of used memory are."""
        used = self.query_one("#used", Graph)
        time, limit = self.timeline(snapshot, used), memory.maxmemory or None
        columns = time.columns(USED_MEMORY.name)
        scale = levels(columns, limit)
        used.tone = "bytes" if role == "value" else role
        line = limit if limit is not None and scale.low <= limit < scale.high else None
        used.show(columns, scale, marks=time.marks(), ticks=time.ticks(), line=line)
        ranged = self.ranged(scale, used)
        if self.full:
            of = (label(" of "), span(units.bytes_(limit))) if limit is not None else ()
            caption = (
                label("used memory"),
                *of,
                span(f"   {ranged}", "faint"),
                self.legend(columns, used, "not known"),
            )
            self.query_one("#used-caption", Facts).show((caption,))
            self._draw_gone(EVICTED if memory.evicted_keys else EXPIRED, snapshot)
        return ranged

    def _draw_gone(self, metric: Metric[Info], snapshot: Snapshot) -> None:
        gone = self.query_one("#gone", Graph)
        time = self.timeline(snapshot, gone)
        columns = time.columns(metric.name)
        scale = rates(columns, units.rate, gone.rows)
        gone.show(columns, scale, marks=time.marks(), ticks=time.ticks())
        name = "evicted" if metric is EVICTED else "expired"
        ranged = span(f"   {self.ranged(scale, gone)}", "faint")
        caption = (label(f"{name} per second"), ranged, self.legend(columns, gone, "not known"))
        self.query_one("#gone-caption", Facts).show((caption,))


def glance(memory: Memory, snapshot: Snapshot, found: tuple[Concern, ...], width: int) -> tuple[Line, ...]:
    """The overview's lines, the more important first; of several nodes the bar is that of the fullest."""
    fullest, role = memory.fullest, _role(found, Subject.LIMIT)
    share = memory.share if fullest is None else fullest.memory.share
    figure = span(f" {units.percent(share):>6}", role)
    bar = (*bar_line(share or 0.0, width - len(figure.text), "bytes" if role == "value" else role), figure)
    limit = () if memory.limit is None else (label("of"), units.bytes_(memory.limit))
    used = field("used", _NAME, _size(memory.used_memory), *limit)
    rss = field("rss", _NAME, _size(memory.used_memory_rss), label("frag"), _fragmentation(memory, found))
    gone = field("evicted", _NAME, _now(snapshot, EVICTED), label(" expired"), _now(snapshot, EXPIRED))
    warnings = _warnings(found[:1], width)
    # Where the server evicts, that is what happens; where it doesn't, what it holds is what can go wrong.
    lines = (bar, *warnings, *_fullest(memory), used, *((gone, rss) if memory.evicts else (rss, gone)))
    dataset = field(
        "dataset", _NAME, _size(memory.used_memory_dataset), label("overhead"), _size(memory.used_memory_overhead)
    )
    clients = field(
        "clients", _NAME, _size(memory.mem_clients_normal), label("replicas"), _size(memory.mem_clients_slaves)
    )
    return (*lines, *_peak(memory), dataset, clients)


def _said(memory: Memory) -> str:
    """What the frame's edge says of the limit."""
    if memory.maxmemory:
        return memory.maxmemory_policy or ""
    return "" if memory.fullest else "no maxmemory"  # of several nodes, the lines of the fullest say it


def _warnings(found: Sequence[Concern], width: int) -> tuple[Line, ...]:
    """Concerns, each in as many lines as it takes: its end says as much as its beginning."""
    return tuple(line for each in found for line in wrapped((span(each.text, _ROLES[each.severity]),), width))


def _fullest(memory: Memory) -> tuple[Line, ...]:
    """Of several nodes: the one that is nearest to its limit, and how many have none; nothing of one node."""
    one = memory.fullest
    if one is None:
        return ()
    without = label(f" none on {memory.unlimited} of {len(memory.primaries)}" if memory.unlimited else "")
    return (
        field("fullest", _NAME, span(units.percent(one.memory.share), "strong"), one.node),
        field("its limit", _NAME, units.bytes_(one.memory.maxmemory), without),
    )


def details(
    memory: Memory, snapshot: Snapshot, found: tuple[Concern, ...], width: int, height: int
) -> tuple[Line, ...]:
    """The full form's lines: what is wrong, and the facts in as many columns as there is room for."""
    warnings = _warnings(found, width)
    groups = (
        _of_limit(memory, _role(found, Subject.LIMIT)),
        _of_keys(memory, snapshot),
        _of_allocator(memory, found),
        _of_parts(memory),
    )
    return (*warnings, *arrange(groups, width, max(1, height - len(warnings)), rank_with_titles=1))


def _of_limit(memory: Memory, role: Role) -> Group:
    total, full = memory.total_system_memory, _fullest(memory)
    rss_share = memory.used_memory_rss / total if memory.used_memory_rss and total else None
    used_share = memory.share
    if not memory.maxmemory:
        used_share = memory.used_memory / total if memory.used_memory is not None and total else None
    used_role: Role = "strong" if role == "value" or full else role
    return Group(
        "limit",
        (
            *(Fact(0, line) for line in full),
            Fact(0, _of("used", memory.used_memory, memory.limit, used_share, used_role)),
            Fact(0, _of("rss", memory.used_memory_rss, total, rss_share, "value")),
            *(Fact(0, line) for line in _peak(memory)),
            Fact(0, field("policy", _NAME, memory.maxmemory_policy or units.UNKNOWN)),
            Fact(2, field("maxmemory", _NAME, _size(memory.maxmemory) if memory.maxmemory else label("not set"))),
            Fact(2, field("machine", _NAME, _size(total))),
        ),
    )


def _of_parts(memory: Memory) -> Group:
    whole = max(1, memory.used_memory or 0)
    return Group(
        "made of", tuple(Fact(index // 5, _part(name, size, whole)) for index, (name, size) in enumerate(parts(memory)))
    )


def _of_keys(memory: Memory, snapshot: Snapshot) -> Group:
    evicted, expired = units.count(memory.evicted_keys), units.count(memory.expired_keys)
    facts = [
        Fact(0, field("evicted", _NAME, _now(snapshot, EVICTED), label("total"), evicted.rjust(_BYTES))),
        Fact(0, field("expired", _NAME, _now(snapshot, EXPIRED), label("total"), expired.rjust(_BYTES))),
        Fact(2, field("with a TTL", _NAME, units.count(memory.volatile_keys).rjust(_BYTES), label("keys"))),
        Fact(2, field("to free", _NAME, units.count(memory.lazyfree_pending_objects).rjust(_BYTES), label("objects"))),
    ]
    if memory.total_eviction_exceeded_time is not None and (memory.maxmemory or memory.total_eviction_exceeded_time):
        exceeded = units.milliseconds(memory.total_eviction_exceeded_time / 1000)
        facts.append(Fact(2, field("over limit", _NAME, exceeded.rjust(_BYTES), label(since(snapshot.history)))))
    if memory.evicted_clients:
        facts.append(
            Fact(1, field("clients", _NAME, units.count(memory.evicted_clients), label("closed to save memory")))
        )
    return Group("keys that go", tuple(facts))


def _of_allocator(memory: Memory, found: tuple[Concern, ...]) -> Group:
    facts = [
        Fact(0, field("frag", _NAME, _fragmentation(memory, found), _more(memory.mem_fragmentation_bytes))),
        Fact(0, field("allocator", _NAME, memory.mem_allocator or units.UNKNOWN)),
        Fact(1, _ratio("external", memory.allocator_frag_ratio, memory.allocator_frag_bytes)),
        Fact(1, _ratio("retained", memory.allocator_rss_ratio, memory.allocator_rss_bytes)),
        Fact(1, _ratio("process", memory.rss_overhead_ratio, memory.rss_overhead_bytes)),
    ]
    if memory.active_defrag_running:
        facts.append(Fact(0, field("defrag", _NAME, f"takes {memory.active_defrag_running}% of a core")))
    return Group("fragmentation", tuple(facts))


def _of(name: str, size: int | None, limit: int | None, share: float | None, role: Role) -> Line:
    """A size, what it is compared with, and its share of that."""
    of = (label("of"), span(units.bytes_(limit).rjust(_BYTES)), span(units.percent(share).rjust(5), role))
    return field(name, _NAME, span(units.bytes_(size).rjust(_BYTES), role), *(() if limit is None else of))


def _peak(memory: Memory) -> tuple[Line, ...]:
    """The most that was used at once; nothing where nobody tells, as of several nodes together."""
    if memory.used_memory_peak is None:
        return ()
    share = span(units.percent(memory.peak_share).rjust(5))
    return (field("peak", _NAME, _size(memory.used_memory_peak), label("now"), share, label("of it")),)


def _part(name: str, size: int, whole: int) -> Line:
    share = size / whole
    figures = (span(units.bytes_(size).rjust(_BYTES + 1)), label(units.percent(share).rjust(6)))
    return (label(name.ljust(_NAME + 1)), *bar_line(share, _BAR, "bytes"), *figures)


def _ratio(name: str, ratio: float | None, surplus: int | None) -> Line:
    return field(name, _NAME, f"{ratio:.2f}" if ratio is not None else units.UNKNOWN, _more(surplus))


def _more(size: int | None) -> Span:
    """A surplus with its sign."""
    if size is None:
        return span("")
    return span(f"{'-' if size < 0 else '+'}{units.bytes_(abs(size))}".rjust(_BYTES + 2), "label")


def _fragmentation(memory: Memory, found: tuple[Concern, ...]) -> Span:
    ratio = memory.mem_fragmentation_ratio
    return span(units.UNKNOWN if ratio is None else f"{ratio:.2f}", _role(found, Subject.FRAGMENTATION))


def _size(size: int | None) -> Span:
    return span(units.bytes_(size).rjust(_BYTES))


def _now(snapshot: Snapshot, metric: Metric[Info]) -> Span:
    return span(units.rate(snapshot.history.latest(metric.name)).rjust(_BYTES))


def _role(found: tuple[Concern, ...], subject: Subject) -> Role:
    """The colour of what a concern is about: of the worst concern, if there is one."""
    return next((_ROLES[concern.severity] for concern in found if concern.subject is subject), "value")
