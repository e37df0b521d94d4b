"""The journal is read from its end, as far as is asked for, and what is newer is decided by its order."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.journal import lines
from pymon_tui.journal.journal import Entry, Journal
from pymon_tui.journal.lines import head_of, lines_backwards
from pymon_tui.journal.records import Record, Relations, about, find, newest, runs
from pymon_tui.model.text import safe


def id_of(number: int) -> str:
    return f"20261122-{number // 3600:02}{number // 60 % 60:02}{number % 60:02}-0000"


def run(journal: Journal, number: int, *, outcome: str = "done", **more: Any) -> str:
    fields: dict[str, Any] = {"server": "10.0.0.1:6379", "node": "cache", "db": 0, "patterns": ["a:*"]} | more
    journal.append("run", "started", run=id_of(number), **fields)
    journal.append("run", "ended", run=id_of(number), outcome=outcome, tally={"removed": number})
    return id_of(number)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    return Journal(tmp_path)


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"a", b"ba", b"xab"]), max_size=30),
    st.integers(1, 50),
    st.sampled_from([(), (b"a",), (b"ab", b"ba")]),
)
def test_lines_come_backwards_whatever_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], block: int, needles: tuple[bytes, ...]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(content := b"\n".join(parts))
    descriptor = os.open(path, os.O_RDONLY)
    before, lines.BLOCK = lines.BLOCK, block
    try:
        found = list(lines_backwards(descriptor, len(content), needles))
    finally:
        lines.BLOCK = before
        os.close(descriptor)
    wanted = [line for line in content.split(b"\n") if line and (not needles or any(each in line for each in needles))]
    assert [line for _, line in found] == wanted[::-1]
    assert all(content[at : at + len(line)] == line for at, line in found)


def test_no_more_is_read_than_is_asked_for(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        run(journal, number, filled="x" * 20_000)
    size, read = journal.path.stat().st_size, []
    pread = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        read.append(length)
        return pread(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", counted)
    assert [each.id for each in islice(newest(journal), 3) if isinstance(each, Record)] == [
        id_of(199), id_of(198), id_of(197)
    ]  # fmt: skip
    assert find(journal, id_of(195)) is not None
    assert [each.id for each in about(journal, id_of(195))] == [id_of(195)]
    assert sum(read) <= 4 * lines.BLOCK < size / 3


def test_the_order_of_the_file_decides_and_not_the_clock(journal: Journal) -> None:
    first, second = run(journal, 500), run(journal, 20)  # the clock was set back between them
    journal.append("action", "done", name="kill", server="10.0.0.1:6379")
    third = run(journal, 3)
    found = list(newest(journal))
    assert [each.id if isinstance(each, Record) else each.fields["name"] for each in found] == [
        third, "kill", second, first
    ]  # fmt: skip


def test_runs_that_go_on_at_once_stand_by_their_begin(journal: Journal) -> None:
    journal.append("run", "started", run=id_of(1), server="s", patterns=["a:*"])
    journal.append("run", "started", run=id_of(2), server="s", patterns=["b:*"])
    journal.append("run", "ended", run=id_of(1), outcome="done", tally={"removed": 1})
    journal.append("run", "ended", run=id_of(2), outcome="done", tally={"removed": 2})
    assert [(each.id, each.removed_at_least) for each in runs(journal)] == [(id_of(2), 2), (id_of(1), 1)]


def test_only_what_was_done_to_a_server(journal: Journal) -> None:
    own = run(journal, 1)
    run(journal, 2, server="10.0.0.2:6379")
    run(journal, 3, server="10.0.0.2:6379", why='"server":"10.0.0.1:6379"')
    other = run(journal, 4, server="localhost:6379", addresses=["10.0.0.1:6379"])
    journal.append("action", "done", name="kill", server="10.0.0.1:6379")
    journal.append("action", "done", name="kill", server="10.0.0.3:6379")
    found = list(newest(journal, whose=Server(frozenset(), frozenset(), frozenset((safe("10.0.0.1:6379"),))).whose))
    assert isinstance(found[0], Entry)
    assert [each.id for each in found[1:] if isinstance(each, Record)] == [other, own]


def test_the_parts_of_a_run_stand_in_it(journal: Journal) -> None:
    whole, one, two, undo, part = (id_of(number) for number in range(5))
    journal.append("run", "started", run=whole, server="s", patterns=["a:*"])
    journal.append("run", "started", run=one, group=whole, server="t", node="t")
    journal.append("run", "started", run=two, group=whole, server="u", node="u")
    for each, count in ((two, 5), (one, 3)):
        journal.append("run", "ended", run=each, outcome="done", tally={"removed": count})
    journal.append("run", "ended", run=whole, outcome="done", tally={"removed": 8})
    journal.append("undo", "started", undo=undo, run=whole, server="s")
    journal.append("undo", "started", undo=part, run=one, group=undo, server="t")
    journal.append("undo", "ended", undo=part, run=one, outcome="done", restored=3)
    journal.append("undo", "ended", undo=undo, run=whole, outcome="done", restored=3)
    for record in (runs(journal)[1], find(journal, whole)):
        assert record is not None
        assert (record.id, record.undone, record.removed_at_least) == (whole, True, 8)
        assert [(each.node, each.removed_at_least) for each in record.parts] == [("t", 3), ("u", 5)]
    assert [each.id for each in about(journal, one)] == [part, one]
    found = find(journal, one)
    assert found is not None
    assert (found.id, found.undone, found.group) == (one, True, whole)
    for other in (id_of(77), "", "\udcff", "x"):
        assert find(journal, other) is None
        assert about(journal, other) == ()


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind": "run", "event": "started", "run": "20261122-000001-0000"}',
        b'{"time":"x","kind":"run","event":"started","user":"\\"run\\":\\"20261122-000009-0000\\"",'
        b'"run":"20261122-000001-0000"}',
    ],
)
def test_the_head_of_a_line(line: bytes) -> None:
    head = head_of(line)
    assert head is not None
    assert (head.kind, head.event, head.id) == ("run", "started", "20261122-000001-0000")


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"kind":7,"event":"started"}'])
def test_a_line_that_is_not_ours_has_no_head(line: bytes) -> None:
    assert head_of(line) is None


def test_what_went_on_with_a_run_is_read_to_where_it_began_and_once(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        run(journal, number, filled="x" * 20_000)
    first = run(journal, 300, outcome="cancelled")
    second = run(journal, 301, resumes=first)
    run(journal, 302)
    undo = id_of(303)
    journal.append("undo", "started", undo=undo, run=second)
    journal.append("undo", "ended", undo=undo, run=second, outcome="done", restored=3)
    size, read = journal.path.stat().st_size, []
    pread = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        read.append(length)
        return pread(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", counted)
    relations = Relations(journal)
    assert [record.id for record in relations.of(first)] == [undo, second, first]
    assert [record.undone for record in relations.of(first)] == [False, True, False]
    before = sum(read)
    assert before <= 4 * lines.BLOCK < size / 3
    relations.of(first)
    assert sum(read) == before
    run(journal, 304, resumes=first)
    assert [record.id for record in relations.of(first)] == [id_of(304), undo, second, first]
