"""Facts in groups: how many there are, where they stand, and which leave first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.text import safe
from pymon_tui.ui.widgets.groups import Fact, Group, arrange, clip
from pymon_tui.ui.widgets.ink import Line, line_width, span, text_of


def group(title: str, *ranks: int) -> Group:
    """A group with a fact of each rank, which says its title and its rank."""
    return Group(title, tuple(Fact(rank, (span(f"{title}{rank}"),)) for rank in ranks))


def said(lines: tuple[Line, ...]) -> list[list[str]]:
    """The words of each line."""
    return [text_of(line).split() for line in lines]


def test_groups_stand_in_as_many_columns_as_fit_with_their_titles() -> None:
    groups = (group("a", 0, 1), group("b", 0, 1))

    assert said(arrange(groups, 80, 3, rank_with_titles=1)) == [["a", "b"], ["a0", "b0"], ["a1", "b1"]]
    assert said(arrange(groups, 40, 7, rank_with_titles=1)) == [["a"], ["a0"], ["a1"], [], ["b"], ["b0"], ["b1"]]


def test_titles_leave_before_facts_that_are_worth_more() -> None:
    groups = (group("a", 0, 1), group("b", 0, 1))

    assert said(arrange(groups, 80, 2, rank_with_titles=1)) == [["a0", "b0"], ["a1", "b1"]]
    assert said(arrange(groups, 80, 2, rank_with_titles=0)) == [["a", "b"], ["a0", "b0"]]


def test_facts_of_the_highest_rank_leave_first_and_the_rest_fills_what_is_left() -> None:
    groups = (group("a", 0, 9, 5), group("b", 0, 5, 5, 5))

    assert said(arrange(groups, 80, 4, rank_with_titles=0)) == [["a", "b"], ["a0", "b0"], ["a5", "b5"], ["b5"]]


def test_a_group_without_facts_has_no_title() -> None:
    assert said(arrange((group("a"), group("b", 0)), 80, 5, rank_with_titles=0)) == [["b"], ["b0"]]


@pytest.mark.parametrize(
    ("text", "width", "shown"), [("abc", 5, "abc  "), ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("서울", 3, "서…")]
)
def test_a_clipped_line_takes_exactly_its_width(text: str, width: int, shown: str) -> None:
    assert text_of(clip((span(text),), width)) == shown


def test_a_line_is_cut_in_the_piece_that_does_not_fit() -> None:
    line = (span("ab", "label"), span("cd", "act"), span("ef"))

    assert clip(line, 3) == (span("ab", "label"), span("…", "act"))
    assert clip(line, 2) == (span("a…", "label"),)


@given(st.lists(st.lists(st.integers(0, 5), max_size=8), max_size=8), st.integers(1, 200), st.integers(1, 40))
def test_it_never_takes_more_than_its_room(ranks: list[list[int]], width: int, height: int) -> None:
    groups = [group(f"group {place} ", *found) for place, found in enumerate(ranks)]

    lines = arrange(groups, width, height, rank_with_titles=1)

    assert len(lines) <= height
    assert all(line_width(line) <= max(width, 0) for line in lines)


@given(st.lists(st.text(max_size=9), max_size=5), st.integers(1, 20))
def test_any_text_is_clipped_to_its_width(texts: list[str], width: int) -> None:
    assert line_width(clip(tuple(span(safe(text)) for text in texts), width)) == width
