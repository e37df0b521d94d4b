"""What the journal knows of each run and each undo, folded from its entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

from pymon_tui.journal.ids import is_id
from pymon_tui.journal.journal import Entry, Journal
from pymon_tui.journal.lock import holder
from pymon_tui.model.text import SafeText, safe

Outcome: TypeAlias = Literal["done", "cancelled", "stopped", "interrupted"]
State: TypeAlias = Literal["running", "done", "cancelled", "stopped", "interrupted"]
Kind: TypeAlias = Literal["run", "undo"]


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One run, or one undo.

    Attributes:
        id: Its own id.
        run: The run that it is, or that it undoes.
        kind: Which of the two.
        state: How it ended. Without an end it is running for as long as its lock is held, and interrupted after that.
        started_at: When (UTC).
        user: The user of the operating system.
        ssh: Where that user came from by SSH, or None.
        acl_user: Whom the server knew.
        node: What the user called the server: a profile's name, or its address.
        server: Its address.
        run_id: The server process.
        db: The database.
        patterns: As they are typed.
        mode: ``unlink`` or ``expire``; empty for an undo.
        started: All that was written down at the start, its options among it.
        plan: The plan as JSON, or None.
        progress: The last entry of progress, or None.
        result: The entry of the end, or None.
        undo_path: The run's trash, or None where there is none, or no longer.
        removed_at_least: Keys that were removed for certain; of an undo, those that were restored.
        removed_at_most: And those that may have been, where answers were lost or never written down; None if unknown.
        why: Why it ended as it did; empty where there is nothing to say.
        undone: Whether an undo of this run came to its end, and brought something back or left nothing to come.
        parts: What it consisted of, where it went on at several nodes of a cluster: each node's own record.
    """

    id: str
    run: str
    kind: Kind
    state: State
    started_at: datetime
    user: SafeText
    ssh: SafeText | None
    acl_user: SafeText
    node: SafeText
    server: SafeText
    run_id: str
    db: int
    patterns: tuple[SafeText, ...]
    mode: SafeText
    started: Mapping[str, Any]
    plan: Mapping[str, Any] | None
    progress: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    undo_path: Path | None
    removed_at_least: int
    removed_at_most: int | None
    why: SafeText
    undone: bool
    parts: tuple[Record, ...] = ()

    @property
    def group(self) -> str:
        """The run or undo that it is a part of; empty where it stands alone."""
        group = self.started.get("group")
        return group if isinstance(group, str) else ""

    @property
    def addresses(self) -> frozenset[SafeText]:
        """Where the servers are that it was about, by any of their names."""
        told = self.started.get("addresses")
        others = (safe(address) for address in told if isinstance(address, str)) if isinstance(told, list) else ()
        return frozenset((self.server, *others))

    @property
    def replid(self) -> str:
        """The replication history that the server had (``master_replid``); empty where it isn't known."""
        replid = self.started.get("replid")
        return replid if isinstance(replid, str) else ""

    @property
    def is_settled(self) -> bool:
        """Whether it ended by itself and knows of each key that it named what became of it."""
        return self.state == "done" and self.result is not None and not self.result.get("unknown")

    @property
    def dry_run(self) -> bool:
        """Whether it was a run that was told to remove nothing."""
        options = self.started.get("options")
        return isinstance(options, Mapping) and options.get("dry_run") is True


class _Story:
    """The entries of one run or undo so far; one that was resumed has several starts, and its counts go on.

    Attributes:
        told: The last entry with counts.
    """

    def __init__(self, first: Entry) -> None:
        self.first = first
        self.latest = first
        self.started = first
        self.told: Entry | None = None
        self.progress: Entry | None = None
        self.ended: Entry | None = None

    def add(self, entry: Entry) -> None:
        self.latest = entry
        if entry.event == "started":
            self.started, self.ended = entry, None
        elif entry.event == "progress":
            self.progress = self.told = entry
        elif entry.event == "ended":
            self.ended = self.told = entry


def runs(journal: Journal) -> tuple[Record, ...]:
    """All runs and undos, the newest first; those at several nodes as one, with their parts. Reads the whole journal.

    Raises:
        JournalError: If it can't be read.
    """
    every = on_each_node(journal)
    parts: dict[str, list[Record]] = {}
    for record in reversed(every):
        parts.setdefault(record.group, []).append(record)
    # What begins a group is written down before its parts.
    return tuple(_whole(record, parts.get(record.id, [])) for record in every if not record.group)


def on_each_node(journal: Journal) -> tuple[Record, ...]:
    """As ``runs``, without putting any of them together.

    Raises:
        JournalError: If it can't be read.
    """
    stories = _stories(journal.entries())
    undone = {_text(story.first, "run") for story in stories.values() if _has_undone(story)}
    records = [_record(own_id, story, journal.folder, undone) for own_id, story in stories.items()]
    return tuple(records[::-1])  # as they were written down: a clock may be set back


def resumed_by(records: Iterable[Record], run: Record) -> tuple[Record, ...]:
    """The runs that went on with this one, removed something, and no undo of which came to its end, the newest first.

    Args:
        records: All of the journal, the newest first.
        run: The run.
    """
    every = tuple(records)
    undone = {record.run for record in every if record.kind == "undo" and record.state == "done"}
    chain, found = {run.id}, []
    for record in reversed(every):
        if record.kind == "run" and record.started.get("resumes") in chain:
            chain.add(record.id)
            if record.id not in undone and record.removed_at_most != 0 and record.undo_path is not None:
                found.append(record)
    return tuple(found[::-1])


