"""What can be known of a removal before it starts: whether the server is the one to ask, and whether it lets us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.invalidation.pipe import Answer, Line, Pipe, pack_all
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import remedy_of

Mode = Literal["unlink", "expire"]

_MOST_KEYS = 10
_REMOVAL: dict[Mode, tuple[bytes, ...]] = {"unlink": (b"UNLINK", b"KEY"), "expire": (b"PEXPIRE", b"KEY", b"1")}
_ENDS = (b"PEXPIREAT", b"KEY", b"1")  # so that the ends are known that a run with an undo gives
_UNDO: tuple[tuple[bytes, ...], ...] = ((b"DUMP", b"KEY"), (b"PTTL", b"KEY"), (b"RESTORE", b"KEY", b"0", b""))
_ROLES = {"master": "primary", "slave": "replica"}


@dataclass(frozen=True, slots=True)
class Permissions:
    """What ACL DRYRUN says of some of the keys; None and empty where nothing speaks against it, or it can't be asked.

    Attributes:
        removal_problem: Why none of these keys would be removed.
        undo_problem: Why none of them could be taken back.
        refusals: What is refused for some of these keys alone.
    """

    removal_problem: SafeText | None
    undo_problem: SafeText | None
    refusals: tuple[SafeText, ...]


def role_of(pipe: Line) -> str:
    """``primary``, ``replica``, or what else the server calls its role."""
    return _ROLES.get(pipe.identity.role, pipe.identity.role)


def replica_problem(pipe: Line) -> SafeText | None:
    """Why a server that copies another one is not the place to remove keys."""
    if role_of(pipe) != "replica":
        return None
    return safe(f"{pipe.endpoint.label} is a replica; connect to its primary to remove keys")


async def permissions(pipe: Pipe, keys: Sequence[bytes], *, mode: Mode, undo: bool) -> Permissions:
    """Ask for up to ten keys what the server would say, and let it do nothing (ACL DRYRUN, Redis 7).

    Raises:
        LinkError: If the link is lost.
    """
    removal = await _denials(pipe, keys, _ENDS if undo and mode == "expire" else _REMOVAL[mode])
    kept = [await _denials(pipe, keys, command) for command in _UNDO] if undo else []
    denied = [denials for denials in (removal, *kept) if denials is not None]
    return Permissions(
        removal_problem=removal.problem if removal is not None and removal.all else None,
        undo_problem=next((denials.problem for denials in kept if denials is not None and denials.all), None),
        refusals=tuple(denials.problem for denials in denied if not denials.all),
    )


@dataclass(frozen=True, slots=True)
class _Denials:
    """What is refused, for all of the keys or some, and what to do about it."""

    problem: SafeText
    all: bool


async def _denials(pipe: Pipe, keys: Sequence[bytes], command: tuple[bytes, ...]) -> _Denials | None:
    some = keys[:_MOST_KEYS]
    if not some:
        return None
    # One key first: where ACL DRYRUN itself is refused, each question would be an error in the server's statistics.
    answers = await _dry(pipe, command, some[:1])
    if isinstance(answers[0], ResponseError):
        return None
    if some[1:]:
        answers += await _dry(pipe, command, some[1:])
    texts = [safe(answer, 160) for answer in answers if isinstance(answer, bytes) and answer != b"OK"]
    if not texts:
        return None
    what = command[0].decode()
    remedy = remedy_of(NoPermissionError(texts[0]), what.lower(), pipe.user)
    if len(texts) == len(answers):
        return _Denials(safe(f"{what} is refused: {texts[0]}; {remedy}", 300), all=True)
    return _Denials(safe(f"{what} is refused for {len(texts)} of {len(answers)} keys; {remedy}", 300), all=False)


async def _dry(pipe: Pipe, command: tuple[bytes, ...], keys: Sequence[bytes]) -> list[Answer]:
    name, _, *rest = command
    user = pipe.identity.user.encode()
    return await pipe.ask(pack_all((b"ACL", b"DRYRUN", user, name, key, *rest) for key in keys), len(keys))
