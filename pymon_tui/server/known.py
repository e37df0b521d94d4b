"""What a server knows of the commands that are sent to it, by COMMAND INFO: versions say other things (Valkey 9)."""

from __future__ import annotations

from dataclasses import dataclass

from redis.exceptions import RedisError

from pymon_tui.server.commands import SENT
from pymon_tui.server.session import Session

_NAMES = tuple(sent.name for sent in SENT)
_NEWER = frozenset(("latency|histogram",))
"""Subcommands as new as the telling of subcommands, which are not asked of a server older than that."""
_CONTAINERS = tuple(dict.fromkeys(name.partition("|")[0] for name in _NAMES if "|" in name))


@dataclass(frozen=True, slots=True)
class Known:
    """What of the commands in ``SENT`` there is.

    Attributes:
        commands: By their names in ACL rules.
        selectors: Whether ACL rules can be several sets of their own, ``(+unlink ~cache:*)``, and a key be readable
            alone, ``%R~``.
        told: False where the server doesn't tell and all of it is taken for granted.
    """

    commands: frozenset[str]
    selectors: bool
    told: bool


EVERYTHING = Known(frozenset(_NAMES), selectors=True, told=False)
"""What Redis has from 7.2 on, and Valkey."""


async def known_to(session: Session) -> Known:
    """Ask, once; ``EVERYTHING`` where the answer is an error, as where COMMAND is renamed or denied.

    Raises:
        LinkError: If the link is lost.
    """
    asked = (*_NAMES, *_CONTAINERS)
    (reply,) = await session.ask([("COMMAND", "INFO", *asked)])
    if isinstance(reply, RedisError) or not isinstance(reply, list) or len(reply) != len(asked):
        return EVERYTHING
    there = {name for name, told in zip(asked, reply, strict=True) if told}
    if not any("|" in name for name in there):
        # Redis 6.2 has subcommands and takes any in ACL rules, and doesn't tell of them.
        there |= {name for name in _NAMES if name.partition("|")[0] in there and name not in _NEWER}
        return Known(frozenset(there.intersection(_NAMES)), selectors=False, told=True)
    # What tries a user's rules came in the same version as the two.
    return Known(frozenset(there.intersection(_NAMES)), selectors="acl|dryrun" in there, told=True)
