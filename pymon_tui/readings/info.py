"""INFO: the one reply that most readings share."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from pymon_tui.model.query import Command, Reply, fixed
from pymon_tui.model.text import SafeText, safe

# Narrower than what Python reads as a number: no blanks, no underscores, no digits of other scripts.
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?%?")
_WHOLE = re.compile(r"-?[0-9]{1,20}")


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
        if text is None or not _NUMBER.fullmatch(text):
            return None
        value = float(text.rstrip("%"))
        return value if math.isfinite(value) else None

    def integer(self, field: str) -> int | None:
        """The field as a whole number of at most 20 digits."""
        return _whole(self._fields.get(field, ""))

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
                yield field[len(prefix) :], _parts(value)

    def statistic(self, command: str) -> tuple[int, int] | None:
        """Calls and microseconds that ``commandstats`` has of a command, such as ``client|list``.

        Redis before 7 counts per command and not per subcommand: ``client`` stands for all of them.
        """
        for name in (command, command.split("|")[0]):
            found = self._fields.get(f"cmdstat_{name}")
            if found is not None:
                values = _parts(found)
                calls, usec = _whole(values.get("calls", "")), _whole(values.get("usec", ""))
                if calls is not None and usec is not None:
                    return calls, usec
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
    for line in reply.decode("utf-8", "surrogateescape").split("\n"):
        name, colon, value = line.removesuffix("\r").partition(":")
        if colon and not name.startswith("#"):
            fields[name] = value
    if not fields:
        raise ValueError("INFO answered with no field")
    return Info(fields)


def _parts(value: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in value.split(",") if "=" in part)


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


INFO: Command[Info] = Command("info", fixed("INFO", "all"), parse_info, always=True)
