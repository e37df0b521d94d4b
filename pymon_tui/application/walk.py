"""A walk through the keyspace that never ends: one page of SCAN a tick, each key counted to its family.

It is asked only while somebody looks at what depends on it, and the poller sees to it that it costs the server little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pymon_tui.invalidation.namespaces import Namespaces
from pymon_tui.model.query import Argument, Command, Reply
from pymon_tui.services.keys import NOTIFICATIONS_RECENT, SESSION, family_of

KEPT: Mapping[str, int] = {SESSION.name: 10_000, NOTIFICATIONS_RECENT.name: 1_000}
"""The families of which the keys themselves are kept, by name, and how many at most."""

_SMALLEST_PAGE, _LARGEST_PAGE = 500, 4_000
_PAGES = 25
"""Of a large keyspace, a page is this part, so that a round takes some minutes at most."""

_MANY_MORE = 1.25  # times the keys of a round that is out of date then


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """What one round through the keyspace has met, or is meeting.

    Attributes:
        seen: Keys of all kinds. SCAN may show some twice while the server rehashes.
        counts: Keys by the name of their family; None for those of no family.
        kept: Keys of the families in ``KEPT``, by name.
        others: The names of the keys of no family; nobody adds to them any more.
    """

    seen: int
    counts: Mapping[str | None, int]
    kept: Mapping[str, tuple[bytes, ...]]
    others: Namespaces

    def joined(self, other: Round) -> Round:
        """Both, as parts of one round."""
        counts = {
            name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in {**self.counts, **other.counts}
        }
        kept = {
            name: tuple(dict.fromkeys((*self.kept.get(name, ()), *other.kept.get(name, ()))))[:most]
            for name, most in KEPT.items()
        }
        return Round(self.seen + other.seen, counts, kept, self.others.joined(other.others))


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Where the walk is, and what it has met.

    Attributes:
        cursor: Where SCAN goes on; ``b"0"`` where a round begins.
        page: The keys of the newest page.
        going: The round that is under way; the newest whole one where the next hasn't begun.
        whole: The newest round that came to its end; None before there is one.
    """

    cursor: bytes
    page: tuple[bytes, ...]
    going: Round
    whole: Round | None

    @property
    def known(self) -> Round:
        """The newest whole round; or what there is of the one under way, where that has met many more keys already."""
        return self.going if self.whole is None or self.going.seen > _MANY_MORE * self.whole.seen else self.whole

    @property
    def complete(self) -> bool:
        """Whether what is known is a whole round."""
        return self.known is self.whole

    def keys(self, family: str) -> tuple[bytes, ...]:
        """The keys of a family in ``KEPT``: those of the newest whole round and of the one that is under way."""
        whole = self.whole or self.going
        return tuple(dict.fromkeys((*whole.kept.get(family, ()), *self.going.kept.get(family, ()))))


def decode_page(reply: Reply) -> Walk:
    """One page of SCAN, as a walk of its own.

    Raises:
        ValueError: If the reply isn't a cursor and a list of keys.
    """
    if not isinstance(reply, list) or len(reply) != 2 or not isinstance(reply[0], bytes):
        raise ValueError("SCAN answered with something other than a cursor and keys")
    cursor, keys = reply
    if not isinstance(keys, list) or not all(isinstance(key, bytes) for key in keys):
        raise ValueError("SCAN answered with something other than a cursor and keys")
    counts: dict[str | None, int] = {}
    kept: dict[str, list[bytes]] = {}
    others: list[bytes] = []
    for key in keys:
        family = family_of(key)
        name = family.name if family is not None else None
        counts[name] = counts.get(name, 0) + 1
        if name is None:
            others.append(key)
        elif name in KEPT:
            kept.setdefault(name, []).append(key)
    namespaces = Namespaces()
    namespaces.add(others)
    met = Round(len(keys), counts, {name: tuple(found) for name, found in kept.items()}, namespaces)
    return Walk(cursor, tuple(keys), met, met if cursor == b"0" else None)


def go_on(before: Walk | None, page: Walk) -> Walk:
    """The walk with one more page."""
    if before is None:
        return page
    going = before.going.joined(page.going) if before.cursor != b"0" else page.going
    return Walk(page.cursor, page.page, going, going if page.cursor == b"0" else before.whole)


def _scan(known: Walk | None, _given: object) -> tuple[Argument, ...]:
    if known is None:
        return "SCAN", "0", "COUNT", _SMALLEST_PAGE
    size = max(known.going.seen, known.known.seen) // _PAGES
    return "SCAN", known.cursor, "COUNT", min(max(size, _SMALLEST_PAGE), _LARGEST_PAGE)


WALK: Command[Walk] = Command("scan", _scan, decode_page, fold=go_on)
