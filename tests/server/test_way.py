"""The words that lead to a server again: those that were given, and never a secret."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.server.way import command, journal_command, words_of, words_to


@pytest.mark.parametrize(
    ("flags", "profile", "words"),
    [
        ({}, None, ""),
        ({"host": "localhost", "port": "17201"}, None, "-h localhost -p 17201"),
        ({"socket": "/tmp/my server/s", "db": "3"}, None, "-s '/tmp/my server/s' -n 3"),
        ({"db": "2"}, "prod", "-n 2 --profile prod"),
        ({"host": "c", "tls": True, "cacert": "ca.pem", "insecure": False}, None, "-h c --tls --cacert ca.pem"),
        ({"sentinels": ("a:1", "b:2"), "service": "main"}, None, "--sentinel a:1 --sentinel b:2 --service main"),
        ({"host": "c", "username": "me", "password": "pa55"}, None, "-h c --user me --askpass"),
        ({"url": "rediss://me:pa55@c:6380/2"}, None, "-u rediss://me@c:6380/2 --askpass"),
        ({"url": "redis://c/0?password=pa55"}, None, ""),
        ({"host": "c", "max_keys": "5", "read_only": True, "rate": "3"}, None, "-h c"),
    ],
)
def test_the_flags_are_repeated_without_a_secret(flags: dict[str, Any], profile: str | None, words: str) -> None:
    found = words_of(flags, profile=profile)
    assert shlex.join(found) == words
    assert "pa55" not in shlex.join(found)


@given(st.text(st.characters(codec="ascii", exclude_characters="/?#@:% \t\r\n", exclude_categories=["C"]), min_size=1))
def test_a_password_of_an_address_is_in_no_word(password: str) -> None:
    found = words_of({"url": f"redis://me:SECRET{password}@cache:6379/0"})
    assert "SECRET" not in "".join(found)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("cache:6379", ("-h", "cache", "-p", "6379")),
        ("[::1]:6379", ("-h", "::1", "-p", "6379")),
        ("/tmp/s", ("-s", "/tmp/s")),
        ("cache:6379 via me@bastion", ("-h", "cache", "-p", "6379", "--ssh", "me@bastion")),
        ("service main", ()),
    ],
)
def test_an_address_of_the_journal_leads_there_too(address: str, words: tuple[str, ...]) -> None:
    assert words_to(address) == words


def test_a_command_is_what_a_shell_takes() -> None:
    assert command(("-s", "/tmp/my s"), "undo", "R", "--replace") == "pymon-tui -s '/tmp/my s' undo R --replace"
    assert journal_command(("-h", "c", "--askpass"), "R") == "pymon-tui -h c journal R"  # it asks no server
