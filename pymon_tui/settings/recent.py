"""The servers that were looked at last: addresses only, never a credential."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from platformdirs import user_state_path

from pymon_tui.journal.folder import make_private, open_private
from pymon_tui.server import url
from pymon_tui.server.endpoint import Endpoint

LIMIT = 8


def recent() -> tuple[str, ...]:
    """URLs without credentials, the last one first, at most eight; empty where none can be read."""
    try:
        with os.fdopen(open_private(_path(), os.O_RDONLY), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(line for line in lines if _is_clean(line))[:LIMIT]


def remember(endpoint: Endpoint) -> None:
    """Put a server first in the list. A list that can't be written is let be: it is only a convenience."""
    if endpoint.service is not None:
        return  # no URL leads there; a profile does
    address = url.without_credentials(
        host=endpoint.host,
        port=endpoint.port,
        socket=endpoint.socket,
        db=endpoint.db,
        secure=endpoint.tls is not None,
        via=endpoint.via,
    )
    others = [other for other in recent() if other != address]
    with contextlib.suppress(OSError):
        _write(_path(), "\n".join([address, *others][:LIMIT]) + "\n")


def _path() -> Path:
    return user_state_path("pymon-tui") / "recent"


def _is_clean(line: str) -> bool:
    # The file can be edited by hand: what doesn't lead to a server, or holds a password, isn't shown.
    try:
        address = url.parse(line)
    except ValueError:
        return False
    return address.username is None and address.password is None


def _write(path: Path, content: str) -> None:
    make_private(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
