"""No run lets more keys go for good than its plan said: it holds, and where nobody is there it stops."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from redis import Redis, RedisCluster

from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.trash import TrashHeader, TrashWriter, trash_path, trash_size
from pymon_tui.invalidation.trash_files import next_number
from pymon_tui.journal.folder import state_folder
from pymon_tui.journal.lock import lock
from tests.removing.conftest import Command, fill, keys_of
from tests.removing.test_journal import CUT_OFF, cut_off, plan_of
from tests.servers.cluster import Cluster

Change = Callable[[Callable[[], object]], None]

BIG = 20_000
OTHER = "20261122-120411-7c3f"


def noise(number: int) -> bytes:
    """Bytes that nothing makes smaller, and others for each number."""
    return Random(number).randbytes(BIG)


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> Change:
    """What changes once a plan is made, and before its run."""

    def change(what: Callable[[], object]) -> None:
        removal = Desk.removal

        def changed(desk: Desk, *arguments: Any) -> WholeRemoval:
            made = removal(desk, *arguments)
            what()
            return made

        monkeypatch.setattr(Desk, "removal", changed)

    return change


@pytest.mark.parametrize(
    ("name", "value", "stay"), [("PYMON_TRASH_KEY_SIZE", "10KiB", 3), ("PYMON_TRASH_SIZE", "30KiB", 2)]
)
def test_nobody_is_there_to_be_asked_and_what_to_do_is_said(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, then: Change, name: str, value: str, stay: int
) -> None:
    fill(db, "a:", 300)
    monkeypatch.setenv(name, value)
    then(lambda: db.mset({f"a:{number}": noise(number) for number in range(3)}))
    ran = pymon("invalidate", "a:*", "--yes", "--json")
    told = ran.told
    assert (ran.code, told["outcome"], told["verdict"]["undo"]["state"]) == (1, "stopped", "certain")
    assert (told["undo_left_out"], told["oversized_keys"]) == (0, [])  # they are there still
    assert told["removed"] == 300 - stay
    assert len(keys_of(db)) == stay
    said = f"{stay} keys can't be kept for the undo (no room, or too big), and none were to be lost"
    assert (ran.err.count(said), told["why"].count(said)) == (1, 1)
    assert "raise trash_size or trash_key_size, or resume it at a terminal" in ran.err
    again = pymon("invalidate", "--resume", told["run"], "--yes", "--json")
    assert (again.code, again.told["undo_left_out"], len(keys_of(db))) == (1, 0, stay)
    monkeypatch.delenv(name)
    last = pymon("invalidate", "--resume", again.told["run"], "--yes", "--json")
    assert (last.code, last.told["removed"], last.told["undo_left_out"]) == (0, stay, 0)
    assert keys_of(db) == set()


def test_what_was_agreed_to_goes_and_a_tenth_more(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, then: Change
) -> None:
    monkeypatch.setenv("PYMON_TRASH_KEY_SIZE", "10KiB")
    for grown, code, left in ((11, 0, 0), (12, 1, 12)):
        fill(db, "a:", 300)
        db.mset({f"a:{number}": noise(number) for number in range(10)})
        then(lambda grown=grown: db.mset({f"a:{number}": noise(number) for number in range(grown)}))  # type: ignore[misc]
        ran = pymon("invalidate", "a:*", "--yes", "--json")
        assert (ran.code, ran.told["undo_left_out"], len(keys_of(db))) == (code, 0 if code else grown, left)
        assert ran.told["verdict"]["undo"]["lost_keys"] == 10
        assert "10 keys over 10.0 KiB aren't kept" in ran.err
        cant = "12 keys can't be kept for the undo (no room, or too big), and 10 were to be lost: go on, up to "
        assert (cant in ran.err) == bool(code)


def test_values_that_grow_by_a_fifth_lose_no_more_than_was_said(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, then: Change
) -> None:
    """The plan's own margin for sizes is no agreement."""
    monkeypatch.setenv("PYMON_TRASH_SIZE", "1MiB")
    db.mset({f"a:{number}": noise(number)[:3_000] for number in range(500)})
    then(lambda: db.mset({f"a:{number}": noise(number)[:3_660] for number in range(500)}))
    ran = pymon("invalidate", "a:*", "--yes", "--json")
    said = ran.told["verdict"]["undo"]["lost_keys"]
    assert 140 < said < 170
    assert (ran.code, ran.told["outcome"]) == (1, "stopped")
    assert ran.told["undo_left_out"] <= 1.1 * (said + 10)
    # What the plan said, and not how far from that it may be.
    assert f"can't be kept for the undo (no room, or too big), and about {said} were to be lost" in ran.err


