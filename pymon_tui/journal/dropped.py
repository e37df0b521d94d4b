"""Keys of a run that were kept for an undo, and whose trash is gone: given up for another run, or removed by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

from pymon_tui.journal.key_count import KeyCount
from pymon_tui.model.text import SafeText


class Dropped(NamedTuple):
    """How many keys, and of which nodes of a cluster; of one server no node is named."""

    keys: KeyCount
    nodes: tuple[SafeText, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For ``--json`` and the journal."""
        return {"keys_at_least": self.keys.least, "keys_at_most": self.keys.most, "nodes": list(self.nodes)}
