"""Work that takes its time, with its progress on stderr, and ended well by whatever signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from pymon_tui.invalidation.account import Result
from pymon_tui.invalidation.cluster.planning import WholePlanning
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.restore_account import RestoreResult
from pymon_tui.invalidation.wording import words
from pymon_tui.model import units
from pymon_tui.model.text import SafeText
from pymon_tui.removing import progress_line
from pymon_tui.removing.confirming import growth_confirmed, growth_question, not_confirmed
from pymon_tui.removing.console import OpenQuestion, can_ask, say
from pymon_tui.removing.exit_code import CutOff
from pymon_tui.removing.progress_line import REFRESH, ProgressLine
from pymon_tui.server.way import command

T = TypeVar("T")


def plan_watched(planning: WholePlanning) -> Plan:
    """Make the plan.

    Raises:
        KeyboardInterrupt: On Ctrl+C.
        LinkError, Refused: As ``WholePlanning.run``.
    """
    line = ProgressLine(sys.stderr)
    return asyncio.run(_shown(planning.run(), lambda: progress_line.of_planning(planning.progress), line))


def removal_watched(removal: WholeRemoval, *, dry_run: bool, way: Sequence[str] = ()) -> Result:
    """Carry out the run. The first Ctrl+C ends it with a true account, a second one or SIGTERM at once.

    ``way`` has the words of the command line that lead to the server.

    Raises:
        CutOff: If it was ended at once.
        LinkError, OrderError, Locked, StateError, Refused: As ``WholeRemoval.run``; then nothing was removed.
    """

    mode = removal.options.mode

    def standing() -> SafeText | None:
        progress = removal.progress
        return None if progress.state == "asking" else progress_line.of_removal(progress, mode, dry_run=dry_run)

    try:
        return asyncio.run(_carried_out(removal.run, standing, removal.cancel, partial(_answer, removal)))
    except asyncio.CancelledError:
        if dry_run:
            raise CutOff("cut off: it was a dry run, and nothing is removed") from None
        removed = f"{words(mode).are} by then: at least {units.keys(removal.progress.tally.removed)}"
        raise CutOff(f"cut off: {removed}; go on with: {command(way, 'invalidate', '--resume', removal.id)}") from None


def restore_watched(restore: WholeRestore) -> RestoreResult:
    """Carry out the undo; signals as for a run.

    Raises:
        CutOff: If it was ended at once.
        LinkError, RestoreError, Locked, StateError: As ``WholeRestore.run``; then nothing was restored.
    """

    def standing() -> SafeText | None:
        return None if restore.progress.state == "asking" else progress_line.of_restore(restore.progress)

    try:
        return asyncio.run(_carried_out(restore.run, standing, restore.cancel, partial(_answer_undo, restore)))
    except asyncio.CancelledError:
        restored = f"restored by then: at least {units.keys(restore.progress.tally.restored)}"
        raise CutOff(f"cut off: {restored}; the same command goes on from there") from None


async def _carried_out(
    work: Callable[[], Coroutine[Any, Any, T]],
    standing: Callable[[], SafeText | None],
    cancel: Callable[[], None],
    answer: Callable[[ProgressLine], Coroutine[Any, Any, None]],
) -> T:
    """Do the work, say how it stands, and have a person answer what it asks."""
    line = ProgressLine(sys.stderr)
    answering = asyncio.create_task(answer(line))
    try:
        return await _ended_well(_shown(work(), standing, line), cancel)
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def _shown(work: Coroutine[Any, Any, T], text: Callable[[], SafeText | None], line: ProgressLine) -> T:
    """Do the work and say meanwhile how it stands, but where there is no text."""

    async def follow() -> None:
        while True:
            await asyncio.sleep(REFRESH)
            if (shown := text()) is not None:
                line.show(shown)

    following = asyncio.create_task(follow())
    try:
        return await work
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        line.clear()


async def _ended_well(work: Coroutine[Any, Any, T], cancel: Callable[[], None]) -> T:
    task = asyncio.ensure_future(work)
    with _heard(task, cancel):
        return await task


@contextlib.contextmanager
def _heard(task: asyncio.Future[Any], cancel: Callable[[], None]) -> Iterator[None]:
    """While it lasts, signals end the task: the first Ctrl+C by ``cancel``, any other one at once."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        cancel()
        loop.add_signal_handler(signal.SIGINT, task.cancel)

    ends: dict[signal.Signals, Callable[[], object]] = {
        signal.SIGINT: interrupt,
        signal.SIGTERM: task.cancel,
        signal.SIGHUP: task.cancel,
    }
    # What is ignored stays so: nohup wants a run to outlive its terminal.
    heard = [number for number in ends if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, ends[number])
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


async def _answer(removal: WholeRemoval, line: ProgressLine) -> None:
    """Answer the run's questions: by whoever sits at the terminal, and with no where nobody does.

    A question that another one takes the place of, which names more keys, is answered by neither yes nor no.
    """
    while True:
        await asyncio.sleep(REFRESH)
        progress = removal.progress
        if progress.state != "asking":
            continue
        line.clear()
        if not can_ask():
            say(why := removal.unanswered)
            removal.cancel(why)
            return
        growth = removal.growth
        with OpenQuestion(growth_question(progress.why, growth)) as asked:
            answer = await asked.answer_while(partial(_asks, removal, progress.why))
        if answer is not None and growth_confirmed(growth, answer):
            removal.go_on(progress.why, answer)
        elif answer is not None:
            if growth is not None and growth.typed:
                say(f"{not_confirmed(growth)}, and the run ends")
            removal.cancel()


async def _answer_undo(restore: WholeRestore, line: ProgressLine) -> None:
    """Answer the undo's questions, which it has only where somebody sits at the terminal."""
    while True:
        await asyncio.sleep(REFRESH)
        progress = restore.progress
        if progress.state != "asking":
            continue
        line.clear()
        with OpenQuestion(growth_question(progress.why, None)) as asked:
            answer = await asked.answer_while(partial(_asks, restore, progress.why))
        if answer is not None and growth_confirmed(None, answer):
            restore.go_on(progress.why)
        elif answer is not None:
            restore.cancel()


def _asks(removal: WholeRemoval | WholeRestore, question: str) -> bool:
    """Whether this question is still the one that stands."""
    progress = removal.progress
    return progress.state == "asking" and progress.why == question