def test_a_resume_names_what_the_plan_said_and_has_no_margin_of_its_own(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYMON_TRASH_KEY_SIZE", "10KiB")
    fill(db, "a:", 300)
    cut_off(db, plan_of(pymon, "a:*"), undo="trash", lost_agreed=33, lost_said=30, unkept_up_to=10)
    db.delete(*(f"a:{number}" for number in range(100)))
    db.mset({f"a:{number}": noise(number) for number in range(200, 224)})
    ran = pymon("invalidate", "--resume", CUT_OFF, "--yes", "--json")
    assert (ran.code, ran.told["verdict"]["undo"]["lost_keys"]) == (1, 20)
    assert "about 20 keys would be gone for good" in ran.err
    assert "24 keys can't be kept for the undo (no room, or too big), and about 20 were to be lost" in ran.err
    assert ran.told["undo_left_out"] <= 23


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_keys_too_large_to_be_dumped_for_a_plan_count_as_in_memory(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    monkeypatch.setenv("PYMON_TRASH_SIZE", "1MiB")
    db.mset({f"a:{number}": Random(number).randbytes(100_000) for number in range(30)})
    undo = pymon("invalidate", "a:*", "--dry-run", "--json").told["verdict"]["undo"]
    assert undo["state"] == "partial"
    assert 20 <= undo["lost_keys"] <= 22  # MEMORY USAGE is up to an eighth more than a value
    assert "the undo takes up to" in undo["why"]
    ran = pymon("invalidate", "a:*", "--yes", *more)
    assert (ran.code, len(keys_of(db))) == (0, 0)
    assert f"up to {undo['lost_keys']} keys" in ran.err


def test_what_is_left_of_what_was_agreed_to_holds_for_the_resume(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    monkeypatch.setenv("PYMON_TRASH_KEY_SIZE", "10KiB")
    fill(db, "a:", 300)
    db.mset({f"a:{number}": noise(number) for number in range(4)})
    cut_off(db, plan_of(pymon, "a:*"), undo="trash", lost_agreed=6, unkept_up_to=2)
    db.delete(*(f"a:{number}" for number in range(100, 200)))
    answers[:] = ["y"]
    ran = pymon("invalidate", "--resume", CUT_OFF)
    assert (ran.code, len(keys_of(db))) == (1, 200)
    assert f"about 4 keys would be gone for good: no room, or too big; agreed to for run {CUT_OFF}" in ran.err
    ran = pymon("invalidate", "--resume", CUT_OFF, "--yes", "--json")
    assert (ran.code, ran.told["undo_left_out"], keys_of(db)) == (0, 4, set())
    assert "about 4 keys would be gone for good" in ran.err


def test_keys_that_have_grown_since_a_kill_are_not_agreed_to(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYMON_TRASH_KEY_SIZE", "10KiB")
    fill(db, "a:", 300)
    cut_off(db, plan_of(pymon, "a:*"), undo="trash")
    db.delete(*(f"a:{number}" for number in range(100)))
    db.mset({f"a:{number}": noise(number) for number in range(200, 230)})
    ran = pymon("invalidate", "--resume", CUT_OFF, "--yes")
    assert (ran.code, len(keys_of(db))) == (1, 30)
    assert "30 keys can't be kept for the undo" in ran.err


@pytest.mark.parametrize("grown", [0, 30])
def test_all_nodes_of_a_cluster_are_bound_together(
    cluster: Cluster, pymon: Command, monkeypatch: pytest.MonkeyPatch, then: Change, grown: int
) -> None:
    monkeypatch.setenv("PYMON_TRASH_KEY_SIZE", "10KiB")
    cluster.fill([f"user:{number}" for number in range(300)])
    with RedisCluster(host="127.0.0.1", port=cluster.primaries()[0].port) as client:
        for number in range(30):
            client.set(f"user:{number}", noise(number))

        def swell() -> None:
            for number in range(grown):
                client.set(f"user:1{number:02}", noise(number))

        then(swell)
        node = cluster.primaries()[0]
        where = ("-h", "127.0.0.1", "-p", str(node.port))
        told = pymon(*where, "invalidate", "user:*", "--yes", "--json", socket="").told
        assert told["verdict"]["undo"]["lost_keys"] == 30
        assert told["undo_left_out"] <= 33
        assert (told["outcome"], told["undo_left_out"] == 30) == (("stopped", False) if grown else ("done", True))
        assert sum(client.strlen(key) == BIG for key in sorted(cluster.keys())) == 30 + grown - told["undo_left_out"]


def test_one_that_does_not_fit_costs_no_smaller_one_its_undo(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYMON_TRASH_SIZE", "50KiB")
    fill(db, "a:", 300)
    db.mset({f"a:{number}": Random(number).randbytes(2 * BIG) for number in range(3)})
    ran = pymon("invalidate", "a:*", "--yes", "--json")
    told = ran.told
    assert (ran.code, told["removed"], told["undo_left_out"]) == (0, 300, 2)
    undo = told["verdict"]["undo"]
    assert (undo["state"], undo["lost_keys"]) == ("partial", 2)
    assert 60_000 < undo["lost_bytes"] < 110_000
    assert "about 2 keys, " in ran.err
    assert pymon("undo", "--yes", "--json").told["restored"] == 298


def test_whose_undo_is_given_up_is_said_before(db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYMON_TRASH_SIZE", "300KiB")
    for name in "ab":
        db.mset({f"{name}:{number}": noise(number) for number in range(10)})
    older = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    said = f"the undo of run {older} (10 keys) is given up where its room is needed (trash_size)"
    told = [{"run": older, "keys_at_least": 10, "keys_at_most": 10}]
    dry = pymon("invalidate", "b:*", "--dry-run")
    assert said in " ".join(dry.out.split())
    assert pymon("invalidate", "b:*", "--dry-run", "--json").told["verdict"]["undo"]["gives_up"] == told
    ran = pymon("invalidate", "b:*", "--yes", "--json")
    assert said in ran.err
    assert (ran.told["gave_up"], ran.told["verdict"]["undo"]["gives_up"], ran.told["undo_left_out"]) == (told, told, 0)
    assert pymon("journal", ran.told["run"], "--json").told["result"]["gave_up"] == told
    assert pymon("undo", older, "--yes").code == 4
    assert pymon("undo", ran.told["run"], "--yes", "--json").told["restored"] == 10
    # What was undone is nobody's loss.
    db.mset({f"c:{number}": noise(number) for number in range(10)})
    last = pymon("invalidate", "c:*", "--yes", "--json")
    assert (last.told["gave_up"], last.told["undo_left_out"]) == ([], 0)
    assert "given up" not in last.err


def test_no_undo_is_given_up_that_was_not_named(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, then: Change
) -> None:
    monkeypatch.setenv("PYMON_TRASH_SIZE", "300KiB")
    db.mset({f"a:{number}": noise(number) for number in range(10)})
    older = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    fill(db, "b:", 10)
    then(lambda: db.mset({f"b:{number}": noise(number) for number in range(10)}))
    ran = pymon("invalidate", "b:*", "--yes", "--json")
    assert (ran.code, ran.told["gave_up"], ran.told["undo_left_out"]) == (1, [], 0)
    assert ran.told["removed"] == 10 - len(keys_of(db)) > 0
    assert pymon("undo", older, "--yes", "--json").told["restored"] == 10


@pytest.mark.parametrize("unknown", [False, True])
def test_what_another_run_is_about_to_take_is_no_room(
    db: Redis,
    pymon: Command,
    monkeypatch: pytest.MonkeyPatch,
    unknown: bool,  # noqa: FBT001
) -> None:
    """It has written next to nothing yet."""
    folder, cap = state_folder(), 300 * 1024
    monkeypatch.setenv("PYMON_TRASH_SIZE", f"{cap}")
    db.mset({f"a:{number}": noise(number) * (5 if unknown else 1) for number in range(10)})
    header = TrashHeader(OTHER, "a1b2", 0, "cache", 1.0, marks=True, number=next_number(folder), holds=200 * 1024)
    with TrashWriter(trash_path(folder, OTHER), header, cap=cap), lock(folder, f"run-{OTHER}", run=OTHER):
        ran = pymon("invalidate", "a:*", "--yes", "--json")
        undo = ran.told["verdict"]["undo"]
        assert "of which runs and undos under way have 200 KiB" in undo["why"]
        assert trash_size(folder) <= cap - 200 * 1024
        assert (undo["state"], ran.code) == ("partial", 0)
        assert 0 < ran.told["undo_left_out"] <= 1.1 * undo["lost_keys"] + 1
        assert ("up to" in ran.err) == unknown  # keys too large to be dumped may take less than they do in memory


def test_where_others_hold_all_room_nothing_begins(db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cap = state_folder(), 300 * 1024
    monkeypatch.setenv("PYMON_TRASH_SIZE", f"{cap}")
    fill(db, "a:", 10)
    header = TrashHeader(OTHER, "a1b2", 0, "cache", 1.0, marks=True, number=next_number(folder), holds=cap)
    with TrashWriter(trash_path(folder, OTHER), header, cap=cap), lock(folder, f"run-{OTHER}", run=OTHER):
        assert pymon("invalidate", "a:*", "--yes").code == 4
        assert pymon("invalidate", "a:*", "--dry-run").code == 4
    assert pymon("invalidate", "a:*", "--dry-run").code == 0  # who has ended holds no more than there is
