"""What the slow log pane says in words: the threshold, what is kept, and one entry in full."""

from __future__ import annotations

from rich.cells import chop_cells

from pymon_tui.model import units
from pymon_tui.model.action import quoted
from pymon_tui.model.query import Reading, Ready, Unavailable
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.shapes import shape_of
from pymon_tui.readings.slowlog import SlowEntry, SlowLog
from pymon_tui.readings.slowlog_settings import SlowlogSettings, duration
from pymon_tui.ui.panes.slowlog.rows import address, moment, took
from pymon_tui.ui.widgets.ink import Line, Span, field, label, span

_NAME = 9
_ARGUMENT = 56
"""Cells of one line of an argument: what the reader has at 80 columns beside the number."""


def threshold_text(settings: Reading[SlowlogSettings]) -> SafeText:
    """From which time on a command is logged: ``> 10 ms``."""
    threshold = settings.value.slowlog_log_slower_than if isinstance(settings, Ready) else None
    if threshold is None:
        return safe("threshold unknown")
    if threshold < 0:
        return safe("off")
    return safe(f"> {duration(threshold)}" if threshold else "every command")


def empty_text(settings: Reading[SlowlogSettings]) -> SafeText:
    """Why there is no entry."""
    threshold = settings.value.slowlog_log_slower_than if isinstance(settings, Ready) else None
    if threshold is None:
        return safe("nothing slow yet")
    if threshold < 0:
        return safe("the server's slow log is off")
    return safe(f"nothing slower than {duration(threshold)} yet" if threshold else "nothing yet")


def facts(log: SlowLog, settings: Reading[SlowlogSettings], others: tuple[SlowEntry, ...]) -> Line:
    """One line: the threshold, the ring's length, and what is kept of what was logged."""
    length = settings.value.slowlog_max_len if isinstance(settings, Ready) else None
    pairs: list[tuple[str, Span]] = [("threshold", _threshold(settings))]
    if length is not None:
        pairs.append(("ring", span(units.count(length))))
    pairs.append(("kept", span(units.count(len(others)))))
    if others:
        pairs.append(("worst", took(max(entry.duration for entry in others))))
    if own := len(log.entries) - len(others):
        pairs.append(("our own, left out", span(units.count(own))))
    if log.missed:
        pairs.append(("missed", span(units.count(log.missed), "warn")))
    line: list[Span] = []
    for name, value in pairs:
        line += (label(f"{'   ' * bool(line)}{name} "), value)
    return tuple(line)


def _threshold(settings: Reading[SlowlogSettings]) -> Span:
    if isinstance(settings, Unavailable):
        return label(f"unknown: CONFIG GET {settings.reason.value}")
    text = threshold_text(settings)
    return label("unknown") if text == "threshold unknown" else span(text)


def entry_lines(entry: SlowEntry, now: float) -> tuple[Line, ...]:
    """All that is known of one entry, its arguments one a line."""
    ago = units.ago(units.duration(units.elapsed(entry.timestamp, now)))
    head = (
        field("took", _NAME, took(entry.duration), label(f"{units.count(entry.duration)} µs")),
        field("when", _NAME, moment(entry.timestamp, "%Y-%m-%d %H:%M:%S"), label(ago)),
        field("client", _NAME, entry.client_name or label("no name"), label(address(entry))),
        field("shape", _NAME, shape_of(entry.arguments)),
        field("id", _NAME, str(entry.id)),
        (),
    )
    arguments: list[Line] = []
    for number, argument in enumerate(entry.arguments):
        pieces = chop_cells(quoted(argument, 1_000), _ARGUMENT)
        name = str(number) if number else "command"
        arguments += [field(name if first else "", _NAME, piece) for first, piece in _marked(pieces)]
    return (*head, *arguments)


def _marked(pieces: list[str]) -> list[tuple[bool, str]]:
    return [(index == 0, piece) for index, piece in enumerate(pieces)]
