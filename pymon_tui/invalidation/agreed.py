"""A yes holds for the rules that it was given under: stricter ones may be learnt while its question stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.verdict import Verdict, production
from pymon_tui.model import units

_Found = TypeVar("_Found")


def under(
    rules_of: Callable[[_Found], Awaitable[Rules]],
    agreed: Verdict | None,
    error: type[Exception],
    *,
    keys: int | None = None,
    replaces: bool = True,
) -> Callable[[_Found], Awaitable[Rules]]:
    """The rules of what is found, as ``rules_of`` tells them, unless a yes was enough before and isn't any more.

    Args:
        rules_of: Tells the rules.
        agreed: What a person has said yes to, or typed; None where nobody was asked.
        error: Raised, with why, where the pattern is to be typed by now.
        keys: How many go; None where that doesn't matter.
        replaces: Whether anything is lost that production doesn't give away for a yes.
    """

    async def rules_now(found: _Found) -> Rules:
        rules = await rules_of(found)
        if agreed is not None and agreed.confirm == "yes":
            because = ""
            if rules.in_production and replaces:
                because = f"{production(rules)}, which wasn't known when it was confirmed"
            elif keys is not None and keys > rules.type_above:
                because = f"over {units.keys(rules.type_above)} go, which a yes doesn't confirm any more"
            if because:
                raise error(f"{because}; begin anew, and type the pattern")
        return rules

    return rules_now
