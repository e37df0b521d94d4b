"""The terms of an action on one node of a cluster, of which a profile names another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.rules import Guard
from pymon_tui.invalidation.terms import terms_of
from pymon_tui.journal.met import Met
from pymon_tui.readings.info import Info
from tests.invalidation.cluster.clusters import RULES, endpoint_of
from tests.servers.fixtures import StartCluster


@pytest.mark.parametrize("away", [False, True])
async def test_every_node_of_a_cluster_has_the_rails_of_each(
    own_cluster: StartCluster, tmp_path: Path, *, away: bool
) -> None:
    """Also where a primary doesn't answer, so that no run could begin: another node can still be acted on."""
    cluster = own_cluster()
    one, other, third = cluster.primaries()
    guard = Guard("prod", f"127.0.0.1:{other.port}", "production", (), 500, 10, 0.002, None, read_only=True)
    if away:
        third.kill()
    asked, info = endpoint_of(one), Info({"run_id": "c0ffee"})
    near, far = [
        await terms_of(asked, info, replace(RULES, guards=(guard,)), Met(tmp_path), far=far) for far in (False, True)
    ]
    assert (near.environment, near.forbids) == (None, "")  # the other node itself is asked for that
    assert (far.environment, far.forbids) == ("production", "profile prod is read-only")
    keeping = replace(guard, read_only=False, protected=(parse_pattern("session:*"),))
    terms = await terms_of(asked, info, replace(RULES, guards=(keeping,)), Met(tmp_path), far=True)
    assert terms.keeps(b"session:1") == "protected session:* (profile prod)"
    assert terms.keeps(b"cache:1") is None
