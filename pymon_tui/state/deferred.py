"""A source that is made when it is first iterated: what it imports waits until there is a picture to look at."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing

from pydantic import SecretStr

from pymon_tui.model.action import Action, NotDone, Outcome
from pymon_tui.model.feed import Feed
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.state.source import Source


class Deferred:
    """Stands for a ``Source`` until ``make`` has made it; what it is told before is told to that one then."""

    def __init__(self, make: Callable[[], Source], *, read_only: bool) -> None:
        self._make = make
        self._read_only = read_only
        self._made: Source | None = None
        self._feed = Feed()
        self._wanted: frozenset[str] = frozenset()
        self._interval: float | None = None

    @property
    def feed(self) -> Feed:
        """The live stream of Pub/Sub messages."""
        return self._made.feed if self._made is not None else self._feed

    @property
    def patterns(self) -> tuple[bytes, ...]:
        """The channel patterns that the feed is subscribed to."""
        return self._made.patterns if self._made is not None else ()

    @property
    def read_only(self) -> bool:
        """Whether ``act`` refuses everything."""
        return self._read_only or (self._made is not None and self._made.read_only)

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        """Make the source, and go on with its snapshots."""
        made = self._made = self._make()
        made.want(self._wanted)
        if self._interval is not None:
            made.set_interval(self._interval)
        async with aclosing(made.snapshots()) as snapshots:
            async for snapshot in snapshots:
                yield snapshot

    def want(self, names: Collection[str]) -> None:
        """Say which readings are looked at."""
        self._wanted = frozenset(names)
        if self._made is not None:
            self._made.want(names)

    def set_interval(self, seconds: float) -> None:
        """Seconds between two ticks."""
        self._interval = seconds
        if self._made is not None:
            self._made.set_interval(seconds)

    def choose(self, node: int | None) -> None:
        """Show another node; before there is a source there is none."""
        if self._made is not None:
            self._made.choose(node)

    def poke(self) -> None:
        """Tick now; before there is a source it is about to anyhow."""
        if self._made is not None:
            self._made.poke()

    def log_in(self, password: SecretStr) -> None:
        """Speak with this password from now on; before there is a source nobody has turned us away."""
        if self._made is not None:
            self._made.log_in(password)

    def note(self, text: SafeText, run: str) -> None:
        """Mark the history with what a run has just done; before there is a source there is nothing to mark."""
        if self._made is not None:
            self._made.note(text, run)

    def reset_peaks(self) -> None:
        """Count peaks anew; before there is a source there are none."""
        if self._made is not None:
            self._made.reset_peaks()

    async def act(self, action: Action) -> Outcome:
        """Carry out a confirmed action."""
        if self._made is None:
            return NotDone(safe(f"{action.name} was not sent: there is no connection yet"), safe(""), unknown=False)
        return await self._made.act(action)

    async def watch(self, patterns: Collection[bytes]) -> None:
        """Subscribe the feed to these channel patterns and no others."""
        if self._made is not None:
            await self._made.watch(patterns)
