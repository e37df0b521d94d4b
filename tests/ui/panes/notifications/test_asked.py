"""From what is typed to what is followed or published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.ui.panes.notifications.asked import (
    patterns_text,
    publish,
    publish_text,
    typed_patterns,
    wrong_publish,
)


def test_patterns_are_added_and_removed_on_one_line() -> None:
    assert patterns_text((b"notifications:*", b"chat")) == "notifications:* chat"
    assert typed_patterns("  chat  alerts.* ", (b"notifications:*", b"chat")) == (b"chat", b"alerts.*")
    assert typed_patterns("", (b"chat",)) == ()


def test_what_is_left_as_it_stood_stays_the_same_bytes() -> None:
    strange = (b"\xff\x00*", b"two words", "알림:*".encode())
    assert typed_patterns(patterns_text(strange) + " more", strange) == (*strange, b"more")


@given(st.lists(st.binary(min_size=1, max_size=30), unique=True, max_size=4).map(tuple))
def test_any_pattern_survives(patterns: tuple[bytes, ...]) -> None:
    text = patterns_text(patterns)
    if len(set(text.split())) == len(patterns):
        assert typed_patterns(text, patterns) == patterns


@pytest.mark.parametrize("text", ["", "   ", "channel", "channel "])
def test_a_channel_without_a_payload_is_refused(text: str) -> None:
    assert wrong_publish(text) is not None


def test_all_after_the_first_blank_is_the_payload() -> None:
    text = 'notifications:1 {"title": "응답 없음"}'
    assert wrong_publish(text) is None
    action = publish(text)
    assert action.command == ("PUBLISH", b"notifications:1", '{"title": "응답 없음"}'.encode())
    assert action.acl == "publish"


@pytest.mark.parametrize(
    ("channel", "text"),
    [(None, ""), (b"chat:1", "chat:1 "), ("알림".encode(), "알림 "), (b"two words", ""), (b"\xff", ""), (b"", "")],
)
def test_a_channel_is_offered_where_it_can_be_typed(channel: bytes | None, text: str) -> None:
    assert publish_text(channel) == text
