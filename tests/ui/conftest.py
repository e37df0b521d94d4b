"""What looks are compared with, and the place that their times are of."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from pymon_tui.model import sliding_rate
from tests.ui.stage import few_panes


class SvgExtension(SingleFileSnapshotExtension):
    """One SVG file a look."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.fixture
def look(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> SnapshotAssertion:
    """Compares an SVG with the one that was taken before; no rate is known yet, however long the test takes."""
    monkeypatch.setattr(sliding_rate, "_LEAST", math.inf)
    return snapshot.use_extension(SvgExtension)


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are those of one place."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def lone_pane() -> Iterator[None]:
    """Monitors have one pane: for tests that look at none."""
    with few_panes():
        yield
