"""One node: asked at each tick, remembered, and come back to when the link is lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from pymon_tui.model.action import Action, Outcome, Recorder
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import History
from pymon_tui.model.link import Connecting, Link, Live, Lost, Trouble
from pymon_tui.model.query import Query
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info
from pymon_tui.readings.metrics import METRICS, RTT
from pymon_tui.readings.restart import Held, held, loss
from pymon_tui.server import clock
from pymon_tui.server.backoff import LONGEST_WAIT, backoff
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.poller import Poller
from pymon_tui.server.reasons import LinkError, no_longer
from pymon_tui.server.session import Session
from pymon_tui.server.share import Share
from pymon_tui.server.terms import TermsOf, own_terms
from pymon_tui.state.standing import Standing

_RESTARTED = "restarted"


class Monitor:
    """One server, followed for as long as ``snapshots`` is iterated.

    Attributes:
        standing: What it is called, and whether ``act`` refuses everything.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        queries: Sequence[Query[Any]],
        *,
        interval: float,
        feed: Feed,
        read_only: bool,
        record: Recorder,
        terms: TermsOf = own_terms,
    ) -> None:
        """Follow a server.

        Args:
            feed: What its snapshots carry: the messages of the deployment that it belongs to.
            record: Told of every action.
            terms: Finds what holds for each process that answers, and for each action once more.
        """
        self._endpoint = endpoint
        self._share = Share(endpoint)
        self._poller = Poller(queries, self._share)
        self._interval = interval
        self.standing = Standing(endpoint, terms, record, read_only=read_only)
        self._wanted: frozenset[str] = frozenset()
        self._handshake = Handshake.RESP3
        self._history = History((*METRICS, RTT))
        self._feed = feed
        self._poked = asyncio.Event()
        self._link: Link = Connecting(clock.now())
        self._run_id: str | None = None
        self._own_id: int | None = None
        self._let_in = False  # with the password that the endpoint has now
        self._visit_began = self._asked_at = clock.now()
        self._held: Held | None = None  # when it was last all there
        self._before: Held | None = None  # of the process before a restart, until the new one has loaded
        self._recorded_at: float | None = None
        self._server_time: int | None = None  # microseconds by the server's clock, as of then
        self._dice = random.Random()

    @property
    def endpoint(self) -> Endpoint:
        """Where it is, and as whom we speak to it."""
        return self._endpoint

    @property
    def info(self) -> Info | None:
        """Its newest INFO; None before the first."""
        return self._poller.info

    def want(self, names: Collection[str]) -> None:
        """Say which readings are looked at; what is newly wanted is asked at once."""
        before, self._wanted = self._wanted, frozenset(names)
        if self._wanted - before and isinstance(self._link, Live):  # a lost link has its own time to wait
            self._poked.set()

    def set_interval(self, seconds: float) -> None:
        """Seconds between two ticks, from now on."""
        self._interval = seconds
        self._poked.set()

    def poke(self) -> None:
        """Tick now, or try to connect now; what was refused is asked again."""
        self._poller.refresh()
        self._endpoint.refusals.forget()
        self._poked.set()

    def look_again(self) -> None:
        """Ask now whether the server is there: a connection beside ours was lost."""
        if isinstance(self._link, Live):  # a lost link has its own time to wait
            self._poller.hasten()
            self._poked.set()

    def log_in(self, password: SecretStr) -> None:
        """Speak with this password from now on, and try at once."""
        self._endpoint = replace(self._endpoint, password=password)
        self._endpoint.refusals.forget()
        self._let_in = False
        self._poked.set()

    def note(self, text: SafeText, run: str) -> None:
        """Mark the history with what a run has just done."""
        self._history.note(text, time.time(), run=run)

    def reset_peaks(self) -> None:
        """Count the history's peaks anew from now on."""
        self._history.reset_peaks()

    async def act(self, action: Action) -> Outcome:
        """Carry out a confirmed action on a connection of its own, and have it recorded."""
        outcome = await self.standing.act(action, self._endpoint, self._handshake)
        self._poller.hasten()
        self._poked.set()
        return outcome

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        """One snapshot per tick, and one whenever the link's state changes; for ever."""
        tries = 0
        yield self._snapshot()
        while True:
            try:
                async with contextlib.aclosing(self._visit()) as visit:
                    async for snapshot in visit:
                        yield snapshot
            except LinkError as error:
                # A link that is lost again soon has not come back: the wait goes on growing.
                held = isinstance(self._link, Live) and clock.now() - self._link.since > LONGEST_WAIT
                tries = 1 if held else tries + 1
                wait = self._lose(no_longer(error, self._endpoint) if self._let_in else error, tries)
                yield self._snapshot()
                await self._wait(wait)

    async def _visit(self) -> AsyncGenerator[Snapshot]:
        """Connect, and tick for as long as the link holds.

        Raises:
            LinkError: If it can't be made, or is lost.
        """
        self._poked.clear()
        self._asked_at = clock.now()
        session = await self._connected()
        try:
            self._poller.begin()
            self._history.break_(anew=False)
            has_answered = False
            while True:
                began = self._asked_at = clock.now()
                self._poked.clear()
                own, last_info = self._share.asking(), self._poller.info
                replies, reopened, run_id = session.replies, False, self._run_id
                try:
                    await self._poller.tick(session, began, self._interval, self._wanted, own)
                except LinkError as error:
                    said_nothing = session.replies == replies
                    if not (has_answered and said_nothing and error.trouble is Trouble.UNREACHABLE):
                        raise
                    # Closed while it idled, by a time limit of the server or a proxy: that loses nothing.
                    await session.close()
                    session, reopened = await self._connected(), True
                    began = self._asked_at = clock.now()  # nobody has answered what was asked before
                    own = self._share.asking()
                    await self._poller.tick(session, began, self._interval, self._wanted, own)
                has_answered = True
                info = self._poller.info
                self.standing.meet(self._endpoint, info)
                if info is not None and info is not last_info:
                    self._record(info, self._answered_at(info, began))
                if reopened and self._run_id != run_id:
                    self._poller.begin()
                    self._poked.set()  # what the process before has told or refused is asked of this one at once
                since = self._link.since if isinstance(self._link, Live) else began
                self._link = Live(since, self._poller.rtt)
                yield self._snapshot()
                await self._wait(max(began + self._interval - clock.now(), 0.02))
        finally:
            self.standing.leave()
            await session.close()

    async def _connected(self) -> Session:
        """A session on a new connection.

        Raises:
            LinkError: If none can be made.
        """
        self._share.connect()
        session, handshake = await open_session(self._endpoint, self._handshake)
        self._let_in = True
        if handshake is not Handshake.BARE:  # a server that was just going down looks like one that needs it
            self._handshake = handshake
        self._visit_began = clock.now()
        self._own_id = session.client_id
        return session

    def _answered_at(self, info: Info, began: float) -> float:
        """When the server counted what this INFO says: a busy one may take long to come to our question."""
        before, self._server_time = self._server_time, info.integer("server_time_usec")
        if before is None or self._server_time is None or self._recorded_at is None:
            return began
        # Its clock may be set meanwhile, and may be another server's: the answer came between the question and now.
        return min(max(began, self._recorded_at + (self._server_time - before) / 1e6), clock.now())

    def _record(self, info: Info, at: float) -> None:
        changed = self._changed(info, at)
        if changed:
            self._history.break_(anew=True)
            self._poller.forget(self._visit_began)
        grown = self._poller.grown.counts()
        ours = {metric.name: grown[field] for metric in METRICS for field in metric.fields if field in grown}
        values = {metric.name: metric.read(info) for metric in METRICS} | {RTT.name: RTT.read(self._poller.rtt)}
        self._history.align(time.time() - clock.now())
        reset = self._history.record(at, values, ours)
        self._history.reset_before = info.was_reset
        lost = self._lost_keys(info, changed)
        if news := [text for text in (changed or ("counters reset" if reset else None), lost) if text]:
            self._history.note(safe(", ".join(news)), time.time())
        self._run_id = info.text("run_id") or self._run_id
        self._recorded_at = at

    def _lost_keys(self, info: Info, changed: str | None) -> SafeText | None:
        """What a restart has cost, told once the new process has loaded what there is to load."""
        if changed is not None:
            self._before = self._held if changed == _RESTARTED else None
        if (now := held(info)) is None:
            return None
        before, self._before, self._held = self._before, None, now
        lost = loss(before, now) if before is not None else None
        return safe(f"loaded, {lost}") if lost and changed is None else lost

    def _changed(self, info: Info, at: float) -> str | None:
        """What became of the server process since the last INFO, if it is another one now."""
        run_id, uptime = info.text("run_id"), info.number("uptime_in_seconds")
        if run_id is None or self._run_id in (None, run_id) or self._recorded_at is None:
            return None
        older = uptime is not None and uptime > at - self._recorded_at + 1  # it counts whole seconds
        return "another server answers" if older else _RESTARTED

    def _lose(self, error: LinkError, tries: int) -> float:
        """Note that the link is lost; returns the seconds until the next try."""
        now = clock.now()
        wait = backoff(error.trouble, tries, self._dice)
        # What doesn't answer is away since it was asked, as the title has counted it until now.
        began = self._asked_at if error.trouble is Trouble.SILENT else now
        since = self._link.since if isinstance(self._link, Lost) else began
        self._link = Lost(error.trouble, error.what, error.remedy, since, now + wait, tries)
        return wait

    async def _wait(self, seconds: float) -> None:
        """Wait, or until somebody can't."""
        # Not asyncio.wait_for: until Python 3.12 it may take the answer and lose a cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._poked.wait()

    def _snapshot(self) -> Snapshot:
        endpoint = self._endpoint
        return Snapshot(
            node=safe(endpoint.label),
            environment=self.standing.environment,
            at=clock.now(),
            wall=time.time(),
            interval=self._interval,
            link=self._link,
            readings=self._poller.readings,
            cadence=self._poller.cadence(self._interval),
            history=self._history.view(),
            feed=self._feed,
            own_ids=frozenset() if self._own_id is None else frozenset((self._own_id,)),
            verified=endpoint.is_verified,
        )
