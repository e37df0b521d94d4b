"""A time of the day that goes on when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """The time of the day, told to go on."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def goes_on(self, **time: float) -> None:
        self.now += timedelta(**time)
