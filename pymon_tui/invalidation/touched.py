"""How keys were used before a plan dumped them: a dump is a use where the server knows no CLIENT NO-TOUCH."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from redis.exceptions import ResponseError

from pymon_tui.invalidation.knowing import knowledge_of
from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.pipe import Answer, Pipe
from pymon_tui.server import clock

UsedBefore: TypeAlias = Mapping[bytes, tuple[int, float]]
"""Of keys that were dumped the seconds that each hadn't been used for, and when that was asked (monotonic seconds)."""

_UNSURE = 1.0  # seconds: servers count idle time in whole ones


@dataclass(slots=True, eq=False)
class Touched:
    """Keys that are dumped for a plan; ``before`` tells of those that were."""

    before: dict[bytes, tuple[int, float]] = field(default_factory=dict)

    async def ask(self, pipe: Pipe, keys: Sequence[bytes]) -> None:
        """Ask how long these keys weren't used, where the server evicts by that. To be awaited before they are dumped.

        Raises:
            LinkError: If the link is lost.
        """
        if keys and (await knowledge_of(pipe)).may_tell == "idle":
            # One first: who may not ask is an entry in the ACL LOG each time.
            answers = await self._told(pipe, keys[:1])
            if not isinstance(answers[0], ResponseError):
                answers += await self._told(pipe, keys[1:])
            now = clock.now()
            self.before |= {key: (idle, now) for key, idle in zip(keys, answers, strict=False) if isinstance(idle, int)}

    async def _told(self, pipe: Pipe, keys: Sequence[bytes]) -> list[Answer]:
        if not keys:
            return []
        return await pipe.ask(pack_all((b"OBJECT", b"IDLETIME", key) for key in keys), len(keys))


def untouched(keys: Iterable[bytes], idle: Sequence[int], before: UsedBefore) -> Sequence[int]:
    """How long keys weren't used, by what they tell now, but for the dump before which they told ``before``."""
    if not before:
        return idle
    now, found = clock.now(), []
    for key, told in zip(keys, idle, strict=True):
        known = before.get(key)
        # Who was used after that dump tells less time than has gone by since.
        is_of_dump = known is not None and now - told <= known[1] + _UNSURE
        found.append(known[0] + int(now - known[1]) if known is not None and is_of_dump else told)
    return found
