"""Sessions of users: who is logged in, by an id that is secret, for an hour after the last use."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pymon_tui.model.query import Reply
from pymon_tui.model.steps import Exchange, Steps
from pymon_tui.services import session_scripts as scripts
from pymon_tui.services.connection import guard
from pymon_tui.services.keys import SESSION, USER_SESSIONS
from pymon_tui.services.session import (
    LAST_ACTIVITY,
    LIFE,
    TOUCH_EVERY,
    VERSION,
    Changes,
    Session,
    Word,
    changed,
    changes,
    in_turn,
    is_id,
    keys_of,
    new_id,
    own_fields,
    parse_session,
    read_data,
    text_of,
)
from pymon_tui.services.session_steps import deleting, deleting_all, extending

__all__ = ["LIFE", "TOUCH_EVERY", "Sessions"]

T = TypeVar("T")

_GONE, _CONFLICT = 0, -1

_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Sessions:
    """Creates, reads, changes and ends sessions. All methods raise ``redis.exceptions.RedisError`` if the server can't
    be reached or refuses: no answer is never taken for no session, nor for one.

    A session is a hash of one field for each value of the application, so that two requests which change different
    ones lose nothing. All that depends on what is there is done by the server in one step (``session_scripts``). Its
    id is in a sorted set of its user by when it expires at the latest. If that is evicted or invalidated, sessions are
    back in it at their next touch, and unknown to ``of_user`` and ``delete_all`` until then.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        life: timedelta = LIFE,
        touch_every: timedelta = TOUCH_EVERY,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Keep sessions on one server, or the primary of one; in a cluster the two keys would be apart."""
        self.life = life
        self._redis = guard(redis)
        self._touch_every = touch_every
        self._clock = clock
        self._read = redis.register_script(scripts.READ)
        self._create = redis.register_script(scripts.CREATE)
        self._extend = redis.register_script(scripts.EXTEND)
        self._write = redis.register_script(scripts.WRITE)
        self._rotate = redis.register_script(scripts.ROTATE)

    async def load_scripts(self) -> None:
        """Have the server know the scripts; without it each is sent when it is refused, which counts as an error."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for script in (self._read, self._create, self._extend, self._write, self._rotate):
                pipeline.script_load(script.script)
            await pipeline.execute()

    async def create(self, user_id: str | None, data: Mapping[str, Any]) -> Session:
        """Begin a session, of a user who has just logged in or of nobody; one round trip.

        Raises:
            ValueError: If the user's id is empty, or a value can't be stored.
        """
        now, by = self._clock(), changes({}, data)
        session = Session(new_id(), user_id, now, now, read_data(by.written), by.written, new_id())
        words = in_turn(own_fields(session) | by.fields)
        await self._create(keys_of(session.id, user_id), [*self._times(now, self.life), session.id, *words])
        return session

    async def restore(self, sessions: Iterable[Session]) -> None:
        """Write sessions that were kept elsewhere, as they were; those whose life has ended are left out.

        One round trip for all of them, and two more if the server doesn't know the script.
        """
        now = self._clock()
        async with self._redis.pipeline(transaction=False) as pipeline:
            for session in sessions:
                left = session.last_activity + self.life - now
                if left > timedelta():
                    fields = own_fields(session) | Changes(session.stored, frozenset()).fields
                    words = [*self._times(now, left), session.id, *in_turn(fields)]
                    await self._create(keys_of(session.id, session.user_id), words, client=pipeline)
            await pipeline.execute()

    async def get(self, session_id: str) -> Session | None:
        """The session of an id, which begins its life anew; one round trip, and once a minute another to touch it.

        None if there is no such session: it never was, has expired or was deleted, even while it was read. One that
        can't be read is deleted.
        """
        if not is_id(session_id):
            return None
        try:
            reply = await self._read([SESSION.key(id=session_id)], [_in_milliseconds(self.life)])
        except ResponseError as error:
            reply = error
        try:
            session = parse_session(session_id, _hash_of(reply)) if reply else None
        except ValueError:
            await self._discard(session_id)
            return None
        if session is None or self._clock() - session.last_activity < self._touch_every:
            return session
        return await self._touch(session)

    async def write(self, session: Session, by: Changes) -> Session | None:
        """Write some of a session's data, beside what others write of it; one round trip.

        Returns:
            The session as its writer knows it now; None if it is gone, for it doesn't come back.
        """
        written = self._written(session, by)
        return None if await self._save(written, "", by) == _GONE else written

    async def update(self, session_id: str, change: Callable[[dict[str, Any]], None]) -> Session | None:
        """Change a session's data by what it is; two round trips, and as many for each repeat.

        Args:
            session_id: Which session; its life begins anew.
            change: Alters the data that it is given. It is called again with the newest data if somebody else wrote
                meanwhile, so that no update is lost.

        Returns:
            The session as it is then; None if there is none.

        Raises:
            ValueError: If a value can't be stored.
        """
        while (session := await self.get(session_id)) is not None:
            data = dict(session.data)
            change(data)
            by = changes(session.stored, data)
            written = self._written(session, by)
            done = await self._save(written, session.version, by)
            if done != _CONFLICT:
                return None if done == _GONE else written
        return None

    async def rotate(self, session: Session, user_id: str, by: Changes) -> Session | None:
        """Give a session another id and a user who has just logged in, and write some of its data; one round trip.

        The old id is worth nothing from then on, so whoever planted or saw it isn't logged in by it (fixation).
        None if the session is gone.

        Raises:
            ValueError: If the user's id is empty.
        """
        stored, now = changed(session.stored, by), self._clock()
        rotated = Session(new_id(), user_id, now, now, read_data(stored), stored, new_id())
        words, index = in_turn(own_fields(rotated) | by.fields), USER_SESSIONS.key(user_id=user_id)
        former = USER_SESSIONS.key(user_id=session.user_id) if session.user_id is not None else index
        keys = [SESSION.key(id=rotated.id), SESSION.key(id=session.id), index, former]
        arguments: list[Word | int] = [*self._times(now, self.life), rotated.id, session.id, len(words)]
        return rotated if await self._rotate(keys, [*arguments, *words, *by.removed_fields]) else None

    async def extend(self, session_id: str, life: timedelta) -> bool:
        """Let a session live at least so long from now, without using it; two round trips. False if there is none."""
        now = _milliseconds(self._clock())
        return await self._taken(extending(session_id, life, now=now, slack=self._touch_every))

    async def delete(self, session_id: str) -> bool:
        """End a session (UNLINK); two round trips. False if there is none."""
        return await self._taken(deleting(session_id))

    async def of_user(self, user_id: str) -> tuple[Session, ...]:
        """A user's sessions, without using them; those that expire first come first. Two round trips.

        Raises:
            ValueError: If the user's id is empty.
        """
        ids = await self._listed(user_id)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for session_id in ids:
                pipeline.hgetall(SESSION.key(id=session_id))
            replies = dict(zip(ids, await pipeline.execute(raise_on_error=False), strict=True))
        sessions = []
        for session_id, reply in replies.items():
            try:
                sessions += [parse_session(session_id, _hash_of(reply))] if reply else []
            except ValueError:
                await self._discard(session_id)
        gone = [session_id for session_id, reply in replies.items() if not reply]
        if gone:  # an id never comes back
            await self._redis.zrem(USER_SESSIONS.key(user_id=user_id), *gone)
        return tuple(sessions)

    async def count(self, user_id: str) -> int:
        """How many sessions a user has (EXISTS); two round trips.

        Raises:
            ValueError: If the user's id is empty.
        """
        ids = await self._listed(user_id)
        return await self._redis.exists(*(SESSION.key(id=session_id) for session_id in ids)) if ids else 0

    async def delete_all(self, user_id: str) -> int:
        """End all sessions of a user: log out everywhere; three round trips for up to 500. Returns how many it were.

        Raises:
            ValueError: If the user's id is empty.
        """
        return await self._taken(deleting_all(user_id))

    async def _taken(self, steps: Steps[T]) -> T:
        """Take the steps to their end; returns what came of them."""
        try:
            exchange = next(steps)
            while True:
                exchange = steps.send(await self._answers(exchange))
        except StopIteration as end:
            return cast(T, end.value)

    async def _answers(self, exchange: Exchange) -> Sequence[Reply]:
        command: tuple[Any, ...] = exchange.commands[0]
        if command[0] == "EVAL":  # sent by its digest, as each script
            _, _, keys, *words = command
            return [await self._extend(words[:keys], words[keys:])]
        async with self._redis.pipeline(transaction=exchange.atomic) as pipeline:
            for command in exchange.commands:
                pipeline.execute_command(*command)
            replies: list[Reply] = await pipeline.execute()
            return replies

    def _written(self, session: Session, by: Changes) -> Session:
        stored = changed(session.stored, by)
        now = self._clock()
        return replace(session, last_activity=now, data=read_data(stored), stored=stored, version=new_id())

    async def _save(self, written: Session, expected: str, by: Changes) -> int:
        fields = {LAST_ACTIVITY: text_of(written.last_activity)} | by.fields
        return await self._guarded(written, (VERSION, expected, written.version), fields, by.removed_fields)

    async def _touch(self, session: Session) -> Session | None:
        """Note that a session is used, unless somebody just did; None if it is gone."""
        touched = replace(session, last_activity=self._clock(), touched=True)
        guard = (LAST_ACTIVITY, text_of(session.last_activity), text_of(touched.last_activity))
        return None if await self._guarded(session, guard, {}, ()) == _GONE else touched

    async def _guarded(
        self, session: Session, guard: tuple[str, str, str], fields: Mapping[str, Word], removed: Iterable[str]
    ) -> int:
        """Write if a field has the value expected, and give it a new one; see ``session_scripts.WRITE``."""
        words = in_turn(fields)
        arguments: list[Word | int] = [*self._times(self._clock(), self.life), session.id, *guard, len(words)]
        done: int = await self._write(keys_of(session.id, session.user_id), [*arguments, *words, *removed])
        return done

    async def _discard(self, session_id: str) -> None:
        _log.warning("a session that can't be read is deleted")
        await self._redis.unlink(SESSION.key(id=session_id))

    async def _listed(self, user_id: str) -> list[str]:
        """The ids in a user's index that may not have expired yet."""
        now = _milliseconds(self._clock())
        members = await self._redis.zrangebyscore(USER_SESSIONS.key(user_id=user_id), now, "+inf")
        return [session_id for session_id in map(_decoded, members) if is_id(session_id)]

    def _times(self, now: datetime, life: timedelta) -> tuple[int, int, int]:
        return _milliseconds(now), _in_milliseconds(life), _in_milliseconds(self._touch_every)


def _decoded(word: Any) -> str:
    return word if isinstance(word, str) else bytes(word).decode("utf-8", "replace")


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _in_milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _hash_of(reply: Any) -> Mapping[Word, Word]:
    """A hash as a client gives it, or a script.

    Raises:
        ValueError: If it was no hash.
        ResponseError: If the reply is another error.
    """
    if isinstance(reply, ResponseError):
        if "WRONGTYPE" in str(reply):
            raise ValueError("a session should be a hash")
        raise reply
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
