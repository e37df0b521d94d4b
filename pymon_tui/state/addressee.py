"""Which node of a deployment an action is for, and whether that is one for it."""

from __future__ import annotations

from collections.abc import Mapping

from pymon_tui.model.action import Action, NotDone
from pymon_tui.model.deployment import Member, Role
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.commands import changes_keys
from pymon_tui.state.followed import Followed


def addressee(
    action: Action, chosen: str | None, followed: Mapping[str, Followed], members: Mapping[str, Member]
) -> Followed | NotDone:
    """The node that the action names, else the chosen one; or why it is for neither."""
    name = chosen if action.node is None else _named(action.node, followed)
    if name is None or name not in followed:
        what = safe(f"{action.name} was not sent: it is for one node")
        return NotDone(what, safe("choose the node with n and N"), unknown=False)
    if changes_keys(action.acl) and members[name].role is Role.REPLICA:
        what = safe(f"{action.name} was not sent: {name} is a replica")
        return NotDone(what, _to_primary(members[name].primary, members), unknown=False)
    return followed[name]


def _named(label: SafeText, followed: Mapping[str, Followed]) -> str | None:
    labels = {name: one.monitor.endpoint.label.replace(" ", "_") for name, one in followed.items()}
    return next((name for name, each in labels.items() if safe(each) == label.replace(" ", "_")), None)


def _to_primary(primary: str | None, members: Mapping[str, Member]) -> SafeText:
    if primary is None:
        return safe("n and N step to its primary")
    where = members[primary].address if primary in members else None
    return safe(f"its primary is {where or primary}: n and N step there")
