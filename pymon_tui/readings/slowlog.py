"""The slow log: commands that took long, fetched as they come and kept past the server's ring. From SLOWLOG GET."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from operator import attrgetter

from pymon_tui.model.action import quoted
from pymon_tui.model.query import Argument, Command, Part, Query, Reply
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.readings.redaction import redacted

KEPT = 2_048
"""Entries kept, the newest; the server's own ring has 128 unless it is told otherwise."""
KEPT_BYTES = 8 << 20
"""Bytes of arguments kept; a full entry of the server's has 5 KB."""

STEADY, BURST, MOST = 16, 128, 1_024
"""Entries asked for: at each tick, at first and when there came more than that, and when those were not enough."""

# Servers cut a command to 32 arguments of 128 bytes and a remark; what stands in for one may not.
_ARGUMENTS = 32
_ARGUMENT_BYTES = 160
_MORE_ARGUMENTS = re.compile(rb"\.\.\. \((\d+) more arguments\)")
_KEY = attrgetter("epoch", "id")

UNIX_SOCKET = safe("unix socket")


@dataclass(frozen=True, slots=True)
class SlowEntry:
    """One entry of SLOWLOG GET.

    Attributes:
        epoch: Which life of the server, or of its counter, the id is of: 0, and one more whenever ids began anew.
        id: The server's number of the entry; unique and without holes in one epoch.
        timestamp: When it was logged, in Unix seconds by the server's clock.
        duration: How long it ran, in microseconds; waiting for clients and replies not counted.
        arguments: The command as the server kept it: at most 32 arguments, long ones cut, secrets hidden.
        client_address: Who sent it; None before Redis 4.
        client_name: By what name; None where it has none.
        node: Which node of the deployment logged it, where several are shown together; else None.
    """

    epoch: int
    id: int
    timestamp: int
    duration: int
    arguments: tuple[bytes, ...]
    client_address: SafeText | None
    client_name: SafeText | None
    node: SafeText | None = None

    @property
    def key(self) -> tuple[int, int]:
        """What no other entry of its node has; the larger, the newer."""
        return self.epoch, self.id

    @property
    def age(self) -> tuple[int, int, int]:
        """The larger, the newer: by its number, and where several nodes are shown together by its time."""
        return self.timestamp if self.node else 0, self.epoch, self.id

    @property
    def client_host(self) -> SafeText | None:
        """The address without the port, which tells machines and not connections apart; a socket has no host."""
        address = self.client_address
        if address is None:
            return None
        # Valkey writes [/path]:0 and Redis /path:0.
        return UNIX_SOCKET if address.startswith(("/", "[/")) else safe(address.rpartition(":")[0] or address)

    @property
    def command(self) -> SafeText:
        """The command on one line."""
        return command_line(self.arguments)


@dataclass(frozen=True, slots=True, eq=False)
class SlowLog:
    """What is known of the slow log.

    Attributes:
        entries: The newest first, those included that the server has dropped since.
        missed: Entries that left the server's ring, or were reset, before they were read; since ids began anew.
    """

    entries: tuple[SlowEntry, ...]
    missed: int


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """The slow log, and how many entries the next SLOWLOG GET asks for."""

    log: SlowLog
    asking: int


@lru_cache(maxsize=KEPT + MOST)
def command_line(arguments: tuple[bytes, ...]) -> SafeText:
    """The command as it could be typed, safe to show; the server's remark that it left some out is shortened."""
    more = _MORE_ARGUMENTS.fullmatch(arguments[-1]) if arguments else None
    if more is None:
        return join(" ", [quoted(argument) for argument in arguments])
    return join(" ", [*(quoted(argument) for argument in arguments[:-1]), safe(b"(+" + more[1] + b" more)")])


def decode_slowlog(reply: Reply) -> Followed:
    """One answer of SLOWLOG GET: entries of four parts (before Redis 4) or six, the newest first.

    Raises:
        ValueError: If the reply is no list of such entries.
    """
    if not isinstance(reply, list):
        raise ValueError("SLOWLOG GET answered with something other than a list")
    entries = {entry.id: entry for entry in map(_entry, reply[:MOST])}
    return Followed(SlowLog(tuple(sorted(entries.values(), key=_id, reverse=True)), 0), STEADY)


