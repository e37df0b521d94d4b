"""Keys of a run that were kept for an undo, and whose trash is gone: given up for another run, or removed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pymon_tui.journal.key_count import KeyCount
from pymon_tui.model.text import SafeText, safe


class Dropped(NamedTuple):
    """How many keys, and of which nodes of a cluster; of one server no node is named."""

    keys: KeyCount
    nodes: tuple[SafeText, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For ``--json`` and the journal."""
        return {"keys_at_least": self.keys.least, "keys_at_most": self.keys.most, "nodes": list(self.nodes)}

    @classmethod
    def from_json(cls, told: object) -> Dropped | None:
        """What ``as_json`` gave; None where it isn't that."""
        if not isinstance(told, Mapping):
            return None
        least, most, nodes = (told.get(name) for name in ("keys_at_least", "keys_at_most", "nodes"))
        if not isinstance(least, int) or not isinstance(most, int | None) or not isinstance(nodes, list):
            return None
        return cls(KeyCount(least, most), tuple(safe(str(node)) for node in nodes))
