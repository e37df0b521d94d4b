"""Questions about many keys, without an error on the server where that can be known before.

Where a command is for keys of one type, TYPE is asked first. Where our user may not ask that, one key at a time is
asked about, and none any more once one was of another type, or refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from redis.exceptions import NoPermissionError, RedisError, ResponseError

from pymon_tui.model.query import UNASKED, Argument, Batch, Command, Reply, Unasked
from pymon_tui.server.allowed import Allowed, Trial
from pymon_tui.server.reasons import answer_text, is_of_another_type
from pymon_tui.server.session import Session
from pymon_tui.server.slots import Served, slot_of

HOLDS = 60.0
"""Seconds for which a key is taken to be of the type that it was."""

BLIND = 20
"""Keys of a type that can't be asked that a command is sent for in one tick, each after the answer about the last."""

_MOST = 20_000  # keys whose types are remembered

_TYPE = "type"
_NONE = b"none"
_ANOTHER = b"another"
"""Stands for the type of a key of which is known that it isn't the one that its command is for."""

_Line: TypeAlias = tuple[Argument, ...]
_Item: TypeAlias = tuple[Command[Any], _Line]
_Found: TypeAlias = dict[_Item, Reply | RedisError | Unasked]
Batches: TypeAlias = Mapping[Command[Any], Batch]


class _Known(NamedTuple):
    type: bytes
    until: float  # monotonic seconds


