"""The terms of an action: the same rules that hold for a run on the server that it is for."""

from __future__ import annotations

from pymon_tui.invalidation.cluster.primaries import Found, find, near, told_by
from pymon_tui.invalidation.guarding import rules_of
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.journal.met import Met
from pymon_tui.readings.info import Info
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.terms import Terms


async def terms_of(endpoint: Endpoint, info: Info, rules: Rules, met: Met, *, far: bool) -> Terms:
    """The strictest rules of every profile that means this node, or with ``far`` any node that belongs to it.

    A node whose deployment can't be asked, since a primary of it is away or it doesn't let us, is judged by what it
    tells itself.
    """
    strict = await rules_of(told_by(endpoint, info), endpoint, rules, met)
    if far and not strict.read_only and (found := await _found(endpoint)) is not None:
        strict = await rules_of(found, endpoint, strict, met)
    return strict.terms


async def _found(endpoint: Endpoint) -> Found | None:
    for look in (find, near):
        try:
            return await look(endpoint)
        except (LinkError, Refused):
            continue
    return None
