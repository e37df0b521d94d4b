"""What accounts and the journal say, held against what became of the keys."""

from __future__ import annotations

from typing import Any

from tests.stateful.acts import SHORT
from tests.stateful.keyspace import Span, ends_within
from tests.stateful.model import GONE, PROTECTED, REMOVED, SOONER, Different, check_counts
from tests.stateful.wishes import Wish
from tests.stateful.world import World


def check_account(
    world: World,
    wish: Wish,
    account: dict[str, Any],
    settled: dict[bytes, set[str]],
    usage: dict[bytes, int],
    span: Span,
) -> None:
    """Hold the account against what became of the keys."""
    whole = account["outcome"] == "done"
    check_counts(account, settled, (REMOVED, GONE, SOONER, PROTECTED))
    sum_ = sum(account[name] for name in ("removed", "already_gone", "ending_sooner", "refused", "unknown"))
    same("matched", account["matched"], sum_)
    same("refused", account["refused"], 0)
    if whole:
        same("unknown", account["unknown"], 0)
    if wish.undo and whole and not ends_within(world.keys.values(), span):
        large = [name for name, some in settled.items() if some == {REMOVED} and usage[name] > wish.key_cap]
        maybe = [name for name, some in settled.items() if REMOVED in some and usage[name] > wish.key_cap]
        if not len(large) <= account["undo_left_out"] <= len(maybe):
            raise Different(f"undo_left_out: {account['undo_left_out']} instead of {len(large)}")
    if whole and not ends_within(world.keys.values(), Span(span.begin, span.end + SHORT)):
        left = wish.meant(world.keys, world.store.usage(world.keys), span.end)
        latest = 1000 * (wish.expire + wish.jitter)
        standing = {name for name in left if not world.keys[name].end or world.keys[name].end > span.end + latest}
        left = standing if wish.expire else left
        same(f"left, of {sorted(left)},", account["left"], len(left))


def check_removed(least: int, most: int | None, settled: dict[bytes, set[str]], *, whole: bool) -> None:
    """Hold the range that the journal gives against what became of the keys."""
    sure = sum(some == {REMOVED} for some in settled.values())
    maybe = sum(REMOVED in some for some in settled.values())
    if least > maybe or (most is not None and most < sure) or (whole and (least != most or least < sure)):
        raise Different(f"the journal says {least} to {most} removed, and {sure} to {maybe} were")


def check_journal(world: World, *, typed: bool) -> None:
    """The journal says of every run what became of it."""
    records = {record.id: record for record in world.doors.records()}
    for run in world.runs:
        record = records[run.id]
        same(f"state of {run.id}", record.state, run.state)
        same(f"mode of {run.id}", record.mode, run.wish.mode)
        if any(kept.went for kept in run.kept.values()):
            same(f"the undo of {run.id} is there", record.undo_path is not None, should_be=True)
        if run.undone is not None:
            same(f"undone of {run.id}", record.undone, run.undone)
    if typed and world.runs:
        told = world.doors.type_journal()
        for run in world.runs:
            record, said = records[run.id], told[run.id]
            for name in ("state", "removed_at_least", "removed_at_most", "undone", "mode", "db"):
                same(f"{name} of {run.id} in --json", said[name], getattr(record, name))


# What it is made of


def same(what: str, is_: object, should_be: object) -> None:
    """Hold one thing that was said against the model."""
    if is_ != should_be:
        raise Different(f"{what} is {is_!r}, should be {should_be!r}")
