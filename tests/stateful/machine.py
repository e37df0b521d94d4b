"""The machine: what may happen to a server, in any order, each step held against the model."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.stateful.acts import ACTS, HOUR, Act
from tests.stateful.model import Different
from tests.stateful.undoing import Undoing
from tests.stateful.values import TYPES, Shape
from tests.stateful.wishes import NAMES


class Machine(Undoing, RuleBasedStateMachine):
    """One example: a few dozen keys, and whatever is done to them.

    Attributes:
        found: The walks that led to a difference, each with what it was.
        walked: The steps of this example.
    """

    found: ClassVar[list[str]]

    def __init__(self) -> None:
        super().__init__()
        self.walked: list[str] = []

    @initialize(salt=st.integers(0, 1000))
    def fill(self, salt: int) -> None:
        """Let there be a key of most names, of every type."""
        self.walked.append(f"fill {salt}")
        for number, name in enumerate(NAMES[:-1]):
            turn = salt + number
            life = (0, 3 * HOUR, 0, 72 * HOUR, 0)[turn % 5]
            self.put(name, Shape(TYPES[turn % 6], turn % 4 == 0, turn), life, "")
        self.look_around(set(NAMES))

    @rule(what=ACTS)
    def step(self, what: Act) -> None:
        """One of all that may happen."""
        name, drawn = what
        self.walked.append(f"{name} {drawn}")
        try:
            getattr(self, name)(**drawn)
        except Different as error:
            self.found.append("\n".join([*self.walked, str(error)]))
            raise
