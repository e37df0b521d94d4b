"""A person at the terminal, runs that don't wait to feel an idle server, and monitors that nobody looks at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.removing.conftest import _at_once as _at_once
from tests.removing.conftest import answers as answers
from tests.ui.stage import few_panes


@pytest.fixture(autouse=True)
def _few_panes() -> Iterator[None]:
    with few_panes():
        yield
