"""What the tests of runs share."""

from __future__ import annotations

import pytest

from pymon_tui.invalidation import pacing


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs begin without feeling first what other clients feel, which takes half a second."""
    monkeypatch.setattr(pacing, "_IDLE", 0.0)
