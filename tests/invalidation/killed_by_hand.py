"""A run that told no end, as after a kill: of one that is done, its end is taken out of the journal."""

from __future__ import annotations

from pathlib import Path

from pymon_tui.journal.journal import Journal


def without_end(folder: Path, run: str) -> None:
    """Take the account of a run out of the journal."""
    journal = Journal(folder)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(line for line in lines if b'"ended"' not in line or run.encode() not in line))
