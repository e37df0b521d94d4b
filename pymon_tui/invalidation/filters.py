"""What a selection asks of a key besides its name: type, expiry, idle time, size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from pymon_tui.invalidation.pattern import PatternError
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe

Expiry = Literal["none", "within", "later"]
Need = Literal["pttl", "idle", "bytes"]

_MAX_TYPE = 64


class FilterError(PatternError):
    """A filter that can't be used. Its text is one safe line."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What must be so for a key to go; None asks for nothing.

    Attributes:
        type: As TYPE says (``string``, ``hash``, ``zset``, a module's own ...); SCAN itself leaves out the others.
        expiry: ``none`` for keys that never expire; ``within`` and ``later`` for those that expire within
            ``expiry_seconds`` from now, or later than that.
        expiry_seconds: Seconds, for ``within`` and ``later`` alone.
        idle_over: Seconds since the last use; a key's idle time must be longer.
        larger_than: Bytes; a key must use more, as MEMORY USAGE says.

    Raises:
        FilterError: If a value is out of range, or ``expiry`` and ``expiry_seconds`` don't fit together.
    """

    type: str | None = None
    expiry: Expiry | None = None
    expiry_seconds: float | None = None
    idle_over: float | None = None
    larger_than: int | None = None

    def __post_init__(self) -> None:
        if self.type is not None and not _is_type(self.type):
            raise FilterError(f'type: should be the name of a type, as hash, not "{safe(self.type, limit=60)}"')
        if self.expiry not in (None, "none", "within", "later"):
            raise FilterError(f'expiry: should be none, within or later, not "{safe(str(self.expiry), limit=60)}"')
        if (self.expiry in ("within", "later")) != (self.expiry_seconds is not None):
            raise FilterError("expiry: within and later need a number of seconds, and nothing else takes one")
        for name, value in (("expiry", self.expiry_seconds), ("idle", self.idle_over), ("size", self.larger_than)):
            # Written so that it holds for NaN too.
            if value is not None and not 0 <= value < float("inf"):
                raise FilterError(f"{name}: should be a number from 0, not {value}")

    @property
    def needs(self) -> tuple[Need, ...]:
        """What must be asked for each key: PTTL, OBJECT IDLETIME, MEMORY USAGE."""
        asked: tuple[tuple[Need, object], ...] = (
            ("pttl", self.expiry),
            ("idle", self.idle_over),
            ("bytes", self.larger_than),
        )
        return tuple(need for need, wanted in asked if wanted is not None)

    def keep(self, pttl_ms: int | None, idle_s: int | None, size: int | None) -> bool:
        """Whether a key with these facts stays in the selection; one whose fact is wanted and unknown doesn't.

        Args:
            pttl_ms: As PTTL says: milliseconds to live, -1 for a key that doesn't expire, -2 for one that is gone.
            idle_s: As OBJECT IDLETIME says, in seconds.
            size: As MEMORY USAGE says, in bytes.
        """
        return (
            self._expires_as_asked(pttl_ms)
            and (self.idle_over is None or (idle_s is not None and idle_s > self.idle_over))
            and (self.larger_than is None or (size is not None and size > self.larger_than))
        )

    @property
    def shown(self) -> SafeText:
        """The filters in words, ``hash · no expiry · idle over 1h 0m``; empty where nothing is asked."""
        said: list[SafeText] = []
        if self.type is not None:
            said.append(safe(self.type))
        if self.expiry == "none":
            said.append(safe("no expiry"))
        elif self.expiry_seconds is not None:
            when = "within" if self.expiry == "within" else "later than"
            said.append(safe(f"expires {when} {units.duration(self.expiry_seconds)}"))
        if self.idle_over is not None:
            said.append(safe(f"idle over {units.duration(self.idle_over)}"))
        if self.larger_than is not None:
            said.append(safe(f"over {units.bytes_(self.larger_than)}"))
        return join(" · ", said)

    def as_json(self) -> dict[str, Any]:
        """All filters by name, as ``from_json`` reads them."""
        return asdict(self)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """The filters that ``as_json`` wrote.

        Raises:
            FilterError: If it is something else.
        """
        try:
            return cls(**written)
        except TypeError:
            raise FilterError("the filters written down can't be read") from None

    def _expires_as_asked(self, pttl_ms: int | None) -> bool:
        if self.expiry is None:
            return True
        if pttl_ms is None or self.expiry_seconds is None:
            return self.expiry == "none" and pttl_ms == -1
        within = pttl_ms <= 1000 * self.expiry_seconds
        return pttl_ms >= 0 and within == (self.expiry == "within")


def _is_type(name: str) -> bool:
    return 0 < len(name) <= _MAX_TYPE and name.isascii() and name.isprintable() and " " not in name
