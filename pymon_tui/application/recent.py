"""What users were notified of lately and is kept for who listens later: read once, for what comes next is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from pymon_tui.application.walk import KEPT, WALK, Walk
from pymon_tui.model.feed import PAYLOAD_LIMIT
from pymon_tui.model.query import Answers, Argument, Batch, Command, Part, Query, Reply
from pymon_tui.services.keys import NOTIFICATIONS_CHANNEL, NOTIFICATIONS_RECENT
from pymon_tui.services.notification import parse_notification

PER_TICK = 50
"""Lists that are read in one tick."""

EACH = 20
"""Notifications that are read of one user, the newest."""

MOST, MOST_BYTES = 1_000, 4_000_000
"""Notifications that are remembered, the newest, and bytes of them."""

_MOST_LISTS = 4 * KEPT[NOTIFICATIONS_RECENT.name]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What is kept of one notification, whatever it is.

    Attributes:
        channel: Where it was published.
        id: What tells it from the user's others: its id, or all that is kept of one that isn't Py_Monitor's.
        at: When it was published (Unix seconds); None if it doesn't tell.
        payload: Its first ``PAYLOAD_LIMIT`` bytes.
        size: All of its bytes.
    """

    channel: bytes
    id: str | bytes
    at: float | None
    payload: bytes
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """What was read of the lists.

    Attributes:
        lists: Their keys.
        notifications: The newest ones first, those that don't tell their time last.
    """

    lists: frozenset[bytes]
    notifications: tuple[Kept, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """The lists of one tick.

    Attributes:
        read: The keys that were read since the connection was made, in their order.
        lists: Those of this tick, each with what it holds.
    """

    read: Mapping[bytes, None]
    lists: Mapping[bytes, tuple[Kept, ...]]


def channel_of(key: bytes) -> bytes:
    """The channel of whose notifications a list holds."""
    return NOTIFICATIONS_CHANNEL.prefix.encode() + key[len(NOTIFICATIONS_RECENT.prefix) :]


def identity(channel: bytes, payload: bytes) -> str | bytes:
    """What tells a notification from others of its channel: its id, or all of it if it isn't Py_Monitor's."""
    return _told(channel, payload)[0]


def decode_page(answers: Answers) -> Page:
    """The lists that were asked for; one of another type has nothing.

    Raises:
        ValueError: If a reply isn't a list of bytes.
    """
    lists: dict[bytes, tuple[Kept, ...]] = {_key(line): () for line in answers.failed}
    lists |= {_key(line): _kept(_key(line), reply) for line, reply in answers}
    return Page(dict.fromkeys(lists), lists)


def next_page(before: Page | None, page: Page) -> Page:
    """The newest page, and what was read until it."""
    read = {**(before.read if before is not None else {}), **page.read}
    return Page(dict(islice(read.items(), max(0, len(read) - _MOST_LISTS), None)), page.lists)


def recent_of(page: Page) -> Recent:
    """What one page holds."""
    return Recent(frozenset(page.lists), _newest(kept for found in page.lists.values() for kept in found))


def joined(before: Recent | None, new: Recent) -> Recent:
    """What was known before, but for the lists that were read again."""
    if before is None:
        return new
    again = {channel_of(key) for key in new.lists}
    old = (kept for kept in before.notifications if kept.channel not in again)
    return Recent(before.lists | new.lists, _newest((*old, *new.notifications)))


def _kept(key: bytes, reply: Reply) -> tuple[Kept, ...]:
    if not isinstance(reply, list) or not all(isinstance(payload, bytes) for payload in reply):
        raise ValueError("LRANGE answered with something other than a list")
    channel = channel_of(key)
    found = []
    for payload in reply:
        known, at = _told(channel, payload[:PAYLOAD_LIMIT])
        found.append(Kept(channel, known, at, payload[:PAYLOAD_LIMIT], len(payload)))
    return tuple(found)


def _told(channel: bytes, payload: bytes) -> tuple[str | bytes, float | None]:
    """The id and the time that a payload has of itself."""
    try:
        notification = parse_notification(payload, channel.decode("utf-8", "replace"))
        return notification.id, notification.at.timestamp()
    except (ValueError, OverflowError):
        return payload, None


def _newest(notifications: Iterable[Kept]) -> tuple[Kept, ...]:
    ordered = sorted(notifications, key=lambda kept: (kept.at is None, -(kept.at or 0.0)))
    room, found = MOST_BYTES, []
    for kept in ordered[:MOST]:
        room -= len(kept.payload)
        if room < 0:
            break
        found.append(kept)
    return tuple(found)


def _key(line: tuple[Argument, ...]) -> bytes:
    key = line[1]
    assert isinstance(key, bytes)
    return key


def _ask(page: Page | None, walk: Walk | None) -> Batch:
    keys = walk.keys(NOTIFICATIONS_RECENT.name) if walk is not None else ()
    unread = (key for key in keys if page is None or key not in page.read)
    return Batch(tuple(("LRANGE", key, 0, EACH - 1) for key in islice(unread, PER_TICK)))


def _of_nodes(parts: Sequence[Part[Recent]]) -> Recent:
    """The newest of all nodes; what two of them have is there twice."""
    lists = frozenset(key for part in parts for key in part.value.lists)
    return Recent(lists, _newest(kept for part in parts for kept in part.value.notifications))


_LISTS: Command[Page] = Command(
    "lrange",
    _ask,
    decode_page,
    given=WALK,
    fold=next_page,
    anew=True,
    of_type=b"list",
    alike=(NOTIFICATIONS_RECENT.begins,),
)

RECENT: Query[Recent] = Query("recent_notifications", _LISTS, recent_of, fold=joined, merge=_of_nodes)
"""The newest notifications of all users; each list is read once in a connection, and again when a person asks."""
