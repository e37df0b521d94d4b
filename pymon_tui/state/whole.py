"""A deployment as if it were one server: the readings of its nodes as one, and their rates added up over time."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pymon_tui.model.deployment import Kind as Deployment
from pymon_tui.model.deployment import Role
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import History, HistoryView
from pymon_tui.model.link import Link, Live, Lost
from pymon_tui.model.metric import Kind, Metric
from pymon_tui.model.query import PENDING, Part, Pending, Query, Reading, Ready, Reason, Unavailable
from pymon_tui.model.snapshot import FleetView, Node, Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import INFO, Info, NotTold
from pymon_tui.readings.merged_info import merged
from pymon_tui.readings.metrics import CLIENTS, CONNECTIONS, HITS, METRICS, MISSES, RTT
from pymon_tui.readings.topology import TOPOLOGY
from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint

_EVERYWHERE = frozenset(metric.name for metric in (HITS, MISSES, CLIENTS, CONNECTIONS))
"""What is counted on replicas too: the rest they do once more for the same data."""

_PER_NODE = Unavailable(
    Reason.PER_NODE, safe("each node of the deployment has its own"), safe("n and N step through the nodes")
)


class Whole:
    """Makes the snapshots of all nodes together, and remembers what they were."""

    def __init__(self, queries: Sequence[Query[Any]], label: SafeText) -> None:
        """``label`` is what the user calls the deployment."""
        self._queries = tuple(queries)
        self._label = label
        self._history = History((*METRICS, RTT))
        self._totals: dict[str, float] = {}
        self._values: dict[str, Any] = {}
        self._recorded_at: float | None = None  # not before all nodes have told
        self._met = False  # whether it is known which nodes there are

    def note(self, text: SafeText, wall: float, *, run: str | None = None) -> None:
        """Mark the history."""
        self._history.note(text, wall, run=run)

    def reset_peaks(self) -> None:
        """Count the history's peaks anew from now on."""
        self._history.reset_peaks()

    def waiting(self, endpoint: Endpoint, interval: float, link: Link, feed: Feed) -> Snapshot:
        """The deployment before any of its nodes is known."""
        return Snapshot(
            node=self._label,
            environment=endpoint.called,
            at=clock.now(),
            wall=time.time(),
            interval=interval,
            link=link,
            readings={},
            cadence={},
            history=self._history.view(),
            feed=feed,
            own_ids=frozenset(),
            verified=endpoint.is_verified,
        )

    def snapshot(
        self, fleet: FleetView, infos: Sequence[Info | None], pace: Snapshot, feed: Feed, *, met: bool = True
    ) -> Snapshot:
        """The deployment at the moment of ``pace``, the newest snapshot of one of its nodes.

        Nothing is recorded while a node may still come to tell for the first time: a sum that lacks it is no sum.
        Before it is known which nodes there are, nothing is said of all together either.

        Args:
            fleet: The nodes.
            infos: The newest INFO of each, None where none is known.
            pace: Whose moment and interval it gets.
            feed: The messages of the deployment.
            met: Whether ``fleet`` has every node that is known.
        """
        known = [(node, info) for node, info in zip(fleet.nodes, infos, strict=True) if _answers(node) and info]
        self._met = self._met or (met and all(_is_placed(node, fleet.kind) for node in fleet.nodes))
        if met and self._met and all(_has_told(node) for node in fleet.nodes):
            self._record(fleet.nodes, pace)
        links = [node.snapshot.link for node in fleet.nodes]
        live = [link for link in links if isinstance(link, Live)]
        link = Live(min(each.since for each in live), max(each.rtt for each in live)) if live else _first_lost(links)
        return Snapshot(
            node=self._label,
            environment=pace.environment,
            at=pace.at,
            wall=pace.wall,
            interval=pace.interval,
            link=link,
            readings=self._readings(known if self._met else (), pace.at),
            cadence=_slowest([node.snapshot.cadence for node in fleet.nodes]),
            history=self._history.view(),
            feed=feed,
            own_ids=frozenset(),
            fleet=fleet,
            verified=pace.verified,
        )

    def _record(self, nodes: Sequence[Node], pace: Snapshot) -> None:
        """Add a sample: what the nodes that answer do per second, of each metric that all of them tell."""
        if self._recorded_at is not None and pace.at <= self._recorded_at:
            return
        is_first = self._recorded_at is None
        elapsed = pace.at - self._recorded_at if self._recorded_at is not None else pace.interval
        answering = [node for node in nodes if _answers(node)]
        values: dict[str, float | None] = {}
        for metric in (*METRICS, RTT):
            told = [
                _lately(node.snapshot.history, metric, elapsed)
                for node in answering
                if metric.name in _EVERYWHERE or metric is RTT or node.member.role is not Role.REPLICA
            ]
            level = None if not told or None in told else math.fsum(value for value in told if value is not None)
            if metric is RTT:
                values[metric.name] = max((value for value in told if value is not None), default=None)
            elif metric.kind is Kind.GAUGE:
                values[metric.name] = level
            elif is_first:
                values[metric.name] = self._totals[metric.name] = 0.0  # what comes next has grown since this moment
            elif level is not None:
                # The nodes' own histories have left out what is no growth: resets, and what we caused ourselves.
                self._totals[metric.name] = self._totals.get(metric.name, 0.0) + level * elapsed
                values[metric.name] = self._totals[metric.name]
        self._history.reset_before = any(node.snapshot.history.counted_since is not None for node in answering)
        self._history.align(pace.wall - pace.at)
        self._history.record(pace.at, values, {})
        self._recorded_at = pace.at

    def _readings(self, known: Sequence[tuple[Node, Info]], at: float) -> Mapping[str, Reading[Any]]:
        if not known:
            return dict.fromkeys((query.name for query in self._queries), PENDING)
        primaries = [info for node, info in known if node.member.role is not Role.REPLICA]
        replicas = [info for node, info in known if node.member.role is Role.REPLICA]
        info = merged(primaries or replicas, replicas if primaries else ())
        nodes = [node for node, _ in known]
        return {query.name: self._reading(query, info, nodes, at) for query in self._queries}

    def _reading(self, query: Query[Any], info: Info, nodes: Sequence[Node], at: float) -> Reading[Any]:
        if query.command is INFO:
            try:
                value = query.fold(self._values.get(query.name), query.parse(info))
            except ValueError as error:
                reason = Reason.MISSING if isinstance(error, NotTold) else Reason.UNREADABLE
                return Unavailable(reason, safe(str(error)), safe("look at one node: n"))
            self._values[query.name] = value
            return Ready(value if query.beside is None else query.beside(value, _parts(query, nodes)), at)
        if query.merge is None:
            return _PER_NODE
        parts = _parts(query, nodes)
        if parts and not (query.of_all and len(parts) < len(nodes)):
            return Ready(query.merge(parts), at)
        readings = (node.snapshot.reading(query) for node in nodes)
        return next((reading for reading in readings if isinstance(reading, Unavailable)), PENDING)


