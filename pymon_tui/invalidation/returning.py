"""What is in the trash goes back to the server, portion by portion, and each answer is taken for what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from dataclasses import dataclass

from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.invalidation.pipe import Answer, Line, pack_all
from pymon_tui.invalidation.restore_account import Failure, RestoreTally
from pymon_tui.invalidation.trash import TrashReader, TrashRecord
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server import clock
from pymon_tui.server.reasons import answer_text, remedy_of

KEYS, BYTES = 200, 131_072
"""Of one portion, at most, unless one key has more."""

# Portions on their way: the server takes what has arrived in one go, while its other clients wait, so there are just
# enough that it has always one to do. On a long line there are more: they arrive one after the other.
_FEWEST, _MOST = 4, 16
_PER_PORTION = 0.005  # seconds of a round trip

# What these say holds for every key, and not for the one that was asked for.
_FOR_ALL = {
    "OOM": "raise maxmemory or free memory, and undo again: it goes on where it stopped",
    "MISCONF": "let the server save again (its log says why it can't), and undo again",
    "READONLY": "it has become a replica: undo on its primary",
    "LOADING": "undo again when it has loaded",
    "BUSY": "undo again when its script is done",
    "MASTERDOWN": "undo on its primary",
    "NOREPLICAS": "undo again when its replicas are back",
    "CLUSTERDOWN": "undo again when the cluster is up",
}


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Records that are sent at once, and where in the trash the next one is: a block's offset, a record's index."""

    records: list[TrashRecord]
    offset: int
    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A portion on its way: those of its records that have not ended yet, and their answers; None if there is none."""

    portion: Portion
    alive: list[TrashRecord]
    answers: asyncio.Future[list[Answer]] | None


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What became of a portion.

    Attributes:
        tally: Of its keys, but those that the refusal met.
        failures: The keys that the server refused one by one.
        refusal: Why it takes no key at all, and what to do; None if it does.
    """

    tally: RestoreTally
    failures: tuple[Failure, ...]
    refusal: SafeText | None


async def portions(
    reader: TrashReader, offset: int, index: int, passed_over: Collection[bytes]
) -> AsyncGenerator[Portion]:
    """What the trash holds from this record on, but for these keys. The disk is read in a thread.

    Raises:
        TrashError: If it can't be read.
    """
    blocks = reader.blocks(offset)
    some: list[TrashRecord] = []
    size = 0
    end = offset
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        end = block.next_offset
        for place, record in enumerate(block.records[index:], start=index):
            if record[0] in passed_over:
                continue
            length = len(record[0]) + len(record[2])
            if some and (len(some) == KEYS or size + length > BYTES):
                yield Portion(some, block.offset, place)
                some, size = [], 0
            some.append(record)
            size += length
        index = 0
    if some:
        yield Portion(some, end, 0)


