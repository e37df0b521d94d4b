"""What there is to say of a plan, a run and an undo: rows of a name and a text, in order, as every door shows them.

The command line, the screens and whatever else leads to the engine decide where a row stands; what it says is written
here alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from pymon_tui.invalidation.account import Mode, Options, Result, Tally
from pymon_tui.invalidation.payload import links_lost
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.restore_account import TORN, RestoreResult, RestoreTally
from pymon_tui.invalidation.verdict import Undo, Verdict
from pymon_tui.invalidation.wording import words
from pymon_tui.journal.record import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe

Severity: TypeAlias = Literal["value", "strong", "good", "warn", "act"]
"""How much a row matters: ``warn`` where a person should look, ``act`` where one should act."""

_TEXT = 500


class Piece(NamedTuple):
    """A part of a row that is never broken: a name, which may be empty, and what it is."""

    name: SafeText
    value: SafeText

    @property
    def text(self) -> SafeText:
        """Both."""
        return join(" ", (self.name, self.value)) if self.name else self.value


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to say.

    Attributes:
        name: What it is, in a word or two.
        pieces: What there is to say of it, side by side.
        severity: How much it matters.
    """

    name: SafeText
    pieces: tuple[Piece, ...]
    severity: Severity = "value"

    @property
    def is_count(self) -> bool:
        """Whether it begins with a number of keys, known or not."""
        return not self.pieces[0].value.strip(" 0123456789–")

    @property
    def text(self) -> SafeText:
        """All pieces."""
        return join("   ", [piece.text for piece in self.pieces])


def row(name: str, value: str, severity: Severity = "value", *, remark: str = "") -> Row:
    """A row of one piece, or of two where there is a remark."""
    pieces = [Piece(safe(""), safe(text, _TEXT)) for text in (value, remark) if text]
    return Row(safe(name), tuple(pieces), severity)


def matching(plan: Plan) -> SafeText:
    """How many keys a plan is about, with what is uncertain about the number."""
    if plan.capped:
        return safe(f"more than {units.keys(plan.selection.max_keys)}")
    return units.keys(plan.matched, about=plan.about)


def manner(options: Options) -> SafeText:
    """How the keys go: ``unlink``, ``expire after 1m``, ``expire after 1m, spread over 10m``."""
    if options.mode == "unlink":
        return safe("unlink")
    spread = f", spread over {units.duration(options.jitter)}" if options.jitter else ""
    return safe(f"expire after {units.duration(options.expire)}{spread}")


def plan_rows(plan: Plan) -> tuple[Row, ...]:
    """What would go, and what is known of it."""
    rows = [row("matches", matching(plan), "warn" if plan.capped else "strong")]
    if plan.protected:
        rows.append(row("protected", f"{units.whole(plan.protected)} more, which stay", "good"))
    if plan.matched and not plan.capped:
        rows.append(row("memory", _memory(plan)))
        rows += _counted("types", plan.types, about=plan.is_extrapolated)
        rows += _counted("expiry", plan.expiry, about=plan.is_extrapolated)
    if plan.idle is not None:
        times = (("median", plan.idle.median), ("oldest", plan.idle.oldest))
        rows.append(Row(safe("idle"), tuple(Piece(safe(name), units.age(time)) for name, time in times)))
    return tuple(rows)


def protecting_rows(plan: Plan) -> tuple[Row, ...]:
    """Each protected pattern with the keys that it holds back, and where it was set; first those that hold any."""
    ordered = sorted(plan.protecting, key=lambda each: -each[1])
    rows = []
    for place, (pattern, count, origin) in enumerate(ordered):
        pieces = [Piece(pattern, units.whole(count)), *([Piece(safe("set in"), origin)] if origin else [])]
        rows.append(Row(safe("" if place else "protects"), tuple(pieces), "good" if count else "value"))
    return tuple(rows)


def scan_text(plan: Plan) -> SafeText:
    """What the plan is known from."""
    sampled = f", a sample of {units.whole(plan.sampled)} looked at" if plan.sampled < plan.matched else ""
    return safe(f"{scanned_text(plan)}{sampled}")


