"""Where what is written to a deployment goes."""

from __future__ import annotations

from pymon_tui.model.deployment import Kind, Role
from pymon_tui.model.link import Live
from pymon_tui.model.snapshot import FleetView, Node
from pymon_tui.model.text import join, safe
from pymon_tui.server.endpoint import Endpoint


class NoPrimary(Exception):  # noqa: N818 - what is the case
    """Nobody knows where to write to. Its text is one line for the user."""


def destination(endpoint: Endpoint, fleet: FleetView | None) -> Endpoint:
    """The node to write to: the present primary, and in a cluster any node that answers, for each knows the others.

    Args:
        endpoint: What the user named.
        fleet: The deployment as it is now; None before that is known.

    Raises:
        NoPrimary: If it isn't known which node that is, though others may be taken for it.
    """
    if fleet is None:
        if endpoint.service is not None:
            raise NoPrimary(safe(f"no Sentinel has told yet where the primary of {endpoint.service.name} is"))
        return endpoint
    if fleet.kind is Kind.CLUSTER:
        return _any(endpoint, fleet)
    if fleet.primary is not None:
        return _at(endpoint, fleet.nodes[fleet.primary])
    claiming = [node.snapshot.node for node in fleet.nodes if node.member.role is Role.PRIMARY]
    if len(claiming) > 1:
        raise NoPrimary(safe(f"{join(' and ', claiming)} all say that they are the primary; wait until one is"))
    if endpoint.service is not None:
        raise NoPrimary(safe(f"the primary of {endpoint.service.name} isn't known; wait until Sentinel has named one"))
    return endpoint  # which says itself what it is


def _any(endpoint: Endpoint, fleet: FleetView) -> Endpoint:
    live = [node for node in fleet.nodes if isinstance(node.snapshot.link, Live)]
    named = [_at(endpoint, node) for node in live if node.member.role is Role.PRIMARY] or [
        _at(endpoint, node) for node in live
    ]
    return named[0] if named else endpoint


def _at(endpoint: Endpoint, node: Node) -> Endpoint:
    """A node's endpoint; the one that the user named keeps its name."""
    if node.member.id == endpoint.address or node.member.address is None:
        return endpoint
    return endpoint.at(node.member.address, node.member.hostname)
