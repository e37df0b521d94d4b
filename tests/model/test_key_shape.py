from __future__ import annotations

import random
import uuid

import pytest

from pymon_tui.model.key_shape import without_ids


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"user:cache:profile:7431", b"user:cache:profile:*"),
        (b"page2:facade", b"page*:facade"),
        (b"session:" + str(uuid.UUID(int=7)).encode(), b"session:*"),
        (b"etag:d41d8cd98f00b204e9800998ecf8427e", b"etag:*"),
        (b"token:aZ81Qp0kLmN4xYwV", b"token:*"),
        (b'by:"name with 3 words"', b"by:*"),
        (b"1:2:3", b"*:*:*"),
        (b"12.5", b"*.*"),
        (b"\xff\xfe9", b"\xff\xfe*"),
        (b"", b""),
    ],
)
def test_ids_become_stars_and_words_stay(name: bytes, expected: bytes) -> None:
    assert without_ids(name) == expected


def test_which_digits_it_are_makes_no_difference() -> None:
    chance = random.Random(7)
    for _ in range(2_000):
        name = bytes(chance.choices(b"0123456789abcdefxyz:-\"'*", k=chance.randrange(40)))
        others = bytes(chance.choice(b"0123456789") if 0x30 <= byte <= 0x39 else byte for byte in name)
        assert without_ids(name) == without_ids(others)
