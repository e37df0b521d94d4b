"""Commands as they go over the line, with what they are: what comes back is counted by that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import hiredis

from pymon_tui.server.commands import name_of

_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Packed:
    """Packed commands.

    Attributes:
        data: As they go over the line.
        runs: Their names as in ``INFO commandstats``, in order, each with how many of it follow each other.
    """

    data: bytes
    runs: tuple[tuple[str, int], ...]

    def then(self, other: Packed) -> Packed:
        """These, and after them those."""
        return Packed(self.data + other.data, self.runs + other.runs)


_names: dict[bytes, str] = {}


def _name_of(words: Sequence[bytes]) -> str:
    """``name_of``, of a command whose first word alone names it looked up."""
    name = _names.get(words[0])
    if name is None:
        name = name_of(words[:2])
        if "|" not in name:
            _names[words[0]] = name
    return name


_SHORT = 1_024
_BEGINS = [b"$%d\r\n" % length for length in range(_SHORT)]
"""How a word of each length begins: made once, since there are millions of them."""


def pack(*words: bytes) -> Packed:
    """One command as it goes over the line."""
    return Packed(hiredis.pack_command(words), ((_name_of(words), 1),))  # type: ignore[arg-type]  # takes any tuple


def pack_all(commands: Iterable[tuple[bytes, ...]]) -> Packed:
    """Several commands as they go over the line."""
    listed = list(commands)
    names = groupby(map(_name_of, listed))
    runs = tuple((name, sum(1 for _ in some)) for name, some in names)
    return Packed(b"".join(map(hiredis.pack_command, listed)), runs)  # type: ignore[arg-type]  # takes any tuple


def last_words(keys: Sequence[bytes]) -> list[bytes]:
    """Keys as they go over the line, each the last word of a command; for ``pack_each``."""
    begins, end = _BEGINS, b"\r\n"
    try:
        return [begins[len(key)] + key + end for key in keys]
    except IndexError:
        return [b"$%d\r\n%b\r\n" % (len(key), key) for key in keys]


def pack_together(command: bytes, lasts: Sequence[bytes]) -> Packed:
    """One command with all of the last words; faster than ``pack``."""
    begin = b"*%d\r\n%b" % (1 + len(lasts), b"".join(last_words([command])))
    return Packed(begin + b"".join(lasts), ((_name_of((command,)), 1),))


def pack_each(commands: Sequence[tuple[bytes, ...]], lasts: Sequence[bytes], options: tuple[bytes, ...] = ()) -> Packed:
    """The first command with each of the last words in turn, then the next command; faster than ``pack_all``.

    The last of the commands has the options after each of them.
    """
    parts, last = [], len(commands)
    for place, command in enumerate(commands, start=1):
        after = options if place == last else ()
        begin = b"*%d\r\n%b" % (len(command) + 1 + len(after), b"".join(last_words(command)))
        end = b"".join(last_words(after))
        parts += [begin, (end + begin).join(lasts), end]
    if not lasts:
        return Packed(b"", ())
    return Packed(b"".join(parts), tuple((_name_of(command), len(lasts)) for command in commands))


def unpacked(packed: Packed) -> Iterator[list[bytes]]:
    """The words of each command in what was packed: commands go over the line in the form of an answer."""
    reader = hiredis.Reader(notEnoughData=_NOTHING)
    reader.feed(packed.data)
    return iter(reader.gets, _NOTHING)
