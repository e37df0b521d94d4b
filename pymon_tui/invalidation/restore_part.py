"""Whether an undo may begin, and what the parts of one on several nodes share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pymon_tui.invalidation.pipe import Line
from pymon_tui.invalidation.portions import Astray
from pymon_tui.invalidation.preflight import replica_problem
from pymon_tui.invalidation.trash_format import TrashHeader
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint


class RestoreError(Exception):
    """An undo that must not begin. Its text is one line: why, and what to do."""


class OtherServer(RestoreError):  # noqa: N818 - what was found
    """Another server process answers than the one that the keys were removed from. A person may want that."""


def require_primary(pipe: Line) -> None:
    """Refuse a replica.

    Raises:
        RestoreError: If it is one.
    """
    if replica_problem(pipe) is not None:
        raise RestoreError(f"{pipe.endpoint.label} is a replica; connect to its primary to restore keys")


def require_same(pipe: Line, header: TrashHeader) -> None:
    """Refuse any server process but the one that the keys were removed from.

    Raises:
        OtherServer: If another one answers, or nobody knows which one does.
    """
    why = other_process(pipe.endpoint.label, pipe.identity.run_id, pipe.user, then=(header.server, header.run_id))
    if why is not None:
        raise OtherServer(why)


def other_process(here: str, run_id: str, user: str, *, then: tuple[str, str]) -> SafeText | None:
    """Why this isn't the process that the keys were removed from, as far as is known, and what to do; None if it is.

    Args:
        here: What the server is called.
        run_id: Of the process that answers; empty where it isn't told.
        user: Whom it knows us as.
        then: What the server was called, and the process that it was.
    """
    there, anyway = safe(then[0]), "restore to it only if that is what you want"
    if not then[1]:
        why = f"whoever removed the keys was not told by {there} which process it is (INFO)"
    elif not run_id:
        why = f"{here} doesn't tell {user} which process it is: INFO is denied or renamed; grant +info, or else"
    elif run_id != then[1]:
        other = "another server answers there now" if here == there else f"is another server than {there}"
        why = f"{here} was restarted since the run, or {other}"
    else:
        return None
    return safe(f"{why}{'' if why.endswith('or else') else ';'} {anyway}", 400)


class Together:
    """The parts of an undo: none looks what is there before all of them have sent what they had."""

    def __init__(self, parts: int) -> None:
        """``parts`` is how many there are; each arrives, whatever becomes of it."""
        self._parts = parts
        self._arrived: set[str] = set()
        self._all = asyncio.Event()

    def arrive(self, part: str) -> None:
        """Say that this one sends nothing any more."""
        self._arrived.add(part)
        if len(self._arrived) == self._parts:
            self._all.set()

    async def wait(self) -> None:
        """Wait for the last of them."""
        await self._all.wait()


@dataclass(frozen=True, slots=True, eq=False)
class RestorePart:
    """What an undo of what one node had shares with those of the others.

    Attributes:
        group: The undo that they make together, which has looked who answers.
        opens: Connects to wherever the keys are to go.
        astray: Keys of its trash that were found again on another node, and named there.
        evicted: Keys that the servers had evicted as it began; None where one of them doesn't tell.
        evicted_now: Asks for that number once more.
        together: Where the parts wait for each other.
    """

    group: str
    opens: Callable[[Endpoint], Awaitable[Line]]
    astray: Astray
    evicted: int | None
    evicted_now: Callable[[], Awaitable[int | None]]
    together: Together
