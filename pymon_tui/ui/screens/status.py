"""What the title and the banner say of a source; pure."""

from __future__ import annotations

from pymon_tui.model import units
from pymon_tui.model.environment import is_production
from pymon_tui.model.link import Live, Lost, Trouble
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.persistence import PERSISTENCE
from pymon_tui.readings.server import SERVER
from pymon_tui.ui.widgets.ink import Line, Span, label, span

_WIDE = 100
"""The columns from which on there is room for more than what the server is."""
_NAME, _BESIDE = 12, 42
"""Characters of a node's name at least, and the columns that it leaves to what else the title says."""
_BADGE = 16
"""Characters of a badge: it says what is out of the ordinary, and leaves room for the others."""


def left_title(snapshot: Snapshot, width: int, tabs: Line = ()) -> Line:
    """Our name, the server's or those of all ``tabs``, and what it is."""
    dot = span("●", "good" if isinstance(snapshot.link, Live) else "act" if isinstance(snapshot.link, Lost) else "warn")
    node = span(safe(snapshot.node, max(_NAME, width - _BESIDE)), "strong")
    pieces = [span(" pymon ", "badge"), span(" "), *(tabs or (dot, span(" "), node))]
    fleet = snapshot.fleet
    several = fleet is not None and len(fleet.nodes) > 1
    if fleet is not None and several:
        count, place = len(fleet.nodes), fleet.chosen
        pieces.append(label(f"  all {count} nodes" if place is None else f"  node {place + 1} of {count}"))
        if tabs and place is not None and width >= _WIDE:
            pieces.append(label(f" {snapshot.node}"))
    reading = snapshot.reading(SERVER)
    if isinstance(reading, Ready):
        server = reading.value
        pieces.append(label(f"  {server.product} {server.version}"))
        of_one = fleet is None or not several or fleet.chosen is not None
        if server.role and of_one:
            pieces.append(label(f" · {server.role}"))
        if width >= _WIDE and of_one:
            pieces.append(label(f" · up {units.duration(server.uptime_in_seconds)}"))
    return tuple(pieces)


def right_title(newest: Snapshot, held: Snapshot | None, now: float, *, width: int, read_only: bool) -> Line:
    """Badges for what is out of the ordinary, then the number of keys, the interval and the round trip."""
    pieces: list[Span] = []
    if held is not None:
        pieces += [span(f" PAUSED {units.duration(now - held.at)} ", "alarm"), span(" ")]
    if newest.environment is not None:
        production = is_production(newest.environment)
        shown = safe(newest.environment, _BADGE).upper()
        pieces += [span(f" {shown} ", "alarm" if production else "strong"), span(" ")]
    if not newest.verified:
        pieces += [span(" INSECURE ", "alarm"), span(" ")]
    if read_only:
        pieces += [span("read-only", "info"), span("  ")]
    late = now - newest.at
    if isinstance(newest.link, Live) and late > 2 * newest.interval + 0.5:
        pieces += [span(f"no answer for {units.duration(late)}", "warn"), span("  ")]
    keyspace = newest.reading(KEYSPACE)
    if width >= _WIDE and isinstance(keyspace, Ready):
        pieces.append(label(f"{units.count(keyspace.value.keys)} keys  "))
    pieces.append(label(f"{newest.interval:g} s "))
    if isinstance(newest.link, Live):
        pieces += [label(" rtt "), span(units.milliseconds(newest.link.rtt)), span(" ")]
    return tuple(pieces)


def locked(snapshot: Snapshot) -> Lost | None:
    """What turns us away for want of a password, the server or, where that is asked already, its feed."""
    for link in (snapshot.link, snapshot.feed.status):
        if isinstance(link, Lost) and link.trouble is Trouble.LOCKED:
            return link
    return None


def banner(snapshot: Snapshot, now: float, *, retry: str = "") -> tuple[Line, ...]:
    """What keeps us from the server, since when, and when the next try is; nothing while all is well.

    ``retry`` is the key that tries at once, where it works.
    """
    link = snapshot.link
    if not isinstance(link, Lost):
        return _loading(snapshot) or _nodes_away(snapshot)
    away = units.duration(now - link.since)
    following = max(0.0, link.next_try - now)
    does = "asks for a password" if link.trouble is Trouble.LOCKED else "tries at once"
    when = f"next try in {units.duration(following)}" if following >= 1 else "trying now"
    return (
        (
            span(link.what, "act"),
            *((span(f" · {link.remedy}"),) if link.remedy else ()),
            label(f"   away {away}, {when}{f', {retry} {does}' if retry else ''}"),
        ),
    )


def _loading(snapshot: Snapshot) -> tuple[Line, ...]:
    """How far a server is that reads its data from the disk, and when it has them all."""
    reading = snapshot.reading(PERSISTENCE)
    if not isinstance(reading, Ready) or not reading.value.loading:
        return ()
    percent, eta = reading.value.loading_loaded_perc, reading.value.loading_eta_seconds
    pieces = [span("the server is loading its data", "warn")]
    if percent is not None:
        pieces.append(span(f": {percent:.0f} %"))
    if eta is not None and eta >= 0:
        pieces.append(label(f", done in {units.duration(eta)}"))
    return (tuple(pieces),)


def _nodes_away(snapshot: Snapshot) -> tuple[Line, ...]:
    """What is wrong with the other nodes of the deployment, on one line."""
    fleet = snapshot.fleet
    if fleet is None:
        return ()
    away = [node for node in fleet.nodes if isinstance(node.snapshot.link, Lost)]
    pieces: list[Span] = []
    if fleet.uncovered:
        slots = sum(last - first + 1 for first, last in fleet.uncovered)
        pieces.append(span(f"{slots} slots are served by no node", "act"))
    if away and isinstance(link := away[0].snapshot.link, Lost):
        more = f" and {len(away) - 1} more" if len(away) > 1 else ""
        pieces += [span(" · ")] if pieces else []
        pieces += [span(f"{away[0].snapshot.node}{more} lost", "warn"), span(f": {link.what}")]
    return (tuple(pieces),) if pieces else ()
