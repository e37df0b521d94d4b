"""What a plan says, in lines; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from pymon_tui.invalidation import report, wording
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.hints import hints
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.planning import PlanProgress
from pymon_tui.invalidation.protection import prefixes
from pymon_tui.invalidation.report import Piece, Row
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.screens.invalidate.draft import Draft, typed
from pymon_tui.ui.widgets.bar_line import bar_line
from pymon_tui.ui.widgets.ink import ELLIPSIS, Line, Span, fit, fit_right, label, line_width, span
from pymon_tui.ui.widgets.table import Column

_NAME = 11
_BAR = (8, 24)
"""Cells of a namespace's bar: the fewest and the most."""


SAMPLES: tuple[Column[Sample], ...] = (
    Column("key", "key", 20, lambda sample: span(sample.key), grows=True, sortable=False),
    Column("type", "type", 8, lambda sample: label(sample.type or "–"), rank=1, sortable=False),
    Column("ttl", "expires", 8, lambda sample: Span(_ttl(sample)), "right", rank=2, sortable=False),
    Column("bytes", "size", 9, lambda sample: Span(units.bytes_(sample.bytes)), "right", rank=1, sortable=False),
    Column("idle", "idle", 6, lambda sample: Span(units.age(sample.idle)), "right", rank=3, sortable=False),
)
"""The columns of the samples."""


def asked(draft: Draft, selection: Selection, plan: Plan | None = None) -> tuple[Line, ...]:
    """What the form was told, and of a plan what each protected pattern holds back, and where it was set."""
    first: list[Span] = [label("pattern    "), span(typed(selection.patterns), "strong")]
    second: list[Span] = []
    if draft.preset is not None:
        second += [label("preset     "), span(draft.preset.name)]
        for name in draft.preset.parameters:
            second += [label(f"   {name} "), span(draft.values.get(name, ""))]
    second += [label("   filters " if second else "filters    "), span(selection.filters.shown or "none")]
    second.append(label("   protected "))
    rows = report.protecting_rows(plan) if plan is not None else ()
    if not rows:
        second.append(span(" ".join(pattern.shown for pattern in selection.protected) or "none"))
    for place, row in enumerate(rows):
        held, *origin = row.pieces
        second += [label("  " if place else ""), span(f"{held.name} "), span(held.value, row.severity)]
        second += [label(f" {piece.text}") for piece in origin]
    return tuple(first), tuple(second)


def plan_lines(plan: Plan, width: int) -> tuple[Line, ...]:
    """What would go, and what is known of it."""
    rows = report.plan_rows(plan)
    lines: list[Line] = []
    for row in rows:
        lines += packed(row.name, [_piece(piece, row) for piece in row.pieces], width)
        if row.name == "matches":
            lines += _nodes(plan, width)
    return tuple(lines)


def _piece(piece: Piece, row: Row) -> Line:
    value = span(piece.value, row.severity)
    return (label(f"{piece.name} "), value) if piece.name else (value,)


def _nodes(plan: Plan, width: int) -> Iterable[Line]:
    """How many keys each node of a cluster has; in one line, and where there is no room the least and the most."""
    if not plan.parts:
        return ()
    pieces = [(label(f"{part.node} "), span(units.whole(part.matched))) for part in plan.parts]
    lines = tuple(packed("nodes", pieces, width))
    if len(lines) == 1:
        return lines
    counts = sorted(part.matched for part in plan.parts)
    least, most = units.whole(counts[0]), units.whole(counts[-1])
    return ((_name("nodes"), span(str(len(pieces))), label("  "), span(f"{least} to {most}"), label(" each")),)


def troubles(plan: Plan, verdict: Verdict) -> tuple[Line, ...]:
    """What a person should know before it is too late, what keeps a run from beginning first."""
    lines = [(span(row.text, row.severity),) for row in report.trouble_rows(plan, verdict)]
    return (*lines, *((span(line, "warn"),) for line in prefixes(plan)))


def scanned(plan: Plan) -> str:
    """``looked at 1 210 448 keys in 2.9 s``."""
    return f"looked at {report.scanned_text(plan)}"


