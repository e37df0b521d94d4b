"""The true account of a run or an undo in words, and the exit code that it deserves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymon_tui.invalidation.account import Result, Tally
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.restore_account import RestoreResult
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.removing.console import exact
from pymon_tui.removing.exit_code import DONE, PARTLY, REFUSED

_LISTED = 20


def run_lines(result: Result) -> list[str]:
    """What a run did."""
    tally = result.tally
    size = units.bytes_(result.bytes_estimated) if result.bytes_estimated is not None and tally.removed else ""
    dry = ", dry run" if result.dry_run else ""
    lines = [f"run {result.run}: {result.outcome}{dry} in {_seconds(result.seconds)}"]
    lines += [f"  {result.why}"] * bool(result.why)
    lines += _rows(
        ("matched", tally.matched, ""),
        ("removed", tally.removed, f"about {size}" if size else ""),
        ("already gone", tally.already_gone, ""),
        ("protected", tally.protected, ""),
        ("refused", tally.refused, ""),
        ("unknown", tally.unknown, "may be removed or not: the answer was lost" if tally.unknown else ""),
        ("left", result.left, _left(result)),
    )
    if result.evicted:
        lines.append(f"  {exact(result.evicted)} keys were evicted meanwhile: the server is at maxmemory")
    lines += _node_lines(result)
    lines += _undo_lines(result)
    lines += _listed("refused, and there", [safe(key) for key in result.refused_keys], tally.refused)
    lines += _listed("too big for the undo", [safe(key) for key in result.oversized_keys], len(result.oversized_keys))
    if result.outcome != "done" and not result.dry_run:
        lines.append(f"  go on      pymon-tui invalidate --resume {result.run}")
    return lines


def run_code(result: Result) -> int:
    """0 if all was removed that was meant, 4 if the server refused every key, 1 if it is anything between."""
    tally = result.tally
    if tally.refused and tally.refused == tally.matched and result.outcome == "done":
        return REFUSED
    return DONE if result.outcome == "done" and not tally.refused and not tally.unknown else PARTLY


def no_run(plan: Plan, why: str, *, dry_run: bool) -> dict[str, Any]:
    """The account of a run that didn't begin, in the form of ``Result.as_json``."""
    nothing = Tally(matched=plan.matched, protected=plan.protected).as_json()
    return {
        "run": None,
        "outcome": None,
        "why": why,
        "dry_run": dry_run,
        **nothing,
        "left": plan.matched,
        "bytes_estimated": 0,
        "seconds": 0.0,
        "undo": None,
        "undo_bytes": 0,
        "undo_left_out": 0,
        "refused_keys": [],
        "oversized_keys": [],
        "evicted": None,
        "nodes": [],
    }


def undo_lines(result: RestoreResult) -> list[str]:
    """What an undo did."""
    tally = result.tally
    lines = [f"undo of run {result.run}: {result.outcome} in {_seconds(result.seconds)}"]
    lines += [f"  {result.why}"] * bool(result.why)
    lines += _rows(
        ("restored", tally.restored, f"of {exact(result.total)} that were kept"),
        ("skipped", tally.skipped, "a newer key of that name is there (--replace)" if tally.skipped else ""),
        ("expired", tally.expired, "would have ended by now" if tally.expired else ""),
        ("failed", tally.failed, ""),
        ("left", result.left, ""),
    )
    for each in result.nodes:
        how = _how(each.result.outcome, each.result.why)
        lines.append(f"    {safe(each.node):<24}{exact(each.result.tally.restored):>11}   {how}".rstrip())
    if result.torn:
        lines.append("  the file ends in the middle: what was kept last can't be read")
    lines += _listed("failed", [safe(f"{each.key}: {each.why}") for each in result.failures], tally.failed)
    return lines


def undo_code(result: RestoreResult) -> int:
    """0 if each key that was kept is there again, or has a newer one in its place, or has ended by itself."""
    whole = result.outcome == "done" and not result.tally.failed and not result.left and not result.torn
    return DONE if whole else PARTLY


def _left(result: Result) -> str:
    if result.left is None:
        return "not looked at"
    if result.dry_run or not result.left:
        return ""
    return "match now: refused, or written meanwhile"


def _undo_lines(result: Result) -> list[str]:
    lines: list[str] = []
    if result.undo is not None:
        size = units.bytes_(result.undo_bytes)
        lines.append(f"  undo       {size} kept; pymon-tui undo {result.run}")
    if result.undo_left_out:
        lines.append(f"  {exact(result.undo_left_out)} keys are gone for good: too big, or no room for their undo")
    return lines


def _node_lines(result: Result) -> list[str]:
    """What each node of a cluster did."""
    lines = []
    for each in result.nodes:
        tally = each.result.tally
        odd = (("gone", tally.already_gone), ("refused", tally.refused), ("unknown", tally.unknown))
        parts = [_how(each.result.outcome, each.result.why)]
        parts += [f"{exact(count)} {name}" for name, count in odd if count]
        number = exact(tally.matched if result.dry_run else tally.removed)
        lines.append(f"    {safe(each.node):<24}{number:>11}   {', '.join(part for part in parts if part)}".rstrip())
    return ["  nodes", *lines] if lines else []


def _how(outcome: str, why: str) -> str:
    """How a part ended; nothing where it came to its end."""
    return "" if outcome == "done" else f"{outcome}: {why}" if why else outcome


def _rows(*rows: tuple[str, int | None, str]) -> list[str]:
    return [
        f"  {label:<13}{units.UNKNOWN if count is None else exact(count):>12}   {remark}".rstrip()
        for label, count, remark in rows
    ]


def _listed(title: str, keys: Sequence[SafeText], count: int) -> list[str]:
    if not keys:
        return []
    lines = [f"  {title}:", *(f"    {key}" for key in keys[:_LISTED])]
    if count > _LISTED:
        lines.append(f"    and {exact(count - _LISTED)} more")
    return lines


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else units.duration(seconds)
