"""What a run says while it goes and when it has ended, in lines; pure."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.invalidation import report, wording
from pymon_tui.invalidation.account import Mode, NodeProgress, Outcome, Progress, Result, State, Tally
from pymon_tui.invalidation.key_rights import UNASKED, KeyRights
from pymon_tui.invalidation.report import Row
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.bar_line import bar_line
from pymon_tui.ui.widgets.ink import BLANK, Line, Role, Span, field, fit, label, line_width, span

_NAME = 14
_NODE = 21  # cells of a node's name
_NODES = 4
_PLANNED = 16  # cells of how many keys a node had
_WAITING: tuple[State, ...] = ("holding", "reconnecting", "asking")

_OUTCOMES: dict[Outcome, tuple[str, Role]] = {
    "done": ("done", "good"),
    "cancelled": ("cancelled", "warn"),
    "stopped": ("stopped", "act"),
    "interrupted": ("interrupted", "act"),
}


def title(shown: SafeText, mode: Mode, *, dry_run: bool) -> SafeText:
    """What the run is about: ``Removing user:*``."""
    doing = "Dry run of" if dry_run else wording.words(mode).doing.capitalize()
    return safe(f"{doing} {shown}")


def progress_lines(
    progress: Progress,
    mode: Mode,
    width: int,
    *,
    dry_run: bool,
    rights: KeyRights = UNASKED,
    typed: bool = False,
    answers: tuple[str, str] = ("y", "n"),
) -> tuple[Line, ...]:
    """How far it is, what became of the keys, how fast it goes, and why where that isn't plain.

    ``typed`` is whether a question that stands is confirmed by typing, ``answers`` are the keys for yes and no.
    """
    share = progress.share
    matched, planned = units.whole(progress.tally.matched), units.keys(progress.planned)
    scan = (span(f"{100 * share:.0f}%".rjust(6)), label(" done   "))
    text = (*scan, span(matched, "strong"), label(f" of {planned}"))
    room = max(0, width - line_width(text))
    speed: list[Span] = [
        label("speed   "),
        span(f"{units.whole(round(progress.keys_per_second))} keys/s"),
        label("   left "),
        span(_time_left(progress)),
        label("   undo "),
        span(f"{units.bytes_(progress.trash_bytes)} kept", "good") if progress.trash_bytes else span("none"),
    ]
    if progress.undo_left_out:
        speed += [span(f"  {units.whole(progress.undo_left_out)} not kept", "warn")]
    return (
        (*bar_line(share, room, "accent"), *text),
        tally_line(progress.tally, mode, dry_run=dry_run, rights=rights),
        tuple(speed),
        *node_lines(progress.nodes, width),
        *_state(progress, answers, typed=typed),
    )


def _time_left(progress: Progress) -> str:
    """Nobody knows it of the look afterwards."""
    known = progress.seconds_left is not None and progress.state != "verifying"
    return f"about {units.duration(progress.seconds_left)}" if known else units.UNKNOWN


def node_lines(nodes: Sequence[NodeProgress], width: int) -> tuple[Line, ...]:
    """Each node of a cluster, the one most strained first; as many as there is room for."""
    shown = sorted(nodes, key=lambda one: -_strain(one.progress))[:_NODES]
    lines = [_node_line(each, width) for each in shown]
    if len(nodes) > _NODES:
        lines.append((label(f"and {len(nodes) - _NODES} more nodes"),))
    return tuple(lines)


def _node_line(each: NodeProgress, width: int) -> Line:
    now = each.progress
    share = 1.0 if now.state in ("verifying", "ended") else min(1.0, now.scanned / now.total) if now.total else 0.0
    line: list[Span] = [
        label(fit(safe(each.node), _NODE)),
        span(units.whole(now.tally.removed).rjust(10)),
        label(" scan"),
        span(f"{100 * share:.0f}%".rjust(5)),
    ]
    if now.why and now.state != "running":
        text = safe(now.why.removeprefix(f"{each.node} "), 400)
        room = width - line_width(tuple(line)) - 2
        return (*line, span(f"  {fit(text, room)}".rstrip(), "warn"))
    over = now.limit is not None and now.felt.ping_p99 is not None and now.felt.ping_p99 > now.limit
    line[2:2] = [label(f" of {units.whole(now.planned)}".ljust(_PLANNED))]
    if now.state == "ended":
        return (*line, label("  ended"))
    return (*line, label("  PING "), span(units.milliseconds(now.felt.ping_p99), "warn" if over else "value"))


def _strain(progress: Progress) -> float:
    """What is to be seen first: a node that waits, then the one whose clients feel most of it."""
    if progress.state in _WAITING:
        return float("inf")
    return progress.felt.ping_p99 or 0.0 if progress.state != "ended" else -1.0


def tally_line(tally: Tally, mode: Mode, *, dry_run: bool, rights: KeyRights) -> Line:
    """What became of the keys, or would have."""
    return beside(report.tally_rows(tally, mode, dry_run=dry_run, rights=rights))


def beside(rows: Sequence[Row]) -> Line:
    """Rows side by side, without their remarks."""
    line: list[Span] = []
    for row in rows:
        line += [label(f"{'   ' if line else ''}{row.name} "), span(row.pieces[0].text, row.severity)]
    return tuple(line)


def _state(progress: Progress, answers: tuple[str, str], *, typed: bool) -> tuple[Line, ...]:
    if progress.state == "asking":
        go_on = " type the pattern to go on   " if typed else " go on   "
        yes, no = (span(key, "accent") for key in answers)
        return (span(progress.why, "act"),), (yes, label(go_on), no, label(" end here"))
    if progress.state in ("running", "starting"):  # what the brake does stands with the brake
        return ((label("" if progress.state == "running" else wording.state(progress.state)),),)
    doing = wording.state(progress.state)
    why = safe(f"{doing}: {progress.why}" if progress.why else doing)
    return ((span(why, "warn"),),)


def brake_line(progress: Progress) -> Line:
    """What other clients feel, and what the server has to digest."""
    felt = progress.felt
    over = progress.limit is not None and felt.ping_p99 is not None and felt.ping_p99 > progress.limit
    line: list[Span] = [
        label("PING p99 "),
        span(units.milliseconds(felt.ping_p99), "warn" if over else "value"),
        label(" idle "),
        span(units.milliseconds(progress.idle_p99)),
        label(" ceiling "),
        span(units.milliseconds(progress.limit)),
    ]
    if felt.lag is not None:
        line += [label("   lag "), span(units.bytes_(felt.lag))]
    line += [label("   lazy-free "), span(units.whole(felt.lazyfree))]
    return tuple(line)


def brake_words(progress: Progress) -> SafeText:
    """What the brake does."""
    if progress.state == "ended":
        return safe("ended")
    return progress.pace.why or safe(f"page {units.whole(progress.pace.page)}, no brake")


def result_lines(result: Result, mode: Mode, *, undo: str) -> tuple[Line, ...]:
    """The account in short: as many lines as there were while it went; ``undo`` is the key that undoes, if any does."""
    name, role = _OUTCOMES[result.outcome]
    took = label(f"  after {units.took(result.seconds)}")
    head: list[Span] = [span("dry run " if result.dry_run else ""), span(name, role), took]
    if result.why:
        head += [span(f"  {result.why}", "warn")]
    left = beside((report.left_row(result), report.freed_row(result, mode)))
    kept, *lost = report.kept_rows(result)
    last = [*beside((kept,)), *([label(f"   {undo} brings the keys back")] if undo else [])]
    if lost:
        last += [label("   "), *beside(lost)]
    tally = tally_line(result.tally, mode, dry_run=result.dry_run, rights=result.rights)
    return (tuple(head), tally, left, tuple(last))


def account(result: Result, shown: SafeText, mode: Mode) -> tuple[Line, ...]:
    """All of the account, for the reader."""
    name, role = _OUTCOMES[result.outcome]
    lines: list[Line] = [
        *([] if result.dry_run else [field("run", _NAME, result.run)]),
        field("keys", _NAME, span(shown, "strong")),
        field(
            "outcome",
            _NAME,
            span("dry run " if result.dry_run else ""),
            span(name, role),
            label(f"after {units.took(result.seconds)}"),
        ),
    ]
    if result.why:
        lines.append(field("why", _NAME, span(result.why, "warn")))
    rows = (
        report.row("matched", units.whole(result.tally.matched)),
        *report.tally_rows(result.tally, mode, dry_run=result.dry_run, rights=result.rights),
    )
    rows += (report.left_row(result), report.freed_row(result, mode), *report.kept_rows(result))
    lines += [field(row.name, _NAME, span(row.text, row.severity)) for row in rows]
    for each in result.nodes:
        mark, colour = _OUTCOMES[each.result.outcome]
        counted = f"{units.whole(each.result.tally.removed)} of {units.whole(each.result.tally.matched)}  "
        lines.append(field("node", _NAME, span(each.node), label(f"  {counted}"), span(mark, colour)))
        if each.result.why:
            lines.append(field("", _NAME, span(each.result.why, "warn")))
    if result.undo is not None:
        files = sum(each.result.undo is not None for each in result.nodes)
        where = f"{files} files in {result.undo.parent}" if files else str(result.undo)
        lines.append(field("trash", _NAME, where))
    for name, keys in (("refused", result.refused_keys), ("too big to be kept", result.oversized_keys)):
        if keys:
            lines += [BLANK, (span(f"{name}:", "warn"),), *((span(key),) for key in keys)]
    return tuple(lines)


def not_begun(why: str) -> tuple[Line, ...]:
    """Why nothing was done."""
    return ((span("nothing was removed: ", "act"), span(why)),)


def noted(result: Result, mode: Mode) -> SafeText:
    """What the history is marked with at the end."""
    return safe(f"{wording.words(mode).done} {units.keys(result.tally.removed)} ({result.outcome})")