def scanned_text(plan: Plan) -> SafeText:
    """``1 210 448 keys in 2.9 s``; each pattern that means more than one key takes a scan of its own."""
    scans = sum(pattern.only_key is None for pattern in plan.selection.patterns)
    times = f"{scans} scans, " if scans > 1 else ""
    return safe(f"{units.whole(plan.scanned)} keys in {times}{plan.seconds:.1f} s")


def manner_rows(options: Options, verdict: Verdict) -> tuple[Row, ...]:
    """How a run would go about it."""
    dry = ", dry run: nothing is removed" if options.dry_run else ""
    rate = f", {units.whole(round(options.rate))} keys/s" if options.rate is not None else ""
    return (
        row("mode", f"{manner(options)}{dry}", "strong"),
        _undo_row(verdict.undo, units.bytes_(options.trash_cap)),
        row("brake", f"p99 ≤ idle + {1000 * options.ceiling:g} ms{rate}"),
    )


def trouble_rows(plan: Plan, verdict: Verdict) -> tuple[Row, ...]:
    """What a person should know before it is too late; what keeps a run from beginning comes first."""
    rows = []
    if verdict.may == "refused":
        rows.append(row("refused", verdict.why, "act"))
    elif verdict.undo.loses:
        rows.append(row("for good", verdict.undo.loss, "act" if verdict.undo.state != "partial" else "warn"))
    if plan.note is not None:
        rows.append(row("note", plan.note, "warn"))
    links = links_lost(name for name, count in plan.types if count)
    if links is not None and verdict.undo.state in ("certain", "partial"):
        rows.append(row("undo", links, "warn"))
    rows += [row("room", warning, "warn") for warning in plan.warnings]
    return (*rows, *(row("refused", refusal, "warn") for refusal in plan.refusals))


def summary(plan: Plan) -> SafeText:
    """A plan in one line."""
    size = f", {_memory(plan)}" if plan.bytes is not None and plan.matched and not plan.capped else ""
    protected = f", {units.whole(plan.protected)} more are protected" if plan.protected else ""
    match = "matches" if plan.matched == 1 and not plan.capped else "match"
    return safe(f"{matching(plan)} {match} in db {plan.db} on {plan.node}{size}{protected}")


def tally_rows(tally: Tally, mode: Mode, *, dry_run: bool) -> tuple[Row, ...]:
    """What became of the keys of a run, or would have."""
    return (
        row(
            words(mode).would if dry_run else words(mode).are,
            units.whole(tally.matched if dry_run else tally.removed),
            "strong",
        ),
        row("already gone", units.whole(tally.already_gone)),
        row("protected", units.whole(tally.protected)),
        row("refused", units.whole(tally.refused), "warn" if tally.refused else "value"),
        row("unknown", units.whole(tally.unknown), "act", remark="may be removed or not: the answer was lost")
        if tally.unknown
        else row("unknown", "0"),
    )


def left_row(result: Result) -> Row:
    """What a scan afterwards found."""
    if result.left is None:
        return row("left", "not counted", "warn")
    if result.dry_run or not result.left:
        return row("left", units.whole(result.left))
    return row("left", units.whole(result.left), "warn", remark="match now: refused, or written meanwhile")


def freed_row(result: Result, mode: Mode) -> Row:
    """What the keys took on the server."""
    freed = "would free" if result.dry_run else "freed" if mode == "unlink" else "will free"
    size = "unknown" if result.bytes_estimated is None else f"about {units.bytes_(result.bytes_estimated)}"
    return row(freed, size)


def kept_rows(result: Result) -> tuple[Row, ...]:
    """What can be taken back of a run, and what can't."""
    if result.undo is None:
        kept = "nothing was removed" if result.dry_run or not result.tally.removed else "none is kept"
        rows = [row("undo", kept)]
    else:
        rows = [row("undo", f"{units.bytes_(result.undo_bytes)} kept", "good")]
    if result.evicted:
        rows.append(row("evicted", f"{units.keys(result.evicted)} meanwhile: the server is at maxmemory", "warn"))
    if result.undo_left_out:
        gone = f"{units.keys(result.undo_left_out)} without an undo: too big, or no room for it"
        rows.append(row("for good", gone, "warn"))
    return tuple(rows)


