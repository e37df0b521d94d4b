"""What the journal knows of one run, or of one undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pymon_tui.journal.dropped import Dropped
from pymon_tui.journal.key_count import NONE, KeyCount, added, counted
from pymon_tui.model.text import SafeText, safe

Outcome: TypeAlias = Literal["done", "cancelled", "stopped", "interrupted"]
State: TypeAlias = Literal["running", "done", "cancelled", "stopped", "interrupted"]
Kind: TypeAlias = Literal["run", "undo"]


@dataclass(frozen=True, slots=True)
class Back:
    """What the undos of a run have brought back, by the one that found the most of its keys there at its end.

    Attributes:
        keys: Keys that are there as they were.
        expired: Those that would have ended by then of themselves.
        changed: Those of whose name there was a key by then, or that were changed since, and that are left as they are.
        failed: Those that the server refused.
        more: Whether more may be back: an undo told no end.
        noted: Of how many of its keys the trash tells what undos found.
        left: Those that it didn't come to.
        lost: Those whose copies can't be read any more.
        unproven: Those of which nobody knows any more if the run removed them, and that are left alone.
        torn: Whether the end of the trash is missing, so that it isn't known of more keys.
        lost_at_least: Whether copies of more keys than ``lost`` may be lost.
        proven: Keys that an undo found gone on the server that they were removed from, and restored there.
    """

    keys: int
    expired: int = 0
    changed: int = 0
    failed: int = 0
    more: bool = False
    noted: int = 0
    left: int = 0
    lost: int = 0
    unproven: int = 0
    torn: bool = False
    lost_at_least: bool = False
    proven: int = 0

    def as_json(self) -> dict[str, int]:
        """For ``--json``."""
        return {name: number for name, number in asdict(self).items() if name not in ("noted", "proven")}

    @property
    def lacks_some(self) -> bool:
        """Whether some of the keys are neither back nor ended, or may be."""
        return bool(self.changed or self.failed or self.left or self.lost or self.unproven or self.torn)

    @property
    def may_come(self) -> bool:
        """Whether another undo may bring more of them; what can't be read any more comes by none."""
        return bool(self.changed or self.failed or self.left or self.unproven or self.more)

    @property
    def comes_by_replacing(self) -> bool:
        """Whether another undo brings more of them by replacing alone."""
        return bool(self.changed or self.unproven) and not (self.failed or self.left or self.more)


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
        back: What undos of this run have brought back, also such as were cut off; None where there was none.
        parts: What it consisted of, where it went on at several nodes of a cluster: each node's own record.
        given_up: The entry that its trash was given up for another run; None where it wasn't.
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
    back: Back | None = None
    given_up: Mapping[str, Any] | None = None

    @property
    def undone_in_part(self) -> bool:
        """Whether an undo brought keys back, and others that the run removed have neither come back nor ended since."""
        return self._lacks_some or (self._is_back and self._dropped != NONE)

    @property
    def _is_back(self) -> bool:
        return self.back is not None and (self.undone or bool(self.back.keys))

    @property
    def _lacks_some(self) -> bool:
        """Whether it is undone in part by what undos have told, whatever became of its trash since."""
        back = self.back
        if back is None or not self._is_back:
            return False
        came, most = back.keys + back.expired, self.removed_at_most
        comes_short = came < self.removed_at_least or (back.lost_at_least and (most is None or came < most))
        return not self.undone or comes_short or back.lacks_some or self._may_lack_some

    @property
    def removed(self) -> KeyCount:
        """Keys that were removed, at least and at most; of an undo, those that were restored."""
        return KeyCount(self.removed_at_least, self.removed_at_most)

    @property
    def to_come(self) -> KeyCount:
        """Keys that an undo of this run could still bring back."""
        if self.undone and not self._lacks_some:
            return NONE
        if self.parts:
            return added(part.to_come for part in self.parts).within(self.removed_at_most)
        return self._not_back if self.undo_path is not None else NONE

    @property
    def may_come(self) -> bool:
        """Whether another undo may bring more of it than the ones before."""
        if self.parts:
            return any(part.may_come for part in self.parts if part.undo_path is not None)
        return self.back is None or self.back.may_come

    @property
    def dropped(self) -> Dropped | None:
        """Keys that were kept, and that no undo brings back any more, as their trash is gone; None for none.

        Of an undo, those that it couldn't bring back.
        """
        if self.kind == "undo":
            return Dropped.from_json((self.result or {}).get("dropped"))
        if self._dropped == NONE:
            return None
        nodes = (part.node for part in self.parts if part._dropped != NONE)
        return Dropped(self._dropped, tuple(dict.fromkeys(nodes)))

    @property
    def _dropped(self) -> KeyCount:
        if self.kind == "undo" or (self.undone and not self._lacks_some and not self.parts):
            return NONE
        if self.parts:
            return added(part._dropped for part in self.parts).within(self.removed_at_most)
        kept = (self.started if self.result is None else self.result).get("undo")
        if self.dry_run or not kept or self.undo_path is not None:
            return NONE
        told = (self.given_up or {}).get("keys_at_most")
        return self._not_back.within(told if isinstance(told, int) else None)

    @property
    def _not_back(self) -> KeyCount:
        """Keys in its trash that undos have left there."""
        back = self.back or Back(0)
        if self.undone and not back.may_come:
            return NONE
        settled = back.keys + back.expired + back.lost
        more = None if back.more or back.lost_at_least else settled
        return self.removed.without(self._unkept).without(KeyCount(settled, more))

    @property
    def _unkept(self) -> KeyCount:
        """Keys that went without being kept, though they were to be."""
        if self.parts:
            return added(part._unkept for part in self.parts)
        told = self.result or self.progress or self.started
        least, most = told.get("undo_left_out", 0), told.get("undo_left_out" if self.result else "unkept_up_to")
        least = least if isinstance(least, int) else 0
        return counted(least, most - least if isinstance(most, int) else None)

    @property
    def _may_lack_some(self) -> bool:
        """Whether it told no end, and keys went after what it told last that weren't kept."""
        if self.result is not None:
            return False
        if self.parts:
            return any(part._may_lack_some for part in self.parts)
        told = self.progress or self.started
        most = told.get("unkept_up_to")
        return isinstance(most, int) and most > int(told.get("undo_left_out") or 0)

    @property
    def not_kept(self) -> int | None:
        """Keys that went without being kept for an undo; None where that isn't known, or none was to be kept."""
        if not self.started.get("undo"):
            return None
        if self._may_lack_some:
            return None
        told = (self.result or self.progress or {}).get("undo_left_out")
        if isinstance(told, int):
            return told
        counts = [part.not_kept for part in self.parts]
        known = [count for count in counts if count is not None]
        return sum(known) if counts and len(known) == len(counts) else None

    @property
    def oversized_keys(self) -> tuple[SafeText, ...]:
        """Some of the keys that were too big to be kept, as the account lists them."""
        return _listed(self.result, "oversized_keys")

    @property
    def refused_keys(self) -> tuple[SafeText, ...]:
        """Some of the keys that the user might not touch, as the account lists them."""
        return _listed(self.result, "refused_keys")

    @property
    def way(self) -> tuple[str, ...]:
        """The words of the command line that led to the server; empty where they weren't written down."""
        way = self.started.get("way")
        return tuple(word for word in way if isinstance(word, str)) if isinstance(way, list) else ()

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


def _listed(told: Mapping[str, Any] | None, name: str) -> tuple[SafeText, ...]:
    some = told.get(name) if told is not None else None
    return tuple(safe(str(key)) for key in some) if isinstance(some, list) else ()
