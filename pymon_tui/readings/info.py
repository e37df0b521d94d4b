"""INFO: the one reply that most readings share."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from pymon_tui.model.query import Command, Reply, fixed
from pymon_tui.model.text import SafeText, safe
from pymon_tui.model.traffic import Traffic

# Narrower than what Python reads as a number: no blanks, no underscores, no digits of other scripts.
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?%?")
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_UNSIGNED = 2**63
_MORE, _FEW = 1.1, 50  # commands: what a server rejects, it doesn't count
_SECTION = re.compile(r"# ?\w+")


class NotTold(ValueError):  # noqa: N818 - nothing is wrong with the reply
    """That a server doesn't tell something at all: its INFO has no such field."""


class Info:
    """The fields of an INFO reply. Each is asked for by its own name and type; a missing or odd one is None.

    Servers differ (Valkey, Redis, KeyDB, Dragonfly, managed services), so nothing here fails for one field.
    """

    __slots__ = ("_again", "_fields", "_sections", "own")

    def __init__(
        self,
        fields: Mapping[str, str],
        *,
        again: Sequence[tuple[str, str]] = (),
        sections: Collection[str] | None = None,
        own: Traffic | None = None,
    ) -> None:
        """Fields by their names.

        Args:
            own: What we caused ourselves of its counters; None where nobody counted.
            again: Fields whose name comes again: all that came before the last of the name.
            sections: Names of the sections in lower case; None where nobody knows.
        """
        self._fields = fields
        self._again = again
        self._sections = sections
        self.own = own

    def beside(self, own: Traffic) -> Info:
        """The same fields, of whose counters this is our own share.

        Where that is more than the whole, the counters were set back while nobody looked: nothing of them is ours.
        """
        if self.is_less_than(own):
            own = Traffic()
        return Info(self._fields, again=self._again, sections=self._sections, own=own)

    def is_less_than(self, own: Traffic) -> bool:
        """Whether more of its commands would be ours than it has counted."""
        whole = self.integer("total_commands_processed")
        return whole is not None and own.commands > _MORE * whole + _FEW

    def others(self, field: str) -> int | None:
        """A counter without our own share of it, as a whole number."""
        count = self.integer(field)
        if count is None or self.own is None:
            return count
        return max(0, count - self.own.counts().get(field, 0))

    @property
    def other_clients(self) -> int | None:
        """Clients that are connected now, without our own connections."""
        count = self.integer("connected_clients")
        return count if count is None or self.own is None else max(0, count - self.own.lines)

    def number(self, field: str) -> float | None:
        """The field as a finite number; a trailing ``%`` is left out. None for a negative one that is told unsigned."""
        text = self._fields.get(field)
        if text is None or not _NUMBER.fullmatch(text):
            return None
        value = float(text.rstrip("%"))
        return value if math.isfinite(value) and not _UNSIGNED <= value <= 2 * _UNSIGNED else None

    def integer(self, field: str) -> int | None:
        """The field as a whole number; one from 2^63 on is a negative one that the server took for unsigned: None."""
        return _whole(self._fields.get(field, ""))

    def seconds(self, field: str) -> int | None:
        """A span of whole seconds, which INFO gives as -1 where there is none."""
        value = self.integer(field)
        return value if value is not None and value >= 0 else None

    def flag(self, field: str) -> bool | None:
        """A field that is ``0`` or ``1``."""
        return {"0": False, "1": True}.get(self._fields.get(field, ""))

    def text(self, field: str) -> SafeText | None:
        """The field as text for display; None where it is missing or empty."""
        value = self._fields.get(field)
        return safe(value, 128) if value else None

    def with_prefix(self, prefix: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Fields such as ``db0:keys=1,expires=0``: what follows the prefix, and the values by name."""
        for field, value in (*self._again, *self._fields.items()):
            if field.startswith(prefix):
                yield field[len(prefix) :], _parts(value)

    def tells(self, section: str) -> bool:
        """Whether the reply had this section, as far as it is known."""
        return self._sections is None or section in self._sections

    @property
    def was_reset(self) -> bool:
        """Whether CONFIG RESETSTAT was called since the start, as Redis 7 and Valkey tell: it outlives the reset."""
        told = self.with_prefix("cmdstat_config|resetstat")
        return any(_whole(values.get("calls", "")) for _, values in told)

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
    again: list[tuple[str, str]] = []
    section, sections = "", set[str]()
    for line in reply.decode("utf-8", "surrogateescape").split("\n"):
        name, colon, value = line.removesuffix("\r").partition(":")
        if name.startswith("#"):
            if _SECTION.fullmatch(line.rstrip()):  # other lines of the kind are remarks
                section = name.removeprefix("#").strip().lower()
                sections.add(section)
        elif not colon:
            if name.strip():
                sections.discard(section)  # its lines are of another kind: what they tell isn't read
        else:
            if name in fields:
                again.append((name, fields[name]))
            fields[name] = value
    if not fields:
        raise ValueError("INFO answered with no field")
    return Info(fields, again=again, sections=sections)


def _parts(value: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in value.split(",") if "=" in part)


def _whole(text: str) -> int | None:
    return number if _WHOLE.fullmatch(text) and (number := int(text)) < _UNSIGNED else None


INFO: Command[Info] = Command("info", fixed("INFO", "all"), parse_info, always=True)
