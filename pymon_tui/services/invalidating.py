"""Invalidation by the application itself: what is kept of a project, of a user, of everybody goes, in all tiers.

It stands on what a run in the monitor stands on: the patterns, SCAN page by page, UNLINK, the protected keys. What a
run has besides is for a person who removes keys they may want back: a plan to confirm, a trash, an entry in the
journal, one run at a time on a server. An application would wait for that, and be refused while a run is under way.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.naming import Unlinking
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.invalidation.selection import Selection, check
from pymon_tui.invalidation.sweep import Refused, Sweep
from pymon_tui.model.text import safe
from pymon_tui.server.reasons import link_error
from pymon_tui.services.apart import endpoint_of, pipe_apart
from pymon_tui.services.connection import guard
from pymon_tui.services.keys import OF_ALL, OF_PROJECT, OF_USER, Part
from pymon_tui.services.local import LocalCache
from pymon_tui.services.tracking import announce


@dataclass(frozen=True, slots=True)
class Invalidated:
    """What became of the keys that matched.

    Attributes:
        removed: Keys that the server says it removed.
        refused: Keys that our user may not touch, found by a scan.
    """

    removed: int
    refused: int


class Invalidator:
    """Removes keys from Redis and then from the first tier of every process."""

    def __init__(self, redis: Redis, local: LocalCache | None, *, protected: Sequence[Pattern] = ()) -> None:
        """Prepare to remove keys from the database that the client has selected.

        Args:
            redis: The application's client.
            local: The first tier of this process, if it has one: it drops the keys before a call returns.
            protected: Keys that are never touched.
        """
        self._redis = guard(redis)
        self._local = local
        self._protected = tuple(protected)
        self._scanning = asyncio.Lock()

    async def invalidate_project(self, project_id: Part) -> Invalidated:
        """Remove what is kept of a project: the preset ``project`` of the monitor. As ``invalidate``; one scan."""
        return await self.invalidate([family.pattern(project_id=project_id) for family in OF_PROJECT])

    async def invalidate_user(self, user_id: Part) -> Invalidated:
        """Remove what is kept of a user, but not the sessions: the preset ``user``. As ``invalidate``; no scan."""
        return await self.invalidate([family.pattern(user_id=user_id) for family in OF_USER])

    async def invalidate_global(self) -> Invalidated:
        """Remove what is kept for everybody: the preset ``global`` of the monitor. As ``invalidate``; three scans."""
        return await self.invalidate([family.pattern() for family in OF_ALL])

    async def invalidate(self, patterns: Iterable[Pattern]) -> Invalidated:
        """Remove every key that a pattern matches; what fails may be called again.

        Patterns that can match one key alone are one UNLINK. Any other is one pass over the database (SCAN, UNLINK) on
        a connection of its own, which leaves the server alone as long as each page took; one at a time in a process.

        Raises:
            SelectionError: If there is no pattern, or one matches every key.
            LinkError: If the link is lost, after some or none of it.
            Refused: If the server refuses UNLINK, SCAN or PUBLISH; a literal key that we may not touch among them.
        """
        selection = Selection(tuple(dict.fromkeys(patterns)), Filters(), self._protected, sys.maxsize, every=False)
        check(selection)
        try:
            removed = await self._unlink(selection)
            swept = await self._sweep(selection)
            await self._announce(selection.patterns)
        finally:
            if self._local is not None:
                self._local.discard_matching(selection.patterns)
        return Invalidated(removed + swept.removed, swept.refused)

    async def _unlink(self, selection: Selection) -> int:
        """Remove the keys that are named outright, in one command."""
        named = [pattern.only_key for pattern in selection.patterns]
        keys = [key for key in named if key is not None and not selection.is_protected(key)]
        if not keys:
            return 0
        try:
            return int(await self._redis.unlink(*keys))
        except RedisError as error:
            raise self._why("UNLINK", error) from None

    async def _sweep(self, selection: Selection) -> Invalidated:
        """Look for the keys that are not."""
        globs = tuple(pattern for pattern in selection.patterns if pattern.only_key is None)
        if not globs:
            return Invalidated(0, 0)
        async with self._scanning:
            pipe = await pipe_apart(self._redis)
            try:
                return await _swept(pipe, Selection(globs, Filters(), self._protected, sys.maxsize, every=False))
            finally:
                await pipe.close()

    async def _announce(self, patterns: Sequence[Pattern]) -> None:
        try:
            await announce(self._redis, patterns)
        except RedisError as error:
            raise self._why("PUBLISH", error) from None

    def _why(self, command: str, error: RedisError) -> Exception:
        endpoint = endpoint_of(self._redis)
        if isinstance(error, ResponseError):
            return Refused(command, error, safe(endpoint.username or "default"))
        return link_error(error, endpoint)


async def _swept(pipe: Pipe, selection: Selection) -> Invalidated:
    loop = asyncio.get_running_loop()
    unlinking, removed, refused = Unlinking(pipe), 0, 0
    async with aclosing(Sweep(pipe, selection).pages()) as pages:
        began = loop.time()
        async for page in pages:
            if page.keys:
                account = await unlinking.account(unlinking.send(page.keys))
                if account.error is not None:
                    raise Refused(unlinking.command, account.error, pipe.user)
                removed += account.removed
                refused += len(account.refused)
            await asyncio.sleep(loop.time() - began)  # at most half of the server's time
            began = loop.time()
    return Invalidated(removed, refused)
