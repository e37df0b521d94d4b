"""What the server tells of single keys, without counting as use of them: TYPE, PTTL, MEMORY USAGE, OBJECT IDLETIME."""

from __future__ import annotations

from collections.abc import Sequence

from redis.exceptions import ResponseError

from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.pipe import Answer, Pipe
from pymon_tui.invalidation.redirect import is_redirect
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import gap

_AT_ONCE = 64
"""Keys asked about in one write: the server is held up for a fraction of a millisecond."""

_COMMANDS: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("types", (b"TYPE",)),
    ("expiry", (b"PTTL",)),
    ("memory", (b"MEMORY", b"USAGE")),
    ("idle times", (b"OBJECT", b"IDLETIME")),
)
_FEW = ("types", "memory")


class Facts:
    """Asks about keys, a few at a time. A fact that the server refuses once is unknown from then on.

    Attributes:
        refusals: What is unknown, why, and what to do about it, a line each.
    """

    def __init__(self, pipe: Pipe, *, few: bool = False) -> None:
        """Ask for all of them, or for the ``few`` that an undo depends on: the type and the size."""
        self.refusals: list[SafeText] = []
        self._pipe = pipe
        self._open = {name: command for name, command in _COMMANDS if not few or name in _FEW}
        self._tried = False

    @property
    def is_tried(self) -> bool:
        """Whether a key was asked about."""
        return self._tried

    @property
    def tells_bytes(self) -> bool:
        """Whether MEMORY USAGE isn't refused, as far as is known."""
        return "memory" in self._open

    async def ask(self, keys: Sequence[bytes]) -> list[Sample]:
        """The facts of each key, in order.

        Raises:
            LinkError: If the link is lost.
        """
        samples: list[Sample] = []
        while len(samples) < len(keys):
            # One key first: a refused command is an error in the server's statistics and an entry in its ACL LOG.
            some = keys[len(samples) :][: _AT_ONCE if self._tried else 1]
            samples += await self._ask(some)
            self._tried = True
        return samples

    async def _ask(self, keys: Sequence[bytes]) -> list[Sample]:
        asked = tuple(self._open.items())
        found: dict[str, list[Answer]] = {name: [None] * len(keys) for name, _ in _COMMANDS}
        if asked:
            commands = ((*command, key) for key in keys for _, command in asked)
            answers = await self._pipe.ask(pack_all(commands), len(asked) * len(keys))
            for place, (name, _) in enumerate(asked):
                found[name] = [self._judged(name, answer) for answer in answers[place :: len(asked)]]
        return [_sample(*facts) for facts in zip(keys, *found.values(), strict=True)]

    def _judged(self, name: str, answer: Answer) -> Answer:
        if not isinstance(answer, ResponseError):
            return answer
        if is_redirect(answer):  # the key is on its way to another node of the cluster, and no other is
            return None
        command = self._open.pop(name, None)
        if command is not None:
            why = gap(answer, b"|".join(command).decode().lower(), self._pipe.user)
            remedy = f"; {why.remedy}" if why.remedy else ""
            self.refusals.append(safe(f"{name} unknown: {why.detail}{remedy}"))
        return None


def _sample(key: bytes, type_: Answer, pttl_ms: Answer, usage: Answer, idle: Answer) -> Sample:
    shown = type_.decode("ascii", "replace") if isinstance(type_, bytes) else type_ if isinstance(type_, str) else None
    return Sample(
        key=key,
        type=None if shown == "none" else shown,
        pttl_ms=pttl_ms if isinstance(pttl_ms, int) and pttl_ms != -2 else None,
        bytes=usage if isinstance(usage, int) else None,
        idle=idle if isinstance(idle, int) else None,
        gone=shown == "none" or pttl_ms == -2,
    )
