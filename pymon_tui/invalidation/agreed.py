"""A yes holds for the rules that it was given under: stricter ones may be learnt while its question stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.model.text import SafeText

_Found = TypeVar("_Found")


def under(
    rules_of: Callable[[_Found], Awaitable[Rules]],
    agreed: Verdict | None,
    error: type[Exception],
    because_of: Callable[[Rules], SafeText],
) -> Callable[[_Found], Awaitable[Rules]]:
    """The rules of what is found, as ``rules_of`` tells them, unless a yes was enough before and isn't any more.

    Args:
        rules_of: Tells the rules.
        agreed: What a person has agreed to; None where nobody was asked.
        error: Raised, with why, where the pattern must be typed by now.
        because_of: Why rules want the pattern typed; empty where a yes is enough.
    """

    async def rules_now(found: _Found) -> Rules:
        rules = await rules_of(found)
        if agreed is not None and agreed.confirm == "yes" and (because := because_of(rules)):
            raise error(f"{because}, which wasn't known when it was confirmed; start again, and type the pattern")
        return rules

    return rules_now
