"""The state of the connection to a server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from pymon_tui.model.text import SafeText


class Trouble(Enum):
    """What kind of thing keeps us from the server; it decides how soon to try again."""

    UNREACHABLE = "unreachable"  # refused, no such name, no such socket, closed: try again, quickly at first
    SILENT = "silent"  # no answer in time: a frozen or very busy server, or a dead line
    LOCKED = "locked"  # a password is wanted, or is wrong: a person can give one, and trying fast locks accounts out
    UNTRUSTED = "untrusted"  # a certificate, of theirs or ours, isn't taken: locks nobody out, and may be renewed soon
    REFUSED = "refused"  # a right that is missing, a login to a bastion: each try is noted there, or counts for a lock
    CROWDED = "crowded"  # max number of clients: trying fast would take the next free place from someone
    FOREIGN = "foreign"  # what answers doesn't speak Redis' protocol


@dataclass(frozen=True, slots=True)
class Connecting:
    """No connection has been made yet (times are monotonic seconds)."""

    since: float


@dataclass(frozen=True, slots=True)
class Live:
    """Connected and answering; ``rtt`` is the last tick's round trip in seconds, without the server's own time."""

    since: float
    rtt: float


@dataclass(frozen=True, slots=True)
class Lost:
    """Away: what failed and what to do about it, since when, and when the next try is (monotonic seconds)."""

    trouble: Trouble
    what: SafeText
    remedy: SafeText
    since: float
    next_try: float
    tries: int


Link: TypeAlias = Connecting | Live | Lost
