"""The journal's runs, undos and actions, the newest first: read from the end of the file, as far as is asked for.

What is newer is decided by the order in which they were begun in the file, whatever the clocks said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from pymon_tui.journal.ids import is_id
from pymon_tui.journal.journal import Entry, Journal, entry_of
from pymon_tui.journal.lines import head_of, id_in
from pymon_tui.journal.record import Back, Kind, Outcome, Record, State
from pymon_tui.journal.story import Story, record_of, whole
from pymon_tui.journal.whose import Whose

__all__ = [
    "Back",
    "Kind",
    "Outcome",
    "Record",
    "Relations",
    "State",
    "Whose",
    "about",
    "find",
    "newest",
    "related",
    "runs",
]


class _Told:
    """What was read, from the end of the journal on, of runs and undos; most of it is never parsed.

    Attributes:
        undone: Runs that an undo has brought back, of those undos that were read.
        back: What undos have brought back of each run, of those that were read.
    """

    def __init__(self, journal: Journal, lines: Iterable[bytes]) -> None:
        """``lines`` are those of the journal, the newest first."""
        self._folder = journal.folder
        self._read = lines
        self._lines: dict[str, list[bytes]] = {}  # of those whose begin wasn't read yet
        self.undone: set[str] = set()
        self.back: dict[str, Back] = {}

    def begun(self) -> Iterator[tuple[str, list[bytes]]]:
        """The id of each, once its begin was read, with its lines, that one first; an action has no id.

        Raises:
            JournalError: If the journal can't be read.
        """
        for line in self._read:
            head = head_of(line)
            if head is None:
                continue
            if head.kind == "action":
                yield "", [line]
            elif is_id(head.id):
                self._lines.setdefault(head.id, []).append(line)
                if head.event == "started":
                    yield head.id, self._lines.pop(head.id)[::-1]

    def undo(self, lines: list[bytes]) -> None:
        """Note what became of an undo; the lines of a run tell nothing here."""
        story = _story(lines)
        if story is None or story.started.kind != "undo":
            return
        run, back = str(story.started.fields.get("run")), story.back
        if story.has_undone:
            self.undone.add(run)
        # An undo after another one counts what that one brought back as there, or as changed since.
        newer = self.back.get(run, back)
        most = max(newer, back, key=lambda each: each.keys)
        proven = max(newer.proven, back.proven)
        self.back[run] = replace(most, more=newer.more, noted=max(newer.noted, back.noted), proven=proven)

    def record(self, own_id: str, lines: list[bytes]) -> Record | None:
        """The record of a run or undo, by itself; None where its begin can't be read."""
        story = _story(lines)
        if story is None:
            return None
        return record_of(own_id, story, self._folder, undone=own_id in self.undone, back=self.back.get(own_id))


def newest(journal: Journal, *, whose: Whose | None = None) -> Iterator[Record | Entry]:
    """Runs and undos, those at several nodes as one with their parts, and between them the entries of actions.

    Args:
        whose: Only what was done to this server; None for all.

    Raises:
        JournalError: If it can't be read.
    """
    told = _Told(journal, journal.newest_lines())
    parts: dict[str, list[tuple[str, list[bytes]]]] = {}

    def may_be_meant(line: bytes) -> bool:
        return whose is None or whose.may_mean(line)

    if whose is not None and not whose.look_through(journal):
        return
    for own_id, lines in told.begun():
        begin = lines[0]
        if not own_id:
            entry = entry_of(begin) if may_be_meant(begin) else None
            if entry is not None and (whose is None or whose.is_of(entry)):
                yield entry
            continue
        if id_in(begin, "undo"):
            told.undo(lines)
        if group := id_in(begin, "group"):
            parts.setdefault(group, []).append((own_id, lines))
            continue
        of_nodes = parts.pop(own_id, [])
        # What begins a group is written down before its parts, and doesn't tell of their server processes.
        begins = (begin, *(each[0] for _, each in of_nodes))
        if any(may_be_meant(one) for one in begins) and (record := told.record(own_id, lines)) is not None:
            each = [told.record(*part) for part in reversed(of_nodes)]
            found = whole(record, [part for part in each if part is not None])
            if whose is None or whose.means(found):
                yield found


