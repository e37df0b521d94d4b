"""The verdict: never a beginning that it forbids, never one key for what can't be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.key_bytes import KeyBytes
from pymon_tui.invalidation.key_rights import KeyRights
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.pattern import Pattern, parse_pattern
from pymon_tui.invalidation.report import undo_rows
from pymon_tui.invalidation.rules import Guard, Rules
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.shelf import Shelf
from pymon_tui.invalidation.verdict import REPLACED, of_plan, of_resume, of_undo
from pymon_tui.journal.dropped import Dropped
from pymon_tui.journal.key_count import KeyCount
from pymon_tui.journal.records import Record
from pymon_tui.model.environment import is_production
from pymon_tui.model.text import safe
from tests.ui.scripted_desk import HERE, RULES, RUN, plan_of, record_of

SELECTION = Selection((parse_pattern("user:cache:*"),), Filters(), (), 1_000_000, every=False)
PLAN = replace(plan_of(SELECTION, HERE), matched=12)
GUARD = Guard(
    "prod", "10.0.0.1:6379", "production", (parse_pattern("cart:*"),), 500, 10, 0.002, 1_000.0, read_only=False
)


@given(
    matched=st.integers(0, 20_000),
    protected=st.integers(0, 3),
    capped=st.booleans(),
    possible=st.booleans(),
    refused=st.booleans(),
    oversized=st.integers(0, 3),
    kept=st.none() | st.integers(0, 1_000_000_000),
    undo=st.booleans(),
    dry_run=st.booleans(),
    environment=st.sampled_from([None, "staging", "production"]),
    read_only=st.booleans(),
    free=st.none() | st.integers(0, 1_000_000_000),
)
def test_what_it_says_holds_together(
    *,
    matched: int,
    protected: int,
    capped: bool,
    possible: bool,
    refused: bool,
    oversized: int,
    kept: int | None,
    undo: bool,
    dry_run: bool,
    environment: str | None,
    read_only: bool,
    free: int | None,
) -> None:
    plan = replace(
        PLAN,
        matched=matched,
        protected=protected,
        capped=capped,
        undo_possible=possible and undo,
        undo_problem=None if possible else safe("NOPERM"),
        removal_problem=safe("NOPERM") if refused else None,
        oversized=min(oversized, matched),
        undo_bytes=kept,
    )
    options = Options(undo=undo, dry_run=dry_run)
    verdict = of_plan(plan, options, replace(RULES, environment=environment, read_only=read_only), Shelf(free))
    assert verdict.begins == (
        matched > 0
        and not (capped or refused)
        and not (read_only and not dry_run)
        and not (undo and not possible)
        and verdict.undo.state != "impossible"
    )
    if possible and undo and matched:
        assert (verdict.undo.state == "impossible") == (verdict.undo.lost_keys == matched)
    assert (verdict.confirm == "type") == bool(verdict.typed) == bool(verdict.because)
    if not verdict.begins or read_only:
        assert verdict.confirm == "nothing"
        assert verdict.why
    else:
        must = environment == "production" or matched > RULES.type_above or verdict.undo.loses
        assert verdict.confirm == ("type" if must else "yes")
    if verdict.undo.loses:
        assert verdict.undo.lost_keys is not None
        assert 0 < verdict.undo.lost_keys <= matched
        assert "gone for good" in verdict.undo.loss
    elif matched:
        assert undo
        assert not oversized
        assert kept is None or kept <= min(options.trash_cap, options.trash_cap if free is None else free)


def patterns(*texts: str) -> tuple[Pattern, ...]:
    return tuple(map(parse_pattern, texts))


@pytest.mark.parametrize(
    ("asked", "matching", "typed"),
    [
        (("a:*", "*"), ("a:*", "*"), "a:* *"),
        (("a:*", "*"), ("*",), "*"),
        (("zzz:*", "a:*"), ("a:*",), "a:*"),
        (("a:*", "zzz:*", "b:*"), ("a:*", "b:*"), "a:* b:*"),
        (("a:*", "b c:*"), ("a:*", "b c:*"), "a:* b c:*"),
        (("a:*", "b:*"), (), "a:* b:*"),  # an older journal doesn't tell
    ],
)
def test_what_goes_is_typed_and_nothing_else(asked: tuple[str, ...], matching: tuple[str, ...], typed: str) -> None:
    selection = replace(SELECTION, patterns=patterns(*asked), every=True)
    plan = replace(PLAN, selection=selection, matching=patterns(*matching))
    order = Order.of(plan, None)
    rules = replace(RULES, type_above=1)
    told = {"matching": [pattern.shown for pattern in plan.matching]}
    record = record_of(patterns=tuple(pattern.shown for pattern in selection.patterns), plan=told)
    for verdict in (
        of_plan(plan, Options(), rules),
        of_plan(plan, Options(dry_run=True), rules),
        of_resume(CUT, order, Options(), rules, ""),
        of_undo(record, None, replace(rules, environment="production"), replace=True),
    ):
        assert verdict.confirm == "type"
        assert verdict.to_type == typed
        assert verdict.is_confirmed_by(f" {typed} ")
        for wrong in {*asked, " ".join(asked), f"{typed} x", typed[1:], ""} - {typed}:
            assert not verdict.is_confirmed_by(wrong)


@pytest.mark.parametrize("asked", [(" x*",), ("x ",), ("tr *", "tr *b "), ("\\ ",), (" ",)])
def test_blanks_at_the_edges_are_typed_as_they_are_shown(asked: tuple[str, ...]) -> None:
    verdict = of_plan(
        replace(PLAN, matching=tuple(Pattern(each.encode()) for each in asked)), Options(undo=False), RULES
    )
    assert verdict.to_type.strip() == verdict.to_type
    assert verdict.is_confirmed_by(verdict.to_type)


def test_an_escape_confirms_as_its_byte() -> None:
    plan = replace(PLAN, matching=patterns("a:*", "é"))
    assert of_plan(plan, Options(undo=False), RULES).is_confirmed_by(r"a:*  \xc3\xa9")


def test_a_run_without_any_undo_is_refused_and_its_dry_run_with_it() -> None:
    plan = replace(PLAN, oversized=PLAN.matched)
    for dry_run in (False, True):
        verdict = of_plan(plan, Options(dry_run=dry_run), RULES)
        assert (verdict.may, verdict.way, verdict.undo.state) == ("refused", "no_undo", "impossible")
        assert of_plan(plan, Options(undo=False, dry_run=dry_run), RULES).begins


@pytest.mark.parametrize(
    ("oversized", "says"), [(1, "1 key over 16.0 MiB isn't kept"), (2, "2 keys over 16.0 MiB aren't")]
)
def test_one_key_is_one(oversized: int, says: str) -> None:
    assert says in of_plan(replace(PLAN, oversized=oversized), Options(), RULES).undo.why


@given(keys=st.integers(0, 500), asked=st.integers(0, 10), refused=st.integers(0, 10))
def test_rights_are_exact_where_all_keys_were_asked_about(keys: int, asked: int, refused: int) -> None:
    rights = KeyRights(asked, min(asked, refused))
    assert 0 <= rights.refused_of(keys) <= keys
    if asked == keys:
        assert rights.refused_of(keys) == rights.refused
    if not rights.refused:
        assert rights.refused_of(keys) == 0


@pytest.mark.parametrize("text", ["user:*", "", "user:cache", "user:cache:**", "[", "\\"])
def test_another_text_confirms_nothing(text: str) -> None:
    verdict = of_plan(PLAN, Options(undo=False), RULES)
    assert not verdict.is_confirmed_by(text)
    assert verdict.is_confirmed_by("user:cache:*")
    assert not of_plan(PLAN, Options(), RULES).is_confirmed_by("user:cache:*")  # there a yes is asked for


def test_the_strictest_rule_holds() -> None:
    strict = RULES.under([GUARD, replace(GUARD, profile="other", max_keys=900, rate=None, read_only=True)])
    assert strict.protected == (*RULES.protected, *GUARD.protected)
    assert (strict.max_keys, strict.type_above, strict.ceiling, strict.rate) == (500, 10, 0.002, 1_000.0)
    assert strict.read_only
    assert strict.environment == "production"
    assert strict.guarded_by == ("prod", "other")


def test_a_guard_never_loosens() -> None:
    own = replace(RULES, max_keys=3, type_above=1, ceiling=0.001, rate=5.0, read_only=True, environment="prod-eu")
    strict = own.under([GUARD])
    assert (strict.max_keys, strict.type_above, strict.ceiling, strict.rate) == (3, 1, 0.001, 5.0)
    assert strict.read_only
    assert strict.environment == "prod-eu"


@pytest.mark.parametrize(
    ("text", "production"),
    [("production", True), ("prod", True), ("PROD-EU", True), (" Production ", True), ("staging", False), (None, False),
     ("pre-prod", False), ("", False)],
)  # fmt: skip
def test_what_is_production(text: str | None, production: bool) -> None:  # noqa: FBT001
    assert is_production(text) is production
    assert replace(RULES, environment=text).in_production is production


def test_each_says_who_calls_it_production_and_who_caps_it() -> None:
    plain = replace(GUARD, profile="cap", environment="production", max_keys=5)
    rules = replace(RULES, environment="production", named_by=None).under([plain])
    assert of_plan(PLAN, Options(), rules).because == "this is production"
    rules = RULES.under([replace(GUARD, profile="first", max_keys=900), plain])
    capped = replace(PLAN, capped=True, selection=SELECTION.under(rules))
    assert of_plan(PLAN, Options(), rules).because == "this is production (profile first)"
    verdict = of_plan(capped, Options(), rules)
    assert (verdict.why, verdict.way) == (
        "more than 5 keys match; narrow the pattern, or raise max_keys of profile cap",
        "",
    )
    own = replace(capped, selection=replace(SELECTION, max_keys=3).under(rules))
    verdict = of_plan(own, Options(), rules)
    assert (verdict.why, verdict.way) == ("more than 3 keys match; narrow the pattern, or allow more", "max_keys")


@pytest.mark.parametrize(
    ("changes", "problem", "may", "why"),
    [
        ({}, None, "begin", ""),
        ({}, "it kept none", "refused", f"run {RUN} can't be undone: it kept none"),
    ],
)
@pytest.mark.parametrize("replaces", [True, False])
def test_an_undo(changes: dict[str, Any], problem: str | None, may: str, why: str, *, replaces: bool) -> None:
    reason = None if problem is None else safe(problem)
    verdict = of_undo(record_of(**changes), reason, RULES, replace=replaces)
    assert (verdict.may, verdict.why, verdict.confirm) == (may, why, "yes" if may == "begin" else "nothing")
    assert verdict.undo.loses == replaces
    assert verdict.undo.loss == ("newer keys of the same name are replaced for good" if replaces else "")


def test_an_undo_under_read_only_and_in_production() -> None:
    verdict = of_undo(record_of(), None, replace(RULES, read_only=True), replace=False)
    assert (verdict.may, verdict.why) == ("refused", "nothing is restored: this is read-only")
    production = replace(RULES, environment="production", named_by="prod")
    assert of_undo(record_of(), None, production, replace=False).confirm == "yes"
    verdict = of_undo(record_of(patterns=(safe("a:*"), safe("b:*"))), None, production, replace=True)
    assert (verdict.confirm, verdict.because) == ("type", "this is production (profile prod)")
    assert verdict.is_confirmed_by("a:* b:*")
    assert not verdict.is_confirmed_by("a:*")
    for broken in ((), (safe(""),)):
        assert of_undo(record_of(patterns=broken), None, production, replace=True).may == "refused"


CUT = record_of(state="interrupted")
ORDER = Order.of(replace(PLAN, matched=12), None)


@pytest.mark.parametrize(
    ("record", "rules", "may", "confirm", "why"),
    [
        (CUT, RULES, "begin", "yes", ""),
        (CUT, replace(RULES, type_above=11), "begin", "type", ""),
        (CUT, replace(RULES, type_above=12), "begin", "yes", ""),
        (CUT, replace(RULES, environment="production"), "begin", "type", ""),
        (CUT, replace(RULES, read_only=True), "refused", "nothing", "can't be taken up again: this is read-only"),
        (record_of(state="running"), RULES, "refused", "nothing", "is still under way"),
        (record_of(), RULES, "nothing", "nothing", "it came to its end; there is nothing to resume"),
        (record_of(kind="undo"), RULES, "nothing", "nothing", "it is an undo"),
    ],
)
def test_a_resume(record: Record, rules: Rules, may: str, confirm: str, why: str) -> None:
    verdict = of_resume(record, ORDER, Options(), rules, "")
    assert (verdict.may, verdict.confirm) == (may, confirm)
    assert why in verdict.why
    assert verdict.undo.state == "unknown"  # nobody has looked
    assert not verdict.undo.loses
    assert of_resume(record, ORDER, Options(undo=False), rules, "").undo.loss == (
        "all keys would be gone for good: no undo is kept"
    )


def test_a_resume_that_the_journal_knows_too_little_of() -> None:
    verdict = of_resume(CUT, None, None, RULES, "the journal lacks its plan")
    assert (verdict.may, verdict.why) == ("refused", "the journal lacks its plan")
    assert of_resume(CUT, ORDER, Options(undo=False), RULES, "").confirm == "type"


def test_a_disk_that_is_too_full_for_the_undo_refuses_it() -> None:
    plan = replace(PLAN, undo_bytes=5_000)
    assert of_plan(plan, Options(), RULES, Shelf(6_250)).undo.state == "certain"  # it may take a quarter more
    verdict = of_plan(plan, Options(), RULES, Shelf(6_249))
    assert (verdict.may, verdict.way, verdict.undo.state) == ("refused", "no_undo", "impossible")
    assert verdict.undo.lost_keys == plan.matched
    assert "free some, or keep no undo" in verdict.why
    smaller = of_plan(plan, Options(trash_cap=4_000), RULES, Shelf(1 << 40))
    assert (smaller.may, smaller.undo.state) == ("begin", "partial")
    barely = of_plan(plan, Options(trash_cap=6_000), RULES, Shelf(1 << 40)).undo
    assert (barely.state, barely.lost_keys, barely.about) == ("partial", 1, True)
    assert barely.why.startswith("the undo takes about 4.88 KiB and up to 6.10 KiB, and 5.86 KiB at most are kept")


def test_an_undo_of_a_size_that_nobody_knows_is_certain_where_all_memory_of_the_keys_fits() -> None:
    plan = replace(PLAN, undo_bytes=None, bytes=KeyBytes(10_000, is_exact=True, largest=10_000))
    assert of_plan(plan, Options(trash_cap=10_000), RULES, Shelf(1 << 40)).undo.state == "certain"
    undo = of_plan(plan, Options(trash_cap=9_999), RULES, Shelf(1 << 40)).undo
    assert (undo.state, undo.why) == (
        "unknown",
        "what the undo takes isn't known: the keys take 9.77 KiB in memory, and 9.76 KiB at most are kept (trash_size)",
    )


def test_an_undo_of_a_size_that_nobody_knows_keeps_what_there_is_room_for_by_the_memory_of_each_key() -> None:
    plan = replace(PLAN, matched=10, undo_bytes=None, undo_sizes=((10, 10_000),))
    plan = replace(plan, bytes=KeyBytes(10_000, is_exact=True, largest=1_000))
    assert of_plan(plan, Options(trash_cap=10_000), RULES, Shelf(1 << 40)).undo.state == "certain"
    undo = of_plan(plan, Options(trash_cap=4_100), RULES, Shelf(1 << 40)).undo
    assert (undo.state, undo.lost_keys, undo.lost_bytes, undo.about) == ("partial", 6, 6_000, True)
    assert undo.why == "the undo takes up to 9.77 KiB, and 4.00 KiB at most are kept (trash_size)"
    assert undo.loss.startswith("up to 6 keys, 5.86 KiB would be gone for good")
    # Dumps may be smaller than the keys: whether none fits, or the disk is too full, isn't known.
    assert of_plan(plan, Options(trash_cap=900), RULES, Shelf(1 << 40)).undo.state == "unknown"
    assert of_plan(plan, Options(), RULES, Shelf(4_100)).undo.state == "unknown"


@given(lost=st.integers(0, 12), undo_bytes=st.integers(1, 10_000))
def test_an_undo_that_would_keep_nothing_is_none(lost: int, undo_bytes: int) -> None:
    plan = replace(PLAN, oversized=lost, undo_bytes=undo_bytes)
    for free in (0, 5_000):
        undo = of_plan(plan, Options(), RULES, Shelf(free))
        if undo.undo.lost_keys == plan.matched:
            assert (undo.may, undo.way, undo.undo.state) == ("refused", "no_undo", "impossible")
        assert free or undo.undo.lost_keys == plan.matched


def test_of_several_servers_the_least_that_is_known_of_rights_holds() -> None:
    keys, command = KeyRights(10, 2, "keys"), KeyRights(0, 0, "command")
    assert keys.plus(KeyRights(100, 3, "keys")) == KeyRights(110, 5, "keys")
    assert keys.plus(command).by == command.plus(keys).by == "command"
    assert keys.plus(KeyRights()).by == ""
    assert keys.plus(KeyRights(by="nothing")) == keys


@pytest.mark.parametrize("replaces", [False, True])
def test_what_was_given_up_of_a_run_makes_its_undo_partial_also_where_keys_are_replaced(*, replaces: bool) -> None:
    dropped = Dropped(KeyCount(3, 7), (safe("10.0.0.2:6379"),))
    with patch.object(Record, "dropped", dropped):
        verdict = of_undo(record_of(), None, RULES, replace=replaces)
    assert (verdict.undo.state, verdict.undo.lost_keys, verdict.undo.dropped) == ("partial", 7, dropped)
    rows = {row.text: row.severity for row in undo_rows(verdict)}
    assert any("of 10.0.0.2:6379 was dropped" in text for text in rows)
    assert (REPLACED in rows) is replaces