def _parts(query: Query[Any], nodes: Sequence[Node]) -> list[Part[Any]]:
    """What each node told that did."""
    readings = [(node.snapshot, node.snapshot.reading(query)) for node in nodes]
    return [
        Part(snapshot.node, reading.value, snapshot.own_ids)
        for snapshot, reading in readings
        if isinstance(reading, Ready)
    ]


def _lately(history: HistoryView, metric: Metric[Any], seconds: float) -> float | None:
    """The newest level of a gauge; of a counter the growth per second over as long as the sample is to cover."""
    if metric.kind is Kind.GAUGE:
        return history.latest(metric.name)
    grown = history.growth(metric.name, seconds)
    return None if grown is None else grown[0] / grown[1]


def _answers(node: Node) -> bool:
    return isinstance(node.snapshot.link, Live)


def _has_told(node: Node) -> bool:
    """Whether it has told how it is, or is known to be away."""
    return isinstance(node.snapshot.link, Live | Lost) or node.member.failing is not None


def _is_placed(node: Node, kind: Deployment) -> bool:
    """Whether it is known who else belongs to its cluster, or that it doesn't say."""
    if kind is not Deployment.CLUSTER or node.member.role is not Role.UNKNOWN:
        return True
    is_asked = any(not isinstance(node.snapshot.reading(query), Pending) for query in TOPOLOGY[:2])
    return is_asked or isinstance(node.snapshot.link, Lost)


def _first_lost(links: Sequence[Any]) -> Any:
    """None answers: the one that is away longest says why."""
    lost = [link for link in links if isinstance(link, Lost)]
    return min(lost, key=lambda link: link.since) if lost else links[0]


def _slowest(cadences: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    """The longest period of each query."""
    found: dict[str, float] = {}
    for cadence in cadences:
        for name, seconds in cadence.items():
            found[name] = max(seconds, found.get(name, 0.0))
    return found
