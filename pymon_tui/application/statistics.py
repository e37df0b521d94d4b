"""The application's own hit rate, by day and namespace, which ``services.stats`` counts in two hashes a day.

Which day it is, the server's clock tells. A day begins at the midnight of the application's time zone, which the keys
don't tell: today is the newest day with look-ups of those that it is somewhere on earth.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from pymon_tui.model.query import Argument, Batch, Command, Query, Replies, Reply, Request
from pymon_tui.readings.info import INFO, Info
from pymon_tui.services.days import FAMILIES, Day, Days, counted

DAYS = 30
"""Days that the past is told for."""

_WESTERNMOST, _EASTERNMOST = timedelta(hours=-12), timedelta(hours=14)
"""What the time zones of the earth differ from UTC by."""

_DAY = timedelta(days=1)

_OF_TYPE = b"hash"

_HITS, _MISSES = FAMILIES

_BEGINS = tuple(family.begins for family in FAMILIES)


def somewhere(now: datetime) -> tuple[date, ...]:
    """The days that it is somewhere on earth: two or three, oldest first."""
    first, last = ((now.astimezone(UTC) + offset).date() for offset in (_WESTERNMOST, _EASTERNMOST))
    return tuple(_days(first, last))


def decode_days(replies: Replies) -> tuple[Day, ...]:
    """The days of which both hashes could be read, in the order they were asked for.

    Raises:
        ValueError: If there is none, or a reply isn't a hash of bytes.
    """
    hashes = {str(line[1]): _hash(reply) for line, reply in replies}
    days = []
    for key, hits in hashes.items():
        named = _HITS.values(key)
        if named is None:
            continue
        day = date.fromisoformat(named["day"])
        misses = hashes.get(_MISSES.key(day=day))
        if misses is not None:
            days.append(counted(day, hits, misses))
    if not days:
        raise ValueError(f"{_HITS.prefix} and {_MISSES.prefix} don't both hold hashes")
    return tuple(days)


def newest(days: tuple[Day, ...]) -> Day:
    """The newest day with look-ups; the first of the days where none has any."""
    return max((day for day in days if _looked_up(day)), key=lambda day: day.day, default=days[0])


def until_today(days: Days, today: Day) -> Days:
    """The ``DAYS`` days until today, those of which nothing is known as days without look-ups."""
    known = {day.day: day for day in (*days.days, today)}
    wanted = _days(today.day - (DAYS - 1) * _DAY, today.day)
    return Days(tuple(known.get(day, Day(day, ())) for day in wanted))


def _looked_up(day: Day) -> bool:
    return day.total.share is not None


def _days(first: date, last: date) -> Iterable[date]:
    return (first + number * _DAY for number in range((last - first).days + 1))


def _now(info: Info | None) -> datetime | None:
    """The server's time; None where it doesn't tell it, or one that no calendar has."""
    at = info.integer("server_time_usec") if info is not None else None
    try:
        return datetime.fromtimestamp(at / 1e6, UTC) if at is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _ask(days: Iterable[date]) -> Batch:
    commands: list[tuple[Argument, ...]] = [("HGETALL", family.key(day=day)) for day in days for family in FAMILIES]
    return Batch(tuple(commands))


def _ask_today(_known: object, info: Info | None) -> Request:
    if (now := _now(info)) is None:
        return ()
    # UTC's day comes first: it is today where nothing was looked up anywhere.
    return _ask(sorted(somewhere(now), key=lambda day: day != now.date()))


def _ask_days(_known: object, info: Info | None) -> Request:
    if (now := _now(info)) is None:
        return ()
    days = somewhere(now)
    return _ask(_days(days[0] - (DAYS - 1) * _DAY, days[-1]))


def _hash(reply: Reply) -> dict[bytes, bytes]:
    """The hash of an HGETALL, which is a flat list in RESP2.

    Raises:
        ValueError: If it is something else.
    """
    pairs = tuple(reply.items()) if isinstance(reply, dict) else None
    if isinstance(reply, list):
        pairs = tuple(zip(reply[::2], reply[1::2], strict=True))
    if pairs is None or not all(isinstance(part, bytes) for pair in pairs for part in pair):
        raise ValueError("HGETALL answered with something other than a hash")
    return dict(pairs)


_TODAY: Command[tuple[Day, ...]] = Command(
    "hgetall", _ask_today, decode_days, every=5.0, given=INFO, of_type=_OF_TYPE, alike=_BEGINS
)
_PAST: Command[tuple[Day, ...]] = Command(
    "hgetall", _ask_days, decode_days, every=60.0, given=INFO, of_type=_OF_TYPE, alike=_BEGINS
)

APPLICATION_TODAY: Query[Day] = Query("application_today", _TODAY, newest)
"""Hits and misses of today by namespace; a day without look-ups where there are no statistics."""

APPLICATION_DAYS: Query[Days] = Query("application_days", _PAST, Days)
"""The last days, oldest first, those of which something else was written left out; ``until_today`` makes 30 of them."""
