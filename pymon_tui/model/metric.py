"""A number that is followed over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Kind(Enum):
    """How a metric's samples are read."""

    GAUGE = "gauge"  # a level: memory used, clients connected
    COUNTER = "counter"  # only ever goes up, so its rate is what is shown; one that went back was reset


@dataclass(frozen=True, slots=True, eq=False)
class Metric(Generic[T]):
    """A named number read from a decoded answer; None where the server doesn't tell it.

    Attributes:
        fields: Those of INFO that it is the sum of, if it is read from there.
    """

    name: str
    kind: Kind
    read: Callable[[T], float | None]
    fields: tuple[str, ...] = ()
