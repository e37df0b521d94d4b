"""What can be known of a removal before it starts: whether the server is the one to ask, and whether it lets us."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.invalidation.key_rights import UNASKED, By, KeyRights
from pymon_tui.invalidation.knowing import knowledge_of
from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.pipe import Answer, Line, Pipe
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import remedy_of

Mode = Literal["unlink", "expire"]

_FIRST_KEYS, _MOST_KEYS = 10, 100  # more than the first only where not all of them are alike
_REMOVAL: dict[Mode, tuple[bytes, ...]] = {"unlink": (b"UNLINK", b"KEY"), "expire": (b"PEXPIRE", b"KEY", b"1")}
_ENDS = (b"PEXPIREAT", b"KEY", b"1")  # so that the ends are known that a run with an undo gives
_LIVES = (b"PTTL", b"KEY")  # and so that those are told apart that are gone and that end sooner
_KEPT: tuple[tuple[bytes, ...], ...] = ((b"DUMP", b"KEY"), _LIVES)  # without them a key isn't kept, and stays
_RESTORE = (b"RESTORE", b"KEY", b"0", b"")
_BACK: dict[Mode, tuple[tuple[bytes, ...], ...]] = {
    "unlink": (_RESTORE,),
    "expire": (_RESTORE, (b"PEXPIRETIME", b"KEY"), (b"PERSIST", b"KEY")),
}
_ASKED_ANYWAY = ("DUMP", "PEXPIRETIME")  # for real, by the plan; without the last PTTL does
_READS = ("PTTL",)  # what may be tried where nothing may be written
_OF_COMMAND = "to run the"  # in a refusal that isn't a key's
_UNKNOWN, _NOT_FOUND = re.compile("unknown command", re.IGNORECASE), re.compile("command '.*' not found", re.IGNORECASE)
_LACKING = "{} isn't known there: it was renamed or left out"
_THIS = frozenset((0,))
_ROLES = {"master": "primary", "slave": "replica"}


@dataclass(frozen=True, slots=True)
class Permissions:
    """What ACL DRYRUN says of some of the keys; None and empty where nothing speaks against it, or it can't be asked.

    Attributes:
        removal_problem: Why none of these keys would be removed.
        undo_problem: Why none of them could be taken back.
        refusals: What is refused for some of these keys alone.
        keys: How many of them would be left alone: those that may not be removed, or not be kept where that is wanted.
        back: How many of them an undo could not bring back; by the ``command`` where ACL DRYRUN itself is refused.
    """

    removal_problem: SafeText | None
    undo_problem: SafeText | None
    refusals: tuple[SafeText, ...]
    keys: KeyRights = UNASKED
    back: KeyRights = UNASKED


def role_of(pipe: Line) -> str:
    """``primary``, ``replica``, or what else the server calls its role."""
    return _ROLES.get(pipe.identity.role, pipe.identity.role)


def replica_problem(pipe: Line) -> SafeText | None:
    """Why a server that copies another one is not the place to remove keys."""
    if role_of(pipe) != "replica":
        return None
    return safe(f"{pipe.endpoint.label} is a replica; connect to its primary to remove keys")


async def permissions(pipe: Pipe, keys: Sequence[bytes], *, mode: Mode, undo: bool) -> Permissions:
    """Ask what the server would say, and let it do nothing (ACL DRYRUN): of ten keys, a hundred if one is refused.

    Which ones is left to chance: those that were found first may all be of one kind.

    Raises:
        LinkError: If the link is lost.
    """
    keys = random.Random().sample(keys, min(len(keys), _MOST_KEYS))
    removal = await _denials(pipe, keys, _ENDS if undo and mode == "expire" else _REMOVAL[mode])
    kept = [await _denials(pipe, keys, command) for command in (*_KEPT, *_BACK[mode])] if undo else []
    lives = [kept[_KEPT.index(_LIVES)] if undo else await _denials(pipe, keys, _LIVES)] if mode == "expire" else []
    denied = [denials for denials in (removal, *kept) if denials.problem is not None]
    # A key that can't be dumped stays; a RESTORE is asked for by an undo alone.
    stay = removal.refused.union(*(denials.refused for denials in kept[: len(_KEPT)]))
    undo_problem = next((denials.problem for denials in kept if denials.all), None)
    if undo_problem is None and undo and keys:
        undo_problem = await _no_time(pipe, dry=bool(removal.asked))
    return Permissions(
        removal_problem=next((denials.problem for denials in (removal, *lives) if denials.all), None),
        undo_problem=undo_problem,
        refusals=tuple(denials.problem for denials in denied if denials.problem is not None and not denials.all),
        keys=KeyRights(removal.asked, len(stay) if removal.asked else 0, removal.by),
        back=await _back(pipe, kept[len(_KEPT) :], stay),
    )


async def _back(pipe: Pipe, kept: Sequence[_Denials], stay: frozenset[int]) -> KeyRights:
    """Which of the keys an undo could bring back: those that stay need none."""
    if any(denials.untold for denials in kept):
        # Rights that differ from key to key came with Redis 7.0, as PEXPIRETIME did.
        return KeyRights(by="command" if (await knowledge_of(pipe)).ends is not False else "")
    lost = frozenset[int]().union(*(denials.refused for denials in kept)) - stay
    return KeyRights(max((denials.asked for denials in kept), default=0), len(lost), "keys" if kept else "")


@dataclass(frozen=True, slots=True)
class _Denials:
    """What is refused, of how many keys, which of them by their place, what to do about it, and how it is known.

    ``untold`` is whether the server would tell, and may not tell us.
    """

    asked: int = 0
    refused: frozenset[int] = frozenset()
    problem: SafeText | None = None
    by: By = "keys"
    untold: bool = False

    @property
    def all(self) -> bool:
        """Whether it is refused for all of them."""
        return bool(self.asked) and len(self.refused) == self.asked


async def _denials(pipe: Pipe, keys: Sequence[bytes], command: tuple[bytes, ...]) -> _Denials:
    some = keys[:_FIRST_KEYS]
    if not some:
        return _Denials(by="nothing")
    # One key first: where ACL DRYRUN itself is refused, each question would be an error in the server's statistics.
    answers = await _dry(pipe, command, some[:1])
    if isinstance(answers[0], ResponseError):
        tried = await _tried(pipe, command, some[0], answers[0])
        return replace(tried, untold=isinstance(answers[0], NoPermissionError))
    if some[1:]:
        answers += await _dry(pipe, command, some[1:])
    if answers.count(b"OK") < len(answers) and keys[_FIRST_KEYS:_MOST_KEYS]:
        answers += await _dry(pipe, command, keys[_FIRST_KEYS:_MOST_KEYS])
    texts = {
        place: safe(answer, 160)
        for place, answer in enumerate(answers)
        if isinstance(answer, bytes) and answer != b"OK"
    }
    if not texts:
        return _Denials(len(answers))
    refused, first = frozenset(texts), next(iter(texts.values()))
    what = command[0].decode()
    remedy = remedy_of(NoPermissionError(first), what.lower(), pipe.user)
    if len(texts) == len(answers):
        return _Denials(len(answers), refused, safe(f"{what} is refused: {first}; {remedy}", 300))
    problem = f"{what} is refused for {len(texts)} of {len(answers)} keys; {remedy}"
    return _Denials(len(answers), refused, safe(problem, 300))


async def _tried(pipe: Pipe, command: tuple[bytes, ...], key: bytes, refusal: ResponseError) -> _Denials:
    """What the server says of the command itself, where ACL DRYRUN tells nothing of it.

    It is told of a key that isn't there, where it changes nothing; RESTORE is told of no payload, which is an error.
    """
    name, _, *rest = command
    what = name.decode()
    if what in _ASKED_ANYWAY or (pipe.endpoint.read_only and what not in _READS):
        return _Denials(by="")
    lacking = _NOT_FOUND.search(str(refusal)) is not None  # "unknown command" would be said of ACL itself
    if not lacking:
        (answer,) = await pipe.ask(pack_all([(name, key + b":pymon:" + secrets.token_hex(8).encode(), *rest)]), 1)
        if not isinstance(answer, ResponseError):
            return _Denials(by="command")
        refusal = answer
    text, problem = str(refusal), ""
    if isinstance(refusal, NoPermissionError) and _OF_COMMAND in text:
        problem = f"{what} is refused: {safe(text, 160)}; {remedy_of(refusal, what.lower(), pipe.user)}"
    elif (lacking or _UNKNOWN.search(text) is not None) and what != "UNLINK":  # in whose place DEL does
        problem = _LACKING.format(what)
    if problem:
        return _Denials(1, _THIS, safe(problem, 300), by="command")
    # What else is refused is this key, or what was said of it.
    return _Denials(by="" if lacking or _UNKNOWN.search(text) is not None else "command")


async def _no_time(pipe: Pipe, *, dry: bool) -> SafeText | None:
    """Why nothing could be taken back: to know when keys end, a run with an undo asks what time it is."""
    user, text = pipe.identity.user.encode(), ""
    itself: tuple[bytes, ...] = (b"TIME",)
    for command in ((b"ACL", b"DRYRUN", user, b"TIME"), itself) if dry else (itself,):
        (answer,) = await pipe.ask(pack_all([command]), 1)
        if isinstance(answer, list) or answer == b"OK":
            return None
        text = safe(answer if isinstance(answer, bytes) else str(answer), 160)
        if _NOT_FOUND.search(text) is not None or (command is itself and _UNKNOWN.search(text) is not None):
            return safe(_LACKING.format("TIME"))
        if isinstance(answer, bytes):
            break
    return safe(f"TIME is refused: {text}; {remedy_of(NoPermissionError(text), 'time', pipe.user)}", 300)


async def _dry(pipe: Pipe, command: tuple[bytes, ...], keys: Sequence[bytes]) -> list[Answer]:
    name, _, *rest = command
    user = pipe.identity.user.encode()
    return await pipe.ask(pack_all((b"ACL", b"DRYRUN", user, name, key, *rest) for key in keys), len(keys))
