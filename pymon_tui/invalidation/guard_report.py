"""What there is to say of a server's guard rails, before a run and where no plan tells it."""

from __future__ import annotations

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.report import Row, row
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.verdict import production
from pymon_tui.model import units


def production_rows(rules: Rules) -> tuple[Row, ...]:
    """That the server is production, and who says so; nothing elsewhere."""
    return (row("production", production(rules), "warn"),) if rules.in_production else ()


def note_rows(rules: Rules) -> tuple[Row, ...]:
    """What a person should know of the guard rails of a server, where no plan tells it."""
    return tuple(row("note", note, "warn") for note in rules.notes)


def guard_rows(rules: Rules | None, options: Options) -> tuple[Row, ...]:
    """What holds in production, and what the rules of the server lower of how a run was to go about it."""
    if rules is None:
        return ()
    rows = [*production_rows(rules)]
    held = options.under(rules)
    if held.rate is not None and held.rate != options.rate:
        asked = "" if options.rate is None else f", not {_speed(options.rate)}"
        rows.append(row("rate", f"{_speed(held.rate)} at most{asked}: lowered by the rules of this server", "warn"))
    if held.ceiling != options.ceiling:
        lowered = f"{1000 * held.ceiling:g} ms, not {1000 * options.ceiling:g} ms"
        rows.append(row("ceiling", f"{lowered}: lowered by the rules of this server", "warn"))
    return tuple(rows)


def _speed(rate: float) -> str:
    return f"{units.whole(round(rate))} keys/s"
