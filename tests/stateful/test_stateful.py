"""A short walk of the machine on each kind of server; `python -m tests.stateful` takes a long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stateful.place import server_of
from tests.stateful.walking import walk

EXAMPLES = 4


@pytest.mark.parametrize("kind", ["embedded", "redis-server"])
def test_what_is_there_and_what_is_said_are_as_the_model_says(kind: str, tmp_path: Path) -> None:
    with server_of(kind, tmp_path) as place:
        steps = walk(place, examples=EXAMPLES, seed=None, kills=False)
    assert steps.total() >= EXAMPLES
