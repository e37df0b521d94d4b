"""A plan in words, 80 columns wide: what would go, what it is, and how a run would go about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from pymon_tui.invalidation import report
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.report import Row
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.invalidation.verdict import Verdict
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.removing.console import cells, exact, padded

WIDTH = 80
_LABEL = 13  # cells of the first column, its margin included
_NAMESPACES, _SAMPLES = 8, 8
_BAR = 20
_NO_BREAK = "\N{NO-BREAK SPACE}"
_EIGHTHS = "▏▎▍▌▋▊▉█"


def plan_lines(plan: Plan, options: Options, verdict: Verdict) -> list[str]:
    """All of a plan, for a person to decide on."""
    lines = [_title(plan)]
    lines += [*_wrapped("patterns", [pattern.shown for pattern in plan.selection.patterns])]
    if plan.selection.filters.shown:
        lines.append(_row("only", plan.selection.filters.shown))
    lines += _laid_out(report.protecting_rows(plan))
    lines += ["", *_laid_out(report.plan_rows(plan)), *_laid_out([report.row("looked at", report.scan_text(plan))])]
    if plan.matched:
        lines += [*_nodes(plan), *_namespaces(plan), *_samples(plan), ""]
        lines += _laid_out(report.manner_rows(options.under(plan.rules), verdict))
    return lines + _laid_out(report.trouble_rows(plan, verdict))


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
    """A row of running text that goes on below itself; a number stays whole."""
    whole = units.WITHIN.sub(_NO_BREAK, text)
    first, *others = [line.replace(_NO_BREAK, " ") for line in wrap(whole, WIDTH - _LABEL, break_on_hyphens=False)]
    return [_row(label, first), *(_row("", line) for line in others)]


def _laid_out(rows: Iterable[Row]) -> list[str]:
    """Rows as lines; running text goes on below itself."""
    lines = []
    for row in rows:
        name = str(row.name)
        lines += _folded(name, row.text) if len(row.pieces) == 1 else _wrapped(name, [each.text for each in row.pieces])
    return lines


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
