"""A keyspace as a server would tell of it, for tests of what reads and shows it."""

from __future__ import annotations

from datetime import date
from typing import Any

from pymon_tui.application.groups import DATABASE_SIZE, KEY_GROUPS, groups_of
from pymon_tui.application.samples import KEY_BYTES, KEY_LIVES, Known
from pymon_tui.application.statistics import APPLICATION_TODAY
from pymon_tui.application.walk import decode_page
from pymon_tui.model.query import Query, Reading
from pymon_tui.services.days import Day, HitRate
from pymon_tui.services.keys import MONITORING_RESULT, PROJECT_CONFIG, SESSION
from tests.script import ready

FAMILY_KEYS = (
    *(MONITORING_RESULT.key(project_id=number).encode() for number in range(40)),
    *(SESSION.key(id=f"secret{number}").encode() for number in range(10)),
    PROJECT_CONFIG.key(project_id=7).encode(),
)
OTHER_KEYS = (*(b"feed:%d" % number for number in range(25)), b"\x1b[2J:1", b"queue", b"12")
KEYS = (*FAMILY_KEYS, *OTHER_KEYS)

TODAY = Day(date(2026, 11, 22), ((MONITORING_RESULT.prefix, HitRate(8_200, 120)), (SESSION.prefix, HitRate(900, 3))))


def readings(
    *keys: bytes, complete: bool = True, total: int | None = None, today: Day | None = TODAY
) -> dict[Query[Any], Reading[Any]]:
    """All readings of a keyspace of these keys: each takes 100 bytes; every other one has no end.

    Args:
        keys: What the walk has met; by default ``KEYS``.
        complete: Whether its first round came to an end.
        total: Keys in the database; by default as many.
        today: What was looked up today.
    """
    met = keys or KEYS
    sizes: Known = dict.fromkeys(met, 100)
    lives: Known = {key: -1 if number % 2 else 60_000 for number, key in enumerate(met)}
    return {
        KEY_GROUPS: ready(groups_of(decode_page([b"0" if complete else b"7", list(met)]))),
        DATABASE_SIZE: ready(len(met) if total is None else total),
        KEY_BYTES: ready(sizes),
        KEY_LIVES: ready(lives),
        APPLICATION_TODAY: ready(today or Day(TODAY.day, ())),
    }
