"""What Py_Monitor knows of its projects and users without a cache: where the loaders look and the checks write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from pymon_tui.demo.people import is_korean
from pymon_tui.services.keys import (
    ALERTS_RECENT,
    MONITORING_RESULT,
    PROJECT_STATS,
)

PROJECTS = 3_000
"""Projects in common use, numbered from 1; there are others that hardly anybody looks at."""
CONFIGURED = 600
"""How many of them are looked at one by one."""
ALERTS_SHOWN = 20
"""Alerts of a project that a list of projects shows."""
SHARED_SETTINGS = ("checks", "retention", "notifications")
"""Names of the settings of the whole system."""

_MOST_KEYS = 8_192  # that are made once
_ENDPOINTS = ("/health", "/login", "/metrics", "/api/v1/orders", "/api/v1/users", "/api/v2/search")
_REGIONS = ("ap-northeast-2", "eu-central-1", "us-east-1")
_ALERTS = ("응답 시간 증가", "Error rate above 5 %", "서버 응답 없음", "High memory usage", "인증서 만료 임박")


class Database:
    """Results, alerts, figures and settings, by the number of the project.

    Args:
        random: Decides what the checks find.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._checks: dict[int, int] = {}
        self._alerts: dict[int, int] = {}

    def check(self, project: int) -> None:
        """Check a project once more: its result and figures are others from now on."""
        self._checks[project] = self._random.randrange(1, 10**6)

    def alert(self, project: int) -> None:
        """Raise one more alert."""
        self._alerts[project] = self._alerts.get(project, 0) + 1

    def result(self, project: int) -> dict[str, Any]:
        """What the last check found."""
        found = self._checks.get(project, project)
        failing = found % 19 == 0
        return {
            "project_id": project,
            "status": "failing" if failing else "ok",
            "p95_ms": 40 + found % 300,
            "checks": 6 + found % 11,
            "failed": 1 + found % 3 if failing else 0,
            "slowest": _ENDPOINTS[found % len(_ENDPOINTS)],
            "region": _REGIONS[found % len(_REGIONS)],
            "certificate_days": 7 + found % 360,
        }

    def alerts(self, project: int, limit: int) -> list[dict[str, Any]]:
        """The newest alerts, newest first; few projects have as many as the limit."""
        raised = self._alerts.get(project, 0) + project % 4
        return [
            {"id": f"{project}-{number}", "title": _ALERTS[(project + number) % len(_ALERTS)], "open": number == raised}
            for number in range(raised, max(0, raised - limit), -1)
        ]

    def stats(self, project: int) -> dict[str, Any]:
        """What the checks add up to."""
        checks = 9_000 + project * 37 % 9_000 + self._checks.get(project, 0) % 97
        return {
            "checks": checks,
            "errors": project % 19,
            "p95_ms": 40 + project % 300,
            "uptime": 99 + project % 10 / 10,
        }

    def config(self, project: int) -> dict[str, Any]:
        """How it is checked."""
        endpoints = ["/health", f"/api/v{project % 3 + 1}/orders"]
        return {"interval": 15 + project % 4 * 15, "timeout": 5, "endpoints": endpoints}

    def preferences(self, user_id: str) -> dict[str, Any]:
        """What a user has chosen."""
        language = "ko" if is_korean(user_id) else "en"
        return {"theme": "dark", "language": language, "digest": len(user_id) * 7 % 24}

    def settings(self, name: str) -> dict[str, Any]:
        """Settings of the whole system."""
        return {"name": name, "enabled": True, "days": 30}


@dataclass(frozen=True, slots=True)
class Listed:
    """One kind of value that the application shows many of at a time.

    Attributes:
        weight: Share among all look-ups.
        population: How many are in common use, numbered from 1.
        life: Seconds that they are cached, or None for ever.
        key: The key of one number.
        load: The value of one number.
    """

    weight: int
    population: int
    life: float | None
    key: Callable[[int], str]
    load: Callable[[int], Any]


def listed(database: Database) -> tuple[Listed, ...]:
    """What the lists of projects are made of."""
    return (
        Listed(
            64,
            PROJECTS,
            MONITORING_RESULT.life,
            lru_cache(_MOST_KEYS)(lambda number: MONITORING_RESULT.key(project_id=number)),
            database.result,
        ),
        Listed(
            24,
            PROJECTS // 4,
            ALERTS_RECENT.life,
            lru_cache(_MOST_KEYS)(lambda number: ALERTS_RECENT.key(project_id=number, limit=ALERTS_SHOWN)),
            lambda number: database.alerts(number, ALERTS_SHOWN),
        ),
        Listed(
            12,
            PROJECTS // 5,
            PROJECT_STATS.life,
            lru_cache(_MOST_KEYS)(lambda number: PROJECT_STATS.key(project_id=number)),
            database.stats,
        ),
    )
