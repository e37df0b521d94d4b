"""What there is to say of a plan, a run and an undo: rows of a name and a text, in order, as every door shows them.

The command line, the screens and whatever else leads to the engine decide where a row stands; what it says is written
here alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

from pymon_tui.invalidation.account import Mode, Options, Result, Tally
from pymon_tui.invalidation.key_rights import KeyRights
from pymon_tui.invalidation.payload import links_lost
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.shelf import GivenUp
from pymon_tui.invalidation.verdict import REPLACED, Verdict
from pymon_tui.invalidation.way_back import Undo
from pymon_tui.invalidation.wording import dropped_text, keys_between, words
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe

Severity: TypeAlias = Literal["value", "strong", "good", "warn", "act"]
"""How much a row matters: ``warn`` where a person should look, ``act`` where one should act."""

_TEXT = 500
_RUNS = 5  # that are named
SINCE = "written about when Sentinels named this server last, or since"
"""When keys were written that a failover may take back."""


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
        return not self.pieces[0].value.strip(" 0123456789–~")

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
        pieces = [Piece(safe(name), units.age(time)) for name, time in times]
        if plan.idle.known < sum(not sample.gone for sample in plan.samples):
            pieces.append(
                Piece(safe("known of"), safe(f"{units.whole(plan.idle.known)} of {units.whole(plan.sampled)}"))
            )
        rows.append(Row(safe("idle"), tuple(pieces)))
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
    return safe(f"{units.keys(plan.scanned)} in {times}{units.took(plan.seconds)}")


def manner_rows(options: Options, verdict: Verdict) -> tuple[Row, ...]:
    """How a run would go about it."""
    dry = ", dry run: nothing is removed" if options.dry_run else ""
    rate = f", {units.whole(round(options.rate))} keys/s" if options.rate is not None else ""
    rows = (
        row("mode", f"{manner(options)}{dry}", "strong"),
        _undo_row(verdict.undo, units.bytes_(options.trash_cap)),
        row("brake", f"p99 ≤ idle + {1000 * options.ceiling:g} ms{rate}"),
    )
    return (*rows, row("confirm", _confirmation(verdict))) if options.dry_run and verdict.confirm != "nothing" else rows


def trouble_rows(plan: Plan, verdict: Verdict) -> tuple[Row, ...]:
    """What a person should know before it is too late; what keeps a run from beginning comes first."""
    rows = []
    if verdict.may == "refused":
        rows.append(row("refused", verdict.why, "act"))
    elif verdict.may == "begin" and verdict.why:
        rows.append(row("run", verdict.why, "warn"))
    if verdict.may != "refused" and verdict.undo.loses:
        rows.append(row("for good", verdict.undo.loss, "act" if verdict.undo.state != "partial" else "warn"))
    if verdict.may != "refused":
        rows += given_up_rows(verdict.undo.gives_up, "is given up where its room is needed (trash_size)")
    if verdict.may != "refused" and verdict.undo.state == "unknown" and verdict.undo.why:
        rows.append(row("undo", verdict.undo.why, "warn"))
    if verdict.undo.elsewhere:
        rows.append(row("undo", verdict.undo.elsewhere, "warn"))
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
    protected = f", {units.whole(plan.protected)} more protected" if plan.protected else ""
    match = "matches" if plan.matched == 1 and not plan.capped else "match"
    return safe(f"{matching(plan)} {match} in db {plan.db} on {plan.node}{size}{protected}")


def tally_rows(tally: Tally, mode: Mode, *, dry_run: bool, rights: KeyRights) -> tuple[Row, ...]:
    """What became of the keys of a run, or would have, by the ``rights`` that a plan was told of."""
    removed, refused = units.whole(tally.removed), row("refused", units.whole(tally.refused))
    if dry_run:
        removed, refused = _rehearsed(tally.matched, rights)
    sooner = row("ending sooner", units.whole(tally.ending_sooner), remark="anyway, and left as they are")
    return (
        row(words(mode).would if dry_run else words(mode).are, removed, "strong"),
        row("already gone", units.whole(tally.already_gone)),
        *([sooner] if tally.ending_sooner else []),
        row("protected", units.whole(tally.protected)),
        replace(refused, severity="warn") if tally.refused or (dry_run and rights.refused) else refused,
        row("unknown", units.whole(tally.unknown), "act", remark="may be removed or not: the answer was lost")
        if tally.unknown
        else row("unknown", "0"),
    )


def _rehearsed(matched: int, rights: KeyRights) -> tuple[SafeText, Row]:
    """How many of the keys would go, and how many would be refused, as far as the server was asked about them."""
    refused = rights.refused_of(matched)
    if rights.is_whole(matched):
        return units.whole(matched - refused), row("refused", units.whole(refused))
    if rights.by == "command" and not rights.refused:
        return units.whole(matched), row("refused", "not known before: only the command can be asked about")
    if not rights.asked:
        return units.whole(matched), row("refused", "not known before: the server can't be asked")
    if not refused:
        return units.whole(matched), row("refused", "0", remark=f"of {units.keys(rights.asked)} asked about")
    sample = f"by {units.whole(rights.refused)} of {units.keys(rights.asked)} asked about"
    return safe(f"~{units.whole(matched - refused)}"), row("refused", f"~{units.whole(refused)}", remark=sample)


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
    return row(freed, result.freed.text)


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
    if result.may_be_lost:
        gone = f"{units.keys(result.may_be_lost)} {SINCE}: the new primary may have them still"
        rows.append(row("may be lost", gone, "act"))
    return (*rows, *given_up_rows(result.gave_up, "was given up for this one (trash_size)"))


def resume_rows(verdict: Verdict, options: Options) -> tuple[Row, ...]:
    """What can be taken back of a run that is gone on with."""
    given_up = given_up_rows(verdict.undo.gives_up, "is given up where its room is needed (trash_size)")
    if verdict.undo.loses:
        return (row("for good", verdict.undo.loss, "act"), *given_up)
    return (_undo_row(verdict.undo, units.bytes_(options.trash_cap)), *given_up)


def given_up_rows(runs: Sequence[GivenUp], how: str) -> tuple[Row, ...]:
    """Whose undos are given up for this one, with the keys that could have been brought back."""
    told = [one for one in runs if one.costs]
    names = [f"{one.run} ({keys_between(*one.keys)})" for one in told[:_RUNS]]
    if len(told) > _RUNS:
        names.append(f"{units.whole(len(told) - _RUNS)} more runs")
    whose = f"run {names[0]}" if len(names) == 1 else f"runs {', '.join(names)}"
    return (row("gives up", f"the undo of {whose} {how}", "warn"),) if told else ()


def undo_rows(verdict: Verdict) -> tuple[Row, ...]:
    """What an undo does to what is there by now."""
    dropped, stay = verdict.undo.dropped, row("newer keys", "stay as they are")
    replaced = row("for good", REPLACED, "act") if verdict.undo.lost == REPLACED else stay
    return (row("for good", dropped_text(dropped), "act"), replaced) if dropped is not None else (replaced,)


def _undo_row(undo: Undo, cap: SafeText) -> Row:
    if undo.state == "unknown" and not undo.why:
        return row("undo", f"kept, in at most {cap}; asks before a key goes without", "good")
    if undo.state == "not needed":
        return row("undo", "not needed")
    if undo.state == "none":
        return row("undo", "none: what is removed is gone for good", "warn")
    if undo.state == "impossible":
        return row("undo", f"not possible: {undo.why}", "warn")
    size = f"in at most {cap}" if undo.kept_bytes is None else f"about {units.bytes_(undo.kept_bytes)} of {cap}"
    if undo.state == "partial":
        return row("undo", f"for a part, {size}", "warn")
    if undo.state == "unknown":
        return row("undo", f"kept, {size}, if it may be used", "warn")
    return row("undo", f"kept, {size}", "good")


def _confirmation(verdict: Verdict) -> str:
    """How the run is confirmed that a dry run rehearses."""
    return f"type {verdict.to_type}: {verdict.because}" if verdict.typed else "a run asks for a yes"


def _memory(plan: Plan) -> SafeText:
    if plan.bytes is None:
        return safe("unknown")
    return safe(f"{'' if plan.bytes.is_exact else 'at least '}{units.bytes_(plan.bytes.value)}")


def _counted(name: str, counts: Sequence[tuple[str, int]], *, about: bool) -> list[Row]:
    """How many keys of which kind; those of a sample, as shares of all keys, are marked with ``~``."""
    mark = "~" if about else ""
    pieces = tuple(Piece(safe(each), safe(f"{mark}{units.whole(count)}")) for each, count in counts if count)
    return [Row(safe(name), pieces)] if pieces else []
