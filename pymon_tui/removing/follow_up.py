"""What a person can do after a run, as commands that work as they are printed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pymon_tui.invalidation.account import Result
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.journal.folder import StateError
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.way import command, journal_command


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The commands that may follow a run.

    Attributes:
        way: The words of the command line that lead to the server.
        elsewhere: Why an undo would go to another server process than the run was on; None where it would not.
        no_resume: Why the run can't be gone on with; None where it can.
    """

    way: tuple[str, ...] = ()
    elsewhere: SafeText | None = None
    no_resume: SafeText | None = None

    def undo(self, run: str) -> SafeText:
        """The command that undoes the run."""
        return command(self.way, "undo", run, *(["--elsewhere"] if self.elsewhere is not None else []))

    def resume(self, run: str) -> SafeText:
        """The command that goes on with the run."""
        return command(self.way, "invalidate", "--resume", run)

    def journal(self, own_id: str) -> SafeText:
        """The command that tells all of a run or an undo."""
        return journal_command(self.way, own_id)


def follow_up(desk: Desk, result: Result) -> FollowUp:
    """What may follow: asked of the server where the run didn't come to its end, for then another may answer."""
    way = desk.endpoint.way
    if result.outcome == "done" or result.dry_run:
        return FollowUp(way, None if result.undo is None else desk.untold(result.run))
    try:
        return asyncio.run(_asked(desk, result.run))
    except (LinkError, Refused, StateError):  # nobody knows: what is wrong is said by the command itself
        return FollowUp(way)


async def _asked(desk: Desk, run: str) -> FollowUp:
    record = await asyncio.to_thread(desk.record, run)
    if record is None:
        return FollowUp(desk.endpoint.way, None, safe(f"the journal lacks run {run}"))
    elsewhere = await desk.other_server(record) if record.undo_path is not None else None
    verdict = await desk.judge_resume(record)
    return FollowUp(desk.endpoint.way, elsewhere, None if verdict.begins else verdict.why)
