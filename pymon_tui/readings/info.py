"""INFO: the one reply that most readings share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from pymon_tui.model.query import Command, Reply, fixed
from pymon_tui.model.text import SafeText, safe


class Info:
    """The fields of an INFO reply. Each is asked for by its own name and type; a missing or odd one is None.

    Servers differ (Valkey, Redis, KeyDB, Dragonfly, managed services), so nothing here fails for one field.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def number(self, field: str) -> float | None:
        """The field as a finite number; a trailing ``%`` is left out."""
        text = self._fields.get(field)
        if text is None:
            return None
        try:
            value = float(text.rstrip("%"))
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def integer(self, field: str) -> int | None:
        """The field as a whole number of at most 20 digits."""
        text = self._fields.get(field, "")
        digits = text[1:] if text.startswith("-") else text
        return int(text) if digits.isdecimal() and digits.isascii() and len(digits) <= 20 else None

    def flag(self, field: str) -> bool | None:
        """A field that is ``0`` or ``1``."""
        return {"0": False, "1": True}.get(self._fields.get(field, ""))

    def text(self, field: str) -> SafeText | None:
        """The field as text for display; None where it is missing or empty."""
        value = self._fields.get(field)
        return safe(value, 128) if value else None

    def with_prefix(self, prefix: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Fields such as ``db0:keys=1,expires=0``: what follows the prefix, and the values by name."""
        for field, value in self._fields.items():
            if field.startswith(prefix):
                yield (
                    field[len(prefix) :],
                    dict(part.split("=", 1) for part in value.split(",") if "=" in part),
                )

    def statistic(self, command: str) -> tuple[int, int] | None:
        """Calls and microseconds that ``commandstats`` has of a command, such as ``client|list``.

        Redis before 7 counts per command and not per subcommand: ``client`` stands for all of them.
        """
        for name in (command, command.split("|")[0]):
            found = self._fields.get(f"cmdstat_{name}")
            if found is not None:
                values = dict(part.split("=", 1) for part in found.split(",") if "=" in part)
                calls, usec = values.get("calls", ""), values.get("usec", "")
                if calls.isdecimal() and usec.isdecimal():
                    return int(calls), int(usec)
        return None

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, field: str) -> bool:
        return field in self._fields


def parse_info(reply: Reply) -> Info:
    """The fields of an INFO reply (one bulk or verbatim string).

    Raises:
        ValueError: If the reply is no string or holds no field at all.
    """
    if not isinstance(reply, bytes):
        raise ValueError("INFO answered with something other than a text")
    fields: dict[str, str] = {}
    for line in reply.decode("utf-8", "surrogateescape").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and not name.startswith("#"):
            fields[name] = value
    if not fields:
        raise ValueError("INFO answered with no field")
    return Info(fields)


INFO: Command[Info] = Command("info", fixed("INFO", "all"), parse_info, always=True)
