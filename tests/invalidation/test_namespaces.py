from __future__ import annotations

import random
import uuid

from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.namespaces import Namespaces


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
    for _ in range(30):
        namespaces.add(
            b":".join(bytes(chance.choices(b"abcdefghij", k=2)) for _ in range(chance.randrange(1, 12)))
            for _ in range(1_000)
        )
    counts = namespaces.counts()
    assert len(counts) <= 1_000
    assert sum(count for _, count in counts) == 30_000


@given(st.lists(st.lists(st.sampled_from([b"a", b"b", b"*", b"", b"7", b"cd", b"\x00"]), max_size=10).map(b":".join)))
def test_every_key_is_counted_once(keys: list[bytes]) -> None:
    assert sum(_counts(*keys).values()) == len(keys)
