"""The verdict: never a beginning that it forbids, never one key for what can't be undone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.rules import Guard
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.verdict import of_plan
from pymon_tui.model.environment import is_production
from pymon_tui.model.text import safe
from tests.ui.scripted_desk import HERE, RULES, plan_of

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
    verdict = of_plan(plan, options, replace(RULES, environment=environment, read_only=read_only), free)
    assert verdict.begins == (
        matched > 0
        and not (capped or refused)
        and not (read_only and not dry_run)
        and not (undo and not possible and not dry_run)
    )
    assert (verdict.confirm == "type") == (verdict.typed is not None) == bool(verdict.because)
    if not verdict.begins or dry_run:
        assert verdict.confirm == "nothing"
        assert verdict.begins or verdict.why
    else:
        must = environment == "production" or matched > RULES.type_above or verdict.undo.loses
        assert verdict.confirm == ("type" if must else "yes")
    if verdict.undo.loses:
        assert verdict.undo.lost_keys is not None
        assert 0 < verdict.undo.lost_keys <= matched
        assert "gone for good" in verdict.undo.loss
    elif not dry_run and matched:
        assert undo
        assert not oversized
        assert kept is None or kept <= min(options.trash_cap, options.trash_cap if free is None else free)


def test_a_catch_all_is_typed_as_it_is() -> None:
    every = replace(SELECTION, patterns=(parse_pattern("a:*"), parse_pattern("*")), every=True)
    verdict = of_plan(replace(PLAN, selection=every), Options(), RULES)
    assert verdict.typed == parse_pattern("*")
    assert verdict.is_confirmed_by(" * ")
    assert not verdict.is_confirmed_by("a:*")


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
