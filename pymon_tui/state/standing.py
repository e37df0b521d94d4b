"""What a node that is followed is called, and whether it may be written to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from pymon_tui.model.action import Action, Outcome, Recorder
from pymon_tui.model.environment import is_production
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText
from pymon_tui.readings.info import Info
from pymon_tui.server.actions import perform
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.terms import Terms, TermsOf


class Standing:
    """The terms of one node, asked anew for each process that answers there, and for each action."""

    def __init__(self, endpoint: Endpoint, terms: TermsOf, record: Recorder, *, read_only: bool) -> None:
        """Before it is met, a node is called what its endpoint says.

        Args:
            terms: Finds what holds for the process that answers.
            record: Told of every action.
            read_only: Whether every action is refused, whatever the terms are.
        """
        self._terms_of = terms
        self._record = record
        self._read_only = read_only
        self._terms = Terms(endpoint.called)
        self._asked = False
        self._run_id: SafeText | None = None
        self._asking: asyncio.Task[Terms] | None = None

    @property
    def environment(self) -> SafeText | None:
        """What the node is called, as far as is known."""
        return self._terms.environment

    @property
    def read_only(self) -> bool:
        """Whether every action is refused, as far as is known."""
        return self._read_only or bool(self._terms.forbids)

    async def act(self, action: Action, endpoint: Endpoint, handshake: Handshake) -> Outcome:
        """Carry out a confirmed action by the terms that hold now, and have it recorded."""
        here = replace(endpoint, environment=self.environment)  # until those are known
        return await perform(action, here, handshake, read_only=self._read_only, record=self._record, terms=self._found)

    def meet(self, endpoint: Endpoint, info: Info | None) -> None:
        """Have the terms asked for the process that tells this, unless it is the one that they are of.

        ``info`` is None where it tells nothing.
        """
        told = info or Info({})
        run_id = told.text("run_id") or self._run_id
        if self._asked and run_id == self._run_id:
            return
        self.leave()
        self._asked, self._run_id = True, run_id
        self._asking = asyncio.create_task(self._found(endpoint, told, far=False))
        self._asking.add_done_callback(_let_be)

    def leave(self) -> None:
        """Wait for no terms any more; those that nobody knows yet are asked for when it is met again."""
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
            self._asked = False

    async def _found(self, endpoint: Endpoint, info: Info, *, far: bool) -> Terms:
        self._terms = await self._terms_of(endpoint, info, far=far)
        return self._terms


def _let_be(asked: asyncio.Task[Terms]) -> None:
    """A failure leaves the terms as they were."""
    if not asked.cancelled():
        asked.exception()


def called(snapshot: Snapshot, standings: Iterable[Standing]) -> Snapshot:
    """The snapshot, called production where any node of its deployment is."""
    every = (snapshot.environment, *(one.environment for one in standings))
    dear = next((environment for environment in every if is_production(environment)), snapshot.environment)
    return snapshot if dear == snapshot.environment else replace(snapshot, environment=dear)
