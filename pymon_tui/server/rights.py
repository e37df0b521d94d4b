"""What our user may do, command by command: by ACL DRYRUN, or by asking once what panes ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from redis.exceptions import RedisError, ResponseError

from pymon_tui.model.query import Reason, Reply
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.commands import PANES, SENT, Sent, Use
from pymon_tui.server.connection import open_session
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.known import Known
from pymon_tui.server.reasons import answer_text, as_executed, gap, is_of_key
from pymon_tui.server.session import Session
from pymon_tui.server.subscriber import sharded, subscription

_KEY = b"pymon-tui:no-such-key"
_EXEMPT = ("hello", "auth")
"""No rule can take these from a user."""
_SUBSCRIPTIONS = ("subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe")

_OWN: Mapping[str, tuple[bytes, ...]] = {
    "select": (b"0",),
    "client|setname": (b"pymon-tui",),
    "client|no-touch": (b"ON",),
    "command|info": (b"ping",),
    "slowlog|get": (b"0",),
    "latency|histogram": (b"ping",),
    "config|get": (b"slowlog-*",),
    "scan": (b"0", b"COUNT", b"1"),
    "client|kill": (b"ID", b"0"),
    "config|set": (b"slowlog-log-slower-than", b"0"),
    "eval": (b"return 1", b"1", _KEY),
}
"""Arguments that make each complete; keys that there aren't are looked at, and nothing is found."""

_AFTER_KEY: Mapping[str, tuple[bytes, ...]] = {
    "hmget": (b"field",),
    "lrange": (b"0", b"0"),
    "zrange": (b"0", b"0"),
    "pexpire": (b"1",),
    "pexpireat": (b"1",),
    "expire": (b"1",),
    "restore": (b"0", b""),
    "zrem": (b"member",),
    "zadd": (b"0", b"member"),
    "zremrangebyscore": (b"0", b"0"),
    "lpush": (b"value",),
    "ltrim": (b"0", b"0"),
}
_WITHOUT_KEY = frozenset(
    (
        *("ping", "client|id", "info", "client|list", "pubsub|channels", "pubsub|numsub", "dbsize", "time", "role"),
        *("cluster|nodes", "cluster|shards", "cluster|slots", "acl|whoami", "multi", "exec", "slowlog|reset"),
        *("unsubscribe", "punsubscribe", "sunsubscribe", "pubsub|shardchannels", "pubsub|shardnumsub"),
    )
)


class Answer(Enum):
    """What came of trying a command."""

    ALLOWED = "allowed"
    DENIED = "denied"
    PARTLY = "partly"  # not for the key or channel that was tried
    MISSING = "missing"  # this server has none, or it is renamed or disabled
    UNTOLD = "untold"  # nobody can tell without doing it


@dataclass(frozen=True, slots=True)
class Right:
    """What our user may do with one command.

    Attributes:
        detail: The server's words, where there are any.
        remedy: The line that grants it, where one does.
    """

    sent: Sent
    answer: Answer
    detail: SafeText
    remedy: SafeText


def example(name: str, keys: Mapping[str, bytes], channels: Sequence[bytes]) -> tuple[tuple[bytes, ...], ...]:
    """What is tried of a command, each complete.

    Args:
        keys: Keys to try a command with, by its name, where any other wouldn't do.
        channels: What is subscribed to.
    """
    words = tuple(name.upper().encode().split(b"|"))
    if name in ("subscribe", "psubscribe"):
        return tuple(asked for channel in channels if (asked := subscription(channel))[0] == words[0])
    if name == "ssubscribe":
        return tuple(sharded(channel) for channel in channels)
    if name == "publish":
        return tuple((*words, channel, b"") for channel in channels)
    if name == "acl|dryrun":
        return ((*words, b"default", b"PING"),)
    if name in _OWN:
        return ((*words, *_OWN[name]),)
    if name in _WITHOUT_KEY:
        return (words,)
    return ((*words, keys.get(name, _KEY), *_AFTER_KEY.get(name, ())),)


