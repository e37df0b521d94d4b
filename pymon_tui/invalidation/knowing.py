"""What a server can tell of its keys, learned once a connection: without an error where it can't."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.pipe import Answer, Line
from pymon_tui.invalidation.trash_format import Used
from pymon_tui.readings.info import parse_info


@dataclass(slots=True, weakref_slot=True, eq=False)
class Knowledge:
    """What is known of the server behind one connection.

    Attributes:
        ends: Whether it tells the exact end of a key (PEXPIRETIME, from Redis 7 on); None before a key was asked for.
        used: What it tells of how a key was used that an undo can bring back; empty for nothing. None before a key
            was asked for, where ``may_tell`` is what it may be.
        may_tell: What the server goes by when it evicts keys: when they were used, how often, or nothing of both.
    """

    ends: bool | None
    used: Used | None
    may_tell: Used


_KNOWN: WeakKeyDictionary[Line, Knowledge] = WeakKeyDictionary()


async def knowledge_of(line: Line) -> Knowledge:
    """What is known of the server behind this connection, as far as it tells without a key.

    Raises:
        LinkError: If the link is lost.
    """
    known = _KNOWN.get(line)
    if known is None:
        # Who isn't told who answers may not ask for INFO.
        memory = (b"INFO", b"memory") if line.identity.run_id else (b"TIME",)
        has, told = await line.ask(pack_all([(b"COMMAND", b"INFO", b"pexpiretime"), memory]), 2)
        may_tell = _evicts_by(told)
        knows = isinstance(has, list) and bool(has) and has[0] is not None
        known = _KNOWN[line] = Knowledge(None if knows else False, None if may_tell else "", may_tell)
    return known


def _evicts_by(told: Answer) -> Used:
    """What eviction goes by; nothing where none can happen: then it isn't worth a question for each key."""
    if not isinstance(told, bytes) or not told:
        return ""
    info = parse_info(told)
    policy = info.text("maxmemory_policy") or ""
    if not info.integer("maxmemory"):
        return ""
    return "idle" if policy.endswith("-lru") else "freq" if policy.endswith("-lfu") else ""
