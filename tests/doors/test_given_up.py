"""What is given up for a run that goes on is what was named before somebody said yes, through both doors."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.journal.records import Record
from tests.doors.door import Back, CommandLine, Screens
from tests.doors.test_damaged import apart as apart
from tests.doors.test_doors import DOORS
from tests.removing.test_journal import CUT_OFF, cut_off

SIZE = 2_500
CONFIG = 'trash_size = "230KiB"\n'
OTHERS, LEFT = 80, 20


def noise(name: str, count: int) -> dict[str, bytes]:
    """Keys whose values nothing makes smaller."""
    return {f"{name}:{number}": Random(number).randbytes(SIZE) for number in range(count)}


@pytest.fixture
def others(apart: EmbeddedServer, db: Redis, command_line: CommandLine) -> tuple[str, Path]:
    """A run of somebody else, and its trash; and a run that was cut off with some keys left, of more than fit."""
    db.mset(noise("c", OTHERS))
    other = command_line.run(apart, "invalidate", "c:*", "--yes")
    db.mset(noise("a", 100 + LEFT))
    plan = command_line.run(apart, "invalidate", "a:*", "--dry-run", "--read-only")["plan"]
    cut_off(db, plan, undo="trash", lost_agreed=LEFT, lost_said=LEFT)
    db.delete(*(f"a:{number}" for number in range(100)))
    return other["run"], Path(other["undo"])


@DOORS
@pytest.mark.parametrize("named", [False, True])
def test_a_resume_gives_up_what_was_named_before_it_and_nothing_else(
    door: str,
    *,
    named: bool,
    others: tuple[str, Path],
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
    command_line: CommandLine,
    answers: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    other, trash = others
    aside = tmp_path / "aside"
    if not named:
        trash.rename(aside)
    judge = Desk.judge_resume

    async def then_there(desk: Desk, record: Record) -> Verdict:
        """The other run ends while the question stands."""
        verdict = await judge(desk, record)
        assert [one.run for one in verdict.undo.gives_up] == ([other] if named or trash.exists() else [])
        if aside.exists():
            aside.rename(trash)
        return verdict

    monkeypatch.setattr(Desk, "judge_resume", then_there)
    way: CommandLine | Screens = request.getfixturevalue(door)
    if isinstance(way, CommandLine):
        answers[:] = ["a:*"]
        monkeypatch.setenv("PYMON_TRASH_SIZE", "230KiB")
        told = way.run(apart, "invalidate", "--resume", CUT_OFF)
        assert told["removed"] == LEFT
    else:
        assert way.resume(apart, CUT_OFF, CONFIG, "a:*") == Back("type", 0, LEFT)
    assert not db.keys("a:*")
    assert trash.exists() == (not named)
    monkeypatch.delenv("PYMON_TRASH_SIZE", raising=False)
    if not named:
        assert command_line.run(apart, "undo", other, "--yes")["restored"] == OTHERS
