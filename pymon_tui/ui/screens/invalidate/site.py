"""The server that is worked on, as the screens of invalidation see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymon_tui.invalidation.desk import Desk
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.state.source import Source
from pymon_tui.ui.screens.tab_line import TabTitle
from pymon_tui.ui.widgets.graph import Glyphs


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """What every one of these screens is given.

    Attributes:
        desk: Where everything about invalidation is asked for.
        source: The monitor's, whose history is marked with what a run does.
        newest: The newest snapshot of the monitor underneath, or None before there is one.
        clock: Monotonic seconds, as the snapshots have them.
        glyphs: What graphs are made of.
        tabs: Tells of all tabs; none where there is one alone.
    """

    desk: Desk
    source: Source
    newest: Callable[[], Snapshot | None]
    clock: Callable[[], float]
    glyphs: Glyphs
    tabs: Callable[[], Sequence[TabTitle]]

    @property
    def read_only(self) -> bool:
        """Whether nothing may be written, so that the keys which write are absent."""
        return self.desk.rules.read_only or self.source.read_only

    @property
    def place(self) -> str:
        """``db0 on prod-cache``."""
        return self.place_of(self.desk.endpoint.db)

    def place_of(self, db: int) -> str:
        """The same, of another database of the server."""
        return f"db{db} on {self.desk.endpoint.label}"
