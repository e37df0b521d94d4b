"""What panes with peaks share: they say since when these count, and a key sets them anew."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from pymon_tui.model.history import HistoryView
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.panes.over_time import PaneOverTime
from pymon_tui.ui.since_text import peaks_since

WIDE = 54
"""Cells from which on the overview's lower edge has room to say since when peaks count."""


class PaneWithPeaks(PaneOverTime):
    """A pane that draws history and says what was the most."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "reset_peaks", "Reset peaks", id="peaks.reset", tooltip="Count the peaks anew from now on"),
    ]

    class ResetPeaks(Message):
        """The peaks are to count anew."""

    def action_reset_peaks(self) -> None:
        """Have the peaks counted anew."""
        self.post_message(self.ResetPeaks())

    @property
    def says_peaks(self) -> bool:
        """Whether there is room for peaks, and for since when they count."""
        return self.full or self.size.width >= WIDE

    def counted(self, history: HistoryView, ranged: SafeText) -> SafeText:
        """For the lower edge: since when peaks count, and in the overview what the graph's edges are."""
        edges = safe("") if self.full else ranged
        said = peaks_since(history) if self.says_peaks else safe("")
        return safe(f"{said}   {edges}" if said and edges else said or edges)
