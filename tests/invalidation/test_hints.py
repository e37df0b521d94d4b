"""What was probably meant where nothing matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.hints import hints, mistake
from pymon_tui.invalidation.pattern import PatternError, parse_pattern
from pymon_tui.invalidation.selection import Selection


def selecting(*patterns: str, type: str | None = None) -> Selection:  # noqa: A002 - as the filter is called
    filters = Filters(type=type, expiry=None, expiry_seconds=None, idle_over=None, larger_than=None)
    return Selection(tuple(map(parse_pattern, patterns)), filters, (), 10, every=False)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (selecting("a:*", "b"), []),
        (selecting("a:*", type="ZSet"), []),
        (selecting("a:*", type="strng"), ['Redis itself has no type "strng": did you mean "string"?']),
        (selecting("a", type="Q"), ['Redis itself has no type "Q": a module\'s type is spelled as TYPE says it']),
        (
            selecting("^a:.*$", "x$"),
            [
                '"^a:.*$" is a glob and no regular expression: ^ and $ stand for themselves; "a:*"?',
                '"x$" is a glob and no regular expression: ^ and $ stand for themselves; "*x"?',
            ],
        ),
        (selecting("cost.in.$*"), []),
        (
            selecting("feed:{1,2}"),
            ['"feed:{1,2}" has braces, which stand for themselves in a glob; give a pattern for each alternative'],
        ),
        (
            selecting("slot:{1}", "a:[,]b", "%3A*", "%d:*", "-1:*", "用户：*", "$sys:*", "app.{42}:*"),
            [],
        ),
        (
            selecting("%user:*", "-user:*", "user：*", "redis://host/a:*", "a:${id}"),
            [
                '"%user:*" has a % for any text, which stands for itself in a glob; write * in its place',
                '"-user:*" begins with a sign of ACL rules or of negation, which stands for itself; '
                "write the pattern without it",
                '"user：*" has a wide character, which stands for itself; write it as ASCII has it',
                '"redis://host/a:*" is an address; write the pattern of the keys alone',
                '"a:${id}" has a ${…} for a value, which stands for itself; write * in its place',
            ],
        ),
        (
            selecting("user:*,feed:*"),
            ['"user:*,feed:*" has a comma, which stands for itself; several patterns are separated by blanks'],
        ),
        (
            selecting("us[er"),
            [r'"us[er" has a [ without its ], and all that follows is one byte of a set; a [ of the key is \['],
        ),
        (selecting("us[er]", r"us\[er"), []),
        (
            selecting("[a:*]"),
            ['"[a:*]" is a set, which matches one byte at most; brackets and quotes belong around a whole list'],
        ),
        (
            selecting("a:*|b:*", "c|d*"),
            [
                '"a:*|b:*" has a |, which stands for itself; give a pattern for each alternative',
                '"c|d*" has a |, which stands for itself; give a pattern for each alternative',
            ],
        ),
        (selecting("id|7|*", "c|*", "a||b"), []),
    ],
)
def test_a_selection_that_looks_like_a_mistake(selection: Selection, said: list[str]) -> None:
    assert list(hints(selection)) == said


GLOBS = {
    "^sess:": "sess:*",
    "^sess:$": "sess:",
    "sess:[0-9]{4}": None,
    "sess:.{4}": None,
    "sess:(a){2,}": None,
    "^sess:.*": "sess:*",
    "sess:.*": "sess:*",
    "sess:.+": "sess:*",
    r"sess:\w+": "sess:*",
    r"^sess:\d+$": "sess:*",
    "sess:[0-9]+": "sess:*",
    "/sess:.*/": "sess:*",
    "/^sess:/i": None,
    "(?i)sess:.*": "sess:*",
    "^(sess|b):": None,
    r"^a\d": None,
    "^.*$": None,
    ".*": None,
    "^": None,
    "$": None,
    ".+": None,
}
"""What is suggested for a regular expression; None where no glob is meant for sure."""


@pytest.mark.parametrize(("text", "glob"), GLOBS.items(), ids=GLOBS)
def test_a_suggestion_is_another_pattern_that_means_what_was_meant(text: str, glob: str | None) -> None:
    said = mistake(text, parse_pattern(text)) or ""
    suggested = re.search(r'"(.*)"\?$', said)
    assert (suggested[1] if suggested else None) == glob


@given(st.text(alphabet="ab:*.+?^$[]()|{}\\\\dwn/%<>@-=~ ", min_size=1, max_size=12))
def test_no_suggestion_is_what_was_typed_nor_a_mistake_itself(text: str) -> None:
    try:
        said = mistake(text, parse_pattern(text)) or ""
    except PatternError:
        return
    if (suggested := re.search(r'themselves; "(.*)"\?$', said)) is not None:
        assert suggested[1] != text
        assert mistake(suggested[1], parse_pattern(suggested[1])) is None
        assert not parse_pattern(suggested[1]).is_catch_all
