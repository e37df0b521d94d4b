"""What the journal knows of one run, or of one undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

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

    def is_at(self, address: str) -> bool:
        """Whether it was about the server at this address."""
        return safe(address) in self.addresses

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
