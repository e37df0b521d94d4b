r"""A Redis glob, read exactly as the server reads it.

``*`` is any bytes, ``?`` any one byte, ``[abc]``, ``[a-z]`` and ``[^a]`` one byte of a set, and a backslash takes the
next byte as it is. A range may be written backwards, a set that isn't closed goes on to the end of the glob, ``[]``
matches nothing and ``[^]`` any byte; a backslash that nothing follows is itself. Everything is about bytes: ``?`` is
one third of a Hangul syllable.

No difference was found between Redis 6.2, Redis 7.0 and Valkey 9, not even in that the empty key is matched by ``*``
and by no other glob, ``**`` included. One thing depends on the server's processor: a range from below ``\x80`` to above
it, since x86 compares signed bytes and ARM unsigned ones. A pattern with one is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pymon_tui.model.text import SafeText, look_alikes, safe

MAX_BYTES = 1024
"""The longest glob. Longer ones are a mistake, and cost the server dearly: it tries them on each key."""

_ANY = frozenset(range(256))
_ONE = tuple(frozenset((byte,)) for byte in range(256))
_STAR, _QUESTION, _OPEN, _CLOSE, _BACKSLASH, _CARET, _DASH = b"*?[]\\^-"
_SYNTAX = re.compile(rb"[*?\[\]\\^-]")
_PIECE = re.compile(r"\\?.", re.DOTALL)
_TYPED = re.compile(r"\\x(?P<hex>[0-9A-Fa-f]{2})|\\?.", re.DOTALL)

Token = frozenset[int] | None
"""What one place of a glob matches: one byte of a set, or, as None, any bytes at all."""


class PatternError(ValueError):
    """A pattern that can't be used. Its text is one safe line: what is wrong, where, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A glob that can be used: neither empty nor too long, and read alike by all servers.

    Attributes:
        glob: The bytes that are sent as SCAN's MATCH.

    Raises:
        PatternError: If it is empty, longer than 1 KB, or has a range that servers read differently.
    """

    glob: bytes

    def __post_init__(self) -> None:
        if not self.glob:
            raise PatternError("a pattern can't be empty")
        if len(self.glob) > MAX_BYTES:
            raise PatternError(f"a pattern can have {MAX_BYTES} bytes, and this one has {len(self.glob)}")
        tokens(self.glob)

    @property
    def shown(self) -> SafeText:
        """The glob as a person types it, whole; ``parse_pattern`` makes the same pattern of it."""
        text = self.glob.decode("utf-8", "surrogateescape")
        codes = {*look_alikes(text), *(place for place in (0, len(text) - 1) if text[place] == " ")}
        pieces = _PIECE.finditer(text)
        typed = "".join(_shown(piece[0], is_plain=piece.end() - 1 not in codes) for piece in pieces)
        return safe(typed, limit=len(typed))

    def matches(self, key: bytes) -> bool:
        """Whether ``SCAN 0 MATCH glob`` names this key."""
        return self.matcher(key)

    @property
    def matcher(self) -> Callable[[bytes], bool]:
        """``matches`` to be called a million times; its time is at most the key's length times the glob's."""
        return matcher((self,))

    @property
    def is_catch_all(self) -> bool:
        """Whether it matches every key there is, or every key of some length on: ``*``, ``**``, ``?*``, ``[^]*``."""
        read = tokens(self.glob)
        return None in read and all(token is None or token == _ANY for token in read)

    @property
    def literal_prefix(self) -> bytes:
        """The bytes that every key it matches begins with."""
        prefix = bytearray()
        for token in tokens(self.glob):
            if token is None or len(token) != 1:
                break
            prefix += bytes(token)
        return bytes(prefix)

    @property
    def only_key(self) -> bytes | None:
        """The one key that it can match, where nothing in it is left open; it needs no scan."""
        prefix = self.literal_prefix
        return prefix if len(prefix) == len(tokens(self.glob)) else None


def parse_pattern(text: str) -> Pattern:
    r"""The pattern that a person typed: ``\xNN`` is that byte, any other backslash is the glob's own escape.

    ``\x2a`` is the byte ``*``, and so matches any bytes, as ``*`` does; a literal star is ``\*``.

    Raises:
        PatternError: If an escape isn't complete, or the glob can't be used.
    """
    glob = bytearray()
    for piece in _TYPED.finditer(text):
        written = piece.group()
        if piece["hex"]:
            glob.append(int(piece["hex"], 16))
        elif written in ("\\x", "\\"):
            wrong = safe(text[piece.start() : piece.start() + 4])
            problem = r"should be \xNN with two hexadecimal digits" if written == "\\x" else r"should be \\ at the end"
            raise PatternError(f'"{wrong}" at character {piece.start() + 1} {problem}')
        else:
            glob += encoded(written)
    return Pattern(bytes(glob))


def encoded(text: str) -> bytes:
    """What a person typed as the bytes of a key; an argument's bytes that weren't UTF-8 are themselves again.

    Raises:
        PatternError: If it holds half of a character.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise PatternError(f'"{safe(text[error.start])}" is half of a character') from None


def literal(value: bytes) -> bytes:
    """The glob that matches just this value, wherever it is put."""
    return _SYNTAX.sub(rb"\\\g<0>", value)


