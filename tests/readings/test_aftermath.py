from __future__ import annotations

import pytest

from pymon_tui.model.history import History
from pymon_tui.model.text import safe
from pymon_tui.readings.aftermath import LASTS, aftermath
from pymon_tui.readings.metrics import HITS, METRICS, MISSES, RTT

RUN = "20261122-120411-7c3f"
WALL = 1_000.0


class Reads:
    """A history of reads, one sample a second."""

    def __init__(self) -> None:
        self.history = History((*METRICS, RTT))
        self._at = self._hits = self._misses = 0.0

    def pass_(self, seconds: int, *, hits: float, misses: float, rtt: float = 0.001) -> None:
        for _ in range(seconds):
            self._at += 1
            self._hits += hits
            self._misses += misses
            self.history.record(self._at, {HITS.name: self._hits, MISSES.name: self._misses, RTT.name: rtt}, {})


@pytest.fixture
def reads() -> Reads:
    reads = Reads()
    reads.pass_(100, hits=900, misses=100)
    return reads


def test_nothing_is_said_where_nothing_was_done(reads: Reads) -> None:
    reads.history.note(safe("restarted"), WALL)
    assert aftermath(reads.history.view(), WALL) is None


def test_misses_and_latency_are_held_against_what_they_were(reads: Reads) -> None:
    reads.history.note(safe("removing"), WALL, run=RUN)
    reads.pass_(10, hits=500, misses=500, rtt=0.004)
    found = aftermath(reads.history.view(), WALL + 10)
    assert found is not None
    assert found.misses_before == pytest.approx(100)
    assert found.misses == pytest.approx(500)
    assert (found.rtt_before, found.rtt) == (0.001, 0.004)
    assert found.rewarmed == 0.0


def test_it_begins_with_the_first_mark_of_the_newest_run(reads: Reads) -> None:
    reads.history.note(safe("removing"), WALL, run="20261122-110411-7c3f")
    reads.pass_(10, hits=900, misses=100)
    reads.history.note(safe("removing"), WALL + 10, run=RUN)
    reads.pass_(10, hits=0, misses=1000)
    reads.history.note(safe("removed"), WALL + 20, run=RUN)
    found = aftermath(reads.history.view(), WALL + 20)
    assert found is not None
    assert (found.run.run, found.run.wall) == (RUN, WALL + 10)
    assert found.misses_before == pytest.approx(100)


@pytest.mark.parametrize(("hits", "rewarmed"), [(400, 0.0), (650, 0.5), (900, 1.0), (950, 1.0)])
def test_a_cache_is_rewarmed_as_far_as_its_hit_rate_has_come_back(reads: Reads, hits: int, rewarmed: float) -> None:
    reads.history.note(safe("removing"), WALL, run=RUN)
    reads.pass_(20, hits=400, misses=600)
    reads.pass_(10, hits=hits, misses=1000 - hits)
    found = aftermath(reads.history.view(), WALL + 30)
    assert found is not None
    assert found.rewarmed == pytest.approx(rewarmed)


def test_a_hit_rate_that_did_not_fall_needs_no_rewarming(reads: Reads) -> None:
    reads.history.note(safe("removing"), WALL, run=RUN)
    reads.pass_(10, hits=900, misses=100)
    found = aftermath(reads.history.view(), WALL + 10)
    assert found is not None
    assert found.rewarmed is None


def test_just_after_the_mark_nothing_is_known_of_now(reads: Reads) -> None:
    reads.history.note(safe("removing"), WALL, run=RUN)
    found = aftermath(reads.history.view(), WALL)
    assert found is not None
    assert (found.misses, found.rtt, found.rewarmed) == (None, None, None)


def test_after_some_minutes_it_is_old(reads: Reads) -> None:
    reads.history.note(safe("removing"), WALL, run=RUN)
    assert aftermath(reads.history.view(), WALL + LASTS) is not None
    assert aftermath(reads.history.view(), WALL + LASTS + 1) is None
