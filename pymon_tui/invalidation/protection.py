"""Protected patterns that protect less than was meant."""

from __future__ import annotations

from pymon_tui.invalidation.plan import Plan
from pymon_tui.model.text import SafeText, safe


def prefixes(plan: Plan) -> tuple[SafeText, ...]:
    """One line for each protected pattern that held nothing back, and is the mere beginning of keys.

    It has no star, and ends in a colon, or begins the name of a key that would go.
    """
    found = []
    for pattern, held in zip(plan.selection.protected, plan.held, strict=False):
        key = pattern.only_key
        if held or key is None or not (key.endswith(b":") or plan.has_key_of(key)):
            continue
        origin = plan.rules.origin(pattern) if plan.rules is not None else ""
        where = f" (set in {origin})" if origin else ""
        meant = f'keys that begin with it need "{pattern.shown}*"'
        found.append(
            safe(f'protected "{pattern.shown}"{where} holds nothing back: it means that one key; {meant}', 600)
        )
    return tuple(found)
