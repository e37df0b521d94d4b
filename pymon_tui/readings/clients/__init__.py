"""The connected clients, from CLIENT LIST."""

from __future__ import annotations

from pymon_tui.readings.clients.client import UNIX_SOCKET, Client, parse_client
from pymon_tui.readings.clients.groups import Group, Grouping, group, labels
from pymon_tui.readings.clients.listing import CLIENTS, ClientTable, node_field, parse_clients
from pymon_tui.readings.clients.rates import COMMANDS, NET_IN, NET_OUT, Rates, Traffic

__all__ = [
    "CLIENTS",
    "COMMANDS",
    "NET_IN",
    "NET_OUT",
    "UNIX_SOCKET",
    "Client",
    "ClientTable",
    "Group",
    "Grouping",
    "Rates",
    "Traffic",
    "group",
    "labels",
    "node_field",
    "parse_client",
    "parse_clients",
]
