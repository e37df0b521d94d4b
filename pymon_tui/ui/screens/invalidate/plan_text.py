"""What a plan says, in lines; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.hints import hints
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.planning import PlanProgress
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.invalidation.selection import Selection
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


def asked(draft: Draft, selection: Selection) -> tuple[Line, ...]:
    """What the form was told."""
    first: list[Span] = [label("pattern    "), span(typed(selection.patterns), "strong")]
    second: list[Span] = []
    if draft.preset is not None:
        second += [label("preset     "), span(draft.preset.name)]
        for name in draft.preset.parameters:
            second += [label(f"   {name} "), span(draft.values.get(name, ""))]
    second += [label("   filters " if second else "filters    "), span(selection.filters.shown or "none")]
    protected = " ".join(pattern.shown for pattern in selection.protected)
    second += [label("   protected "), span(protected or "none")]
    return tuple(first), tuple(second)


def matches(plan: Plan) -> str:
    """``12 031 keys``, with what is uncertain about the number."""
    about = "about " if plan.about else "more than " if plan.capped else ""
    number = plan.selection.max_keys if plan.capped else plan.matched
    return f"{about}{units.whole(number)} {'key' if number == 1 else 'keys'}"


def plan_lines(plan: Plan, width: int) -> tuple[Line, ...]:
    """What would go, and what is known of it."""
    lines: list[Line] = [(_name("matches"), span(matches(plan), "warn" if plan.capped else "strong"))]
    if plan.bytes is not None:
        least = "" if plan.bytes.is_exact else "at least "
        lines.append((_name("memory"), label(least), span(units.bytes_(plan.bytes.value))))
    lines += _nodes(plan, width)
    lines.append((_name("protected"), span(units.whole(plan.protected), "good" if plan.protected else "value")))
    lines += _counted("types", plan.types, width, about=plan.is_extrapolated)
    lines += _counted("expiry", [each for each in plan.expiry if each[1]], width, about=plan.is_extrapolated)
    if plan.idle is not None:
        median, oldest = units.age(plan.idle.median), units.age(plan.idle.oldest)
        lines.append((_name("idle"), label("median "), span(median), label("  oldest "), span(oldest)))
    return tuple(lines)


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


def troubles(plan: Plan, options: Options) -> tuple[Line, ...]:
    """What a person should know before it is too late, what would keep a run from beginning first."""
    lines: list[Line] = [(span(plan.note, "warn"),)] if plan.note is not None else []
    if plan.capped:
        text = f"more than {units.whole(plan.selection.max_keys)} keys match: narrow the pattern, or raise max_keys"
        lines.append((span(text, "act"),))
    if plan.removal_problem is not None:
        lines.append((span(plan.removal_problem, "act"),))
    if options.undo and plan.undo_problem is not None:
        lines.append((span(f"no undo: {plan.undo_problem}", "warn"),))
    if options.undo and plan.oversized:
        text = f"{units.whole(plan.oversized)} keys over {units.bytes_(options.key_cap)} can't be taken back"
        lines.append((span(text, "warn"),))
    lines += [(span(text, "warn"),) for text in (*plan.warnings, *plan.refusals)]
    return tuple(lines)


def scanned(plan: Plan) -> str:
    """``scanned 1 210 448 keys in 2.9 s``."""
    return f"scanned {units.whole(plan.scanned)} keys in {plan.seconds:.1f} s"


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


def mode_name(options: Options) -> str:
    """``unlink``, or ``expire over 10m, with jitter``."""
    if options.mode == "unlink":
        return "unlink"
    return f"expire over {units.age(options.jitter)}, with jitter"


def confirm_lines(plan: Plan, options: Options, width: int) -> tuple[Line, ...]:
    """How it would go about it: the mode, the way back and the brake, in one line where there is room."""
    mode = (label("mode "), span(mode_name(options), "strong"))
    undo = (label("undo "), _undo(plan, options))
    brake = [label("brake "), span(f"p99 ≤ idle + {1000 * options.ceiling:g} ms")]
    if options.rate is not None:
        brake.append(span(f", {units.whole(round(options.rate))} keys/s"))
    lines: list[Line] = []
    for piece in (mode, undo, tuple(brake)):
        if lines and line_width(lines[-1]) + 3 + line_width(piece) <= width:
            lines[-1] = (*lines[-1], span("   "), *piece)
        else:
            lines.append(piece)
    return tuple(lines)


def _undo(plan: Plan, options: Options) -> Span:
    if not options.undo:
        return span("none", "warn")
    if not plan.undo_possible:
        return span("impossible", "warn")
    if plan.undo_bytes is None:
        return span("kept", "good")
    cap = units.bytes_(options.trash_cap)
    if plan.undo_bytes > options.trash_cap:
        return span(f"for a part: {units.bytes_(plan.undo_bytes)} of {cap}", "warn")
    return span(f"kept, about {units.bytes_(plan.undo_bytes)} of {cap}", "good")


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
            label(f"   {progress.seconds:.1f} s"),
        ),
        (label("nothing is removed; esc gives it up"),),
    )


def _ttl(sample: Sample) -> SafeText:
    if sample.pttl_ms is None:
        return units.UNKNOWN
    return safe("never") if sample.pttl_ms < 0 else units.duration(sample.pttl_ms / 1000)


def _name(name: str) -> Span:
    return label(name.ljust(_NAME))


def _counted(name: str, counts: Sequence[tuple[str, int]], width: int, *, about: bool) -> Iterable[Line]:
    """How many keys of which kind; those of a sample, as shares of all keys, are marked with ``~``."""
    mark = "~" if about else ""
    pieces: list[tuple[Span, Span]] = [
        (label(f"{safe(each)} {mark}"), span(units.whole(count))) for each, count in counts
    ]
    return packed(name, pieces, width)


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


def typed_text(plan: Plan, text: SafeText) -> Line:
    """What must be typed, and for what."""
    return (
        label("type "),
        span(text, "strong"),
        span(f" to remove {matches(plan)}", "act"),
        label(" › "),
    )


def asks(plan: Plan, *, must_type: bool, read_only: bool) -> Line:
    """What enter would do; nothing where it would do nothing."""
    if read_only:
        return (label("this is read-only: the plan is all there is"),)
    if plan.capped or plan.removal_problem is not None or not plan.matched:
        return ()
    typing = "the pattern is to be typed" if must_type else "asks once more"
    return (label("enter removes "), span(matches(plan), "strong"), label(f"; {typing}"))


def not_typed(text: SafeText) -> Line:
    """What is said where something else was typed."""
    return (span("that is not ", "warn"), span(text, "strong"), label(" › "))


def nothing(selection: Selection) -> Line:
    """What is said where nothing matches: also what was probably meant."""
    meant = "; ".join(hints(selection))
    said = f"nothing matches: {meant}" if meant else "nothing matches, so there is nothing to remove"
    return (span(safe(said, 500), "warn"),)
