"""Whether Sentinels still name the server that a run is on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from pymon_tui.invalidation.identity import Identity
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.model.link import Trouble
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.opinions import Council, led_to
from pymon_tui.server.reasons import LinkError

EVERY = 1.0
"""Seconds between two askings while keys are named."""

_LAST = 2.0  # seconds for a last one, where the work has failed or was ended


class Replaced(LinkError):  # noqa: N818 - what was found
    """Sentinels name another server than this one."""


@dataclass(frozen=True, slots=True)
class Named:
    """A server, and the service whose primary it is to be, if Sentinels were asked for that.

    Attributes:
        endpoint: Where it is reached.
        run_id: Of its process; empty where it doesn't tell.
    """

    endpoint: Endpoint
    run_id: str

    async def must_be(self, council: Council | None = None) -> None:
        """Ask the Sentinels, if there are any, whether this is the primary.

        One that was cut off from the others, or has just come back, says so itself and takes writes, which are lost
        as soon as it follows the new one.

        Args:
            council: Those Sentinels, where they are asked again and again; else lines of its own are opened.

        Raises:
            Replaced: If they name another server.
            LinkError: If none of them answers.
        """
        service = self.endpoint.watched
        if service is None:
            return
        asked = council or Council(self.endpoint, service)
        try:
            found: list[LinkError] = []
            for naming in await asked.namings():
                named = self.endpoint.at(naming.primary)
                if named.address == self.endpoint.address:
                    return
                try:
                    who = await _identity(named)
                except LinkError as error:
                    found.append(led_to(error, service, naming))
                    continue
                if self.run_id and who.run_id == self.run_id:
                    return
                what = f"{self.endpoint.label} is not the primary of {service.name} any more: that is {named.address}"
                found.insert(0, Replaced(Trouble.UNREACHABLE, what, "begin anew there"))
                if who.role != "slave":  # else an older opinion may be right
                    break
            raise found[0]
        finally:
            if council is None:
                await asked.close()


async def _identity(endpoint: Endpoint) -> Identity:
    pipe = await open_pipe(endpoint)
    await pipe.close()
    return pipe.identity


class Watch:
    """Asks the Sentinels for as long as work on a server lasts, and counts what was done since they named it last.

    Attributes:
        replaced: That they name another server; None where they don't.
    """

    def __init__(self, named: Named | None, done: Callable[[], int], stop: Callable[[str], None]) -> None:
        """Prepare; nothing is asked yet.

        Args:
            named: The server that the Sentinels must go on to name; None where any will do.
            done: Tells how many keys were written so far.
            stop: Told why the work must end.
        """
        self.replaced: Replaced | None = None
        self._named = named
        self._done = done
        self._stop = stop
        self._certain = self._seen = 0
        service = named.endpoint.watched if named is not None else None
        self._council = Council(named.endpoint, service, EVERY / 2) if named is not None and service else None

    @property
    def lost(self) -> int:
        """Keys that were written since the Sentinels named this server last, where they name another one now.

        What was written just before that counts as well: it may not have been copied to the heir.
        """
        return max(0, self._done() - self._certain) if self.replaced is not None else 0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Ask about once a second; as this ends well, the Sentinels must name the server.

        Raises:
            Replaced: If they name another one.
            LinkError: If it has ended well, and none of them answers.
        """
        if self._council is None:
            yield
            return
        self._certain = self._seen = self._done()
        beat = asyncio.create_task(self._beat())
        try:
            try:
                yield
            except Exception:
                await self._ended(beat)
                with suppress(LinkError, TimeoutError):
                    async with asyncio.timeout(_LAST):
                        await self.must_be()
                raise
            await self._ended(beat)
            await self.must_be()
        finally:
            await self._ended(beat)
            await self._council.close()

    async def must_be(self) -> None:
        """Ask now; raises as ``Named.must_be``."""
        if self._named is None or self._council is None:
            return
        before = self._done()
        try:
            await self._named.must_be(self._council)
        except Replaced as error:
            self.replaced = error
            raise
        if before > self._seen:  # it has answered since: what was done by the last time has had time to be copied
            self._certain, self._seen = self._seen, before

    async def may_be(self) -> None:
        """As ``must_be``, in the middle of the work: where no Sentinel answers nobody knows yet.

        Raises:
            Replaced: If they name another server.
        """
        if self.replaced is not None:
            raise self.replaced
        try:
            await self.must_be()
        except Replaced:
            raise
        except LinkError:
            return

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.may_be()
            except Replaced as error:
                self._stop(str(error))
                return

    @staticmethod
    async def _ended(beat: asyncio.Task[None]) -> None:
        beat.cancel()
        await asyncio.gather(beat, return_exceptions=True)