def runs(journal: Journal) -> tuple[Record, ...]:
    """All runs and undos, the newest first, as ``newest``. Reads the whole journal.

    Raises:
        JournalError: If it can't be read.
    """
    return tuple(record for record in newest(journal) if isinstance(record, Record))


def find(journal: Journal, own_id: str) -> Record | None:
    """The run or undo of this id, with its parts, or the part of one; None if the journal has none.

    Raises:
        JournalError: If it can't be read.
    """
    return next((record for record in related(journal, own_id) if record.id == own_id), None)


def related(journal: Journal, own_id: str) -> tuple[Record, ...]:
    """A run or undo, or the part of one, and what went on with it or undid any of these, the newest first.

    All of that is newer: the journal is read from its end to where the run begins.

    Raises:
        JournalError: If it can't be read.
    """
    told = _Told(journal, _lines_of(journal, own_id, ("group", "run", "resumes")))
    parts: dict[str, list[tuple[str, list[bytes]]]] = {}
    found: list[Record] = []
    for each, lines in told.begun():
        if not each:
            continue
        if id_in(lines[0], "undo"):
            told.undo(lines)
        if (group := id_in(lines[0], "group")) and each != own_id:
            parts.setdefault(group, []).append((each, lines))
        elif (record := told.record(each, lines)) is not None:
            of_nodes = [told.record(*part) for part in reversed(parts.pop(each, []))]
            found.append(whole(record, [part for part in of_nodes if part is not None]))
    return tuple(found)


class Relations:
    """``related``, read again only where the journal has changed since."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: tuple[str, tuple[int, int] | None, tuple[Record, ...]] | None = None

    def of(self, own_id: str) -> tuple[Record, ...]:
        """As ``related``."""
        stands = self._journal.stands
        if self._known is not None and self._known[:2] == (own_id, stands):
            return self._known[2]
        return self.read(own_id)

    def read(self, own_id: str) -> tuple[Record, ...]:
        """As ``related``, from the file: what is under way may have been ended by a signal meanwhile."""
        stands, found = self._journal.stands, related(self._journal, own_id)
        self._known = (own_id, stands, found)
        return found


def about(journal: Journal, run: str) -> tuple[Record, ...]:
    """A run, or a part of one, and its undos, the newest first, none of them put together.

    Raises:
        JournalError: If it can't be read.
    """
    found: list[Record] = []
    told = _Told(journal, _lines_of(journal, run))
    for own_id, lines in told.begun():
        if own_id and id_in(lines[0], "run") == run:
            told.undo(lines)
            if (record := told.record(own_id, lines)) is not None:
                found.append(record)
            if own_id == run:
                break
    return tuple(found)


def _lines_of(journal: Journal, own_id: str, names: Collection[str] = ("group", "run")) -> list[bytes]:
    """The lines about a run or undo, the newest first: also of what names it as one of these, such as its undos.

    Those that belong to it are known by how they began, which stands before the rest of them: the file is read again
    for what they went on with, until none more is found.
    """
    if not is_id(own_id):
        return []
    known = {own_id}
    while True:
        lines: list[bytes] = []
        found: set[str] = set()
        for line in journal.newest_lines([each.encode() for each in known]):
            lines.append(line)
            head = head_of(line)
            if head is None or head.event != "started":
                continue
            if head.id == own_id:
                break
            if not known.isdisjoint(id_in(line, name) for name in names):
                found.add(head.id)
        if found <= known:
            return lines
        known |= found


def _story(lines: list[bytes]) -> Story | None:
    entries = [entry for line in lines if (entry := entry_of(line)) is not None]
    if not entries or entries[0].event != "started" or not is_id(str(entries[0].fields.get("run"))):
        return None
    story = Story(entries[0])
    for entry in entries[1:]:
        story.add(entry)
    return story
