"""Which server processes were seen under which profile: another address may lead to the same process."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from pymon_tui.journal.folder import make_private, open_private, state_folder
from pymon_tui.model.environment import is_production

_KEPT = 4_096
"""Processes that are remembered, the newest; a restart makes another one."""


def note_production(profile: str | None, environment: str | None, run_id: str | None) -> None:
    """Remember in the platform's state folder that a profile led to a process, if it calls its server production.

    Blocks for as long as the disk takes.

    Args:
        profile: Its name; None where an address led there.
        environment: What it calls the server.
        run_id: Of the process; None where it isn't told.
    """
    if profile is not None and run_id and is_production(environment):
        Met(state_folder()).note(profile, [run_id])


class Met:
    """Server processes by their run id (INFO ``run_id``), in a file of the state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "servers.json"

    def note(self, profile: str, run_ids: Iterable[str]) -> None:
        """Remember that a profile led to these processes. What can't be written is let be: addresses tell most."""
        known = self._read()
        new = [run_id for run_id in run_ids if run_id and profile not in known.get(run_id, ())]
        if not new:
            return
        for run_id in new:
            known[run_id] = [*known.pop(run_id, ()), profile]
        newest = dict(list(known.items())[-_KEPT:])
        with contextlib.suppress(OSError):
            self._write(json.dumps(newest))

    def profiles(self, run_ids: Collection[str]) -> frozenset[str]:
        """The profiles that led to any of these processes."""
        known = self._read()
        return frozenset(profile for run_id in run_ids for profile in known.get(run_id, ()))

    def knows(self, profile: str) -> bool:
        """Whether a profile has led to any process."""
        return any(profile in names for names in self._read().values())

    def _read(self) -> dict[str, list[str]]:
        try:
            with os.fdopen(open_private(self._path, os.O_RDONLY), encoding="utf-8") as file:
                told = json.load(file)
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(told, dict):
            return {}
        return {run_id: [str(each) for each in names] for run_id, names in told.items() if isinstance(names, list)}

    def _write(self, text: str) -> None:
        make_private(self._path.parent)
        # Replaced as a whole: who reads meanwhile has the old one. A name that another process adds may be lost, and is
        # noted when it sees the server again.
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".servers")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
