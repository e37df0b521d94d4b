"""What holds for the server that an action is for: its environment, whether it may be written to, what stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pymon_tui.model.action import NOTHING
from pymon_tui.model.text import SafeText
from pymon_tui.readings.info import Info
from pymon_tui.server.endpoint import Endpoint


def _keeps_nothing(_key: bytes) -> SafeText | None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The rules of one server.

    Attributes:
        environment: What it is called ("production", ...), or None.
        forbids: Who says that nothing may be written; empty where nobody does.
        keeps: Why this key is never removed; None for one that may be.
    """

    environment: SafeText | None
    forbids: SafeText = NOTHING
    keeps: Callable[[bytes], SafeText | None] = _keeps_nothing


class TermsOf(Protocol):
    """Finds the terms of the process that answers somewhere, and remembers that it does."""

    async def __call__(self, endpoint: Endpoint, info: Info, *, far: bool) -> Terms:
        """The terms of what is behind ``endpoint``.

        Args:
            info: What that process tells of itself and its replication; empty where it tells nothing.
            far: Whether the deployment that it belongs to is asked too, on connections of its own.
        """
        ...


async def own_terms(endpoint: Endpoint, info: Info, *, far: bool) -> Terms:  # noqa: ARG001
    """What the endpoint itself says, where no profile guards any server."""
    return Terms(endpoint.called)
