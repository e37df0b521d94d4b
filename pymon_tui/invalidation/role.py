"""Whether the server that a run goes on is still a primary: asked behind each portion, and answered with it."""

from __future__ import annotations

import asyncio

from redis.exceptions import ResponseError

from pymon_tui.invalidation.pacing import Stopped
from pymon_tui.invalidation.packing import pack
from pymon_tui.invalidation.pipe import Answer, Pipe
from pymon_tui.invalidation.pulse import Pulse

_ROLE, _REPLICATION = pack(b"ROLE"), pack(b"INFO", b"replication")


class Role:
    """Asks over one connection."""

    def __init__(self, pipe: Pipe, node: str, pulse: Pulse) -> None:
        """Ask ``node``, whose ``pulse`` may tell it as well."""
        self._pipe = pipe
        self._node = node
        self._pulse = pulse
        self._questions = [_ROLE, _REPLICATION]  # the next, where ROLE is renamed, missing or denied

    def ask(self) -> asyncio.Future[list[Answer]] | None:
        """The answer to come, for ``check``; None where the server doesn't tell."""
        return self._pipe.ask(self._questions[0], 1) if self._questions else None

    async def look(self) -> None:
        """Ask and check: keys are served elsewhere, and perhaps all of them are.

        Raises:
            LinkError: If the link is lost.
            Stopped: As ``check``.
        """
        if (role := self.ask()) is not None:
            self.check((await role)[0])

    def check(self, answer: Answer) -> None:
        """Refuse to go on with a server that has become a replica: an old primary takes writes and loses them.

        Raises:
            Stopped: If it has.
        """
        if isinstance(answer, ResponseError):
            del self._questions[:1]
            return
        is_replica = answer[0] == b"slave" if isinstance(answer, list) else b"role:slave" in answer
        if is_replica or self._pulse.role == "slave":
            raise Stopped(f"{self._node} has become a replica; connect to its primary and plan anew")
