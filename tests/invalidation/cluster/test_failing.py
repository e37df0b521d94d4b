"""A node of a cluster dies or fails over in the middle of a run: the account is what is there, and it can go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymon_tui.invalidation import reconnecting
from pymon_tui.invalidation.account import Result
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.restore_part import OtherServer
from pymon_tui.server.reasons import LinkError
from tests.invalidation.cluster.clusters import adds_up, all_are_at_it, cache_keys, desk_at, planned, removal_of, undone
from tests.invalidation.removing import under_way
from tests.server.listening import until
from tests.servers.cluster import Cluster
from tests.servers.fixtures import StartCluster

KEYS = cache_keys(6_000)
OTHERS = {"other:1", "other:{user:1}"}


def _is_truth(result: Result, cluster: Cluster, unreplicated: int) -> None:
    """Check that as many keys are gone as were removed, or may have been; an heir may not know of the last of them."""
    there = cluster.keys()
    assert there >= OTHERS
    gone = len(KEYS) + len(OTHERS) - len(there)
    assert result.tally.removed - unreplicated <= gone <= result.tally.removed + result.tally.unknown
    adds_up(result)


async def _agreed(removal: WholeRemoval) -> Result:
    """The account of a run whose questions are answered with yes: what was not replicated matches once more."""
    async with under_way(removal) as task:
        await until(lambda: task.done() or removal.progress.state == "asking")
        removal.go_on(removal.progress.why)
        return await task


async def test_a_primary_that_fails_over_ends_it_and_the_rest_is_for_its_heir(
    own_cluster: StartCluster, tmp_path: Path
) -> None:
    cluster = own_cluster()
    cluster.fill([*KEYS, *OTHERS])
    one, other, _ = cluster.primaries()
    (heir,) = cluster.replicas(other)
    desk = desk_at(one, tmp_path, rate=4_000.0)
    removal = await removal_of(desk)
    async with under_way(removal) as task:
        await until(lambda: all_are_at_it(removal))
        await cluster.failover(heir)
        result = await task

    assert (result.outcome, result.left) == ("stopped", None)
    assert f"{other.address} has become a replica" in result.why
    _is_truth(result, cluster, 0)
    assert [each.result.outcome for each in result.nodes] == ["done", "stopped", "done"]

    with pytest.raises(OtherServer, match=f"{other.address} has failed over or was restarted since the run"):
        await undone(desk)
    record = next(record for record in desk.newest() if record.kind == "run")
    rest = await _agreed(await desk.resumed(record))

    assert (rest.outcome, rest.left) == ("done", 0)
    assert result.tally.removed + rest.tally.removed >= len(KEYS)
    assert cluster.keys() == OTHERS

    for record in desk.newest():
        restore = desk.restore(record, replace=False, elsewhere=True)
        assert restore is not None
        assert (await restore.run()).outcome == "done"
    assert cluster.keys() == {*KEYS, *OTHERS}


async def test_a_primary_that_is_killed_is_never_passed_over(own_cluster: StartCluster, tmp_path: Path) -> None:
    cluster = own_cluster()
    cluster.fill([*KEYS, *OTHERS])
    one, _, third = cluster.primaries()
    removal = await removal_of(desk_at(one, tmp_path, rate=4_000.0))
    async with under_way(removal) as task:
        await until(lambda: all_are_at_it(removal))
        one.kill()  # the node that was named
        result = await task
    await cluster.settled()

    assert (result.outcome, result.left) == ("stopped", None)
    assert one.address in result.why
    _is_truth(result, cluster, 1_000)

    desk = desk_at(third, tmp_path)
    (record,) = desk.newest()
    assert (record.state, record.removed_at_least, record.removed_at_most) == (
        "stopped", result.tally.removed, result.tally.removed + result.tally.unknown
    )  # fmt: skip
    assert [part.node for part in record.parts if part.state == "stopped"]
    rest = await _agreed(await desk.resumed(record))
    assert (rest.outcome, rest.left) == ("done", 0)
    assert cluster.keys() == OTHERS


async def test_a_primary_without_an_heir_is_waited_for_and_then_told_of(
    own_cluster: StartCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnecting, "PATIENCE", 0.5)
    cluster = own_cluster({"cluster-require-full-coverage": "no"})
    cluster.fill([*KEYS, *OTHERS])
    one, other, _ = cluster.primaries()
    desk = desk_at(one, tmp_path, rate=4_000.0)
    for replica in cluster.replicas(other):
        replica.kill()
    removal = await removal_of(desk)
    async with under_way(removal) as task:
        await until(lambda: all_are_at_it(removal))
        other.kill()
        result = await task

    assert (result.outcome, result.left) == ("stopped", None)
    assert f"{other.address} refuses connections" in result.why
    outcomes = {each.node: each.result.outcome for each in result.nodes}
    assert outcomes.pop(other.address) == "stopped"
    assert set(outcomes.values()) == {"done"}
    adds_up(result)

    with pytest.raises(LinkError, match=r"no node serves slots|primary of slots"):
        await planned(desk)
