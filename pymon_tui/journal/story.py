"""What the entries of one run or undo tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

from pymon_tui.journal.journal import Entry
from pymon_tui.journal.key_count import KeyCount, added, counted
from pymon_tui.journal.lock import holder
from pymon_tui.journal.record import Back, Kind, Outcome, Record, State
from pymon_tui.model.text import safe


class Story:
    """The entries of one run or undo, the first of which is that it was started.

    Attributes:
        told: The last entry with counts.
        given_up: The entry that its trash was given up for another run; that run's process may have written it.
    """

    def __init__(self, started: Entry) -> None:
        self.latest = started
        self.started = started
        self.told: Entry | None = None
        self.progress: Entry | None = None
        self.ended: Entry | None = None
        self.given_up: Entry | None = None

    def add(self, entry: Entry) -> None:
        if entry.event == "given_up":
            self.given_up = entry
            return
        self.latest = entry
        if entry.event == "progress":
            self.progress = self.told = entry
        elif entry.event == "ended":
            self.ended = self.told = entry

    @property
    def has_undone(self) -> bool:
        """Whether this is an undo that came to its end, and brought something back or left nothing to come."""
        ended = self.ended
        if self.started.kind != "undo" or ended is None or _text(ended, "outcome") != "done":
            return False
        if self.back.keys:
            return True
        may_come = any(_number(ended, name) for name in ("skipped", "failed", "left"))
        return not may_come and ended.fields.get("torn") is not True  # what lies behind the tear isn't known

    @property
    def back(self) -> Back:
        """What an undo has brought back, as far as it has told."""

        def count(name: str) -> int:
            return _number(self.told, name) or 0

        told = self.ended.fields if self.ended is not None else {}
        damage = told.get("damage")

        def damaged(name: str) -> int:
            number = damage.get(name) if isinstance(damage, Mapping) else None
            return number if isinstance(number, int) else 0

        begun = self.started.fields
        lost = _may_be_lost(self.ended, count("restored"))
        return Back(
            keys=count("restored") - lost + count("there"),
            expired=count("expired"),
            changed=count("skipped"),
            failed=count("failed"),
            more=self.ended is None or lost > 0,
            noted=count("noted"),
            left=(_number(self.ended, "left") or 0) + lost,
            lost=damaged("unreadable"),
            unproven=damaged("unproven"),
            torn=told.get("torn") is True and not isinstance(damage, Mapping),
            lost_at_least=isinstance(damage, Mapping) and damage.get("at_least") is True,
            # Whoever replaces, or goes elsewhere, restores as well what never went from where it was.
            proven=0 if begun.get("replace") is True or begun.get("elsewhere") is True else count("restored"),
        )


def record_of(own_id: str, story: Story, folder: Path, *, undone: bool, back: Back | None) -> Record:
    """The record of a run or undo, by itself; ``folder`` is the state folder."""
    started = story.started
    run = _text(started, "run")
    plan = started.fields.get("plan")
    patterns = started.fields.get("patterns")
    told = _restored(story) if started.kind == "undo" else _removed(story, back)
    # What its trash has proven holds also once that is gone.
    told = told if story.given_up is None else told.within(_number(story.given_up, "removed_at_most"))
    return Record(
        id=own_id,
        run=run,
        kind=cast(Kind, started.kind),
        state=_state(own_id, run, story, folder),
        started_at=started.at,
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
        removed_at_least=told.least,
        removed_at_most=told.most,
        why=safe(_text(story.ended, "why")),
        undone=started.kind == "run" and undone,
        back=back if started.kind == "run" else None,
        given_up=story.given_up.fields if story.given_up is not None else None,
    )


def whole(record: Record, parts: Sequence[Record]) -> Record:
    """A run or undo with what its parts tell, each of which is written down for itself."""
    if not parts:
        return record
    removed = added(part.removed for part in parts).within(_cap_of(record.started))
    removed = removed.proven(record.back.proven if record.back is not None else 0)
    matched = sum(_settled(part) for part in parts)
    told = [part.result or part.progress or {} for part in parts]
    sooner = sum(each for one in told if isinstance(each := one.get("ending_sooner"), int))
    return replace(
        record,
        parts=tuple(parts),
        undo_path=next((part.undo_path for part in parts if part.undo_path is not None), None),
        removed_at_least=removed.least,
        removed_at_most=removed.most,
        progress={"matched": matched, "ending_sooner": sooner, "pattern_index": 0, "cursor": 0},
    )


def _settled(part: Record) -> int:
    """Keys that won't be found again: those of which nothing is known may be."""
    told = part.result or part.progress or {}
    matched, unknown = told.get("matched"), told.get("unknown")
    return matched - unknown if isinstance(matched, int) and isinstance(unknown, int) else 0


def _state(own_id: str, run: str, story: Story, folder: Path) -> State:
    if story.ended is not None:
        outcome = _text(story.ended, "outcome")
        return cast(State, outcome) if outcome in get_args(Outcome) else "interrupted"
    # A run and its undos share a lock: it matters who has it.
    held_by = holder(folder, f"run-{run}")
    return "running" if held_by is not None and held_by.run in (None, own_id) else "interrupted"


def _removed(story: Story, back: Back | None) -> KeyCount:
    """Keys removed, from the last entry that tells, and from what undos have found."""
    proven, cap = back.proven if back is not None else 0, _cap_of(story.started.fields)
    if story.told is None:
        return counted(0, _number(story.started, "named_up_to"), back=proven, may_match=cap)
    tally = story.told.fields.get("tally")
    counts = tally if isinstance(tally, Mapping) else story.told.fields

    def count(name: str) -> int:
        value = counts.get(name)
        return value if isinstance(value, int) else 0

    removed, named = count("removed"), count("named_up_to")
    if story.ended is not None:
        lost = _may_be_lost(story.ended, removed)
        return counted(removed - lost, count("unknown") + lost, back=proven)
    if story.latest is not story.progress:
        return counted(removed, None, back=proven, may_match=cap)
    # Of all keys that may have been named by now, these were certainly not removed.
    stayed = count("already_gone") + count("ending_sooner") + count("refused")
    return counted(removed, named - stayed - removed, back=proven, may_match=cap)


def _cap_of(started: Mapping[str, Any]) -> int | None:
    """How many keys might go at most, as far as the run wrote that down."""
    cap = started.get("cap")
    return cap if isinstance(cap, int) else None


def _restored(story: Story) -> KeyCount:
    restored, total = _number(story.told, "restored") or 0, _number(story.started, "total")
    lost = _may_be_lost(story.ended, restored)
    return counted(restored - lost, None if story.ended is None else lost, may_match=total)


def _may_be_lost(ended: Entry | None, keys: int) -> int:
    """Of so many keys, those on a server that Sentinels had replaced by then: what became of them isn't certain."""
    return min(keys, _number(ended, "may_be_lost") or 0)


def _undo_path(started: Entry, folder: Path) -> Path | None:
    """The trash: in the state folder, wherever that is by now, or where it was."""
    text = _text(started, "trash" if started.kind == "undo" else "undo")
    if not text:
        return None
    ways = (folder / "trash" / Path(text).name, Path(text))
    return next((path for path in ways if _is_file(path)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # its name is longer than any, or its folder isn't ours to look into
        return False


def _text(entry: Entry | None, name: str) -> str:
    value = entry.fields.get(name) if entry else None
    return value if isinstance(value, str) else ""


def _number(entry: Entry | None, name: str) -> int | None:
    value = entry.fields.get(name) if entry else None
    return value if isinstance(value, int) else None
