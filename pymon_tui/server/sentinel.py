"""Asks a Sentinel where the primary is that it watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from redis.exceptions import NoPermissionError, RedisError, ResponseError

from pymon_tui.model.deployment import Address
from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Reply
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.sentinel import Seen, Watch, parse_address, parse_seen, parse_watch
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint, Service
from pymon_tui.server.reasons import LinkError, answer_text, grant
from pymon_tui.server.session import Session

_ASKED = "SENTINEL"
_WHERE = "GET-MASTER-ADDR-BY-NAME"
WORDS = ("MASTER", "REPLICAS", "SENTINELS", "CKQUORUM", "MYID")
"""What a Sentinel is asked beside where the primary is."""
BRIEF = WORDS[:1]
"""What tells whom to believe."""
_NOT_ASKED = ResponseError("not asked")
_UNKNOWN = ("unknown command", "no such command")
_TO_SENTINEL = "give theirs with --sentinel-askpass or PYMON_SENTINEL_PASSWORD, and --sentinel-user"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one Sentinel says; what it doesn't tell us, or may not, is None or empty.

    Attributes:
        primary: Where the primary is.
        watch: What it knows of the primary.
        replicas: Those of the primary.
        sentinels: Who else watches it.
        own_id: The Sentinel's own id.
        quorum: What CKQUORUM says, and whether a failover could be agreed on.
    """

    primary: Address
    watch: Watch | None
    replicas: tuple[Seen, ...]
    sentinels: tuple[Seen, ...]
    own_id: str
    quorum: tuple[SafeText, bool] | None

    @property
    def epoch(self) -> int:
        """Of the configuration it believes in: the greater one is right; -1 where it doesn't tell."""
        return self.watch.epoch if self.watch is not None else -1


def sentinel_at(endpoint: Endpoint, service: Service, address: Address) -> Endpoint:
    """A Sentinel of the service, reached as the servers are, as the user that it is to be asked as."""
    there = endpoint.at(address)
    return replace(there, username=service.username, password=service.password, db=0)


async def open_sentinel(endpoint: Endpoint) -> Session:
    """A session with the Sentinel at this endpoint.

    Raises:
        LinkError: With what failed at which Sentinel.
    """
    try:
        session, _ = await open_session(endpoint)
    except LinkError as error:
        raise _at(endpoint, error) from None
    return session


async def opinion(session: Session, name: str, refused: set[str], asked: tuple[str, ...] = WORDS) -> Opinion:
    """Ask one Sentinel of the primary of this name.

    Args:
        refused: What it has refused before, which isn't asked again: each time would be an entry in its ACL LOG. What
            it refuses now is added.
        asked: What it is asked beside where the primary is; all that it can tell, if nothing else is said.

    Raises:
        LinkError: If the link is lost, or it doesn't tell where the primary is.
    """
    endpoint = session.endpoint
    words = [word for word in asked if word not in refused]
    lines = [(_ASKED, word) if word == "MYID" else (_ASKED, word, name) for word in (_WHERE, *words)]
    try:
        address, *rest = await session.ask(lines)
    except LinkError as error:
        raise _at(endpoint, error) from None
    if isinstance(address, RedisError):
        raise _refusal(address, endpoint)
    refused |= {word for word, reply in zip(words, rest, strict=True) if _is_refusal(reply)}
    told = dict(zip(words, rest, strict=True))
    watch, replicas, sentinels, quorum, own_id = (told.get(word, _NOT_ASKED) for word in WORDS)
    try:
        primary = parse_address(address)
        if primary is None:
            what = f"{endpoint.address} watches no service {name}"
            raise LinkError(Trouble.UNREACHABLE, what, "check --service: SENTINEL MASTERS lists their names")
        return Opinion(
            primary,
            None if isinstance(watch, RedisError) else parse_watch(watch),
            () if isinstance(replicas, RedisError) else parse_seen(replicas),
            () if isinstance(sentinels, RedisError) else parse_seen(sentinels),
            own_id.decode("ascii", "replace") if isinstance(own_id, bytes) else "",
            _quorum(quorum),
        )
    except ValueError as error:
        raise LinkError(Trouble.FOREIGN, f"{endpoint.address}: {error}", "check --sentinel") from None


def nobody_tells(name: str, failures: Mapping[Address, LinkError]) -> LinkError:
    """One error of what each Sentinel said."""
    said = tuple(failures.values())
    what = f"no Sentinel tells the primary of {name}: " + ", ".join(dict.fromkeys(error.what for error in said))
    remedies = [error.remedy for error in _telling(said) if error.remedy]
    return LinkError(_telling(said)[0].trouble, what, remedies[0] if remedies else "")


def _telling(errors: Sequence[LinkError]) -> Sequence[LinkError]:
    """The errors, first those that a person can do something about, then what was answered, then what is away."""
    order = {Trouble.LOCKED: 0, Trouble.REFUSED: 1, Trouble.UNTRUSTED: 1, Trouble.FOREIGN: 2}
    return sorted(errors, key=lambda error: (order.get(error.trouble, 3), "watches no service" not in error.what))


def _at(endpoint: Endpoint, error: LinkError) -> LinkError:
    """The error with the Sentinel's name in it, and with the flags that are the Sentinels'."""
    what = error.what if endpoint.address in error.what else f"{endpoint.address}: {error.what}"
    return LinkError(error.trouble, what, _TO_SENTINEL if "REDISCLI_AUTH" in error.remedy else error.remedy)


def _refusal(error: RedisError, endpoint: Endpoint) -> LinkError:
    text = answer_text(error)
    if isinstance(error, NoPermissionError):
        user = safe(endpoint.username or "default")
        remedy = grant("sentinel|get-master-addr-by-name", user)
        return LinkError(Trouble.REFUSED, f"{endpoint.address} lets us ask nothing: {text}", remedy)
    if any(words in text.lower() for words in _UNKNOWN):
        return LinkError(
            Trouble.FOREIGN, f"{endpoint.address} is no Sentinel", "check --sentinel; theirs is port 26379"
        )
    return LinkError(Trouble.UNREACHABLE, f"{endpoint.address} says: {text}", "")


def _is_refusal(reply: Reply | RedisError) -> bool:
    """Whether it would be refused again: it is denied, or not known there."""
    if not isinstance(reply, RedisError):
        return False
    return isinstance(reply, NoPermissionError) or "unknown" in answer_text(reply).lower()


def _quorum(reply: Reply | RedisError) -> tuple[SafeText, bool] | None:
    if isinstance(reply, bytes):
        return safe(reply, 160), True
    if isinstance(reply, RedisError) and (text := answer_text(reply)).startswith("NOQUORUM"):
        return text, False
    return None
