"""What is kept of a stream of replies, what is counted, and what is passed on."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import InvalidResponse

from pymon_tui.model.feed import Feed
from pymon_tui.model.query import Reply
from pymon_tui.server.intake import KEPT, Intake
from tests.server.listening import messages


def taken(replies: Iterable[Reply]) -> tuple[Feed, list[Reply]]:
    feed, answers = Feed(), list[Reply]()
    Intake(feed, answers.append).take(iter(replies))
    return feed, answers


def test_beyond_its_share_a_slice_is_counted() -> None:
    feed, _ = taken([b"message", b"c", b"%d" % number] for number in range(3 * KEPT))
    assert (feed.seen, feed.dropped, len(feed)) == (3 * KEPT, 2 * KEPT, KEPT)
    assert messages(feed)[-1] == (b"c", b"%d" % (KEPT - 1))


SUBSCRIBED = st.sets(st.sampled_from([None, b"*", b"?", b"[ab]"]), min_size=1)


@given(SUBSCRIBED, st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.randoms()), max_size=20))
def test_copies_are_one_message_in_whatever_order_they_come(
    subscribed: set[bytes | None], sent: list[tuple[bytes, Random]]
) -> None:
    replies: list[Reply] = []
    for channel, order in sent:
        copies = sorted(subscribed, key=str)
        order.shuffle(copies)
        for via in copies:
            replies.append([b"message", channel, b"m"] if via is None else [b"pmessage", via, channel, b"m"])
    feed, answers = taken(replies)
    assert messages(feed) == [(channel, b"m") for channel, _ in sent]
    assert answers == []


def test_a_subscription_that_ends_makes_way_for_the_next() -> None:
    ended = [b"punsubscribe", b"a*", 1]
    feed, answers = taken([[b"pmessage", b"a*", b"a", b"1"], ended, [b"pmessage", b"*", b"a", b"2"]])
    assert messages(feed) == [(b"a", b"1"), (b"a", b"2")]
    assert answers == [ended]


def test_answers_are_passed_on_in_order() -> None:
    answers = [b"PONG", [b"pong", b""], None, 3, {b"a": b"b"}, [b"subscribe", b"a", 1]]
    feed, passed = taken(answers)
    assert passed == answers
    assert feed.seen == 0


@pytest.mark.parametrize(
    "reply", [[], [b"message", b"c"], [b"pmessage", b"p", b"c"], [b"message", 1, b"m"], [b"message", b"c", None]]
)
def test_what_no_server_sends_is_refused(reply: Reply) -> None:
    with pytest.raises(InvalidResponse):
        taken([reply])
