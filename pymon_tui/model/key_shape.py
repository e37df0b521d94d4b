"""What is left of a key's name when the ids are taken out of it."""

from __future__ import annotations

import re

_ID = re.compile(
    rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # a UUID
    rb"|\"[^\"]*\"|'[^']*'"  # quoted
    rb"|(?<![0-9a-z])(?=[a-f]*\d)[0-9a-f]{8,}(?![0-9a-z])"  # hexadecimal: words such as "facade" have no digit
    rb"|(?<![0-9a-z])(?=[0-9a-z]*\d[a-z]+\d)[0-9a-z]{16,}(?![0-9a-z])"  # a token: letters and digits, mixed
    rb"|\d+",
    re.IGNORECASE,
)
_ANYS = re.compile(rb"\*{2,}")


def around_ids(name: bytes) -> tuple[bytes, ...]:
    """What stands before, between and after the numbers, UUIDs, digests, tokens and quoted parts of a name."""
    return tuple(_ID.split(name))


def without_ids(name: bytes) -> bytes:
    """The name with one ``*`` for each number, UUID, digest, token and quoted part in it.

    It is the same for names that differ only in which digits they have, not in where.
    """
    return _ANYS.sub(b"*", _ID.sub(b"*", name))
