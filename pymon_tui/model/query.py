"""What is asked of a server, and what came of it: a value, or a gap that says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar

from pymon_tui.model.text import SafeText

T = TypeVar("T")
R = TypeVar("R")

Reply: TypeAlias = Any
"""A raw reply: bytes, int, float, bool, None, list, dict or set, nested; RESP2 gives flat lists for maps."""

Argument: TypeAlias = bytes | str | int


class Reason(Enum):
    """Why there is no value."""

    DENIED = "denied"  # NOPERM: the ACL user may not run it
    MISSING = "missing"  # unknown command: an older server, a renamed command; or a field that it lacks
    DISABLED = "disabled"  # the server can, but is set not to
    FAILED = "failed"  # the server answered with another error, for now
    UNREADABLE = "unreadable"  # the reply is not in the form we know
    PER_NODE = "per node"  # each node has its own, and all together have none


@dataclass(frozen=True, slots=True)
class Pending:
    """Asked, or about to be; no answer yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Ready(Generic[T]):
    """An answer, and when it came (monotonic seconds)."""

    value: T
    at: float


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A gap: why, in the server's words, and what the user can do about it (may be empty)."""

    reason: Reason
    detail: SafeText
    remedy: SafeText


Reading: TypeAlias = Pending | Ready[T] | Unavailable
PENDING = Pending()


def _latest(_previous: Any, new: Any) -> Any:
    return new


class Unasked(Enum):
    """Stands for the reply to a line of a batch that wasn't sent, and will be at another time."""

    UNASKED = "unasked"


UNASKED = Unasked.UNASKED


@dataclass(frozen=True, slots=True)
class Batch:
    """The same command about many keys: it is asked of each in the same round trip, and refused or not as one.

    Attributes:
        commands: Each with its arguments.
    """

    commands: tuple[tuple[Argument, ...], ...]


Request: TypeAlias = tuple[Argument, ...] | Batch
"""What a command sends at a tick."""

Replies: TypeAlias = Sequence[tuple[tuple[Argument, ...], Reply]]
"""What a batch sent, each with its reply, but for those that were answered with an error."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers(Sequence[tuple[tuple[Argument, ...], Reply]]):
    """The ``Replies`` of a batch, and what else is known of them.

    Attributes:
        answered: What was sent, each with its reply.
        failed: What was answered with an error, for its key's sake: one of another type, or one not to be touched.
        at: When they came (monotonic seconds).
        own: How often each command, by its name in ACL rules, was sent by the one who asks, before this batch.
    """

    answered: Replies
    failed: tuple[tuple[Argument, ...], ...]
    at: float
    own: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.answered)

    def __getitem__(self, index: Any) -> Any:
        return self.answered[index]


@dataclass(frozen=True, slots=True, eq=False)
class Command(Generic[R]):
    """One command of a tick. Queries that share it share its reply: INFO is sent once and read by five.

    Attributes:
        acl: The name that ACL rules and ``INFO commandstats`` give it, such as ``client|list``.
        arguments: What is sent, given its own last answer and that of ``given``, each None at first. Nothing is asked
            where it is empty.
        decode: From the raw reply (the ``Answers`` of a batch) to what its queries parse. Raises ValueError where it
            can't be read.
        every: Seconds between two askings; 0 is each tick.
        always: Asked whether or not a pane shows it.
        given: Another command whose last answer the arguments depend on.
        fold: From the last answer (None at first) and what the new reply was decoded to, to the answer: for
            commands that ask for what is new since.
        anew: Whether it begins without a last answer in each connection, and when a person asks for all again.
        per_connection: Whether it begins without a last answer in each connection, for another process may answer.
        of_type: Of a batch, the type that its keys must be of, as TYPE names it: keys of others are not asked about,
            and told as failed.
        alike: Of a batch about keys, how these begin: our user mostly may look at all that begin so or at none, and it
            is asked of those only that are known to be allowed.
    """

    acl: str
    arguments: Callable[[R | None, Any], Request]
    decode: Callable[[Reply], R]
    every: float = 0.0
    always: bool = False
    given: Command[Any] | None = None
    fold: Callable[[R | None, R], R] = field(default=_latest)
    anew: bool = False
    per_connection: bool = False
    of_type: bytes | None = None
    alike: tuple[bytes, ...] = ()


def fixed(*arguments: Argument) -> Callable[[Any, Any], tuple[Argument, ...]]:
    """The arguments of a command that asks the same each time."""
    return lambda _own, _given: arguments


@dataclass(frozen=True, slots=True, eq=False)
class Part(Generic[T]):
    """What one node of a deployment told.

    Attributes:
        node: What the user calls it.
        value: Its reading.
        own_ids: The ids of our own connections to it.
    """

    node: SafeText
    value: T
    own_ids: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class Query(Generic[T]):
    """A named reading: the command it comes from and a pure function from that command's answer to a model.

    Attributes:
        name: The reading's name in a snapshot and in ``once --json``.
        command: Where it comes from.
        parse: From the decoded answer to the model. Raises ValueError where it can't be read.
        fold: From the last value (None at first) and the new one to the value shown: for readings that remember.
        merge: From what each node of a deployment told, at least one, to what holds for all of them; None where that
            says nothing. What is read of INFO needs none, for the INFO of all nodes can be read as one.
        beside: From what the INFO of all nodes says, and what each node told, to what holds for all of them: for what
            sums don't say.
        of_all: Whether ``merge`` needs each node that answers: without one it would be wrong with no sign of it.
    """

    name: str
    command: Command[Any]
    parse: Callable[[Any], T]
    fold: Callable[[T | None, T], T] = field(default=_latest)
    merge: Callable[[Sequence[Part[T]]], T] | None = None
    beside: Callable[[T, Sequence[Part[T]]], T] | None = None
    of_all: bool = False


def itself(value: T) -> T:
    """The parse of a query whose command's decoded answer is the model already."""
    return value
