"""The journal gives up what is old, and never what can be undone or resumed, is under way, or is being written."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pymon_tui.journal import pruning
from pymon_tui.journal.journal import Entry, Journal
from pymon_tui.journal.lock import lock
from pymon_tui.journal.pruning import prune
from pymon_tui.journal.records import Record, newest, runs
from tests.journal.processes import ended, killed, started
from tests.journal.test_reading import id_of, run


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, keep=3)


def ids(journal: Journal) -> list[str]:
    return [each.id if isinstance(each, Record) else str(each.fields["name"]) for each in newest(journal)]


def test_the_newest_stay(journal: Journal) -> None:
    for number in range(10):
        run(journal, number)
    journal.append("action", "done", name="kill", server="s")
    assert prune(journal, ())
    assert ids(journal) == ["kill", id_of(9), id_of(8)]
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert not prune(journal, ())  # it is done
    run(journal, 10)
    assert prune(journal, ())
    assert ids(journal) == [id_of(10), "kill", id_of(9)]


def test_few_are_let_be(journal: Journal) -> None:
    assert not prune(journal, ())
    assert not journal.path.exists()
    for number in range(3):
        run(journal, number)
    assert not prune(journal, ())
    for number in range(3, 40):
        run(journal, number)
    before = journal.path.read_bytes()
    assert not prune(Journal(journal.folder), ())
    assert not prune(Journal(journal.folder, keep=36), ())  # an eighth more may come together
    assert journal.path.read_bytes() == before


@pytest.mark.parametrize("outcome", ["cancelled", "stopped", "interrupted", None])
def test_what_can_be_resumed_stays(journal: Journal, outcome: str | None) -> None:
    journal.append("run", "started", run=id_of(0), server="s")
    if outcome is not None:
        journal.append("run", "ended", run=id_of(0), outcome=outcome, tally={"removed": 7})
    for number in range(1, 10):
        run(journal, number)
    assert prune(journal, ())
    assert ids(journal) == [id_of(9), id_of(8), id_of(7), id_of(0)]
    assert runs(journal)[-1].state == (outcome or "interrupted")
    for number in range(10, 14):
        run(journal, number)
    assert prune(journal, ())
    assert ids(journal) == [id_of(13), id_of(12), id_of(11), id_of(0)]


def test_what_can_be_undone_stays_with_its_undos(journal: Journal) -> None:
    run(journal, 0)
    run(journal, 1)
    for number, outcome in ((2, "stopped"), (3, "cancelled")):
        journal.append("undo", "started", undo=id_of(number), run=id_of(1), server="s")
        journal.append("undo", "progress", undo=id_of(number), restored=1)
        journal.append("undo", "ended", undo=id_of(number), outcome=outcome, restored=1)
    for number in range(4, 10):
        run(journal, number)
    assert prune(journal, [id_of(1)])
    assert ids(journal) == [id_of(9), id_of(8), id_of(7), id_of(3), id_of(2), id_of(1)]


def test_what_is_under_way_stays(journal: Journal) -> None:
    journal.append("run", "started", run=id_of(0), server="s")
    with lock(journal.folder, f"run-{id_of(0)}", run=id_of(0)):
        for number in range(1, 10):
            run(journal, number)
        journal.append("run", "progress", run=id_of(0), removed=5)
        assert prune(journal, ())
        journal.append("run", "ended", run=id_of(0), outcome="done", tally={"removed": 9})
    (*_, old) = runs(journal)
    assert (old.id, old.state, old.removed_at_least) == (id_of(0), "done", 9)


@pytest.mark.parametrize("trash", [(), (id_of(2),)])
def test_a_run_at_several_nodes_stays_whole_or_goes_whole(journal: Journal, trash: tuple[str, ...]) -> None:
    journal.append("run", "started", run=id_of(0), server="s")
    for part in (1, 2):
        journal.append("run", "started", run=id_of(part), group=id_of(0), server="s")
    for part in (1, 2):
        journal.append("run", "ended", run=id_of(part), outcome="done", tally={"removed": part})
    journal.append("run", "ended", run=id_of(0), outcome="done")
    for number in range(3, 10):
        run(journal, number)
    assert prune(journal, trash)
    found = runs(journal)[3:]
    assert [[part.id for part in record.parts] for record in found] == [[id_of(1), id_of(2)]] * len(trash)
    assert [record.removed_at_least for record in found] == [3] * len(trash)
    assert all(id_of(1).encode() not in line for line in journal.newest_lines()) == (not trash)


def test_a_run_at_several_nodes_that_reaches_over_the_cut_stays_whole(journal: Journal) -> None:
    journal.append("run", "started", run=id_of(0), server="s")
    journal.append("run", "started", run=id_of(1), group=id_of(0), server="s")
    journal.append("run", "ended", run=id_of(1), outcome="done", tally={"removed": 1})
    for number in range(3, 10):
        run(journal, number)
    journal.append("run", "started", run=id_of(2), group=id_of(0), server="s")
    journal.append("run", "ended", run=id_of(2), outcome="done", tally={"removed": 2})
    journal.append("run", "ended", run=id_of(0), outcome="done")
    assert prune(journal, ())
    assert [part.id for part in runs(journal)[3].parts] == [id_of(1), id_of(2)]


def test_old_dry_runs_go(journal: Journal) -> None:
    run(journal, 0, outcome="cancelled", options={"dry_run": True})
    for number in range(1, 10):
        run(journal, number)
    assert prune(journal, ())
    assert ids(journal) == [id_of(9), id_of(8), id_of(7)]


def test_torn_lines_are_passed_over(journal: Journal) -> None:
    for number in range(10):
        run(journal, number)
        with journal.path.open("ab") as file:
            file.write(b'{"time":"2026-11-22T12:04:11.000Z","kind":"run","ev')
    assert prune(journal, [id_of(1)])
    assert ids(journal) == [id_of(9), id_of(8), id_of(7), id_of(1)]


def test_who_reads_the_old_file_reads_on(journal: Journal) -> None:
    for number in range(10):
        run(journal, number, filled="x" * 200_000)
    reading = newest(journal)
    first = next(reading)
    assert prune(journal, ())
    run(journal, 10)
    found = [each.id for each in (first, *reading) if isinstance(each, Record)]
    assert found == [id_of(number) for number in reversed(range(10))]


def test_what_is_appended_while_it_is_pruned_is_there(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        run(journal, number)
    staying = pruning._staying

    def meanwhile(descriptor: int, found: Any) -> Iterator[bytes]:
        run(journal, 10)
        yield from staying(descriptor, found)

    monkeypatch.setattr(pruning, "_staying", meanwhile)
    assert prune(journal, ())
    assert ids(journal) == [id_of(10), id_of(9), id_of(8), id_of(7)]


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_a_disk_that_fails_leaves_it_as_it_was(journal: Journal, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    for number in range(10):
        run(journal, number)
    before = journal.path.read_bytes()

    def failing(*_: Any, **__: Any) -> Any:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace" if call == "replace" else f"os.{call}", failing)
        assert not prune(journal, ())
    assert journal.path.read_bytes() == before
    assert not journal.path.with_suffix(".new").exists()
    assert prune(journal, ())


def test_only_one_process_prunes(journal: Journal) -> None:
    for number in range(10):
        run(journal, number)
    with lock(journal.folder, "journal", run=""):
        assert not prune(journal, ())
    assert prune(journal, ())


CUT_OFF = """
import os, sys
from pathlib import Path
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.pruning import prune
def stop(*_, **__):
    print("up", flush=True)
    sys.stdin.readline()
