"""Whether an undo may begin, and what the parts of one on several nodes share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pymon_tui.invalidation.pipe import Line
from pymon_tui.server.endpoint import Endpoint


class RestoreError(Exception):
    """An undo that must not begin. Its text is one line: why, and what to do."""


class OtherServer(RestoreError):  # noqa: N818 - what was found
    """Another server process answers than the one that the keys were removed from. A person may want that."""


@dataclass(frozen=True, slots=True, eq=False)
class RestorePart:
    """What an undo of what one node had shares with those of the others.

    Attributes:
        group: The undo that they make together, which has looked who answers.
        opens: Connects to wherever the keys are to go.
        passed_over: Keys that another part brings back: they were found again on another node, and removed there.
        fewer: How many of them this trash has.
    """

    group: str
    opens: Callable[[Endpoint], Awaitable[Line]]
    passed_over: frozenset[bytes]
    fewer: int
