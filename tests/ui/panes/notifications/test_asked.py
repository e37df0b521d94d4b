"""From what is typed to what is followed or published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.action import Course
from pymon_tui.services.notification import Level, parse_notification
from pymon_tui.ui.panes.notifications.asked import (
    notify_now,
    notify_text,
    patterns_text,
    publish,
    publish_text,
    typed_patterns,
    user_of,
    user_word,
    without_user,
    wrong_notify,
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


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "a user's id, and then critical, warning, info or ok, are needed"),
        ("kim.minjun", "a user's id, and then critical, warning, info or ok, are needed"),
        ("kim.minjun bad title", "a user's id, and then critical, warning, info or ok, are needed"),
        ("kim.minjun info ", "a title is needed"),
        ("kim.minjun info | message", "a title is needed"),
        ("kim.minjun WARNING disk", None),
        ("7 ok done | all of it", None),
    ],
)
def test_a_line_to_a_user_has_a_level_and_a_title(text: str, wrong: str | None) -> None:
    assert wrong_notify(text) == wrong


def test_a_line_to_a_user_is_published_as_the_application_does() -> None:
    action = notify_now("kim:minjun Critical 응답 없음 | web-3 | since 4 min \ud800")
    steps = action.steps()
    exchange = next(steps)
    assert exchange.atomic
    push, trim, expire, publish = exchange.commands
    assert (push[0], trim, expire) == (
        "LPUSH",
        ("LTRIM", "notifications:recent:kim%3Aminjun", 0, 99),
        ("EXPIRE", "notifications:recent:kim%3Aminjun", 86_400),
    )
    assert publish == ("PUBLISH", "notifications:kim%3Aminjun", push[2])
    assert isinstance(push[2], bytes)
    told = parse_notification(push[2], "kim:minjun")
    assert (told.level, told.title, told.message) == (Level.CRITICAL, "응답 없음", "web-3 | since 4 min ?")
    with pytest.raises(StopIteration) as end:
        steps.send([1, b"OK", 1, 3])
    assert end.value.value == 3
    assert isinstance(action.command, Course)
    assert action.lines[0] == "MULTI"
    assert action.lines[-3:-1] == ("PUBLISH notifications:kim%3Aminjun PAYLOAD", "EXEC")
    assert action.lines[-1].startswith(f'PAYLOAD {{"id":"{told.id}",')
    assert notify_now("a ok b").shown != notify_now("a ok b").shown


@pytest.mark.parametrize(
    ("channel", "user", "text", "word"),
    [
        (b"notifications:kim.minjun", "kim.minjun", "kim.minjun info ", "user:kim.minjun"),
        ("notifications:김".encode(), "김", "김 info ", "user:김"),
        (b"notifications:a%20b", "a b", "", "user:a%20b"),
        (b"notifications:a b", "a b", "", "user:"),
        (b"notifications:\x1b", "\x1b", "", "user:"),
        (b"chat:7", None, "", "user:"),
        (b"notifications:recent:7", None, "", "user:"),
        (b"", None, "", "user:"),
    ],
)
def test_the_user_of_a_channel_is_offered_where_it_can_be_typed(
    channel: bytes, user: str | None, text: str, word: str
) -> None:
    assert user_of(channel) == user
    assert notify_text(user) == text
    assert user_word(channel) == word


def test_a_user_is_taken_out_of_a_filter() -> None:
    assert without_user("disk USER:7  full user:") == "disk full"
    assert without_user("disk") == "disk"
