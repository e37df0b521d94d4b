"""The machine, let loose on a place."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.circumstances import in_small_pages
from tests.stateful.machine import Machine
from tests.stateful.model import Different
from tests.stateful.place import Place

STEPS = 20
"""Steps of an example."""


def walk(place: Place, *, examples: int, seed: int | None, kills: bool, shrinks: bool = True) -> Counter[str]:
    """Take so many walks; returns the steps of all of them by their kind.

    Args:
        seed: What chance begins with; None for the same walks each time.
        kills: Whether processes of their own are killed in the middle.
        shrinks: Whether a difference is told by the shortest walk that leads to it.

    Raises:
        Different: If the program and the model disagree; hypothesis tells the walk.
    """
    steps: Counter[str] = Counter()
    found: list[str] = []
    machine: Any = type("Walk", (Machine,), {"place": place, "kills": kills, "steps": steps, "found": found})
    if seed is not None:
        machine = seeded(seed)(machine)
    phases = [Phase.generate, *([Phase.shrink] if shrinks else [])]
    how = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=seed is None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        with in_small_pages():
            run_state_machine_as_test(machine, settings=how)
    except Flaky:  # chance and time have their part in it: it came once, and not again
        if not found:
            raise
        raise Different(found[0]) from None
    return steps
