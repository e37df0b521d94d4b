"""What takes more than one round trip: steps that say what to send, and go on by what came back. No I/O in them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from pymon_tui.model.query import Argument, Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exchange:
    """Commands that are sent together, in one round trip.

    Attributes:
        commands: Each with its arguments. They may hold what is secret, so they are left out of the representation.
        writes: False where they only look: if their answers are lost, nothing was changed.
        atomic: Between MULTI and EXEC: nobody else's command comes in between.
    """

    commands: tuple[tuple[Argument, ...], ...]
    writes: bool = True
    atomic: bool = False

    def __repr__(self) -> str:
        names = ", ".join(str(command[0]) for command in self.commands)
        return f"Exchange({names})"


Steps: TypeAlias = Generator[Exchange, Sequence[Reply], T]
"""Yields what to send, is sent one reply per command (no error among them: whoever sends ends the steps there), and
returns what came of it all. Nothing is sent twice: who loses an answer doesn't go on.
"""
