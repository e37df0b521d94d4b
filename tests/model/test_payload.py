"""Payloads as a person reads them: nothing in them is rounded, lost or obeyed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.payload import DEEPEST, MOST_LINES, ONE_LINE, parsed, pretty, summary

PLAIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=20,
)
DOCUMENTS = st.lists(VALUES, max_size=4) | st.dictionaries(PLAIN, VALUES, max_size=4)


def shown(payload: bytes) -> list[str]:
    value = parsed(payload)
    assert value is not None
    return [f"{' ' * line.depth}{f'{line.name}: ' if line.name else ''}{line.text}" for line in pretty(value)]


def test_an_object_is_told_by_its_title_message_and_level() -> None:
    found = summary(b'{"id": 1, "level": "critical", "message": "no answer", "title": "Server down"}')
    assert found.telling == "Server down · no answer"
    assert found.level == "critical"
    assert found.line == '{"id":1,"level":"critical","message":"no answer","title":"Server down"}'


def test_severity_is_a_level_and_text_is_telling() -> None:
    found = summary(b'{"severity": " warning ", "text": "disk 91 %"}')
    assert (found.level, found.telling) == ("warning", "disk 91 %")


def test_what_is_no_text_tells_nothing() -> None:
    found = summary(b'{"title": 5, "level": null, "message": ""}')
    assert (found.level, found.telling) == (None, '{"title":5,"level":null,"message":""}')
    assert summary(b'{"level": 50}').level == "50"


def test_escaped_hangul_is_read() -> None:
    assert summary(rb'{"title": "\uc751\ub2f5"}').telling == "응답"


def test_numbers_constants_and_names_stay_as_they_were_written() -> None:
    payload = b'{"a": 1.10, "a": 1e999, "b": [NaN, -Infinity, 12345678901234567890123, true]}'
    assert summary(payload).line == '{"a":1.10,"a":1e999,"b":[NaN,-Infinity,12345678901234567890123,true]}'
    assert shown(payload)[1:4] == [' "a": 1.10,', ' "a": 1e999,', ' "b": [']


def test_a_number_of_thousands_of_digits_is_shown() -> None:
    assert summary(b"[" + b"7" * 6_000 + b"]").line == "[" + "7" * (ONE_LINE - 1) + "…"


def test_what_is_no_json_is_text() -> None:
    for payload in (b"plain text", b'{"cut": "off', b"{1: 2}", b"[\xff]", b"42", b'"text"', b""):
        assert parsed(payload) is None
    assert summary(b'{"cut": "\xff\x1b[31m').line == r'{"cut": "\xff\x1b[31m'


def test_pretty_json_is_indented() -> None:
    assert shown(b'{"a":1,"b":{"c":[],"d":[true,null]},"e":"x"}') == [
        "{",
        ' "a": 1,',
        ' "b": {',
        '  "c": [],',
        '  "d": [',
        "   true,",
        "   null",
        "  ]",
        " },",
        ' "e": "x"',
        "}",
    ]


def test_what_lies_too_deep_is_an_ellipsis() -> None:
    deep = b"[" * (DEEPEST + 5) + b"]" * (DEEPEST + 5)
    lines = shown(deep)
    assert max(line.count(" ") for line in lines) == DEEPEST
    assert lines[DEEPEST].strip() == "[…]"
    assert summary(deep).line == "[" * DEEPEST + "[…]" + "]" * DEEPEST


def test_nothing_is_too_deep_to_survive() -> None:
    deepest = b"[" * 8_000 + b"]" * 8_000
    assert summary(deepest).line.startswith("[[[[")
    assert parsed(b'{"a":' * 2_700 + b"1" + b"}" * 2_700) is None or summary(deepest).line


def test_many_lines_are_cut() -> None:
    lines = shown(b"[" + b",".join([b"0"] * 5_000) + b"]")
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == "…"


@given(DOCUMENTS)
def test_what_is_shown_is_what_was_sent(document: Any) -> None:
    payload = json.dumps(document).encode()
    assert json.loads("\n".join(shown(payload))) == document
    line = summary(payload).line
    if len(line) <= ONE_LINE:
        assert json.loads(line) == document


@given(st.binary(max_size=400) | st.binary(max_size=100).map(lambda tail: b'{"title":"' + tail))
def test_any_bytes_are_one_short_line(payload: bytes) -> None:
    found = summary(payload)
    for text in (found.line, found.telling, found.level or ""):
        assert text.isprintable()
        assert len(text) <= ONE_LINE + 1