async def rights(
    session: Session,
    user: SafeText,
    known: Known,
    *,
    heard: Mapping[str, Reply],
    keys: Mapping[str, bytes],
    channels: Sequence[bytes],
) -> tuple[Right, ...]:
    """Try every command that is sent; nothing is changed, and nothing that is refused is asked twice.

    Args:
        user: Whom the server knows us as.
        heard: What was answered to some of them before, by name.
        keys: As of ``example``.
        channels: As of ``example``.

    Raises:
        LinkError: If the link is lost.
    """
    tried = {sent: example(sent.name, keys, channels) for sent in SENT if sent.name not in _EXEMPT}
    there = {sent: lines for sent, lines in tried.items() if sent.name in known.commands}
    if known.selectors:
        (first,) = await session.ask([("ACL", "DRYRUN", user.encode(), "PING")])
        heard = {"acl|dryrun": first, **heard}
    if isinstance(heard.get("acl|dryrun"), RedisError | None):
        answers = await _asked(session, there, heard)
    else:
        answers = await _dry_runs(session, user.encode(), there)
    return tuple(_right(sent, answers.get(sent), user, known) for sent in tried)


async def _dry_runs(
    session: Session, who: bytes, tried: Mapping[Sent, Sequence[tuple[bytes, ...]]]
) -> Mapping[Sent, Sequence[Reply]]:
    """What ACL DRYRUN says of each."""
    lines = [(sent, line) for sent, some in tried.items() for line in some]
    replies = await session.ask([("ACL", "DRYRUN", who, *line) for _, line in lines])
    found: dict[Sent, list[Reply]] = {sent: [] for sent in tried}
    for (sent, _), reply in zip(lines, replies, strict=True):
        found[sent].append(as_executed(reply))
    return found


async def _asked(
    session: Session, tried: Mapping[Sent, Sequence[tuple[bytes, ...]]], heard: Mapping[str, Reply]
) -> Mapping[Sent, Sequence[Reply]]:
    """The answers to what panes ask: it does no harm, and a refusal is news. Each is an entry in the ACL LOG."""
    found: dict[Sent, list[Reply]] = {sent: [heard[sent.name]] for sent in tried if sent.name in heard}
    lines = [
        (sent, line)
        for sent, some in tried.items()
        if sent not in found and not sent.changes and not sent.uses.isdisjoint((*PANES, Use.SHARDS))
        for line in some
        if sent.name not in _SUBSCRIPTIONS
    ]
    for (sent, _), reply in zip(lines, await session.ask([line for _, line in lines]), strict=True):
        found.setdefault(sent, []).append(reply)
    # On a connection of its own: with RESP2, who has subscribed can ask nothing else.
    listening, _ = await open_session(session.endpoint, Handshake.RESP2)
    try:
        for sent, some in tried.items():
            for line in some if sent.name in _SUBSCRIPTIONS else ():
                found.setdefault(sent, []).extend(await listening.ask([line]))
    finally:
        await listening.close()
    return found


def _right(sent: Sent, replies: Sequence[Reply] | None, user: SafeText, known: Known) -> Right:
    nothing = safe("")
    if sent.name not in known.commands:
        return Right(sent, Answer.MISSING, nothing, nothing)
    if replies is None:
        return Right(sent, Answer.UNTOLD, nothing, nothing)
    for reply in replies:
        if not isinstance(reply, ResponseError):
            continue
        why = gap(reply, sent.name, user)
        if why.reason is Reason.DENIED:
            return Right(sent, Answer.PARTLY if is_of_key(reply) else Answer.DENIED, why.detail, why.remedy)
        if why.reason in (Reason.MISSING, Reason.DISABLED):
            return Right(sent, Answer.MISSING, answer_text(reply), why.remedy)
    return Right(sent, Answer.ALLOWED, nothing, nothing)
