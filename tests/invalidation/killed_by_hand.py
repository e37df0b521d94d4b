"""A run that told no end, as after a kill: of one that is done, its end is taken out of the journal."""

from __future__ import annotations

from pathlib import Path

from pymon_tui.journal.journal import Journal


def without_end(folder: Path, run: str, **told: int) -> None:
    """Take the account of a run out of the journal; what it has ``told``, if anything, stands in its place."""
    journal = Journal(folder)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(line for line in lines if b'"ended"' not in line or run.encode() not in line))
    if told:
        journal.append("run", "progress", run=run, **told)