def restored_rows(tally: RestoreTally) -> tuple[Row, ...]:
    """What became of the keys of an undo."""
    changed = "since, and left as they are" if tally.skipped else ""
    return (
        row("restored", units.whole(tally.restored), "strong"),
        row("there already", units.whole(tally.there)),
        row("changed", units.whole(tally.skipped), remark=changed),
        row("expired", units.whole(tally.expired)),
        row("failed", units.whole(tally.failed), "act" if tally.failed else "value"),
    )


def restore_troubles(result: RestoreResult) -> tuple[Row, ...]:
    """What keeps an undo from being all of it."""
    rows = [row("why", result.why, "warn")] if result.why else []
    if result.tally.unlinked:
        lack = (
            f"{units.whole(result.tally.unlinked)} time series are back without their compaction rules, if they had any"
        )
        rows.append(row("links", lack, "warn"))
    if result.copied:
        rows.append(row("copied", f"{units.keys(result.copied)} more, and never removed: left alone"))
    if result.evicted:
        rows.append(row("evicted", f"{units.keys(result.evicted)} meanwhile (maxmemory)", "warn"))
    if result.left:
        rows.append(row("left", f"{units.keys(result.left)} still to come: undo the run again", "warn"))
    if result.torn:
        rows.append(row("torn", TORN, "warn"))
    if result.unrecorded is not None:
        rows.append(row("journal", f"it lacks some of this: {result.unrecorded}", "warn"))
    return tuple(rows)


def passed_rows(last: Iterable[tuple[Record, SafeText]]) -> tuple[Row, ...]:
    """Newer runs that can't be undone, and why."""
    return tuple(row("newer", f"run {record.id} can't be undone, {why}", "warn") for record, why in last)


def resume_rows(verdict: Verdict, options: Options) -> tuple[Row, ...]:
    """What can be taken back of a run that is gone on with."""
    if verdict.undo.loses:
        return (row("for good", verdict.undo.loss, "act"),)
    return (_undo_row(verdict.undo, units.bytes_(options.trash_cap)),)


def undo_rows(verdict: Verdict) -> tuple[Row, ...]:
    """What an undo does to what is there by now."""
    if verdict.undo.loses:
        return (row("for good", verdict.undo.loss, "act"),)
    return (row("newer keys", "stay as they are"),)


def _undo_row(undo: Undo, cap: SafeText) -> Row:
    if undo.state == "unknown":
        return row("undo", f"kept, as far as there is room: at most {cap}", "good")
    if undo.state == "not needed":
        return row("undo", "not needed")
    if undo.state == "none":
        return row("undo", "none: what is removed is gone for good", "warn")
    if undo.state == "impossible":
        return row("undo", f"not possible: {undo.why}", "warn")
    size = f"in at most {cap}" if undo.kept_bytes is None else f"about {units.bytes_(undo.kept_bytes)} of {cap}"
    if undo.state == "partial":
        return row("undo", f"for a part, {size}", "warn")
    return row("undo", f"kept, {size}", "good")


def _memory(plan: Plan) -> SafeText:
    if plan.bytes is None:
        return safe("unknown")
    return safe(f"{'' if plan.bytes.is_exact else 'at least '}{units.bytes_(plan.bytes.value)}")


def _counted(name: str, counts: Sequence[tuple[str, int]], *, about: bool) -> list[Row]:
    """How many keys of which kind; those of a sample, as shares of all keys, are marked with ``~``."""
    mark = "~" if about else ""
    pieces = tuple(Piece(safe(each), safe(f"{mark}{units.whole(count)}")) for each, count in counts if count)
    return [Row(safe(name), pieces)] if pieces else []
