"""The pulses that are felt from the beginning of a plan on, so that its run needn't wait for them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.server.endpoint import Endpoint


class Pulses:
    """The pulses of the servers that a plan looks at; its run goes on with them. A context manager, which ends them."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self._known: dict[Endpoint, Pulse] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def begin(self, endpoint: Endpoint) -> None:
        """Feel the pulse of this server from now on."""
        if endpoint not in self._known:
            self._known[endpoint] = self._held.enter_context(Pulse(endpoint).beating())

    def of(self, endpoint: Endpoint) -> Pulse | None:
        """The pulse of this server; None where it isn't felt."""
        return self._known.get(endpoint)
