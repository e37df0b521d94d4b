"""What a run kept and lost since, as its file was given up for another run or removed by hand, is said everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from redis import Redis

from pymon_tui.invalidation.boot import boot_id
from pymon_tui.journal.folder import state_folder
from tests.invalidation.killed_by_hand import without_end
from tests.removing.conftest import Command, fill
from tests.removing.test_cluster import _at
from tests.servers.cluster import Cluster

KEYS, SIZE = 90, 1_000
MARKED = pytest.mark.skipif(boot_id() is None, reason="the system doesn't tell when it was started")


def noise(name: str, count: int) -> dict[str, bytes]:
    """Keys whose values nothing makes smaller."""
    return {f"{name}{number}": Random(number).randbytes(SIZE) for number in range(count)}


def run_of(pymon: Command, run: str) -> dict[str, Any]:
    """What the journal tells of it."""
    told: dict[str, Any] = pymon("journal", run, "--json", socket="").told
    return told


def killed(run: str, *, named_up_to: int) -> None:
    """Make it one that told no end, and that may have named so many keys by what it told."""
    without_end(state_folder(), run)
    journal = state_folder() / "journal.jsonl"
    entries = [json.loads(line) for line in journal.read_bytes().splitlines()]
    for entry in entries:
        if entry.get("run") == run and entry["event"] == "started":
            entry["named_up_to"] = entry["cap"] = named_up_to
    journal.write_text("".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries))


def give_up(pymon: Command, monkeypatch: pytest.MonkeyPatch, db: Redis, size: int) -> Any:
    """The account of another run that needs so many bytes of what there is."""
    folder = state_folder() / "trash"
    cap = sum(path.stat().st_size for path in folder.iterdir())
    db.mset(noise("z:", size // SIZE))
    monkeypatch.setenv("PYMON_TRASH_SIZE", str(cap))
    told = pymon("invalidate", "z:*", "--yes", "--json").told
    monkeypatch.delenv("PYMON_TRASH_SIZE")
    return told


@pytest.mark.parametrize("mode", [(), ("--expire", "3000")], ids=["unlink", "expire"])
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "killed"])
@pytest.mark.parametrize("by_hand", [True, False], ids=["by hand", "given up"])
def test_what_one_node_lost_is_said_before_an_undo_and_after_it(
    cluster: Cluster,
    pymon: Command,
    db: Redis,
    answers: list[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    mode: tuple[str, ...],
    ended: bool,
    by_hand: bool,
) -> None:
    values = noise("a:", KEYS)
    for key, owner in cluster.owners(values).items():
        owner.ask("SET", key, values[key])
    one = cluster.primaries()[0]
    run = _at(pymon, one, "invalidate", "a:*", "--yes", "--json", *mode).told["run"]
    nodes = run_of(pymon, run)["nodes"]
    files = {Path(node["undo"]): node for node in nodes}
    gone = min(files, key=lambda path: json.loads(path.read_bytes().partition(b"\n")[0])["number"])
    lost, node = files[gone]["removed_at_most"], files[gone]["node"]
    if not ended:
        for each in (run, *(node["id"] for node in nodes)):
            without_end(state_folder(), each)
    if by_hand:
        gone.unlink()
    else:
        (given_up,) = give_up(pymon, monkeypatch, db, 2 * SIZE)["gave_up"]
        assert (given_up["run"], given_up["keys_at_most"]) == (run, lost)
    assert [path.exists() for path in files].count(False) == 1
    assert not gone.exists()
    dropped = _at(pymon, one, "undo", run, "--yes", "--json")
    told = dropped.told["dropped"]
    assert told == {"keys_at_least": lost if ended else 0, "keys_at_most": lost, "nodes": [node]}
    assert dropped.told["verdict"]["undo"]["dropped"] == told
    assert dropped.told["restored"] == KEYS - lost
    assert dropped.code == 1
    assert dropped.err.startswith(
        f"for good: the undo of {'up to ' * (not ended)}{told['keys_at_most']} keys of {node}"
    )
    known = run_of(pymon, run)
    assert (known["undone"], known["undone_in_part"], known["dropped"]) == (True, True, told)
    assert (known["back"]["keys"], known["back"]["dropped_at_most"]) == (KEYS - lost, told["keys_at_most"])
    words = pymon("journal", run, socket="").out
    assert "none: no more of it can come" in words
    assert f"of {node} was dropped for newer ones, or removed by hand" in words
    undo = dropped.told["undo"]
    assert run_of(pymon, undo)["dropped"] == told
    assert f"of {node} was dropped" in pymon("journal", undo, socket="").out
    answers[:] = ["n"]
    asked = _at(pymon, one, "undo", run).err
    removed = f"{KEYS} keys" if ended else f"{KEYS - lost} to {KEYS} keys"
    assert f"  {removed} {'given an end' if mode else 'removed'} in db 0 on " in asked
    assert f"  kept: {KEYS - lost} keys\n" in asked
    assert "is undone in part: " in _at(pymon, one, "undo").err


def test_a_file_that_is_removed_by_hand_is_told_with_its_keys(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    Path(run_of(pymon, run)["undo"]).unlink()
    assert "or removed by hand (3 keys)" in pymon("undo", run, "--yes").err
    known = run_of(pymon, run)
    assert known["dropped"] == {"keys_at_least": 3, "keys_at_most": 3, "nodes": []}
    assert (known["undone"], known["undone_in_part"], known["back"]) == (False, False, None)


def test_a_file_that_goes_after_its_undo_loses_nothing(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    assert pymon("undo", "--yes").code == 0
    Path(run_of(pymon, run)["undo"]).unlink()
    known = run_of(pymon, run)
    assert (known["dropped"], known["undone"], known["undone_in_part"]) == (None, True, False)


def test_what_an_undo_left_is_lost_with_the_file(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    fill(db, "a:", 1)
    db.set("a:0", "new")
    assert pymon("undo", "--yes", "--json").told["skipped"] == 1
    Path(run_of(pymon, run)["undo"]).unlink()
    assert run_of(pymon, run)["dropped"]["keys_at_most"] == 1


@MARKED
def test_what_a_trash_proved_of_killed_runs_holds_once_it_is_given_up(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    for count in (30, 20):
        db.mset(noise("a:", count))
        runs.append(pymon("invalidate", "a:*", "--yes", "--json").told["run"])
        killed(runs[-1], named_up_to=3_000)
        assert run_of(pymon, runs[-1])["removed_at_most"] == count
    told = give_up(pymon, monkeypatch, db, 40 * SIZE)
    assert told["gave_up"] == [
        {"run": runs[0], "keys_at_least": 0, "keys_at_most": 30},
        {"run": runs[1], "keys_at_least": 0, "keys_at_most": 20},
    ]
    for run, count in zip(runs, (30, 20), strict=True):
        known = run_of(pymon, run)
        assert (known["undo"], known["removed_at_least"], known["removed_at_most"]) == (None, 0, count)
        assert known["dropped"] == {"keys_at_least": 0, "keys_at_most": count, "nodes": []}


@pytest.mark.parametrize("kept", [0, 4], ids=["all is back", "some is left"])
def test_an_undo_that_is_used_while_the_question_stands_is_given_up_for_what_it_left(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, *, kept: int, answers: list[str]
) -> None:
    db.mset(noise("a:", 30))
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    file = Path(run_of(pymon, run)["undo"])
    db.mset({f"a:{number}": "new" for number in range(kept)} | {"b": "x"})
    db.mset(noise("z:", 20))
    monkeypatch.setenv("PYMON_TRASH_SIZE", str(file.stat().st_size + 1_000))
    asked = []

    def then_undone() -> bytes:
        asked.append(pymon("undo", run, "--yes", "--json").told["restored"])
        return b"y\n"

    monkeypatch.setattr("pymon_tui.removing.console._read", then_undone)
    ran = pymon("invalidate", "z:*", "--json")
    assert (asked, file.exists(), ran.code) == ([30 - kept], False, 0)
    left = [{"run": run, "keys_at_least": kept, "keys_at_most": kept}] if kept else []
    assert ran.told["gave_up"] == left
    assert not answers
