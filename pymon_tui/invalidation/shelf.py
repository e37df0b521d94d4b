"""What is in the trash folder before a run: what others hold, and whose undo is given up where more room is needed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from pymon_tui.invalidation.trash_files import TrashFile, trash_files
from pymon_tui.journal.key_count import NONE, KeyCount, added
from pymon_tui.journal.lock import holder

UNKNOWN = KeyCount(0, None)
"""Keys of a run that the journal doesn't know."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A run whose undo is given up.

    Attributes:
        run: Its name.
        files: The files of the trash that are removed for it, and how many keys could have been brought back from each.
    """

    run: str
    files: tuple[tuple[str, KeyCount], ...]

    @property
    def keys(self) -> KeyCount:
        """Keys that could have been brought back."""
        return added(keys for _, keys in self.files)

    @property
    def costs(self) -> bool:
        """Whether a key may go for good by that."""
        return self.keys != NONE

    def of(self, files: Collection[str]) -> Self:
        """The same, where only these of its files are removed."""
        return replace(self, files=tuple(each for each in self.files if each[0] in files))

    def as_json(self) -> dict[str, Any]:
        """For ``--json`` and the journal."""
        return {"run": self.run, "keys_at_least": self.keys.least, "keys_at_most": self.keys.most}


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files of the trash at one moment.

    Attributes:
        free: Bytes that the disk has left; None where that isn't known.
        held: Bytes that runs and undos under way hold, as large as those files will be.
        others: The other files, the oldest first, and their sizes.
        whose: Tells the run that a file belongs to, and how many keys could have been brought back from it.
    """

    free: int | None = None
    held: int = 0
    others: tuple[tuple[str, int], ...] = ()
    whose: Callable[[str], tuple[str, KeyCount]] | None = None

    def given_up_for(self, needed: int, cap: int) -> tuple[GivenUp, ...]:
        """Whose undo goes, the oldest first, so that ``needed`` bytes fit beside the others under ``cap``."""
        size, files = self.held + sum(size for _, size in self.others), []
        for file, bytes_ in self.others:
            if size + needed <= cap:
                break
            size -= bytes_
            files.append(file)
        runs: dict[str, GivenUp] = {}
        for file in files:
            run, keys = self.whose(file) if self.whose is not None else (file, UNKNOWN)
            runs[run] = GivenUp(run, (*(runs[run].files if run in runs else ()), (file, keys)))
        return tuple(runs.values())


def shelf_of(
    folder: Path,
    free: int | None,
    whose: Callable[[str], tuple[str, KeyCount]],
    *,
    keep: Collection[str] = (),
) -> Shelf:
    """What is there in the state folder; the files of the runs to ``keep`` aren't given up."""
    files = trash_files(folder)
    used = {file.run: file.size for file in files if is_in_use(folder, file)}
    used |= {file.run: max(file.size, file.holds) for file in files if file.run in used and is_open(folder, file)}
    used |= {file.run: file.size for file in files if file.run in keep and file.run not in used}
    others = tuple((file.run, file.size) for file in files if file.run not in used)
    return Shelf(free, sum(used.values()), others, whose)


def is_in_use(folder: Path, file: TrashFile) -> bool:
    """Whether a run writes it, an undo reads it, or somebody is asked about one."""
    asked = (path.stem for path in (folder / "locks").glob(f"{asked_about(file.run, '*')}.lock"))
    return is_open(folder, file) or any(holder(folder, name) is not None for name in asked)


def is_open(folder: Path, file: TrashFile) -> bool:
    """Whether a run writes it, or an undo reads it."""
    return holder(folder, f"run-{file.run}") is not None


def asked_about(run: str, question: str) -> str:
    """The lock that a question about the undo of this run holds: each has its own, so that several may stand."""
    return f"asked-{run}-{question}"
