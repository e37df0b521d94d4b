"""Which keys our user may send a command for, learnt with at most one refusal of each command.

It is tried with a key that isn't there, which nobody's rule names but one for all keys that begin so. Where that is
refused, ACL DRYRUN tells of each key before it is sent; where that is refused as well, nothing more is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from redis.exceptions import RedisError

from pymon_tui.model.query import Argument, Reply
from pymon_tui.server.reasons import as_executed, is_of_key, is_refusal
from pymon_tui.server.session import Session
from pymon_tui.server.slots import tag_of

DRY_RUN = "acl|dryrun"

_IMAGINARY = b"pymon-tui:no-such-key"


class Trial(NamedTuple):
    """One line that is to be sent.

    Attributes:
        acl: The command's name in ACL rules.
        begins: How all keys begin that it is taken to be allowed for as for one.
        line: Its words.
        key: The key among them.
    """

    acl: str
    begins: bytes
    line: tuple[Argument, ...]
    key: bytes


class Allowed:
    """What is known of our user's rights in one connection."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, bytes], bool] = {}  # whether it is allowed for all keys that begin so
        self._refusals: dict[str, RedisError] = {}
        self._dry_run: RedisError | bool | None = None  # None where it wasn't tried

    def was_refused(self, acl: str) -> bool:
        """Whether a command was refused, of whatever key."""
        return acl in self._refusals

    async def sift(
        self, session: Session, lines: Sequence[Trial], sent: Counter[str], *, cluster: bool
    ) -> list[RedisError | None]:
        """None for each line that may be sent; why not for the others.

        ``sent`` is told how often each command was sent.

        Raises:
            LinkError: As ``Session.ask``.
        """
        failed = await self._settle(session, lines, sent, cluster=cluster)
        found: list[RedisError | None] = [failed.get(asked.acl) for asked in lines]
        doubtful = [
            place
            for place, asked in enumerate(lines)
            if found[place] is None and not self._all.get((asked.acl, asked.begins), False)
        ]
        for place in doubtful:
            found[place] = self._refusals[lines[place].acl]
        apart = [place for place in doubtful if is_of_key(self._refusals[lines[place].acl])]
        told = await self._dry_runs(session, [lines[place].line for place in apart], sent)
        for place, refusal in zip(apart, told, strict=True) if told is not None else ():
            found[place] = refusal
        return found

    async def _settle(
        self, session: Session, lines: Iterable[Trial], sent: Counter[str], *, cluster: bool
    ) -> dict[str, RedisError]:
        """Learn of all keys that begin alike; returns what speaks against a command for now, and isn't a refusal."""
        firsts = {(asked.acl, asked.begins): asked for asked in lines}
        failed: dict[str, RedisError] = {}
        while True:
            # The longest beginning first: where that is allowed, it stays so whatever is refused of others.
            open_ = sorted((each for each in firsts if each not in self._all), key=lambda each: -len(each[1]))
            heads = {acl: (acl, begins) for acl, begins in reversed(open_) if acl not in failed}
            tries = [head for acl, head in heads.items() if acl not in self._refusals]
            rest = [each for each in open_ if each[0] in self._refusals]
            if not tries and not rest:
                return failed
            await self._rehearse(session, [(each, _imaginary(firsts[each], cluster=cluster)) for each in rest], sent)
            imaginary = [_imaginary(firsts[each], cluster=cluster) for each in tries]
            for (acl, begins), reply in zip(tries, await _sent(session, tries, imaginary, sent), strict=True):
                if not isinstance(reply, RedisError):
                    self._all[acl, begins] = True
                elif is_refusal(reply):
                    self._all[acl, begins] = False
                    self._refusals[acl] = reply
                else:
                    failed[acl] = reply

    async def _rehearse(
        self, session: Session, tries: Sequence[tuple[tuple[str, bytes], tuple[Argument, ...]]], sent: Counter[str]
    ) -> None:
        """Learn of commands that a key was refused of, without another refusal."""
        apart = [(each, line) for each, line in tries if is_of_key(self._refusals[each[0]])]
        told = await self._dry_runs(session, [line for _, line in apart], sent)
        self._all.update(dict.fromkeys((each for each, _ in tries), False))
        if told is not None:
            self._all.update({each: refusal is None for (each, _), refusal in zip(apart, told, strict=True)})

    async def _dry_runs(
        self, session: Session, lines: Sequence[tuple[Argument, ...]], sent: Counter[str]
    ) -> list[RedisError | None] | None:
        """What each would be refused with; None where that can't be known."""
        found: list[RedisError | None] = []
        while len(found) < len(lines) and not isinstance(self._dry_run, RedisError):
            some = lines[len(found) :] if self._dry_run else lines[:1]
            who = session.endpoint.username or "default"
            replies = await session.ask([("ACL", "DRYRUN", who, *line) for line in some])
            sent[DRY_RUN] += len(replies)
            self._dry_run = next((reply for reply in replies if isinstance(reply, RedisError)), True)
            found += map(_refusal, replies)
        return None if isinstance(self._dry_run, RedisError) else found


async def _sent(
    session: Session,
    tries: Sequence[tuple[str, bytes]],
    lines: Sequence[tuple[Argument, ...]],
    sent: Counter[str],
) -> Sequence[Reply | RedisError]:
    sent.update(acl for acl, _ in tries)
    return await session.ask(lines) if lines else ()


def _refusal(reply: Reply) -> RedisError | None:
    """What the command itself would be refused with."""
    executed = as_executed(reply)
    return executed if isinstance(executed, RedisError) else None


def _imaginary(asked: Trial, *, cluster: bool) -> tuple[Argument, ...]:
    """The same line about a key that isn't there; of a cluster, in the slot of the one that is."""
    key = asked.begins + _IMAGINARY + (tag_of(asked.key) if cluster else b"")
    return tuple(key if word in (asked.key, asked.key.decode("utf-8", "replace")) else word for word in asked.line)
