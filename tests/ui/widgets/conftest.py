"""Widgets as a terminal has them: what isn't painted anew is old."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _painted(painted: None) -> None:
    """Each frame is painted: what was painted before is what a widget may forget to paint anew."""
