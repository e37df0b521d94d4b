"""The sessions in the order shown; a row is put together when it is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pymon_tui.application.sessions import Header, Life, SessionHeader, State, id_of, shortened
from pymon_tui.model.text import SafeText, safe

NOBODY = safe("nobody")

Lives: TypeAlias = Mapping[bytes, Life | State]
Sizes: TypeAlias = Mapping[bytes, int | State]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A session as far as it is known.

    Attributes:
        key: Its key, which holds its id: a credential.
        header: What is in it; None if that can't be read.
        life: How long it lives on; None where that isn't known.
        size: Bytes; None where that isn't known.
        of_user: How many sessions its user has, as far as they are known.
    """

    key: bytes = field(repr=False)
    header: SessionHeader | None
    life: Life | None
    size: int | None
    of_user: int

    @property
    def id(self) -> str:
        """The whole id: a credential."""
        return id_of(self.key)

    @property
    def shown_id(self) -> SafeText:
        """The id as it may be shown to whoever looks on."""
        return shortened(self.id)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """All that is known of sessions now, by key.

    Attributes:
        headers: Those that are there; what is gone is left out.
        users: How many sessions each user has; those of nobody by None.
    """

    headers: Mapping[bytes, Header]
    lives: Lives
    sizes: Sizes
    users: Mapping[str | None, int]

    def row(self, key: bytes) -> Row:
        """The row of one session."""
        header, life, size = self.headers[key], self.lives.get(key), self.sizes.get(key)
        known = header if isinstance(header, SessionHeader) else None
        return Row(
            key,
            known,
            life if isinstance(life, Life) else None,
            size if isinstance(size, int) else None,
            self.users[known.user_id] if known is not None else 0,
        )

    def of(self, user_id: str) -> tuple[bytes, ...]:
        """The keys of a user's sessions."""
        return tuple(
            key
            for key, header in self.headers.items()
            if isinstance(header, SessionHeader) and header.user_id == user_id
        )


def known_of(headers: Mapping[bytes, Header], lives: Lives, sizes: Sizes) -> Known:
    """What is there of all that was answered."""
    there = {key: header for key, header in headers.items() if _is_there(header, lives.get(key))}
    users = Counter(header.user_id for header in there.values() if isinstance(header, SessionHeader))
    return Known(there, lives, sizes, users)


def _is_there(header: Header, life: Life | State | None) -> bool:
    # Without one of our fields it has ended, or is somebody else's hash: then it lives.
    return header is not State.EMPTY or isinstance(life, Life)


class SessionRows:
    """Some sessions, in an order: the ``Rows`` of a table."""

    def __init__(self, known: Known, keys: Sequence[bytes]) -> None:
        self._known = known
        self._keys = keys
        self._places: dict[Hashable, int] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Row:
        return self._known.row(self._keys[index])

    def key(self, index: int) -> bytes:
        """The session's key."""
        return self._keys[index]

    def find(self, key: Hashable) -> int | None:
        """Where that session stands; None where it is gone or filtered out."""
        if self._places is None:
            self._places = {key: place for place, key in enumerate(self._keys)}
        return self._places.get(key)


def matching(known: Known, text: str) -> Sequence[bytes]:
    """The sessions of users whose name holds the text."""
    wanted = text.strip().casefold()
    if not wanted:
        return tuple(known.headers)
    users = {user for user in known.users if wanted in user_text(user).casefold()}
    return tuple(
        key for key, header in known.headers.items() if isinstance(header, SessionHeader) and header.user_id in users
    )


def user_text(user_id: str | None) -> SafeText:
    """Who is logged in."""
    return NOBODY if user_id is None else safe(user_id)


def ordered(known: Known, keys: Sequence[bytes], sort: str, *, descending: bool) -> Sequence[bytes]:
    """The keys in the order of a column, by its name; what isn't known of comes last in either direction."""
    rank = _RANKS[sort]
    ranked = {key: rank(known, key) for key in keys}
    told = [key for key in keys if ranked[key] is not None]
    told.sort(key=ranked.__getitem__, reverse=descending)  # type: ignore[arg-type]
    return told if len(told) == len(keys) else [*told, *(key for key in keys if ranked[key] is None)]


def _header(known: Known, key: bytes) -> SessionHeader | None:
    header = known.headers[key]
    return header if isinstance(header, SessionHeader) else None


def _user(known: Known, key: bytes) -> str | None:
    header = _header(known, key)
    return header.user_id.casefold() if header is not None and header.user_id is not None else None


def _of_user(known: Known, key: bytes) -> int | None:
    header = _header(known, key)
    return known.users[header.user_id] if header is not None and header.user_id is not None else None


def _ends(known: Known, key: bytes) -> float | None:
    life = known.lives.get(key)
    if not isinstance(life, Life):
        return None
    return float("inf") if life.pttl is None else life.pttl / 1000 + life.at


def _size(known: Known, key: bytes) -> int | None:
    size = known.sizes.get(key)
    return size if isinstance(size, int) else None


# Ages begin at the youngest, so they are ranked by how long ago it was.
_RANKS: Mapping[str, Callable[[Known, bytes], float | str | bytes | None]] = {
    "id": lambda _, key: key,
    "user": _user,
    "sessions": _of_user,
    "created": lambda known, key: -header.created_at if (header := _header(known, key)) else None,
    "last activity": lambda known, key: -header.last_activity if (header := _header(known, key)) else None,
    "time to live": _ends,
    "size": _size,
}
