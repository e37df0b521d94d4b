"""A plan in words, 80 columns wide: what would go, what it is, and how a run would go about it."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.removing.console import cells, exact, padded

WIDTH = 80
_LABEL = 13  # cells of the first column, its margin included
_NAMESPACES, _SAMPLES = 8, 8
_BAR = 20
_EIGHTHS = "▏▎▍▌▋▊▉█"


def plan_lines(plan: Plan, options: Options) -> list[str]:
    """All of a plan, for a person to decide on."""
    lines = [_title(plan)]
    if plan.note is not None:
        lines += _folded("note", plan.note)
    lines += [*_wrapped("patterns", [pattern.shown for pattern in plan.selection.patterns])]
    if plan.selection.filters.shown:
        lines.append(_row("only", plan.selection.filters.shown))
    lines += _found(plan)
    if plan.matched:
        lines += [*_nodes(plan), *_namespaces(plan), *_samples(plan), "", *_manner(plan, options)]
    for warning in plan.warnings:
        lines += _folded("room", warning)
    for refusal in plan.refusals:
        lines += _folded("refused", refusal)
    return lines


def summary(plan: Plan) -> SafeText:
    """The plan in one line."""
    size = f", {_memory(plan)}" if plan.bytes is not None and plan.matched else ""
    protected = f", {exact(plan.protected)} more are protected" if plan.protected else ""
    match = "matches" if plan.matched == 1 else "match"
    return safe(f"{_matches(plan)} {match} in db {plan.db} on {plan.node}{size}{protected}")


def manner(options: Options) -> SafeText:
    """What would happen to the keys."""
    if options.mode == "unlink":
        return safe("unlink")
    spread = f", spread over {units.duration(options.jitter)}" if options.jitter else ""
    return safe(f"expire after {units.duration(options.expire)}{spread}")


def _title(plan: Plan) -> str:
    where = [plan.node] + [plan.address] * (plan.address != plan.node)
    facts = (*where, f"db {plan.db}", plan.role, (plan.environment or "").upper())
    return " · ".join(safe(fact) for fact in facts if fact)


def _row(label: str, text: str) -> str:
    return f"  {label:<{_LABEL - 2}}{text}"


def _wrapped(label: str, parts: Sequence[SafeText]) -> list[str]:
    """A row that goes on below itself; a part is never broken."""
    lines: list[str] = []
    for part in parts:
        if lines and cells(lines[-1]) + 3 + cells(part) <= WIDTH:
            lines[-1] += f"   {part}"
        else:
            lines.append(_row("" if lines else label, part))
    return lines


def _folded(label: str, text: str) -> list[str]:
    """A row of running text that goes on below itself."""
    first, *others = wrap(text, WIDTH - _LABEL, break_on_hyphens=False)
    return [_row(label, first), *(_row("", line) for line in others)]


def _found(plan: Plan) -> list[str]:
    of = f" of {exact(plan.dbsize)}" if plan.dbsize is not None else ""
    lines = ["", _row("matches", f"{_matches(plan)}{of}")]
    if plan.protected:
        lines.append(_row("protected", f"{exact(plan.protected)} more, which stay"))
    if plan.matched:
        lines.append(_row("memory", _memory(plan)))
        lines += _counts("types", plan.types, about=plan.is_extrapolated)
        lines += _counts("expiry", plan.expiry, about=plan.is_extrapolated)
    if plan.idle is not None:
        idle = f"median {units.duration(plan.idle.median)}   oldest {units.duration(plan.idle.oldest)}"
        lines.append(_row("idle", idle))
    sampled = f", a sample of {exact(plan.sampled)} looked at" if plan.sampled < plan.matched else ""
    lines.append(_row("scanned", f"{exact(plan.scanned)} keys in {plan.seconds:.1f} s{sampled}"))
    return lines


def _matches(plan: Plan) -> str:
    if plan.capped:
        return f"more than {exact(plan.selection.max_keys)} keys"
    keys = "key" if plan.matched == 1 else "keys"
    return f"{'about ' * plan.about}{exact(plan.matched)} {keys}"


def _memory(plan: Plan) -> str:
    if plan.bytes is None:
        return "unknown"
    return f"{'' if plan.bytes.is_exact else 'at least '}{units.bytes_(plan.bytes.value)}"


def _counts(label: str, counts: Sequence[tuple[str, int]], *, about: bool) -> list[str]:
    """How many keys of which kind; those of a sample, as shares of all keys, are marked with ``~``."""
    mark = "~" if about else ""
    return _wrapped(label, [safe(f"{name} {mark}{exact(count)}") for name, count in counts if count])


def _nodes(plan: Plan) -> list[str]:
    """How many keys of which node, where there are several."""
    most = max((part.matched for part in plan.parts), default=0) or 1
    lines = ["", f"  nodes ({len(plan.parts)} primaries)"]
    for part in plan.parts:
        bar = _bar(part.matched / most) if part.matched else ""
        lines.append(f"    {padded(safe(part.node), 40)} {exact(part.matched):>11}  {bar}".rstrip())
    return lines if plan.parts else []


def _namespaces(plan: Plan) -> list[str]:
    shown, others = plan.namespaces[:_NAMESPACES], plan.namespaces[_NAMESPACES:]
    most = max((count for _, count in shown), default=1)
    lines = ["", "  namespaces"]
    for name, count in shown:
        bar = _bar(count / most)
        lines.append(f"    {padded(name, 40)} {exact(count):>11}  {bar}".rstrip())
    if others:
        lines.append(f"    {padded(safe(f'{exact(len(others))} more'), 40)} {exact(sum(n for _, n in others)):>11}")
    return lines


def _bar(share: float) -> str:
    eighths = max(1, round(share * _BAR * 8))
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")


def _samples(plan: Plan) -> list[str]:
    shown = [sample for sample in plan.samples if sample.type is not None][:_SAMPLES]
    if not shown:
        return []
    of = f" ({len(shown)} of {exact(plan.matched)})" if len(shown) < plan.matched else ""
    return ["", f"  samples{of}", *map(_sample, shown)]


def _sample(sample: Sample) -> str:
    ends = "–" if sample.pttl_ms is None else "none" if sample.pttl_ms < 0 else units.age(sample.pttl_ms / 1000)
    key, kind = padded(safe(sample.key), 46), padded(safe(sample.type or "–"), 9)
    return f"    {key} {kind} {ends:>6} {units.bytes_(sample.bytes):>9}"


def _manner(plan: Plan, options: Options) -> list[str]:
    lines = [_row("mode", manner(options) + (", dry run: nothing is removed" if options.dry_run else ""))]
    lines += _folded("undo", _undo(plan, options))
    rate = f", at most {exact(round(options.rate))} keys/s" if options.rate is not None else ""
    lines.append(_row("brake", f"PING p99 at most {units.milliseconds(options.ceiling)} over idle{rate}"))
    return lines


def _undo(plan: Plan, options: Options) -> str:
    if options.dry_run:
        return "not needed"
    if not options.undo:
        return "none: what is removed is gone for good"
    if not plan.undo_possible:
        return f"not possible: {plan.undo_problem or 'nobody knows why'}"
    cap = units.bytes_(options.trash_cap)
    oversized = ""
    if plan.oversized:
        about = "" if plan.bytes is not None and plan.bytes.is_exact else "about "
        oversized = f"; {about}{exact(plan.oversized)} keys over {units.bytes_(options.key_cap)} go for good"
    if plan.undo_bytes is None:
        return f"kept, in at most {cap}{oversized}"
    about = f"about {units.bytes_(plan.undo_bytes)}"
    if plan.undo_bytes <= options.trash_cap:
        return f"kept, {about} of {cap}{oversized}"
    lost = round(plan.matched * (1 - options.trash_cap / plan.undo_bytes))
    return f"{about}, and {cap} at most are kept: about {exact(lost)} keys go for good (trash_size){oversized}"
