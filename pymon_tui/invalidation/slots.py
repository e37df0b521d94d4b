"""Which hash slots of a cluster are meant."""

from __future__ import annotations

Ranges = tuple[tuple[int, int], ...]
"""Hash slots, as first and last of each range, rising."""