def _whole(record: Record, parts: Sequence[Record]) -> Record:
    """A run or undo with what its parts tell, each of which is written down for itself."""
    if not parts:
        return record
    most = [part.removed_at_most for part in parts]
    matched = sum(_settled(part) for part in parts)
    return replace(
        record,
        parts=tuple(parts),
        undo_path=next((part.undo_path for part in parts if part.undo_path is not None), None),
        removed_at_least=sum(part.removed_at_least for part in parts),
        removed_at_most=sum(each for each in most if each is not None) if None not in most else None,
        progress={"matched": matched, "pattern_index": 0, "cursor": 0},
    )


def _settled(part: Record) -> int:
    """Keys that won't be found again: those of which nothing is known may be."""
    told = part.result or part.progress or {}
    matched, unknown = told.get("matched"), told.get("unknown")
    return matched - unknown if isinstance(matched, int) and isinstance(unknown, int) else 0


def _stories(entries: Iterable[Entry]) -> dict[str, _Story]:
    stories: dict[str, _Story] = {}
    for entry in entries:
        if entry.kind not in get_args(Kind):
            continue
        own_id = _text(entry, entry.kind)
        if own_id in stories:
            stories[own_id].add(entry)
        elif entry.event == "started" and is_id(own_id) and is_id(_text(entry, "run")):
            stories[own_id] = _Story(entry)
    return stories


def _has_undone(story: _Story) -> bool:
    """Whether it is an undo that came to its end, and brought something back or left nothing to come."""
    ended = story.ended
    if story.first.kind != "undo" or ended is None or _text(ended, "outcome") != "done":
        return False
    back = any(_number(ended, name) for name in ("restored", "there"))
    return back or not any(_number(ended, name) for name in ("skipped", "failed", "left"))


def _record(own_id: str, story: _Story, folder: Path, undone: set[str]) -> Record:
    first, started = story.first, story.started
    run = _text(first, "run")
    plan = started.fields.get("plan")
    patterns = started.fields.get("patterns")
    least, most = _restored(story) if first.kind == "undo" else _removed(story)
    return Record(
        id=own_id,
        run=run,
        kind=cast(Kind, first.kind),
        state=_state(own_id, run, story, folder),
        started_at=first.at,
        user=safe(started.user),
        ssh=None if started.ssh is None else safe(started.ssh),
        acl_user=safe(_text(started, "acl_user")),
        node=safe(_text(started, "node")),
        server=safe(_text(started, "server")),
        run_id=_text(started, "run_id"),
        db=_number(started, "db") or 0,
        patterns=tuple(safe(str(pattern)) for pattern in patterns) if isinstance(patterns, list) else (),
        mode=safe(_text(started, "mode")),
        started=started.fields,
        plan=plan if isinstance(plan, Mapping) else None,
        progress=story.progress.fields if story.progress else None,
        result=story.ended.fields if story.ended else None,
        undo_path=_undo_path(started, folder),
        removed_at_least=least,
        removed_at_most=most,
        why=safe(_text(story.ended, "why")),
        undone=first.kind == "run" and run in undone,
    )


def _state(own_id: str, run: str, story: _Story, folder: Path) -> State:
    if story.ended is not None:
        outcome = _text(story.ended, "outcome")
        return cast(State, outcome) if outcome in get_args(Outcome) else "interrupted"
    # A run and its undos share a lock: it matters who has it.
    held_by = holder(folder, f"run-{run}")
    return "running" if held_by is not None and held_by.run in (None, own_id) else "interrupted"


def _removed(story: _Story) -> tuple[int, int | None]:
    """Keys removed at least and at most, from the last entry that tells."""
    if story.told is None:
        return 0, _number(story.started, "named_up_to")
    tally = story.told.fields.get("tally")
    counts = tally if isinstance(tally, Mapping) else story.told.fields

    def count(name: str) -> int:
        value = counts.get(name)
        return value if isinstance(value, int) else 0

    removed, named = count("removed"), count("named_up_to")
    if story.ended is not None:
        return removed, removed + count("unknown")
    if story.latest is not story.progress:
        return removed, None
    # Of all keys that may have been named by now, these were certainly not removed.
    return removed, max(removed, named - count("already_gone") - count("refused"))


def _restored(story: _Story) -> tuple[int, int | None]:
    restored = _number(story.told, "restored") or 0
    return restored, restored if story.ended is not None else None


def _undo_path(started: Entry, folder: Path) -> Path | None:
    """The trash: in the state folder, wherever that is by now, or where it was."""
    text = _text(started, "trash" if started.kind == "undo" else "undo")
    if not text:
        return None
    ways = (folder / "trash" / Path(text).name, Path(text))
    return next((path for path in ways if path.is_file()), None)


def _text(entry: Entry | None, name: str) -> str:
    value = entry.fields.get(name) if entry else None
    return value if isinstance(value, str) else ""


def _number(entry: Entry | None, name: str) -> int | None:
    value = entry.fields.get(name) if entry else None
    return value if isinstance(value, int) else None