class Alike:
    """What is known of keys' types in one connection, and of what our user may."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}
        self._allowed = Allowed()
        self._elsewhere: dict[int, float] = {}  # slots of other nodes, and until when they are taken for that
        self._mixed: set[str] = set()  # commands that may not be sent for keys whose types nobody tells

    async def ask(
        self, session: Session, batches: Batches, now: float, sent: Counter[str], served: Served | None = None
    ) -> Mapping[Command[Any], Sequence[Reply | RedisError | Unasked]]:
        """A reply for each line of each batch: what the server answers, or would answer to a key of another type.

        ``UNASKED`` stands for those that have another turn. ``sent`` is told how often each command was sent.
        ``served`` says which keys are this node's, of a cluster.

        Raises:
            LinkError: As ``Session.ask``.
        """
        known = [(key, known) for key, known in self._known.items() if known.until > now]
        self._known = dict(islice(known, max(0, len(known) - _MOST), None))
        self._elsewhere = {slot: until for slot, until in self._elsewhere.items() if until > now}
        every = [(command, line) for command, batch in batches.items() for line in batch.commands]
        items = [item for item in every if served is None or self._is_here(key_of(item[1]), served)]
        cluster = served is not None
        untold = await self._learn(session, [item for item in items if item[0].of_type], now, sent, cluster=cluster)
        found: _Found = dict.fromkeys(set(every).difference(items), ResponseError("another node serves this key"))
        lines = [item for item in items if not self._is_of_another(item)]
        refusals = await self._allowed.sift(session, [_asked(*item) for item in lines], sent, cluster=cluster)
        found |= {item: refusal for item, refusal in zip(lines, refusals, strict=True) if refusal is not None}
        self._note(((key_of(line), reply) for (_, line), reply in found.items()), now)
        lines = [item for item in lines if item not in found]
        blind = [item for item in lines if item[0].of_type and key_of(item[1]) in untold]
        unseen = set(blind)
        await self._send(session, [item for item in lines if item not in unseen], found, now, sent)
        await self._feel(session, blind, untold, found, sent)
        another = ResponseError("WRONGTYPE known before")
        return {
            command: [found.get((command, line), another) for line in batch.commands]
            for command, batch in batches.items()
        }

    async def _learn(
        self, session: Session, items: Iterable[_Item], now: float, sent: Counter[str], *, cluster: bool
    ) -> Mapping[bytes, RedisError]:
        """Ask for the types that aren't known; returns why not, by the keys that can't be asked for theirs."""
        unknown = {key_of(line): command for command, line in items if key_of(line) not in self._known}
        asked = [Trial(_TYPE, _begins(command, key), ("TYPE", key), key) for key, command in unknown.items()]
        refusals = await self._allowed.sift(session, asked, sent, cluster=cluster)
        untold = {each.key: refusal for each, refusal in zip(asked, refusals, strict=True) if refusal is not None}
        keys = [each.key for each in asked if each.key not in untold]
        sent[_TYPE] += len(keys)
        replies = await session.ask([("TYPE", key) for key in keys]) if keys else ()
        for key, reply in zip(keys, replies, strict=True):
            if isinstance(reply, bytes) and reply != _NONE:
                self._known[key] = _Known(reply, now + HOLDS)
        self._note(zip(keys, replies, strict=True), now)
        return untold

    def _is_here(self, key: bytes, served: Served) -> bool:
        told = served.has(key)
        return slot_of(key) not in self._elsewhere if told is None else told

    def _note(self, replies: Iterable[tuple[bytes, object]], now: float) -> None:
        """Learn from answers about keys which slots are another node's."""
        for key, reply in replies:
            words = answer_text(reply).split(" ") if isinstance(reply, RedisError) else []
            if words[:1] == ["MOVED"] and words[1:2] == [str(slot_of(key))]:
                self._elsewhere[slot_of(key)] = now + HOLDS

    def _is_of_another(self, item: _Item) -> bool:
        command, line = item
        known = self._known.get(key_of(line)) if command.of_type else None
        return known is not None and known.type != command.of_type

    async def _send(
        self, session: Session, items: Sequence[_Item], found: _Found, now: float, sent: Counter[str]
    ) -> None:
        replies = await session.ask([line for _, line in items]) if items else ()
        self._note(((key_of(line), reply) for (_, line), reply in zip(items, replies, strict=True)), now)
        for (command, line), reply in zip(items, replies, strict=True):
            sent[command.acl] += 1
            found[command, line] = reply
            if isinstance(reply, RedisError) and is_of_another_type(reply):
                self._known[key_of(line)] = _Known(_ANOTHER, now + HOLDS)

    async def _feel(
        self,
        session: Session,
        items: Sequence[_Item],
        untold: Mapping[bytes, RedisError],
        found: _Found,
        sent: Counter[str],
    ) -> None:
        """Send for keys that can't be asked for their types: some, one after another, until one is of another type."""
        turns = Counter[str]()
        self._mixed.update(command.acl for command, _ in items if self._allowed.was_refused(command.acl))
        for command, line in items:
            key = key_of(line)
            if command.acl not in self._mixed and turns[command.acl] < BLIND:
                turns[command.acl] += 1
                await self._send(session, [(command, line)], found, 0.0, sent)
                reply = found[command, line]
                is_other = isinstance(reply, RedisError) and is_of_another_type(reply)
                if is_other:
                    self._mixed.add(command.acl)
                if is_other or not isinstance(reply, RedisError):
                    self._known[key] = _Known(_ANOTHER if is_other else command.of_type or _ANOTHER, float("inf"))
            else:
                found[command, line] = _mixed(untold[key]) if command.acl in self._mixed else UNASKED


def key_of(line: _Line) -> bytes:
    """The key of a line: the first of its words that is bytes, as keys that were found are; else its second word."""
    key = next((word for word in line if isinstance(word, bytes)), line[1])
    return key if isinstance(key, bytes) else str(key).encode()


def _begins(command: Command[Any], key: bytes) -> bytes:
    return next((begins for begins in command.alike if key.startswith(begins)), b"")


def _asked(command: Command[Any], line: _Line) -> Trial:
    key = key_of(line)
    return Trial(command.acl, _begins(command, key), line, key)


def _mixed(why: RedisError) -> RedisError:
    """What is told of a key that isn't asked about: why its type can't be."""
    if isinstance(why, NoPermissionError):
        return why
    return ResponseError("keys of other types are among them, and TYPE is not known here")
