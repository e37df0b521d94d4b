"""What the tests of runs on a cluster share."""

from __future__ import annotations

import pytest

from pymon_tui.invalidation import pacing, reconnecting


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs don't wait: to feel first what other clients feel, between two judgements, before they come back."""
    monkeypatch.setattr(pacing, "_IDLE", 0.0)
    monkeypatch.setattr(pacing, "_LOOK", 0.1)
    monkeypatch.setattr(reconnecting, "backoff", lambda *_: 0.02)