setattr(*((Path, "replace") if sys.argv[2] == "replace" else (os, "fsync")), stop)
prune(Journal(Path(sys.argv[1]), keep=3), ())
"""


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_process_that_is_killed_leaves_it_as_it_was(journal: Journal, at: str) -> None:
    for number in range(10):
        run(journal, number)
    before = journal.path.read_bytes()
    process = started(CUT_OFF, journal.folder, at)
    assert journal.path.with_suffix(".new").exists()
    killed(process)
    assert journal.path.read_bytes() == before
    run(journal, 10)
    assert prune(journal, ())
    assert ids(journal) == [id_of(10), id_of(9), id_of(8)]
    assert not journal.path.with_suffix(".new").exists()


BOTH = """
import sys
from pathlib import Path
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.pruning import prune
journal = Journal(Path(sys.argv[1]), keep=50)
print("up", flush=True)
sys.stdin.readline()
pruned = 0
for number in range(300):
    journal.append("action", "done", name=f"{sys.argv[2]}{number}", server="s")
    pruned += prune(journal, ())
print(pruned)
"""


def test_processes_append_and_prune_at_once(journal: Journal) -> None:
    processes = [started(BOTH, journal.folder, letter) for letter in "abc"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    pruned = [int(ended(process)) for process in processes]
    assert sum(pruned) > 3
    names = [str(entry.fields["name"]) for entry in journal.entries() if entry.kind == "action"]
    assert len(names) >= 50
    for letter in "abc":  # nothing is missing between the oldest that is left and the newest
        own = [int(name[1:]) for name in names if name[0] == letter]
        assert own == list(range(300 - len(own), 300))


EVENTS = st.lists(st.tuples(st.sampled_from(["run", "action", "undo"]), st.sampled_from(["done", "stopped", None])))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(EVENTS, st.integers(1, 6), st.sets(st.integers(0, 20), max_size=3))
def test_whatever_was_done_the_right_ones_stay(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, str | None]], keep: int, kept: set[int]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal"), keep=keep)
    journal.path.touch(mode=0o600)
    lines: list[bytes] = []
    order: list[tuple[str, str, str | None, int]] = []
    for number, (kind, outcome) in enumerate(events):
        of = max((at for at in range(number) if events[at][0] == "run"), default=None)
        if kind == "undo" and of is None:
            continue
        name = f"{number}" if kind == "action" else id_of(number)
        order.append((kind, name, outcome, number if of is None or kind == "run" else of))
        if kind == "action":
            lines.append(journal.line("action", "done", name=name, server="s"))
            continue
        ids_of = {"run": id_of(number)} if kind == "run" else {"undo": name, "run": id_of(of or 0)}
        lines.append(journal.line(kind, "started", server="s", **ids_of))
        if outcome is not None:
            lines.append(journal.line(kind, "ended", outcome=outcome, **ids_of))
    journal.path.write_bytes(b"".join(lines))
    pruned = prune(journal, [id_of(number) for number in kept])
    new = order[len(order) - keep :] if len(order) > keep else order
    staying = {name for kind, name, outcome, of in order if kind == "run" and (outcome != "done" or of in kept)}
    expected = [
        name
        for kind, name, outcome, of in order
        if not pruned
        or (kind, name, outcome, of) in new
        or name in staying
        or (kind == "undo" and id_of(of) in staying)
    ]
    assert pruned == (len(order) > keep + keep // 8)
    assert ids(journal) == expected[::-1]
    assert all(isinstance(each, Entry | Record) for each in newest(journal))
    if pruned:
        first = json.loads(journal.path.read_bytes().partition(b"\n")[0])
        assert (first["kind"], first["event"]) == ("journal", "pruned")


@pytest.mark.parametrize("name", ["", "x", 7, None])
def test_what_has_no_id_keeps_nothing_else(journal: Journal, name: Any) -> None:
    for number in range(3):
        run(journal, number)
    journal.append("run", "started", run=name)
    for number in range(3, 10):
        run(journal, number)
    assert prune(journal, ())
    assert ids(journal) == [id_of(9), id_of(8), id_of(7)]


def test_a_process_that_appends_and_was_stopped_is_not_waited_for(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pymon_tui.journal.journal._PATIENCE", 0.0)
    for number in range(10):
        run(journal, number)
    before = journal.path.read_bytes()
    descriptor = os.open(journal.path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert not prune(journal, ())
    finally:
        os.close(descriptor)
    assert journal.path.read_bytes() == before
    assert not journal.path.with_suffix(".new").exists()
    assert prune(journal, ())
