from __future__ import annotations

import random
import uuid

from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.namespaces import Namespaces


def _named(*keys: bytes) -> Namespaces:
    namespaces = Namespaces()
    namespaces.add(keys)
    return namespaces


def _largest(*keys: bytes, most: int = 10, apart: tuple[tuple[bytes, ...], ...] = ()) -> dict[str, int]:
    found = _named(*keys).largest(most, apart)
    for one in found:
        assert sum(map(one.pattern.matcher, keys)) == one.keys
    return {one.pattern.shown: one.keys for one in found}


def _counts(*keys: bytes) -> dict[str, int]:
    namespaces = Namespaces()
    namespaces.add(keys)
    return dict(namespaces.counts())


def test_keys_are_counted_by_their_names_without_ids() -> None:
    namespaces = Namespaces()
    namespaces.add(b"user:cache:profile:%d" % number for number in range(840))
    namespaces.add(b"user:cache:feed:" + str(uuid.UUID(int=number)).encode() for number in range(261))
    namespaces.add([b"user:cache:\xff\xfeold", b"user:cache", b"plain"])
    assert namespaces.counts() == (
        ("user:cache:profile:*", 840),
        ("user:cache:feed:*", 261),
        ("plain", 1),
        ("user:cache", 1),
        ("user:cache:\\xff\\xfeold", 1),
    )


def test_words_that_are_as_many_as_ids_are_ids() -> None:
    names = [bytes([97 + first, 97 + second]) for first in range(10) for second in range(10)]
    keys = [b"user:%s:%s" % (name, part) for name in names for part in (b"feed", b"prefs")]
    assert _counts(*keys, b"stats:hits", b"stats:misses") == {
        "user:*:feed": 100,
        "user:*:prefs": 100,
        "stats:hits": 1,
        "stats:misses": 1,
    }


def test_many_tenants_are_one_namespace() -> None:
    names = [bytes([97 + first, 97 + second]) for first in range(20) for second in range(20)]
    assert _counts(*[b"%s:cache:%d" % (name, number) for name in names for number in range(2)]) == {"*:cache:*": 800}


def test_a_long_name_is_told_by_its_beginning() -> None:
    counts = _counts(*[b"report:" + b"x" * 10_000 + b"%d" % number for number in range(3)], b"report:" + b"x" * 121)
    assert counts == {"report:" + "x" * 121 + "*": 3, "report:" + "x" * 121: 1}


def test_memory_is_bounded_whatever_the_names_and_no_key_is_lost() -> None:
    chance = random.Random(2)
    namespaces = Namespaces()
    parts = Namespaces()
    for _ in range(30):
        namespaces.add(
            b":".join(bytes(chance.choices(b"abcdefghij", k=2)) for _ in range(chance.randrange(1, 12)))
            for _ in range(1_000)
        )
        parts = parts.joined(namespaces)
    for counts in (namespaces.counts(), parts.counts()):
        assert len(counts) <= 1_000
    assert sum(count for _, count in namespaces.counts()) == 30_000
    assert sum(count for _, count in parts.counts()) == sum(1_000 * (turn + 1) for turn in range(30))


def test_the_largest_namespaces_are_those_of_one_first_part() -> None:
    keys = [*(b"user:%d:cart" % number for number in range(20)), b"user:\xff", b"feed:1", b"feed:2", b"queue", b"12"]
    assert _largest(*keys) == {"user:*": 21, "feed:*": 2, "queue": 1}
    assert _largest(*keys, most=1) == {"user:*": 21}
    assert _largest(*(b"celery-task-meta-%032x" % (number * 7**30) for number in range(9)), b"[a]*:b:1") == {
        "celery-task-meta-*": 9,
        r"\[a]*:*": 1,
    }


def test_a_namespace_that_holds_most_is_told_by_its_own() -> None:
    users = [b"shop:user:%d" % number for number in range(70)]
    carts = [b"shop:cart:%d:items" % number for number in range(20)]
    assert _largest(*users, *carts, b"shop:motd", b"feed:1") == {
        "shop:user:*": 70,
        "shop:cart:*": 20,
        "shop:motd": 1,
        "feed:*": 1,
    }
    # What stands after user here is a name, and as good as an id.
    assert _largest(*(b"user:%s" % name for name in (b"kim", b"lee", b"park")), b"feed:1") == {"user:*": 3, "feed:*": 1}


def test_where_a_pattern_would_mean_other_keys_too_only_what_is_under_it_is_told() -> None:
    keys = (b"user:1", b"user:2", b"user:avatar:1", b"user:sessions", b"feed:1")
    assert _largest(*keys, apart=((b"user",), (b"user", b"sessions"))) == {"user:avatar:*": 1, "feed:*": 1}


def test_many_tenants_are_told_by_what_they_have() -> None:
    names = [bytes([97 + first, 97 + second]) for first in range(20) for second in range(20)]
    assert _largest(*(b"%s:%s:1" % (name, part) for name in names for part in (b"cart", b"feed"))) == {
        "*:cart:*": 400,
        "*:feed:*": 400,
    }


def test_counts_of_parts_are_those_of_the_whole() -> None:
    keys = [b"user:%d" % number for number in range(10)] + [b"feed:%s" % bytes([97 + number]) for number in range(26)]
    first, second = _named(*keys[:20]), _named(*keys[20:])
    assert first.joined(second).counts() == _named(*keys).counts()
    assert first.counts() == _named(*keys[:20]).counts()
    more = _named(*(b"feed:%s" % bytes([97 + number, 98]) for number in range(26)))
    assert first.joined(second).joined(more).counts() == (("feed:*", 52), ("user:*", 10))


@given(st.lists(st.lists(st.sampled_from([b"a", b"b", b"*", b"", b"7", b"cd", b"\x00"]), max_size=10).map(b":".join)))
def test_every_key_is_counted_once(keys: list[bytes]) -> None:
    assert sum(_counts(*keys).values()) == len(keys)
    namespaces = _named(*keys).largest(10, ())
    assert all(any(one.pattern.matches(key) for key in keys) for one in namespaces)


def test_the_key_whose_name_is_empty_has_no_namespace() -> None:
    assert _largest(b"", b"", b"a", b":1") == {"a": 1, ":*": 1}
