"""What the pane says beside its rows: the state of the feed, its counts, and a message in detail; pure."""

from __future__ import annotations

import time

from rich.cells import cell_len, chop_cells

from pymon_tui.application.recent import Recent
from pymon_tui.model import units
from pymon_tui.model.feed import PAYLOAD_LIMIT, Entry, Feed, Mark
from pymon_tui.model.link import Connecting, Link, Lost
from pymon_tui.model.payload import JsonLine, parsed, pretty, summary
from pymon_tui.model.query import Reading, Ready, Unavailable
from pymon_tui.model.text import SafeText, join, lines, safe
from pymon_tui.readings.channels import Channels, Subscriptions
from pymon_tui.ui.panes.notifications.earlier import RULE_SERIAL
from pymon_tui.ui.panes.notifications.rows import level_role, local_time
from pymon_tui.ui.widgets.ink import BLANK, Line, Span, field, label, span

_NAME = 9
_INDENT = 2
_DEEPEST_INDENT = 16
_SUBTITLE_PATTERNS = 60


def followed(patterns: tuple[bytes, ...]) -> SafeText:
    """The patterns, one after the other."""
    return join(" ", [safe(pattern) for pattern in patterns])


def subtitle(feed: Feed, rate: float | None, width: int, *, full: bool) -> str:
    """The rate; where there is room what is followed; and, where no counts are shown, what was dropped."""
    roomy = width >= _SUBTITLE_PATTERNS
    parts = [safe(followed(feed.patterns), width // 2)] if roomy else []
    parts.append(units.rate(rate))
    if not full and (feed.dropped or roomy):
        parts.append(safe(f"dropped {units.count(feed.dropped)}"))
    return "  ".join(part for part in parts if part)


def state_lines(feed: Feed, now: float, link: Link | None) -> tuple[Line, ...]:
    """One muted line while nothing can come, at a monotonic moment, or not all; none while all is well.

    And none while ``link`` is lost, which is told of the whole screen.
    """
    if isinstance(link, Lost):
        return ()
    status, coverage = feed.status, feed.coverage
    if isinstance(status, Connecting):
        return ((label("connecting"),),)
    if not isinstance(status, Lost):
        if coverage is None or coverage.heard == coverage.primaries:
            return ()
        of_all = f"key events of {coverage.heard} of {coverage.primaries} primaries"
        return ((span(of_all, "warn"), label(f"  {coverage.why}")),)
    following = status.next_try - now
    when = f"next try in {units.duration(following)}" if following >= 1 else "trying now"
    remedy = f"; {status.remedy}" if status.remedy else ""
    return ((span("feed lost ", "warn"), label(f"{status.what}{remedy}, {when}")),)


def empty_text(patterns: tuple[bytes, ...], text: str, add: str) -> str:
    """What stands where rows would; ``add`` is the key that adds a pattern."""
    if text:
        return "no message has that"
    return f"no message yet on {followed(patterns)}" if patterns else f"nothing is followed: press {add}"


def counts_line(feed: Feed, server: Reading[Subscriptions]) -> Line:
    """What came, what of it is kept and what never was; and what all the server's clients are subscribed to."""
    pieces = [*_count("seen", feed.seen), *_count("kept", len(feed)), *_count("dropped", feed.dropped)]
    if isinstance(server, Ready):
        known: Subscriptions = server.value
        pieces += [label("server "), span(_plural(known.pubsub_channels, "channel")), label(", ")]
        pieces.append(span(_plural(known.pubsub_patterns, "pattern")))
    return tuple(pieces)


def gap_lines(channels: Reading[Channels], recent: Reading[Recent]) -> tuple[Line, ...]:
    """A muted line for the channels' list and one for the recent notifications, if the server doesn't give them."""
    gaps = {"channels": channels, "recent notifications": recent}
    return tuple(
        (span(f"{name} not available: {gap.reason.value}{f'; {gap.remedy}' if gap.remedy else ''}", "faint"),)
        for name, gap in gaps.items()
        if isinstance(gap, Unavailable)
    )


def detail_lines(entry: Entry, width: int) -> tuple[Line, ...]:
    """A message or a gap in full, in lines of at most ``width`` cells: where and when it came, and what it says."""
    day = time.strftime("%Y-%m-%d", time.localtime(entry.at))
    when = f"{day} {local_time(entry.at)}" if entry.at else units.UNKNOWN
    # What was kept tells itself when it was published.
    arrived = field("sent" if entry.serial < RULE_SERIAL else "arrived", _NAME, when)
    if isinstance(entry, Mark):
        return (arrived, BLANK, *((Span(piece),) for piece in _folded(entry.text, width)))
    level = summary(entry.payload).level
    size = [span(units.bytes_(entry.size))]
    if entry.size > PAYLOAD_LIMIT:
        size.append(label(f", of which the first {units.bytes_(PAYLOAD_LIMIT)} are kept"))
    name, *rest = _folded(safe(entry.channel, 4 * len(entry.channel) + 1), width - _NAME)
    return (
        field("channel", _NAME, Span(name, "info")),
        *((span(" " * _NAME), Span(piece, "info")) for piece in rest),
        arrived,
        (label("size".ljust(_NAME)), *size),
        *((field("level", _NAME, Span(level, level_role(level))),) if level is not None else ()),
        BLANK,
        *_payload_lines(entry.payload, width),
    )


def _payload_lines(payload: bytes, width: int) -> tuple[Line, ...]:
    value = parsed(payload)
    if value is None:
        return tuple((Span(piece),) for line in lines(payload) for piece in _folded(line, width))
    return tuple(line for json_line in pretty(value) for line in _json_lines(json_line, width))


def _json_lines(line: JsonLine, width: int) -> tuple[Line, ...]:
    indent = min(_INDENT * line.depth, _DEEPEST_INDENT)
    lead = span(" " * indent)
    if line.name is None:
        return tuple((lead, Span(piece)) for piece in _folded(line.text, width - indent))
    name = safe(f"{line.name}: ", len(line.name) + 2)
    if cell_len(name) > width // 2:
        under = tuple((lead, label(piece)) for piece in _folded(name, width - indent))
        return (*under, *((lead, Span(piece)) for piece in _folded(line.text, width - indent)))
    first, *rest = _folded(safe(name + line.text, len(name) + len(line.text)), width - indent)
    return ((lead, label(name), Span(safe(first[len(name) :]))), *((lead, Span(piece)) for piece in rest))


def _folded(text: SafeText, width: int) -> list[SafeText]:
    """The text in pieces of at most ``width`` cells; at least one."""
    return [safe(piece, len(piece)) for piece in chop_cells(text, max(8, width))] or [safe("")]


def _count(name: str, number: int) -> tuple[Span, Span]:
    return label(f"{name} "), span(f"{units.count(number)}".ljust(8))


def _plural(number: int | None, what: str) -> str:
    return f"{units.count(number)} {what}{'' if number == 1 else 's'}"
