"""What the soak calls a wrong count, and when it calls itself sound."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from pymon_tui.invalidation.account import NOTHING, NodeResult, Result, Tally
from pymon_tui.invalidation.freed import Freed
from tests.soak.account import Account, wrong_in

DONE = Result("1", "done", NOTHING, Tally(10, 8, 2), 0, Freed(), 1.0, None, 0, 0, False)
CUT = replace(DONE, outcome="stopped", tally=Tally(5, 3, 1, unknown=1), left=None)


@pytest.mark.parametrize("left", [0, 2])
def test_a_key_that_was_already_gone_may_have_been_found_twice(left: int) -> None:
    assert not list(wrong_in(replace(DONE, left=left), 10, left))


@pytest.mark.parametrize("left", [5, 6, 7])
def test_what_is_unknown_may_be_gone_or_not(left: int) -> None:
    assert not list(wrong_in(CUT, 10, left))


@pytest.mark.parametrize(
    ("result", "left", "says"),
    [
        (CUT, 8, "2 keys are gone"),
        (CUT, 4, "6 keys are gone"),
        (DONE, 1, "0 keys are left where there are 1"),
        (replace(DONE, tally=Tally(11, 8, 2)), 0, "don't add up"),
        (replace(DONE, nodes=(NodeResult("a", CUT),)), 0, "its nodes say"),
    ],
)
def test_what_is_not_so_is_named(result: Result, left: int, says: str) -> None:
    (wrong,) = wrong_in(result, 10, left)
    assert says in wrong


@pytest.mark.parametrize(
    "account",
    [
        Account("server", failures=["reset: not recovered"]),
        Account("server", wrong=["a run"]),
        Account("server", leaked=Counter({"Monitor": 1})),
        Account("server", files=(10, 11)),
    ],
)
def test_it_is_sound_without_a_crash_a_leak_and_a_wrong_count(account: Account) -> None:
    assert not account.is_sound
    assert Account("server", files=(11, 10)).is_sound
