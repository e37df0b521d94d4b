"""The slow log pane: which commands were slow, one by one or by shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.suggestion import suggested
from pymon_tui.model import units
from pymon_tui.model.action import Action
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.server import SERVER, server_now
from pymon_tui.readings.shapes import Shape, shapes_of
from pymon_tui.readings.slowlog import SLOWLOG, SlowEntry, SlowLog
from pymon_tui.readings.slowlog_settings import (
    SLOWLOG_SETTINGS,
    change_threshold,
    duration,
    parse_threshold,
    reset_slowlog,
)
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.panes.slowlog.lines import empty_text, entry_lines, facts, threshold_text
from pymon_tui.ui.panes.slowlog.rows import (
    entry_columns,
    matching,
    ordered_entries,
    ordered_shapes,
    shape_columns,
    without_own,
)
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.ink import Facts
from pymon_tui.ui.widgets.table import Listed, Table

WIDE = 150
"""Cells from which on there is room for a whole command beside its shape."""


class SlowLogPane(Pane):
    """The commands that took longest, kept past the server's ring."""

    NAME = "slowlog"
    TITLE = "Slow log"
    ABOUT = "Commands that took longer than the threshold: when, how long, which, by whom; one by one or by shape."
    QUERIES = (SLOWLOG, SLOWLOG_SETTINGS, SERVER)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "threshold", "Threshold", id="slowlog.threshold", tooltip="Change from which time on is logged"),
        Binding("x", "reset", "Reset", id="slowlog.reset", tooltip="Empty the server's slow log"),
        Binding("escape", "shapes", "Shapes", id="slowlog.shapes", tooltip="Back to the shapes"),
    ]

    UNSEEN = frozenset(("threshold", "reset"))

    DEFAULT_CSS = """
    SlowLogPane {
        & #facts { display: none; margin-bottom: 1; }
        &.-full #facts { display: block; }
        & #shapes { display: none; }
        &.-shapes #shapes { display: block; }
        &.-shapes #entries { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._filter = FilterLine()
        self._shape: SafeText | None = None
        self._now = 0.0
        self._listed: tuple[object, ...] = ()
        self._entries: Table[SlowEntry] = Table(
            entry_columns(0.0, full=False, nodes=False),
            sort="ago",
            descending=False,
            follows=True,
            filter_line=self._filter,
            groups=True,
            id="entries",
        )
        self._shapes: Table[Shape] = Table(
            shape_columns(0.0, wide=False), sort="total", filter_line=self._filter, groups=True, id="shapes"
        )

    @property
    def by_shape(self) -> bool:
        """Whether commands are grouped."""
        return self.has_class("-shapes")

    def body(self) -> Iterable[Widget]:
        """A line of facts, the entries or the shapes, and the filter."""
        yield Facts(id="facts")
        yield self._entries
        yield self._shapes
        yield self._filter

    def draw(self, snapshot: Snapshot) -> None:
        """Fill the line of facts and the table that is seen."""
        reading, settings = snapshot.reading(SLOWLOG), snapshot.reading(SLOWLOG_SETTINGS)
        if not isinstance(reading, Ready):
            return
        self._now = server_now(snapshot)
        log = reading.value
        others = without_own(log.entries)
        shown = self._fill(log, others)
        found = bool(self._filter.text or self._shape)
        self._entries.say_when_empty("no entry has that" if others and found else empty_text(settings))
        self._shapes.say_when_empty("no entry has that" if others and found else empty_text(settings))
        self.query_one("#facts", Facts).show((facts(log, settings, others),))
        self.say(self._title(shown, len(others)), threshold_text(settings))

    def opening(self) -> Callable[[], Pane.Open | None] | None:
        """An entry in full; a shape is gone into: its entries are shown."""
        if self.by_shape:
            shape = self._shapes.cursor_row
            return partial(self._show_entries, shape.shape) if shape is not None else None
        entry = self._entries.cursor_row
        return partial(self._detailed_entry, entry) if entry is not None else None

    def _detailed_entry(self, entry: SlowEntry) -> Pane.Open:
        title = safe(f"Slow command, {units.microseconds(entry.duration)}")
        return self.Open(title, entry_lines(entry, self._now), entry.command)

    def suggestion(self) -> Pattern | None:
        """The keys of a shape, or the one key of a command."""
        if self.by_shape:
            shape = self._shapes.cursor_row
            return suggested(shape.worst.arguments, like=True) if shape is not None else None
        entry = self._entries.cursor_row
        return suggested(entry.arguments, like=False) if entry is not None else None

    def copied(self) -> SafeText | None:
        """The command, or the shape."""
        if self.by_shape:
            return shape.shape if (shape := self._shapes.cursor_row) is not None else None
        return entry.command if (entry := self._entries.cursor_row) is not None else None

    def can(self, action: str) -> bool | None:
        """No key that writes under read-only; escape is the screen's outside of a shape."""
        if action == "shapes":
            return self._shape is not None
        return not (self.read_only and action in ("threshold", "reset"))

    def action_shapes(self) -> None:
        """Back from a shape's commands to the shapes."""
        left = self._shape
        self._group()
        if left is not None:
            self._shapes.point_at(left)

    def action_reset(self) -> None:
        """Empty the server's slow log, once that is confirmed."""
        self.post_message(self.Act(reset_slowlog()))

    def action_threshold(self) -> None:
        """Ask for another threshold."""
        settings = self.snapshot.reading(SLOWLOG_SETTINGS) if self.snapshot is not None else None
        now = settings.value.slowlog_log_slower_than if isinstance(settings, Ready) else None
        self.post_message(
            self.Ask(
                "Log commands slower than",
                "10ms, 500us, 1s; a bare number is in µs; 0 logs all, off none",
                "" if now is None else "off" if now < 0 else duration(now),
                wrong_threshold,
                threshold_answer,
            )
        )

    @on(Table.GroupingWanted)
    def _group(self) -> None:
        if self.by_shape:
            self._show_entries(None)
        else:
            self.add_class("-shapes")
            self._turn(self._entries, self._shapes)

    def _show_entries(self, shape: SafeText | None) -> None:
        self._shape = shape
        self.remove_class("-shapes")
        self._turn(self._shapes, self._entries)

    def _turn(self, old: Table[Any], new: Table[Any]) -> None:
        """Draw the other table, which takes the focus where the old one had it."""
        if self.by_shape:
            self._shape = None
        if old.has_focus:
            new.focus()
        self.draw_again()
        self.refresh_bindings()

    @on(Table.SortChanged)
    @on(FilterLine.Changed)
    def _reorder(self) -> None:
        self.draw_again()

    def _fill(self, log: SlowLog, others: tuple[SlowEntry, ...]) -> int:
        """Show the rows; they are chosen and sorted anew only if something changed. Returns how many there are."""
        table: Table[Any] = self._shapes if self.by_shape else self._entries
        by, descending = table.sort or "", table.descending
        asked = (log, self._filter.text, self._shape, self.by_shape, by, descending)
        nodes = any(entry.node is not None for entry in log.entries[:1])
        self._entries.columns = entry_columns(self._now, full=self.full, nodes=nodes)
        self._shapes.columns = shape_columns(self._now, wide=self.size.width >= WIDE)
        if asked == self._listed:
            table.refresh()
            return len(table.rows)
        self._listed = asked
        chosen = matching(others, self._filter.text, self._shape)
        if self.by_shape:
            shapes = ordered_shapes(shapes_of(chosen), by, descending=descending)
            self._shapes.show(Listed(shapes, lambda shape: shape.shape))
        else:
            entries = ordered_entries(chosen, by, descending=descending)
            self._entries.show(Listed(entries, lambda entry: (entry.node, entry.key)))
        return len(table.rows)

    def _title(self, shown: int, known: int) -> str:
        parts = [self.TITLE]
        if self.by_shape:
            parts.append(f"{units.count(shown)} {'shape' if shown == 1 else 'shapes'}")
        elif shown != known:
            parts.append(f"{units.count(shown)} of {units.count(known)}")
        else:
            parts.append(units.count(known))
        title = " ".join(parts)
        if self._shape is not None:
            title += f"  {self._shape}"
        return f"{title}  filter: {self._filter.text}" if self._filter.text else title


def wrong_threshold(text: str) -> str | None:
    """What is wrong with a threshold as it was typed."""
    try:
        parse_threshold(text)
    except ValueError as error:
        return str(error)
    return None


def threshold_answer(text: str) -> Action:
    """The write that sets a threshold as it was typed."""
    return change_threshold(parse_threshold(text))
