"""The groups that keys are told by."""

from __future__ import annotations

from pymon_tui.application.groups import KEY_GROUPS, MOST_NAMESPACES, Groups, groups_of
from pymon_tui.application.walk import decode_page, go_on
from pymon_tui.services.keys import FAMILIES, SESSION


def grouped(*keys: bytes, cursor: bytes = b"0") -> Groups:
    return groups_of(decode_page([cursor, list(keys)]))


def counts(groups: Groups) -> dict[str, int]:
    return {group.pattern.shown: group.keys for group in (*groups.families, *groups.namespaces) if group.keys}


def test_families_come_with_and_without_keys_and_other_keys_by_namespace() -> None:
    groups = grouped(b"session:a", b"session:b", b"feed:1", b"feed:2", b"queue")
    assert [group.family for group in groups.families] == list(FAMILIES)
    assert counts(groups) == {"session:*": 2, "feed:*": 2, "queue": 1}
    assert (groups.rest, groups.seen, groups.complete) == (0, 5, True)
    assert not grouped(b"session:a", cursor=b"7").complete


def test_the_pattern_of_a_namespace_means_no_key_of_a_family() -> None:
    groups = grouped(b"user:sessions:7", b"user:avatar:7", b"user:7", b"session:a:b", b"session:a")
    assert counts(groups) == {"session:*": 1, "user:sessions:*": 1, "session:a:*": 1, "user:avatar:*": 1}
    assert groups.rest == 1
    assert counts(grouped(b"user:avatar:7", b"user:7")) == {"user:*": 2}


def test_what_is_in_no_large_namespace_is_the_rest() -> None:
    names = [b"n" + bytes([97 + number]) for number in range(MOST_NAMESPACES + 2)]
    groups = grouped(*(b"%s:%d" % (name, number) for name in names for number in range(3)))
    assert len(groups.namespaces) == MOST_NAMESPACES
    assert groups.rest == 6


def test_each_key_is_found_in_its_group() -> None:
    keys = (b"session:a", b"feed:1", b"queue", b"12", b"user:sessions:7")
    find = grouped(*keys).finder
    assert [pattern and pattern.shown for pattern in map(find, keys)] == [
        "session:*",
        "feed:*",
        "queue",
        None,
        "user:sessions:*",
    ]


def test_hits_are_counted_by_the_first_part_where_it_is_one_group() -> None:
    groups = grouped(
        *(b"shop:user:%d" % number for number in range(9)), *(b"shop:cart:%d" % n for n in range(9)), b"a:1"
    )
    assert {group.pattern.shown: group.counted_as for group in groups.namespaces} == {
        "shop:user:*": None,
        "shop:cart:*": None,
        "a:*": "a",
    }
    assert {group.counted_as for group in groups.families if group.family is SESSION} == {"session"}


def test_the_newest_whole_round_is_told_until_the_next_is_whole() -> None:
    first = decode_page([b"0", [b"feed:1"]])
    going = go_on(first, decode_page([b"7", [b"feed:2"]]))
    groups = KEY_GROUPS.parse(going)
    assert groups.complete
    assert counts(groups) == {"feed:*": 1}
