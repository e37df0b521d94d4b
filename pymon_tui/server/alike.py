"""Questions about keys that are alike, without an error on the server where that can be known before.

Where a command is for keys of one type, TYPE is asked first. Whether our user may is asked with one key before many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from redis.exceptions import RedisError, ResponseError

from pymon_tui.model.query import Argument, Batch, Command, Reply
from pymon_tui.server.reasons import is_of_another_type
from pymon_tui.server.session import Session

HOLDS = 60.0
"""Seconds for which a key is taken to be of the type that it was."""

_TYPE = "type"
_NONE = b"none"
_ANOTHER = b"another"
"""Stands for the type of a key of which is known that it isn't the one that its command is for."""

_Line: TypeAlias = tuple[Argument, ...]
_Found: TypeAlias = dict[Command[Any], dict[_Line, Reply | RedisError]]
Batches: TypeAlias = Mapping[Command[Any], Batch]


class _Known(NamedTuple):
    type: bytes
    until: float  # monotonic seconds


class Alike:
    """What is known of keys' types in one connection, and of what our user may."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}
        self._may: set[str] = set()  # commands that were carried out, by their names in ACL rules
        self._may_not_type = False

    async def ask(
        self, session: Session, batches: Batches, now: float, sent: Counter[str]
    ) -> Mapping[Command[Any], Sequence[Reply | RedisError]]:
        """A reply for each line of each batch: what the server answers, or would answer to a key of another type.

        ``sent`` is told how often each command was sent.

        Raises:
            LinkError: As ``Session.ask``.
        """
        self._known = {key: known for key, known in self._known.items() if known.until > now}
        lines = [line for command, batch in batches.items() if command.of_type for line in batch.commands]
        await self._learn(session, map(_key, lines), now, sent)
        found: _Found = {command: {} for command in batches}
        for due in (self._first, self._rest):
            asked = due(batches, found)
            replies = await session.ask([line for _, line in asked]) if asked else ()
            for (command, line), reply in zip(asked, replies, strict=True):
                sent[command.acl] += 1
                self._take(command, line, reply, found, now)
                if command.acl not in self._may and isinstance(reply, RedisError) and self._holds_for_all(reply):
                    for other, of in [each for each in self._unsent(batches, found) if each[0].acl == command.acl]:
                        self._take(other, of, reply, found, now)
        another = ResponseError("WRONGTYPE known before")
        return {
            command: [found[command].get(line, another) for line in batch.commands]
            for command, batch in batches.items()
        }

    async def _learn(self, session: Session, keys: Iterable[bytes], now: float, sent: Counter[str]) -> None:
        """Ask for the types that aren't known, of one key where it isn't known whether we may."""
        unknown = [key for key in dict.fromkeys(keys) if key not in self._known]
        while unknown and not self._may_not_type:
            some = unknown if _TYPE in self._may else unknown[:1]
            unknown = unknown[len(some) :]
            sent[_TYPE] += len(some)
            for key, reply in zip(some, await session.ask([("TYPE", key) for key in some]), strict=True):
                if isinstance(reply, bytes):
                    self._may.add(_TYPE)
                    if reply != _NONE:
                        self._known[key] = _Known(reply, now + HOLDS)
            self._may_not_type = _TYPE not in self._may

    def _unsent(self, batches: Batches, found: _Found) -> Iterable[tuple[Command[Any], _Line]]:
        """The lines that aren't answered, but for those whose keys are known to be of another type."""
        for command, batch in batches.items():
            for line in batch.commands:
                known = self._known.get(_key(line)) if command.of_type else None
                if line not in found[command] and (known is None or known.type == command.of_type):
                    yield command, line

    def _first(self, batches: Batches, found: _Found) -> list[tuple[Command[Any], _Line]]:
        """One line of each command of which it isn't known whether we may."""
        heads = {command.acl: (command, line) for command, line in reversed([*self._unsent(batches, found)])}
        return [head for acl, head in heads.items() if acl not in self._may]

    def _rest(self, batches: Batches, found: _Found) -> list[tuple[Command[Any], _Line]]:
        return [(command, line) for command, line in self._unsent(batches, found)]

    def _holds_for_all(self, error: RedisError) -> bool:
        """Whether what the first key was answered is taken to be said of all: where types aren't told, also of them."""
        return self._may_not_type or not is_of_another_type(error)

    def _take(self, command: Command[Any], line: _Line, reply: Reply | RedisError, found: _Found, now: float) -> None:
        found[command][line] = reply
        if not isinstance(reply, RedisError):
            self._may.add(command.acl)
        elif is_of_another_type(reply):
            self._known[_key(line)] = _Known(_ANOTHER, float("inf") if self._may_not_type else now + HOLDS)


def _key(line: _Line) -> bytes:
    key = line[1]  # of a command for one type; no other line is looked up
    return key if isinstance(key, bytes) else str(key).encode()
