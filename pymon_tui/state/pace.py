"""Which node of a deployment the snapshots of all together keep step with."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.model.link import Live
from pymon_tui.model.snapshot import Snapshot

_LATE = 1.2
"""How many intervals a node may be behind the newest before another one sets the pace."""


class Pace:
    """The same node for as long as it answers in time: one that hangs holds nobody up, and few samples are uneven."""

    def __init__(self) -> None:
        self._name: str | None = None

    def of(self, known: Sequence[tuple[str, Snapshot]]) -> tuple[str, Snapshot]:
        """The node that sets the pace, and its snapshot; ``known`` has at least one."""
        able = [each for each in known if isinstance(each[1].link, Live)] or known
        newest = max(able, key=lambda each: each[1].at)
        usual = next((each for each in able if each[0] == self._name), newest)
        late = newest[1].at - usual[1].at > _LATE * usual[1].interval
        self._name, snapshot = newest if late else usual
        return self._name, snapshot
