"""The keys of Py_Monitor as the workload reads and writes them: names, values, lifetimes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

Command = tuple[str | bytes | int, ...]

HOT_PROJECTS = 3_000
USERS = 400
SESSIONS = 2_500
REPORTS = 8_000
CONFIGS = 600
REPORT_BYTES = 8_000


@dataclass(frozen=True, slots=True)
class Cached:
    """One kind of value that the application looks up and, when it is missing, loads and stores again.

    Attributes:
        weight: Share among all look-ups.
        population: How many are in common use, numbered from 1.
        read: The look-up of one number; its reply is empty or nil on a miss.
        write: What stores the value of one number.
    """

    weight: int
    population: int
    read: Callable[[int], Command]
    write: Callable[[int], tuple[Command, ...]]


class Keyspace:
    """Every command that fills Py_Monitor's keys; the values come from one seeded stream.

    Values are cut from a few prepared bodies: a new JSON document for each write would cost more than
    the write itself.
    """

    def __init__(self, random: Random) -> None:
        self._results = tuple(_result_body(random) for _ in range(32))
        self._reports = tuple(random.randbytes(REPORT_BYTES // 2).hex().encode() for _ in range(8))
        self.cached = (
            Cached(52, HOT_PROJECTS, lambda number: ("GET", f"monitoring:result:{number}"), self.result),
            Cached(16, HOT_PROJECTS // 4, lambda number: ("GET", _alerts_key(number)), self.alerts),
            Cached(8, CONFIGS, lambda number: ("GET", f"project:config:{number}"), self.config),
            Cached(6, CONFIGS, lambda number: ("HGET", f"project:stats:{number}", "requests"), self.stats),
            Cached(10, SESSIONS, lambda number: ("HGETALL", f"session:{_session_id(number)}"), self.session),
            Cached(5, USERS, lambda number: ("GET", f"user:preferences:{number}"), self.preferences),
            Cached(3, USERS, lambda number: ("SMEMBERS", f"user:sessions:{number}"), self.user_sessions),
        )

    def result(self, number: int) -> tuple[Command, ...]:
        body = b'{"project_id":%d,%b' % (number, self._results[number % len(self._results)])
        return (("SET", f"monitoring:result:{number}", body, "EX", 300),)

    def alerts(self, number: int) -> tuple[Command, ...]:
        body = b'{"project_id":%d,"alerts":[{%b]}' % (number, self._results[number % 7])
        return (("SET", _alerts_key(number), body, "EX", 60),)

    def config(self, number: int) -> tuple[Command, ...]:
        endpoints = f'["/health","/api/v{number % 3 + 1}/orders"]'
        body = f'{{"interval":{15 + number % 4 * 15},"timeout":5,"endpoints":{endpoints}}}'
        return (("SET", f"project:config:{number}", body),)

    def stats(self, number: int) -> tuple[Command, ...]:
        counts: Command = ("requests", number * 37 % 9_000 + 100, "errors", number % 19)
        return (("HSET", f"project:stats:{number}", *counts, "p95_ms", 40 + number % 300),)

    def session(self, number: int) -> tuple[Command, ...]:
        session, user = _session_id(number), number % USERS + 1
        key, address = f"session:{session}", f"10.{number % 200}.{number % 251}.{number % 249}"
        return (
            ("HSET", key, "user_id", user, "ip", address, "agent", "Mozilla/5.0", "locale", "ko"),
            ("EXPIRE", key, 3600),
            ("SADD", f"user:sessions:{user}", session),
        )

    def preferences(self, number: int) -> tuple[Command, ...]:
        language = "ko" if number % 3 else "en"
        body = f'{{"theme":"dark","language":"{language}","digest":{number % 24}}}'
        return (("SET", f"user:preferences:{number}", body),)

    def user_sessions(self, number: int) -> tuple[Command, ...]:
        return (("SADD", f"user:sessions:{number}", _session_id(number)),)

    def report(self, number: int) -> Command:
        """A large value that never expires: what eviction takes."""
        return ("SET", f"project:report:{number}", self._reports[number % len(self._reports)])

    def everything(self) -> Iterator[Command]:
        """All common values once, without the reports."""
        for cached in self.cached:
            for number in range(1, cached.population + 1):
                yield from cached.write(number)


def _alerts_key(number: int) -> str:
    return f"alerts:recent:{number}:20"


def _session_id(number: int) -> str:
    return f"{number * 2_654_435_761 % 2**32:08x}"


def _result_body(random: Random) -> bytes:
    """The rest of a JSON object, after its first field."""
    checks = [
        {
            "endpoint": random.choice(("/health", "/api/v1/orders", "/api/v1/users", "/metrics", "/login")),
            "status": random.choice((200, 200, 200, 200, 201, 304, 429, 500)),
            "latency_ms": round(random.lognormvariate(4, 0.6), 1),
            "region": random.choice(("ap-northeast-2", "eu-central-1", "us-east-1")),
        }
        for _ in range(random.randrange(6, 16))
    ]
    return json.dumps({"status": "ok", "checks": checks}).encode()[1:]
