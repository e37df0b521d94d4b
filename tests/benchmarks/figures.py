"""What a benchmark found, and the table that says it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing.

    Attributes:
        what: What was measured.
        limit: What it is to be, in words; empty where it is told for comparison only.
        reached: What it was.
        held: Whether the limit was held; None where there is none.
        basis: What it was measured on and against.
    """

    what: str
    limit: str
    reached: str
    held: bool | None
    basis: str


HEAD = "| what | limit | reached | held | ratio, basis |\n|---|---|---|---|---|"
"""The first lines of the table of figures, in Markdown."""


def row(figure: Figure) -> str:
    """A figure's line of the table."""
    held = {True: "yes", False: "**no**", None: ""}[figure.held]
    return f"| {figure.what} | {figure.limit} | {figure.reached} | {held} | {figure.basis} |"


def spread(values: Sequence[float], form: str = ".0f") -> str:
    """The median of some measurements, and how far they lie apart."""
    middle, low, high = (f"{value:{form}}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low}–{high})"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies, from 0 to 1."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
