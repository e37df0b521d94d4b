"""A connection that says before each command that it was sent here: for keys of slots that a node is about to get."""

from __future__ import annotations

import asyncio

from pymon_tui.invalidation.packing import Packed, pack_all, unpacked
from pymon_tui.invalidation.pipe import Answer, Pipe

_ASKING = (b"ASKING",)


class AskingPipe(Pipe):
    """A pipe to a node of a cluster that may not serve a slot yet whose keys it has.

    ASKING holds for the command after it, and changes nothing where the node serves the slot.
    """

    def ask(self, packed: Packed, answers: int) -> asyncio.Future[list[Answer]]:
        """As ``Pipe.ask``; each of the commands has one answer."""
        words = pack_all(words for command in unpacked(packed) for words in (_ASKING, tuple(command)))
        both = super().ask(words, 2 * answers)
        wanted: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()

        def pass_on(done: asyncio.Future[list[Answer]]) -> None:
            if wanted.done():
                return
            if done.cancelled():
                wanted.cancel()
            elif (error := done.exception()) is not None:
                wanted.set_exception(error)
                wanted.exception()  # who asked may never look
            else:
                wanted.set_result(done.result()[1::2])

        both.add_done_callback(pass_on)
        return wanted
