"""A picture of the screen in a file of its own: it may show what not everybody on the machine is to see."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pymon_tui.journal.folder import open_private


def save_picture(svg: str, folders: Iterable[Path]) -> Path | None:
    """Write a new file, readable by its owner alone, in the first of the folders that lets us; None if none does.

    It is never written over another file, nor through a link that somebody left there.
    """
    name = f"pymon-{datetime.now(UTC):%Y-%m-%d-%H%M%S-%f}.svg"
    for folder in folders:
        try:
            descriptor = open_private(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(svg)
        except OSError:
            continue
        return folder / name
    return None
