"""The people whom one web worker serves: they log in, click, go for a while, come back, log out, or are forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from pymon_tui.demo.people import device, page, somebody
from pymon_tui.services.session import Session, changes, new_id
from pymon_tui.services.sessions import LIFE, Sessions

ONLINE = 300
"""Sessions there are, about, whose users may all be away."""
ACTIVE = 40
"""Sessions whose users are clicking."""

_READING = 0.2  # share of the clicks that begin with reading the session; the others know it
_LOGGING_OUT = 0.4  # share of those who go
_BY_TOKEN = 0.2  # share of the logins without a login page, which has a session of its own
_MOST_LOGINS = 6


class Visits:
    """Sessions that are in use, and those that may be used again; of one task.

    Args:
        random: Decides who does what.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._active: list[Session] = []
        self._idle: deque[Session] = deque()  # who went first is first

    def __len__(self) -> int:
        return len(self._active) + len(self._idle)

    def begin_earlier(self, now: datetime) -> tuple[Session, ...]:
        """Take up with sessions that began up to twelve hours ago, to be restored; those there were are forgotten."""
        sessions = sorted(self._earlier(now), key=lambda session: session.last_activity)
        self._idle, self._active = deque(sessions[:-ACTIVE]), sessions[-ACTIVE:]
        return tuple(sessions)

    async def are_lost(self, sessions: Sessions) -> bool:
        """Whether an emptied server has forgotten them; some may have logged in again by now."""
        if len(self) < ONLINE // 2:
            return True
        return bool(self._idle) and await sessions.get(self._idle[len(self._idle) // 2].id) is None

    async def click(self, sessions: Sessions) -> None:
        """Let somebody go to another page, which their session remembers."""
        active = self._active
        if not active:
            return
        number = self._random.randrange(len(active))
        session: Session | None = active[number]
        if self._random.random() < _READING:
            session = await sessions.get(active[number].id)
        if session is not None:
            data = {**session.data, "page": page(self._random)}
            session = await sessions.write(session, changes(session.stored, data))
        if session is None:
            active.pop(number)
        else:
            active[number] = session

    async def come_and_go(self, sessions: Sessions) -> None:
        """Let somebody go, or come: more than one if many sessions were lost."""
        if len(self._active) > ACTIVE:
            await self._leave(sessions)
        elif self._idle and (len(self) >= ONLINE or self._random.random() < 0.3):
            await self._come_back(sessions)
        else:
            for _ in range(min(_MOST_LOGINS, 1 + (ONLINE - len(self)) // 40)):
                self._active.append(await self._log_in(sessions))

    async def _leave(self, sessions: Sessions) -> None:
        session = self._active.pop(self._random.randrange(len(self._active)))
        if self._random.random() < _LOGGING_OUT:
            await sessions.delete(session.id)
        else:
            self._idle.append(session)

    async def _come_back(self, sessions: Sessions) -> None:
        idle = self._idle
        while idle and idle[0].last_activity < datetime.now(UTC) - LIFE:
            idle.popleft()
        while idle:  # if the first is lost, all may be
            number = self._random.randrange(len(idle))
            session_id = idle[number].id
            del idle[number]
            session = await sessions.get(session_id)
            if session is not None:
                self._active.append(session)
                return

    async def _log_in(self, sessions: Sessions) -> Session:
        user_id = somebody(self._random)
        data = device(self._random, user_id)
        if self._random.random() < _BY_TOKEN:
            return await sessions.create(user_id, data)
        before = await sessions.create(None, {**data, "page": "/login"})
        after = await sessions.rotate(before, user_id, changes(before.stored, data))
        return after or await sessions.create(user_id, data)

    def _earlier(self, now: datetime) -> Iterator[Session]:
        for number in range(ONLINE):
            seconds = self._random.uniform(0, 50) if number < ACTIVE else self._random.expovariate(1 / 1_200)
            last = now - timedelta(seconds=min(seconds, LIFE.total_seconds() - 60))
            began = last - timedelta(seconds=min(self._random.expovariate(1 / 5_400), 12 * 3_600))
            user_id = somebody(self._random)
            data = device(self._random, user_id)
            yield Session(new_id(), user_id, began, last, data, changes({}, data).written, new_id())
