"""What was found of a connection, a step at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import LinkError

NOTHING = safe("")


class Mark(Enum):
    """How it stands."""

    GOOD = "good"
    BAD = "bad"  # something is missing, wrong, or about to be
    OPEN = "open"  # doesn't apply, isn't granted and needn't be, or can't be told


@dataclass(frozen=True, slots=True)
class Finding:
    """One step.

    Attributes:
        step: ``sentinel``, ``name``, ``connection``, ``tls``, ``handshake``, ``login``, ``database``, ``permissions``,
            ``round_trip``, ``clock`` or ``topology``.
        title: What people read; of the permissions, what they are for; of a service, its name as it was given.
        said: What was found.
        remedy: What to do about it; empty where nothing is to be done.
        ends: Whether the next step makes no sense after it.
    """

    step: str
    title: str
    mark: Mark
    said: SafeText
    remedy: SafeText = NOTHING
    ends: bool = False


_WAY = ("sentinel", "name", "connection", "tls", "handshake")
"""The steps until somebody has answered."""


def failed(step: str, title: str, error: LinkError) -> Finding:
    """A step that got nowhere."""
    return Finding(step, title, Mark.BAD, error.what, error.remedy, ends=True)


def exit_code(findings: Iterable[Finding]) -> int:
    """0 if all is well, 1 if something is missing or degraded, 3 if no server answers."""
    bad = [finding for finding in findings if finding.mark is Mark.BAD]
    if any(finding.ends and finding.step in _WAY for finding in bad):
        return 3
    return 1 if bad else 0