@lru_cache(maxsize=64)
def matcher(patterns: tuple[Pattern, ...]) -> Callable[[bytes], bool]:
    """Whether a key is matched by any of the patterns; none of them matches no key."""
    expressions = (rb"(?:%b)" % _expression(pattern) for pattern in patterns)
    match = re.compile(b"|".join(expressions) if patterns else rb"(?!)", re.DOTALL).match
    return lambda key: match(key) is not None


@lru_cache(maxsize=8)
def sorter(patterns: tuple[Pattern, ...]) -> Callable[[bytes], int | None]:
    """Which of the patterns matches a key, by its index: the first that does, None if none does."""
    if not patterns:
        return lambda _: None
    match = re.compile(b"|".join(b"(%b)" % _expression(pattern) for pattern in patterns), re.DOTALL).match
    return lambda key: found.lastindex - 1 if (found := match(key)) and found.lastindex else None


@lru_cache(maxsize=256)
def tokens(glob: bytes) -> tuple[Token, ...]:
    """A glob taken apart, place by place.

    Raises:
        PatternError: If it has a range that servers read differently.
    """
    found: list[Token] = []
    at = 0
    while at < len(glob):
        byte = glob[at]
        at += 1
        if byte == _STAR:
            found.append(None)
        elif byte == _QUESTION:
            found.append(_ANY)
        elif byte == _OPEN:
            members, at = _set(glob, at)
            found.append(members)
        else:
            if byte == _BACKSLASH and at < len(glob):
                byte = glob[at]
                at += 1
            found.append(_ONE[byte])
    return tuple(found)


def is_unclosed(glob: bytes) -> bool:
    """Whether a set of the glob has no end of its own, and takes in all that follows."""
    at = 0
    while at < len(glob):
        byte = glob[at]
        at += 2 if byte == _BACKSLASH else 1
        if byte == _OPEN:
            _, at = _set(glob, at)
            if at > len(glob):
                return True
    return False


def is_one_set(glob: bytes) -> bool:
    """Whether a set is all there is of the glob, which then matches keys of one byte."""
    return glob[0] == _OPEN and _set(glob, 1)[1] == len(glob)


def _set(glob: bytes, at: int) -> tuple[frozenset[int], int]:
    """The bytes of the set whose ``[`` is just before ``at``, and where what follows it begins."""
    negated = at < len(glob) and glob[at] == _CARET
    at += negated
    members: set[int] = set()
    while at < len(glob) and glob[at] != _CLOSE:
        if glob[at] == _BACKSLASH and at + 1 < len(glob):
            members.add(glob[at + 1])
            at += 2
        elif at + 2 < len(glob) and glob[at + 1] == _DASH:
            members.update(_range(glob[at], glob[at + 2]))
            at += 3
        else:
            members.add(glob[at])
            at += 1
    return (_ANY - members if negated else frozenset(members)), at + 1


def _range(first: int, last: int) -> range:
    low, high = sorted((first, last))
    if low < 0x80 <= high:
        problem = r"is read differently by servers: split it, as in [a-\x7f\x80-\xff]"
        raise PatternError(f'the range "{safe(bytes((first,)))}-{safe(bytes((last,)))}" {problem}')
    return range(low, high + 1)


def _expression(pattern: Pattern) -> bytes:
    """What ``re.match`` takes, to be read with DOTALL.

    A part between two stars has a fixed length, so its first place is as good as any other and is never given up
    (the atomic group); the part after the last star can only be at the end. So no key makes it try again and again.
    """
    head, *parts = _parts(tokens(pattern.glob))
    if not parts:
        return b"".join(head) + rb"\Z"
    middle = b"".join(rb"(?>.*?%b)" % b"".join(part) for part in parts[:-1] if part)
    tail = rb"(?=.{%d}).*+(?<=%b)" % (len(parts[-1]), b"".join(parts[-1])) if parts[-1] else b""
    # The server compares nothing with an empty key, and lets a lone star pass before it looks.
    not_empty = b"" if pattern.glob == b"*" else rb"(?!\Z)"
    return not_empty + b"".join(head) + middle + tail


def _parts(read: Sequence[Token]) -> list[list[bytes]]:
    """The regular expressions of each place, cut at the stars."""
    parts: list[list[bytes]] = [[]]
    for token in read:
        if token is None:
            parts.append([])
        else:
            parts[-1].append(_place(token))
    return parts


@lru_cache(maxsize=512)
def _place(token: frozenset[int]) -> bytes:
    if token == _ANY:
        return b"."
    if len(token) == 1:
        return re.escape(bytes(token))
    return b"[%b]" % b"".join(rb"\x%02x" % byte for byte in sorted(token)) if token else b"(?!)"


def _shown(piece: str, *, is_plain: bool) -> str:
    """A character of a glob and the backslash before it, if any, as it can be typed; ``is_plain`` if it may be seen."""
    escape, character = piece[:-1], piece[-1]
    plain = is_plain and safe(character) == character and piece != "\\"
    if escape and (not plain or character == "x"):
        escape = "\\x5c"  # a bare one would be read together with what follows
    return escape + (character if plain else _hexadecimal(character))


def _hexadecimal(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
