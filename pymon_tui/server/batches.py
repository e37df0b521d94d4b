"""A command about many keys: its lines, and their replies as one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis.exceptions import RedisError

from pymon_tui.model.query import Answers, Argument, Batch, Reply, Request, Unasked
from pymon_tui.server.reasons import is_of_another_type


def lines_of(request: Request) -> tuple[tuple[Argument, ...], ...]:
    """The commands that are sent: none, one, or those of a batch."""
    if isinstance(request, Batch):
        return request.commands
    return (request,) if request else ()


def as_one(
    asked: Batch, replies: Sequence[Reply | RedisError | Unasked], now: float, own: Mapping[str, int]
) -> Answers | RedisError | None:
    """The replies of a batch as its command's decode takes them; the error where nothing else was answered.

    None where nothing was asked.

    A key of another type is no reason not to ask about others, even if there is no other yet.
    """
    answered, failed = [], []
    refusal: RedisError | None = None
    for line, reply in zip(asked.commands, replies, strict=True):
        if isinstance(reply, Unasked):
            continue
        if isinstance(reply, RedisError):
            failed.append(line)
            refusal = refusal or (None if is_of_another_type(reply) else reply)
        else:
            answered.append((line, reply))
    if refusal is not None and not answered:
        return refusal
    return Answers(answered, tuple(failed), now, own) if answered or failed else None
