"""The session of one request: read when it is asked for, changed as a mapping, saved with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

from redis.exceptions import RedisError

from pymon_tui.server.reasons import answer_text
from pymon_tui.services.session import Session, changes
from pymon_tui.services.sessions import Sessions


class SessionsUnavailable(Exception):  # noqa: N818 - a state of the server, said as such
    """The server didn't tell whether there is a session, or didn't take its changes."""


class WebSession(MutableMapping[str, Any]):
    """What a request knows of its session; a request without one has an empty one, of nobody.

    Its items are JSON values as of ``services.values``; what is changed deep inside one is saved too.
    """

    def __init__(self, session: Session | None) -> None:
        """Begin with what was read."""
        self._session = session
        self._data = dict(session.data) if session else {}
        self._user_id = session.user_id if session else None
        self._logged_in = False
        self._ends = False

    @property
    def user_id(self) -> str | None:
        """Who is logged in; None if nobody is."""
        return self._user_id

    @property
    def ends(self) -> bool:
        """Whether somebody logged out."""
        return self._ends

    def login(self, user_id: str) -> None:
        """Make this the session of a user who has just proved who it is; it gets another id.

        What the session held for nobody stays, what it held for another user goes.

        Raises:
            ValueError: If the user's id is empty.
        """
        if not user_id:
            raise ValueError("a user who logs in needs an id")
        if self._user_id not in (None, user_id):
            self._data.clear()
        self._user_id, self._logged_in, self._ends = user_id, True, False

    def logout(self) -> None:
        """End the session; its cookie goes."""
        self._data.clear()
        self._user_id, self._logged_in, self._ends = None, False, True

    async def save(self, sessions: Sessions) -> Session | None:
        """Write what was changed, at once: no change, no round trip.

        Returns:
            The session that there is from now on; None if there is none: nothing needs one, or it ended meanwhile.

        Raises:
            redis.exceptions.RedisError: If the server can't be reached, or refuses.
            ValueError: If a value can't be stored.
        """
        session = self._session
        by = changes(session.stored if session else {}, self._data)
        if self._ends:
            if session:
                await sessions.delete(session.id)
            return None
        if self._logged_in and self._user_id is not None:
            rotated = await sessions.rotate(session, self._user_id, by) if session else None
            # What was in a session that ended meanwhile has ended with it.
            return rotated or await sessions.create(self._user_id, {name: self._data[name] for name in by.written})
        if session:
            return await sessions.write(session, by) if by else session
        return await sessions.create(None, self._data) if by else None

    def __getitem__(self, name: str) -> Any:
        return self._data[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._data[name] = value

    def __delitem__(self, name: str) -> None:
        del self._data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)


class LazySession:
    """The session of a request that nobody may ask for: until then it costs nothing.

    Attributes:
        id: What the request's cookie holds; None if it has none.
        read: The session, once it was asked for.
    """

    def __init__(self, sessions: Sessions, session_id: str | None) -> None:
        """Know where to ask."""
        self.id = session_id
        self.read: WebSession | None = None
        self._sessions = sessions
        self._reading = asyncio.Lock()

    async def load(self) -> WebSession:
        """The session, read at the first call: one round trip, none without a cookie.

        Raises:
            SessionsUnavailable: If the server can't be reached, or refuses.
        """
        async with self._reading:
            if self.read is None:
                try:
                    self.read = WebSession(await self._sessions.get(self.id) if self.id is not None else None)
                except RedisError as error:
                    raise SessionsUnavailable(f"a session can't be read: {answer_text(error)}") from error
            return self.read

    async def save(self) -> Session | None:
        """As ``WebSession.save``; None if it wasn't asked for.

        Raises:
            SessionsUnavailable: If the server can't be reached, or refuses.
            ValueError: If a value can't be stored.
        """
        try:
            return await self.read.save(self._sessions) if self.read is not None else None
        except RedisError as error:
            raise SessionsUnavailable(f"a session can't be saved: {answer_text(error)}") from error
