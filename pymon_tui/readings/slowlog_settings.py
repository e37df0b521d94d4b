"""What gets into the slow log and how long it is, and the two writes that concern it. From CONFIG GET slowlog-*."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pymon_tui.model.action import Action
from pymon_tui.model.query import Command, Part, Query, Reply, fixed, itself
from pymon_tui.model.text import SafeText, safe

THRESHOLD = "slowlog-log-slower-than"
LENGTH = "slowlog-max-len"

_MICROSECONDS = {"": 1, "us": 1, "µs": 1, "ms": 1_000, "s": 1_000_000}
_LONGEST = 86_400_000_000
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(us|µs|ms|s|)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SlowlogSettings:
    """The two directives; None where the server doesn't tell.

    Attributes:
        slowlog_log_slower_than: Microseconds from which on a command is logged: 0 logs all, -1 none.
        slowlog_max_len: Entries in the server's ring.
    """

    slowlog_log_slower_than: int | None
    slowlog_max_len: int | None


def decode_settings(reply: Reply) -> SlowlogSettings:
    """CONFIG GET: a map, or under RESP2 a flat list of names and values, in any order.

    Raises:
        ValueError: If the reply is neither.
    """
    if not isinstance(reply, dict | list):
        raise ValueError("CONFIG GET answered with something other than names and values")
    pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=False)
    values = {name: value for name, value in pairs if isinstance(name, bytes) and isinstance(value, bytes)}
    return SlowlogSettings(_integer(values.get(THRESHOLD.encode())), _integer(values.get(LENGTH.encode())))


def _integer(value: bytes | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(rb"-?\d{1,19}", value) else None


def _of_nodes(parts: Sequence[Part[SlowlogSettings]]) -> SlowlogSettings:
    """What is set alike on all nodes; None for what isn't."""
    thresholds = {part.value.slowlog_log_slower_than for part in parts}
    lengths = {part.value.slowlog_max_len for part in parts}
    return SlowlogSettings(*(found.pop() if len(found) == 1 else None for found in (thresholds, lengths)))


SLOWLOG_SETTINGS: Query[SlowlogSettings] = Query(
    "slowlog_settings",
    # One pattern and not two names: Redis before 7 takes one argument.
    Command("config|get", fixed("CONFIG", "GET", "slowlog-*"), decode_settings, every=30.0),
    itself,
    merge=_of_nodes,
    of_all=True,
)


def duration(microseconds: int) -> SafeText:
    """A threshold as a person would write it: ``10 ms``, ``500 µs``, ``1.5 s``."""
    if microseconds < 1_000:
        return safe(f"{microseconds} µs")
    return safe(f"{microseconds / 1e3:.10g} ms" if microseconds < 1_000_000 else f"{microseconds / 1e6:.10g} s")


def reset_slowlog() -> Action:
    """SLOWLOG RESET."""
    effect = safe("The server empties its slow log; rows here stay.")
    return Action(safe("Reset slow log"), ("SLOWLOG", "RESET"), effect, "slowlog|reset")


def change_threshold(microseconds: int) -> Action:
    """CONFIG SET slowlog-log-slower-than."""
    if microseconds < 0:
        effect = "Logs nothing, until a restart."
    elif microseconds == 0:
        effect = "Logs every command, until a restart."
    else:
        effect = f"Logs commands slower than {duration(microseconds)}, until a restart."
    return Action(safe("Change threshold"), ("CONFIG", "SET", THRESHOLD, microseconds), safe(effect), "config|set")


def parse_threshold(text: str) -> int:
    """What a person types: ``10ms``, ``1.5 ms``, ``2s``, ``10000`` (microseconds), ``0`` for all, ``off`` or ``-1``.

    Returns:
        Microseconds, -1 for off.

    Raises:
        ValueError: If it is none of these, or longer than a day.
    """
    wanted = text.strip()
    if wanted.lower() in ("-1", "off"):
        return -1
    match = _DURATION.fullmatch(wanted)
    if match is None:
        raise ValueError("write a time such as 10ms or 500us, or 0, or off")
    microseconds = round(float(match[1]) * _MICROSECONDS[match[2].lower()])
    if microseconds > _LONGEST:
        raise ValueError("that is longer than a day; off logs nothing")
    return microseconds
