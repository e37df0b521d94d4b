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
        unasked: Why nobody knows either of these: it could not be asked who answers. None where it was.
    """

    way: tuple[str, ...] = ()
    elsewhere: SafeText | None = None
    no_resume: SafeText | None = None
    unasked: SafeText | None = None

    @property
    def remark(self) -> SafeText | None:
        """What there is to say beside the command that undoes the run."""
        if self.unasked is None:
            return self.elsewhere
        return safe(f"{self.unasked}; if another server process answers by then, undo with --elsewhere", 800)

    def undo(self, run: str, *more: str) -> SafeText:
        """The command that undoes the run."""
        return command(self.way, "undo", run, *(["--elsewhere"] if self.elsewhere is not None else []), *more)

    def resume(self, run: str) -> SafeText:
        """The command that goes on with the run, or why there is none."""
        return self.no_resume or command(self.way, "invalidate", "--resume", run)

    def journal(self, own_id: str) -> SafeText:
        """The command that tells all of a run or an undo."""
        return journal_command(self.way, own_id)


def follow_up(desk: Desk, result: Result) -> FollowUp:
    """What may follow: asked of the server where the run didn't come to its end, for then another may answer."""
    if result.outcome == "done" or result.dry_run:
        return FollowUp(desk.endpoint.way, None if result.undo is None else desk.untold(result.run))
    return asked(desk, result.run)


def asked(desk: Desk, run: str) -> FollowUp:
    """What may follow a run that ended a moment or long ago, by who answers now."""
    try:
        return asyncio.run(_asked(desk, run))
    except (LinkError, Refused) as error:
        return FollowUp(desk.endpoint.way, unasked=safe(f"it can't be asked who answers now: {error}", 600))
    except StateError:  # what is wrong is said by the command itself
        return FollowUp(desk.endpoint.way)


async def _asked(desk: Desk, run: str) -> FollowUp:
    record = await asyncio.to_thread(desk.record, run)
    way = desk.endpoint.way
    if record is None:
        return FollowUp(way, None, safe(f"the journal lacks run {run}"))
    desk = await desk.at_present()
    elsewhere = await desk.other_server(record) if record.undo_path is not None else None
    verdict = await desk.judge_resume(record)
    return FollowUp(way, elsewhere, None if verdict.begins else verdict.why)
