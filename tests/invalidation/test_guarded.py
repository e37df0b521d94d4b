"""What guards a server holds in the run and the undo, also where the plan was made before that was known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.restore_part import RestoreError
from pymon_tui.invalidation.rules import Guard, Rules
from pymon_tui.server.endpoint import Endpoint
from tests.ui.scripted_desk import RULES

GUARD = Guard("prod", None, "production", (parse_pattern("a:1"),), 1_000, 10, 0.002, 1_000.0, read_only=False)


class Learning(Desk):
    """A desk that learns of a guard after the plan."""

    guards: tuple[Guard, ...] = ()

    async def _rules_of(self, found: Found) -> Rules:
        return self.rules.under(self.guards)


@pytest.fixture
def desk(server: EmbeddedServer, tmp_path: Path) -> Learning:
    with Redis(unix_socket_path=server.socket) as db:
        db.flushall()
        db.mset({f"a:{number}": "x" for number in range(5)})
    return Learning(Endpoint(socket=server.socket), RULES, tmp_path)


async def removal_of(desk: Learning, *guards: Guard) -> WholeRemoval:
    """A run whose plan was made before anybody knew of the guards."""
    selection = desk.selection([parse_pattern("a:*")], Filters(), every=False)
    plan = await desk.planning(selection, "unlink", undo=True).run()
    desk.guards = guards
    return desk.removal(plan, desk.options("unlink", expire=0.0, jitter=0.0, undo=True, dry_run=False), None)


async def test_what_it_protects_stays_and_its_rate_and_ceiling_hold(desk: Learning) -> None:
    removal = await removal_of(desk, GUARD)
    result = await removal.run()
    assert (result.outcome, result.tally.removed, result.tally.protected) == ("done", 4, 1)
    assert (removal.options.rate, removal.options.ceiling) == (1_000.0, 0.002)
    record = desk.record(removal.id)
    assert record is not None
    assert (record.started["options"]["rate"], record.started["options"]["ceiling"]) == (1_000.0, 0.002)


async def test_no_more_keys_go_than_it_allows(desk: Learning) -> None:
    removal = await removal_of(desk, replace(GUARD, max_keys=3, protected=()))
    result = await removal.run()
    assert (result.outcome, result.tally.removed) == ("stopped", 0)
    assert "more than 3 keys match by now" in result.why


async def test_nothing_is_removed_or_restored_where_it_is_read_only(desk: Learning) -> None:
    guard = replace(GUARD, read_only=True)
    desk.rules = replace(desk.rules, guards=(guard,))
    removal = await removal_of(desk, guard)
    with pytest.raises(OrderError, match="nothing is removed: profile prod is read-only"):
        await removal.run()
    removal = await removal_of(replaced(desk))
    await removal.run()
    record = desk.record(removal.id)
    assert record is not None
    restore = desk.restore(record, replace=False, elsewhere=False)
    assert restore is not None
    desk.guards = (guard,)
    with pytest.raises(RestoreError, match="nothing is restored: profile prod is read-only"):
        await restore.run()


async def test_an_undo_keeps_its_ceiling(desk: Learning) -> None:
    removal = await removal_of(desk)
    await removal.run()
    record = desk.record(removal.id)
    assert record is not None
    restore = desk.restore(record, replace=False, elsewhere=False)
    assert restore is not None
    desk.guards = (GUARD,)
    assert (await restore.run()).tally.restored == 5
    assert restore._parts[0][1]._pacer._ceiling == 0.002


async def test_a_dry_run_is_allowed_where_nothing_may_be_written(desk: Learning) -> None:
    guard = replace(GUARD, read_only=True, protected=())
    selection = desk.selection([parse_pattern("a:*")], Filters(), every=False)
    desk.guards = (guard,)
    plan = await desk.planning(selection, "unlink", undo=False).run()
    options = desk.options("unlink", expire=0.0, jitter=0.0, undo=False, dry_run=True)
    result = await desk.removal(plan, options, None).run()
    assert (result.outcome, result.tally.matched, result.tally.removed) == ("done", 5, 0)


def replaced(desk: Learning) -> Learning:
    """The same desk, without the guards."""
    desk.guards = ()
    return desk


async def test_a_yes_holds_for_what_was_known_when_it_was_given(desk: Learning) -> None:
    """Production is learnt while the question stands: then the pattern is to be typed."""
    selection = desk.selection([parse_pattern("a:*")], Filters(), every=False)
    options = desk.options("unlink", expire=0.0, jitter=0.0, undo=True, dry_run=False)
    plan = await desk.planning(selection, "unlink", undo=True).run()
    verdict = desk.judge(plan, options)
    assert verdict.confirm == "yes"
    loose = replace(GUARD, protected=())
    typed = replace(verdict, confirm="type", typed=selection.patterns)
    few = replace(loose, environment="test", type_above=2)
    for guard, why in ((loose, "this is production"), (few, "over 2 keys go")):
        desk.guards = (guard,)
        with pytest.raises(OrderError, match=f"^{why}.*; start again, and type the pattern$"):
            await desk.removal(plan, options, None, None, verdict).run()
    desk.guards = (loose,)
    assert (await desk.removal(plan, options, None, None, typed).run()).tally.removed == 5
    (record,) = desk.newest()
    agreed = await replaced(desk).judge_undo(record, replace=True)
    assert agreed.confirm == "yes"
    desk.guards = (loose,)
    for told, restored in ((agreed, None), (agreed.unasked, 5)):
        restore = desk.restore(record, replace=True, elsewhere=False, agreed=told)
        assert restore is not None
        if restored is None:
            with pytest.raises(RestoreError, match=r"^this is production \(profile prod\), which wasn't known"):
                await restore.run()
        else:
            assert (await restore.run()).tally.restored == restored
