"""What a server lets its clients hold of its memory before it closes the connection of one of them (CONFIG GET)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from redis.exceptions import ResponseError

from pymon_tui.invalidation.pipe import Answer, Pipe

CLIENTS, OUTPUT = "maxmemory-clients", "client-output-buffer-limit"

_AMOUNT = re.compile(rb"([0-9]{1,19})(%?)")
_LEAST = 131_072  # bytes: the server takes a smaller ``maxmemory-clients`` for this
_CLASS = b"normal"


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Limits in bytes; 0 where there is none, or it isn't told.

    Attributes:
        clients: What all clients may hold together (``maxmemory-clients``): beyond it, who holds most is disconnected.
        percent: The same in parts of ``maxmemory``.
        hard: What one client's replies may take at any time (``client-output-buffer-limit normal``).
        soft: What they may take for long.
    """

    clients: int = 0
    percent: int = 0
    hard: int = 0
    soft: int = 0

    @classmethod
    def told(cls, found: Mapping[bytes, bytes]) -> ClientLimits:
        """What the answers to CONFIG GET tell: values by the names of parameters."""
        amount = _AMOUNT.fullmatch(found.get(CLIENTS.encode(), b""))
        clients, percent = (int(amount[1]), bool(amount[2])) if amount is not None else (0, False)
        words = found.get(OUTPUT.encode(), b"").split()
        limits = words[words.index(_CLASS) + 1 :][:2] if _CLASS in words else []
        hard, soft = map(int, limits) if len(limits) == 2 and all(map(bytes.isdigit, limits)) else (0, 0)
        told = cls(0 if percent else clients, clients if percent else 0, hard, soft)
        return UNLIMITED if told == UNLIMITED else told  # it is asked for often

    def together(self, maxmemory: int) -> int:
        """What all clients may hold on a server with this ``maxmemory``; 0 for no limit."""
        limit = maxmemory * self.percent // 100 if self.percent else self.clients
        return max(_LEAST, limit) if limit or (self.percent and maxmemory) else 0

    @property
    def output(self) -> int:
        """What the replies to one client may take, however long; 0 for no limit."""
        return min((limit for limit in (self.hard, self.soft) if limit), default=0)


UNLIMITED = ClientLimits()
"""Of a server that limits nothing, or doesn't tell."""


class Limiting:
    """Asks for them; nothing more in the same run once it is refused, of whichever connection.

    Attributes:
        limits: As last told.
    """

    def __init__(self) -> None:
        self.limits = UNLIMITED
        self._is_refused = False

    async def ask(self, pipe: Pipe) -> None:
        """Ask, one by one: each that is refused would be an error in the server's statistics, and in the ACL LOG.

        Raises:
            LinkError: If the link is lost.
        """
        found: dict[bytes, bytes] = {}
        for name in (OUTPUT, CLIENTS):  # Redis 6.2 takes one at a time, and doesn't know the second
            if not self._is_refused:
                answer = await pipe.ask_one(b"CONFIG", b"GET", name.encode())
                self._is_refused = isinstance(answer, ResponseError)
                found |= _pairs(answer)
        if found:
            self.limits = ClientLimits.told(found)


def _pairs(answer: Answer) -> dict[bytes, bytes]:
    """Names and values of an answer to CONFIG GET, in RESP2 or RESP3; nothing where it is something else."""
    told = answer if isinstance(answer, dict) else {}
    if isinstance(answer, list):
        told = {name: value for name, value in zip(answer[::2], answer[1::2], strict=False) if isinstance(name, bytes)}
    return {name: value for name, value in told.items() if isinstance(name, bytes) and isinstance(value, bytes)}
