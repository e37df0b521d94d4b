"""Collections so large that reading one whole is slow: what fills the slow log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

Command = tuple[str | bytes | int, ...]

# A step that fills must not stand in the slow log itself.
MEMBERS_PER_COMMAND = 200


@dataclass(frozen=True, slots=True)
class Heavy:
    """One slow command and what fills the collection that it reads; its reply is empty without it."""

    command: Command
    fill: Callable[[Random], Iterator[Command]]


def _filled_by(
    command: str, key: str, size: int, member: Callable[[Random, int], Command]
) -> Callable[[Random], Iterator[Command]]:
    def fill(random: Random) -> Iterator[Command]:
        for start in range(0, size, MEMBERS_PER_COMMAND):
            members = (member(random, number) for number in range(start, start + MEMBERS_PER_COMMAND))
            yield (command, key, *(part for parts in members for part in parts))

    return fill


def _visitor(random: Random, number: int) -> Command:
    return (f"user:{number:05d}:{random.randrange(10**6)}",)


def _score(random: Random, number: int) -> Command:
    return (random.randrange(100_000), f"project:{number}")


def _endpoint_count(random: Random, number: int) -> Command:
    return (f"endpoint:{number}:requests", random.randrange(100_000))


def _amount(random: Random, number: int) -> Command:
    return (random.randrange(1_000, 10_000_000) * 100 + number % 100,)


def _audit_line(random: Random, number: int) -> Command:
    return (f"{number} user={random.randrange(400)} action=view project={random.randrange(3_000)}",)


_online = _filled_by("SADD", "online_users", 20_000, _visitor)
_leaderboard = _filled_by("ZADD", "leaderboard", 15_000, _score)
_stats = _filled_by("HSET", "endpoint:totals", 12_000, _endpoint_count)
_invoices = _filled_by("RPUSH", "invoices:pending", 20_000, _amount)
_audit = _filled_by("RPUSH", "audit:log", 20_000, _audit_line)

HEAVY = (
    Heavy(("SMEMBERS", "online_users"), _online),
    Heavy(("SORT", "invoices:pending", "DESC", "LIMIT", 0, 50), _invoices),
    Heavy(("ZRANGEBYSCORE", "leaderboard", "-inf", "+inf"), _leaderboard),
    Heavy(("HGETALL", "endpoint:totals"), _stats),
    Heavy(("SORT", "online_users", "ALPHA", "LIMIT", 0, 20), _online),
    Heavy(("LRANGE", "audit:log", 0, -1), _audit),
)
