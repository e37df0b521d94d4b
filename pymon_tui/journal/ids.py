"""What a run is called: a name that sorts by time, and that two machines don't choose at once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from datetime import UTC, datetime

_FORM = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


def new_id(*, other_than: Collection[str] = ()) -> str:
    """The time in UTC and four random hex digits: ``20261122-120411-7c3f``. Those at hand are not chosen again."""
    while (name := f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}") in other_than:
        pass
    return name


def is_id(text: str) -> bool:
    """Whether this has the form of ``new_id``; what hasn't must not become a part of a path."""
    return _FORM.fullmatch(text) is not None
