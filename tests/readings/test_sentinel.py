"""What Sentinels answer, in both protocols, and whatever else one could."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.deployment import Address
from pymon_tui.readings.sentinel import MOST, Seen, Watch, parse_address, parse_seen, parse_watch

MASTER = {
    b"name": b"main",
    b"flags": b"master,o_down,failover_in_progress",
    b"num-other-sentinels": b"2",
    b"quorum": b"2",
    b"config-epoch": b"7",
}
REPLICA = {b"ip": b"10.0.0.2", b"port": b"6379", b"runid": b"abc", b"flags": b"slave,s_down"}


def flat(told: dict[bytes, bytes]) -> list[bytes]:
    """A map as RESP2 has it."""
    return [word for pair in told.items() for word in pair]


def test_an_address_or_none() -> None:
    assert parse_address([b"10.0.0.1", b"6379"]) == Address("10.0.0.1", 6379)
    assert parse_address([b"::1", b"1"]) == Address("::1", 1)
    assert parse_address(None) is None


@pytest.mark.parametrize("reply", [MASTER, flat(MASTER)])
def test_what_it_knows_of_the_primary(reply: Any) -> None:
    assert parse_watch(reply) == Watch(7, 2, 2, frozenset({"master", "o_down", "failover_in_progress"}))


def test_what_is_left_out_is_nothing() -> None:
    assert parse_watch({}) == Watch(0, 0, 0, frozenset())
    assert parse_watch({b"quorum": b"many", b"config-epoch": 7}) == Watch(0, 0, 0, frozenset())


@pytest.mark.parametrize("reply", [REPLICA, flat(REPLICA)])
def test_who_else_there_is(reply: Any) -> None:
    (seen,) = parse_seen([reply])
    assert seen == Seen(Address("10.0.0.2", 6379), "abc", frozenset({"slave", "s_down"}))
    assert seen.is_down
    assert not Seen(seen.address, "", frozenset({"slave"})).is_down


def test_nodes_without_an_address_and_more_than_there_can_be_are_left_out() -> None:
    assert parse_seen([{b"ip": b"", b"port": b"1"}, {b"ip": b"h", b"port": b"0"}, {}]) == ()
    assert len(parse_seen([REPLICA] * 1_000)) == MOST


@pytest.mark.parametrize("reply", [b"OK", 7, [b"h"], [b"h", b"x"], [b"h", 7], [b"", b"7"], {}])
def test_another_shape_is_no_address(reply: Any) -> None:
    with pytest.raises(ValueError, match="other than an address"):
        parse_address(reply)


REPLIES = st.recursive(
    st.none() | st.binary(max_size=8) | st.integers() | st.sampled_from([b"ip", b"port", b"flags"]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.binary(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(reply=REPLIES)
def test_anything_is_read_or_refused(reply: Any) -> None:
    for parse in (parse_address, parse_watch, parse_seen):
        with suppress(ValueError):
            parse(reply)
