"""What a wish is in the terms of the engine, and as flags of the command line."""

from __future__ import annotations

from pymon_tui.invalidation.account import Mode, Options
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.filters import Expiry, Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.selection import Selection
from tests.stateful.wishes import FILTERS, Wish


def mode(wish: Wish) -> Mode:
    return "expire" if wish.expire else "unlink"


def flags(wish: Wish) -> list[str]:
    flags = [*wish.patterns, *FILTERS[wish.filter].flags, "--max-keys", str(wish.max_keys), "--all"]
    if wish.expire:
        flags += ["--expire", str(wish.expire), "--jitter", str(wish.jitter)]
    return flags + ["--no-undo"] * (not wish.undo)


def options(wish: Wish, desk: Desk, *, dry_run: bool) -> Options:
    return desk.options(mode(wish), expire=wish.expire, jitter=wish.jitter, undo=wish.undo, dry_run=dry_run)


def selection(wish: Wish, desk: Desk) -> Selection:
    expiry: dict[str, Expiry] = {"no-ttl": "none", "within": "within", "later": "later"}
    flags = FILTERS[wish.filter].flags
    number = float(flags[1]) if len(flags) > 1 and wish.filter not in ("set", "hash") else None
    filters = Filters(
        type=wish.filter if wish.filter in ("set", "hash") else None,
        expiry=expiry.get(wish.filter),
        expiry_seconds=number if wish.filter in ("within", "later") else None,
        idle_over=number if wish.filter == "idle" else None,
        larger_than=int(number) if wish.filter == "larger" and number is not None else None,
    )
    return desk.selection(tuple(map(parse_pattern, wish.patterns)), filters, every=True)