def namespace_lines(plan: Plan, width: int, height: int) -> tuple[Line, ...]:
    """The namespaces with bars, the largest first; the last line says how many more there are."""
    shown = plan.namespaces[:height]
    if len(plan.namespaces) > height:
        shown = plan.namespaces[: max(0, height - 1)]
    bar = max(0, min(_BAR[1], width // 3)) if width >= 3 * _BAR[0] else 0
    counted = max((len(units.whole(count)) for _, count in shown), default=0)
    room = max(1, width - counted - bar - 4)
    lines: list[Line] = [
        (
            Span(safe(fit(_tail(name, room), room))),
            Span(safe(fit_right(units.whole(count), counted + 2))),
            span("  "),
            *bar_line(count / plan.matched if plan.matched else 0.0, bar, "info"),
        )
        for name, count in shown
    ]
    if len(shown) < len(plan.namespaces):
        rest = sum(count for _, count in plan.namespaces[len(shown) :])
        more = len(plan.namespaces) - len(shown)
        lines.append((label(fit(safe(f"{more} more"), room)), label(fit_right(units.whole(rest), counted + 2))))
    return tuple(lines)


def _tail(name: SafeText, room: int) -> SafeText:
    """A name's end, where there is no room for all of it: namespaces mostly begin alike."""
    if cell_len(name) <= room:
        return name
    kept = len(name)
    while kept and cell_len(name[-kept:]) >= room:
        kept -= 1
    return safe(ELLIPSIS + name[len(name) - kept :])


def confirm_lines(options: Options, verdict: Verdict, width: int) -> tuple[Line, ...]:
    """How it would go about it: the mode, the way back and the brake, in one line where there is room."""
    lines: list[Line] = []
    for row in report.manner_rows(options, verdict):
        piece = (label(f"{row.name} "), span(row.text, row.severity))
        if lines and line_width(lines[-1]) + 3 + line_width(piece) <= width:
            lines[-1] = (*lines[-1], span("   "), *piece)
        else:
            lines.append(piece)
    return tuple(lines)


def looking_lines(progress: PlanProgress, width: int) -> tuple[Line, ...]:
    """A plan in the making."""
    total = progress.total
    share = progress.scanned / total if total else 0.0
    of = f" of {units.whole(total)}" if total is not None else ""
    bar = bar_line(share, max(0, width - 7), "accent") if total else ()
    return (
        (*bar, span(f"{100 * share:.0f}%".rjust(6)) if total else label("looking")),
        (
            label("looked at "),
            span(units.whole(progress.scanned)),
            label(f"{of} keys   matching "),
            span(units.whole(progress.matched), "strong"),
            label("   protected "),
            span(units.whole(progress.protected)),
            label(f"   {units.took(progress.seconds)}"),
        ),
        (label("nothing is removed; esc gives it up"),),
    )


def _ttl(sample: Sample) -> SafeText:
    if sample.pttl_ms is None:
        return units.UNKNOWN
    return safe("never") if sample.pttl_ms < 0 else units.duration(sample.pttl_ms / 1000)


def _name(name: str) -> Span:
    return label(name.ljust(_NAME))


def packed(name: str, pieces: Sequence[Line], width: int) -> Iterable[Line]:
    """Pieces side by side after a name, in as many lines as they take; the name stands in the first."""
    line: list[Span] = [_name(name)]
    for piece in pieces:
        if len(line) > 1 and line_width((*line, *piece)) + 2 > width:
            yield tuple(line)
            line = [_name("")]
        if len(line) > 1:
            line.append(span("  "))
        line += piece
    if len(line) > 1:
        yield tuple(line)


def typed_text(plan: Plan, options: Options, verdict: Verdict) -> Line:
    """What must be typed, and for what."""
    return (
        label("type "),
        _what_to_type(verdict),
        span(f" to {wording.words(options.mode).do} {report.matching(plan)}", "act"),
        label(" › "),
    )


def asks(plan: Plan, options: Options, verdict: Verdict) -> Line:
    """What enter would do, and how it is confirmed; nothing where it would do nothing."""
    if verdict.may == "nothing":
        return (span(safe("; ".join((verdict.why, *hints(plan.selection))), 500), "warn"),)
    if not verdict.begins:
        return ()
    what = "pattern is" if len(verdict.typed) == 1 else "patterns are"
    typing = f"the {what} to be typed: {verdict.because}" if verdict.typed else "asks once more"
    return (
        label(f"enter {wording.words(options.mode).does} "),
        span(report.matching(plan), "strong"),
        label(f"; {typing}"),
    )


def several(verdict: Verdict) -> Line:
    """The patterns that are to be typed, where they are too many for the line that is typed in."""
    if len(verdict.typed) == 1:
        return ()
    return (label("the patterns that match: "), span(verdict.to_type, "strong"))


def not_typed(verdict: Verdict) -> Line:
    """What is said where something else was typed."""
    return (span("that is not ", "warn"), _what_to_type(verdict), label(" › "))


def _what_to_type(verdict: Verdict) -> Span:
    """A pattern as it is; several are shown on a line of their own."""
    return span(verdict.to_type if len(verdict.typed) == 1 else "the patterns that match", "strong")
