"""``pymon-tui invalidate``, ``undo`` and ``journal`` on a cluster: one run, whichever node is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.removing.conftest import Command, Ran
from tests.servers.cluster import Cluster
from tests.servers.node import Node


def _at(pymon: Command, node: Node, command: str, *arguments: str) -> Ran:
    return pymon(command, "-h", "127.0.0.1", "-p", str(node.port), *arguments, socket="")


@pytest.fixture
def filled(cluster: Cluster) -> Cluster:
    """The cluster with 300 keys to remove and one to stay."""
    cluster.fill([*(f"user:{number}" for number in range(300)), "users:1"])
    return cluster


def test_a_run_is_told_of_with_its_nodes_and_undone_from_any_of_them(filled: Cluster, pymon: Command) -> None:
    one, other, third = filled.primaries()
    (replica,) = filled.replicas(one)

    ran = _at(pymon, replica, "invalidate", "user:*", "--yes", "--json")

    told = ran.told
    assert ran.code == 0
    assert (told["matched"], told["removed"], told["left"], told["outcome"]) == (300, 300, 0, "done")
    assert [node["node"] for node in told["nodes"]] == [one.address, other.address, third.address]
    assert sum(node["removed"] for node in told["nodes"]) == 300
    assert filled.keys() == {"users:1"}

    listed = _at(pymon, third, "journal")
    assert listed.out.count(told["run"]) == 1
    assert len(listed.out.splitlines()) == 2
    (known,) = _at(pymon, third, "journal", "--json").told["runs"]
    assert {node["node"] for node in known["nodes"]} == {one.address, other.address, third.address}
    detail = pymon("journal", told["run"], socket="")
    assert detail.out.count(" keys  done") == 3
    assert pymon("journal", known["nodes"][0]["id"], socket="").code == 0

    back = _at(pymon, other, "undo", "--yes", "--json").told
    assert (back["run"], back["restored"], back["total"], len(back["nodes"])) == (told["run"], 300, 300, 3)
    assert len(filled.keys()) == 301
    assert "undone" in pymon("journal", told["run"], socket="").out
    assert "is undone already" in _at(pymon, other, "undo", "--yes").err


def test_a_person_sees_how_many_keys_each_node_has(filled: Cluster, pymon: Command) -> None:
    ran = _at(pymon, filled.primaries()[0], "invalidate", "user:*", "--dry-run")

    assert ran.code == 0
    assert "  nodes (3 primaries)\n" in ran.out
    for node in filled.primaries():
        assert ran.out.count(node.address) >= 2
    assert len(filled.keys()) == 301


def test_an_account_in_words(filled: Cluster, pymon: Command) -> None:
    ran = _at(pymon, filled.primaries()[0], "invalidate", "user:*", "--yes")

    assert ran.code == 0
    assert "  removed               300\n" in ran.out
    assert "  nodes\n" in ran.out
    assert ran.err.startswith("300 keys match in db 0 on ")
    assert "restored              300" in _at(pymon, filled.primaries()[0], "undo", "--yes").out


def test_a_guard_of_one_node_holds_whichever_node_is_named(
    filled: Cluster, pymon: Command, answers: list[str], tmp_path: Path
) -> None:
    one, other, _ = filled.primaries()
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.prod]\nenvironment = "production"\nhost = "127.0.0.1"\nport = {one.port}\n')
    for answer, code in (("y", 1), ("user:*", 0)):
        answers[:] = [answer]
        ran = _at(pymon, other, "invalidate", "user:*", "--json")
        assert ran.code == code
        assert (ran.told["verdict"]["confirm"], answers) == ("type", [])
    assert filled.keys() == {"users:1"}