class Returning:
    """Sends portions over one connection and judges the answers.

    Args:
        pipe: The connection.
        replace: Whether a key that is there is replaced.
        compares: Whether a key that is there may be one that this undo, or one before it, has restored. Then it counts
            as restored where its value is the one in the trash.
        ends: Whether such a key may have been given another end; it then gets its own back.
    """

    def __init__(self, pipe: Line, *, replace: bool, compares: bool, ends: bool) -> None:
        self._pipe = pipe
        self._options = (b"ABSTTL", b"REPLACE") if replace else (b"ABSTTL",)
        self._compares = compares
        self._ends = ends
        self._ahead = 0.0  # seconds that the server's clock is ahead of our monotonic one
        self._in_flight = _FEWEST

    @property
    def in_flight(self) -> int:
        """Portions that are best sent before the first of them is settled."""
        return self._in_flight

    async def look_at_the_clock(self) -> None:
        """Learn what time it is on the server, and how far away that is. To be awaited first.

        Raises:
            LinkError: If the link is lost.
        """
        asked_at = clock.now()
        answer = await self._pipe.ask_one(b"TIME")
        round_trip = clock.now() - asked_at
        self._in_flight = min(_MOST, _FEWEST + int(round_trip / _PER_PORTION))
        # A server that doesn't tell is taken to have the time that we have.
        now = int(answer[0]) + int(answer[1]) / 1e6 if isinstance(answer, list) else time.time()
        self._ahead = now - clock.now()

    def send(self, portion: Portion) -> Sent:
        """Send what has not ended yet of a portion; the server would take the rest, and drop it at once."""
        now = int((clock.now() + self._ahead) * 1000)
        alive = [record for record in portion.records if not 0 < record[1] <= now]
        if not alive:
            return Sent(portion, alive, None)
        commands = ((b"RESTORE", key, b"%d" % end, payload, *self._options) for key, end, payload in alive)
        return Sent(portion, alive, self._pipe.ask(pack_all(commands), len(alive)))

    async def settle(self, sent: Sent) -> Settled:
        """Wait for a portion's answers, and ask about the keys that are there already.

        Raises:
            LinkError: If the link is lost; what became of the portion is then unknown.
        """
        tally = RestoreTally(expired=len(sent.portion.records) - len(sent.alive))
        if sent.answers is None:
            return Settled(tally, (), None)
        there: list[TrashRecord] = []
        failures: list[Failure] = []
        refusal: SafeText | None = None
        refused = 0
        for record, answer in zip(sent.alive, await sent.answers, strict=True):
            if not isinstance(answer, ResponseError):
                continue
            if str(answer).startswith("BUSYKEY"):
                there.append(record)
            elif for_all := self._for_all(answer):
                refusal, refused = refusal or for_all, refused + 1
            else:
                failures.append(Failure(safe(record[0]), self._why(answer, "restore")))
        restored = len(sent.alive) - len(there) - len(failures) - refused
        tally = tally.plus(restored=restored, failed=len(failures))
        again, more = await self._looked_at(there)
        failures += more
        tally = tally.plus(restored=again, failed=len(more), skipped=len(there) - again - len(more))
        return Settled(tally, tuple(failures), refusal)

    async def _looked_at(self, there: Sequence[TrashRecord]) -> tuple[int, list[Failure]]:
        """How many of these keys are as they were removed, and those that can't be given their end back."""
        if not self._compares or not there:
            return 0, []
        values = await self._ask((b"DUMP", key) for key, _, _ in there)
        same = [record for record, value in zip(there, values, strict=True) if value == record[2]]
        if not self._ends or not same:
            return len(same), []
        answers = await self._ask(
            (b"PEXPIREAT", key, b"%d" % end) if end else (b"PERSIST", key) for key, end, _ in same
        )
        failures = [
            Failure(safe(record[0]), self._why(answer, "pexpireat" if record[1] else "persist"))
            for record, answer in zip(same, answers, strict=True)
            if isinstance(answer, ResponseError)
        ]
        return len(same) - len(failures), failures

    async def _ask(self, commands: Iterable[tuple[bytes, ...]]) -> list[Answer]:
        listed = list(commands)
        return await self._pipe.ask(pack_all(listed), len(listed))

    def _for_all(self, error: ResponseError) -> SafeText | None:
        """Why no key can be restored, where the error says that; None where it is about one key."""
        text = answer_text(error)
        remedy: str | None = _FOR_ALL.get(text.split(" ", 1)[0])
        if isinstance(error, NoPermissionError) and "permissions to access" not in str(error):
            remedy = remedy_of(error, "restore", self._pipe.user)
        elif "unknown command" in text.lower():
            remedy = "the server's administrator has renamed or disabled RESTORE"
        return None if remedy is None else safe(f"RESTORE was refused: {text}; {remedy}")

    def _why(self, error: ResponseError, acl: str) -> SafeText:
        text, remedy = answer_text(error), remedy_of(error, acl, self._pipe.user)
        return safe(f"{text}; {remedy}" if remedy else text)
