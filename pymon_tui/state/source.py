"""Where a screen's snapshots come from: a live server, a recording or a script are the same to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Protocol

from pydantic import SecretStr

from pymon_tui.model.action import Action, Outcome
from pymon_tui.model.feed import Feed
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText


class Source(Protocol):
    """What a screen is given: iterate it for snapshots, and tell it what is looked at."""

    @property
    def feed(self) -> Feed:
        """The live stream of Pub/Sub messages."""
        ...

    @property
    def patterns(self) -> tuple[bytes, ...]:
        """The channel patterns that the feed is subscribed to."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether ``act`` refuses everything."""
        ...

    def snapshots(self) -> AsyncGenerator[Snapshot]:
        """One snapshot per tick, and one whenever the link's state changes; for ever."""
        ...

    def want(self, names: Collection[str]) -> None:
        """Say which readings are looked at; the others are not asked for."""
        ...

    def set_interval(self, seconds: float) -> None:
        """Seconds between two ticks, from the next one on."""
        ...

    def choose(self, node: int | None) -> None:
        """Show the node at this place of the newest snapshot's fleet, or with None all together."""
        ...

    def poke(self) -> None:
        """Tick now, or try to connect now; what was refused is asked again."""
        ...

    def log_in(self, password: SecretStr) -> None:
        """Speak to the servers that turn us away with this password from now on, and try at once."""
        ...

    def note(self, text: SafeText, run: str) -> None:
        """Mark the history with what a run, by its id, has just done."""
        ...

    def reset_peaks(self) -> None:
        """Count the peaks of every history anew from now on."""
        ...

    async def act(self, action: Action) -> Outcome:
        """Carry out a confirmed action."""
        ...

    async def watch(self, patterns: Collection[bytes]) -> None:
        """Subscribe the feed to these channel patterns and no others."""
        ...