def follow(known: Followed | None, answer: Followed) -> Followed:
    """What was known and what came now. More is asked for next where the answer doesn't reach what was known."""
    asked, log = (known.asking, known.log) if known is not None else (BURST, SlowLog((), 0))
    newest = answer.log.entries
    if not newest:
        return Followed(log, STEADY)
    epoch = log.entries[0].epoch if log.entries else 0
    current = {entry.id: entry for entry in log.entries if entry.epoch == epoch}
    if _began_anew(current, newest):
        epoch += 1
        # Some may have come before it could be told that they belong to a new life.
        moved = {(entry.id, entry.timestamp, entry.duration) for entry in newest}
        log = SlowLog(tuple(old for old in log.entries if (old.id, old.timestamp, old.duration) not in moved), 0)
        current = {}
    fresh = [replace(entry, epoch=epoch) for entry in newest if entry.id not in current]
    if not fresh:
        return Followed(log, STEADY)
    beyond = newest[-1].id - 1
    cut_short = len(newest) >= asked and asked < MOST and beyond >= 0 and beyond not in current
    entries = _newest(sorted((*fresh, *log.entries), key=_KEY, reverse=True))
    return Followed(SlowLog(entries, _missed(entries)), (BURST if asked < BURST else MOST) if cut_short else STEADY)


def _began_anew(current: dict[int, SlowEntry], newest: tuple[SlowEntry, ...]) -> bool:
    """Whether the ids are of another life: the newest is older than one known, or one was another's before."""
    if not current:
        return False
    return newest[0].id < max(current) or any(
        known.timestamp != entry.timestamp for entry in newest if (known := current.get(entry.id)) is not None
    )


def _newest(entries: Sequence[SlowEntry]) -> tuple[SlowEntry, ...]:
    entries = entries[:KEPT]
    if sum(map(len, chain.from_iterable(entry.arguments for entry in entries))) <= KEPT_BYTES:
        return tuple(entries)
    kept: list[SlowEntry] = []
    size = 0
    for entry in entries:
        size += sum(map(len, entry.arguments))
        if kept and size > KEPT_BYTES:
            break
        kept.append(entry)
    return tuple(kept)


def _missed(entries: tuple[SlowEntry, ...]) -> int:
    """Holes in the ids of the newest epoch."""
    ids = [entry.id for entry in entries if entry.epoch == entries[0].epoch]
    return ids[0] - ids[-1] + 1 - len(ids)


def _entry(raw: Reply) -> SlowEntry:
    if not isinstance(raw, list) or len(raw) < 4:
        raise ValueError("SLOWLOG GET answered with an entry of fewer than four parts")
    number, timestamp, duration, arguments = raw[:4]
    if not all(isinstance(value, int) for value in (number, timestamp, duration)) or not isinstance(arguments, list):
        raise ValueError("SLOWLOG GET answered with an entry of other parts than id, time, duration and command")
    address, name = (part if isinstance(part, bytes) else b"" for part in (*raw[4:6], b"", b"")[:2])
    return SlowEntry(
        epoch=0,
        id=number,
        timestamp=timestamp,
        duration=duration,
        arguments=_bounded(redacted(tuple(part for part in arguments if isinstance(part, bytes)))),
        client_address=_client_text(address) if address else None,
        client_name=_client_text(name) if name else None,
    )


@lru_cache(maxsize=256)
def _client_text(text: bytes) -> SafeText:
    # The same few clients stand in entry after entry; one text of theirs is enough.
    return safe(text, 128)


def _bounded(arguments: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if len(arguments) > _ARGUMENTS:
        more = len(arguments) - _ARGUMENTS + 1
        arguments = (*arguments[: _ARGUMENTS - 1], b"... (%d more arguments)" % more)
    return tuple(map(_cut, arguments))


def _cut(argument: bytes) -> bytes:
    if len(argument) <= _ARGUMENT_BYTES:
        return argument
    return argument[:128] + b"... (%d more bytes)" % (len(argument) - 128)


def _id(entry: SlowEntry) -> int:
    return entry.id


def _get(known: Followed | None, _given: object) -> tuple[Argument, ...]:
    return "SLOWLOG", "GET", BURST if known is None else known.asking


def _log(followed: Followed) -> SlowLog:
    return followed.log


def _of_nodes(parts: Sequence[Part[SlowLog]]) -> SlowLog:
    """The newest entries of all nodes, each with the node that logged it."""
    entries = [replace(entry, node=part.node) for part in parts for entry in part.value.entries]
    entries.sort(key=lambda entry: entry.timestamp, reverse=True)
    return SlowLog(_newest(entries), sum(part.value.missed for part in parts))


SLOWLOG_GET: Command[Followed] = Command("slowlog|get", _get, decode_slowlog, fold=follow)
SLOWLOG: Query[SlowLog] = Query("slowlog", SLOWLOG_GET, _log, merge=_of_nodes)
