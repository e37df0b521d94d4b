"""The words that lead to a server again: those that were given, and never a secret."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.text import safe
from pymon_tui.server.way import command, journal_command, words_of, words_then, words_to


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


@pytest.mark.parametrize(
    ("way", "address", "words"),
    [
        ((), "cache:6379", ("-h", "cache", "-p", "6379")),
        (("-n", "3"), "127.0.0.1:16310", ("-h", "127.0.0.1", "-p", "16310", "-n", "3")),
        (("-h", "cache", "--tls"), "cache:7000", ("-h", "cache", "-p", "7000", "--tls")),
        (("-n", "3"), "/run/redis.sock", ("-s", "/run/redis.sock", "-n", "3")),
        (("--profile", "prod"), "cache:6379", ("--profile", "prod")),
        (("-u", "redis://cache/2"), "cache:6379", ("-u", "redis://cache/2")),
        (("-n", "3"), "service main", ("-n", "3")),
    ],
)
def test_what_variables_said_of_the_server_is_named(way: tuple[str, ...], address: str, words: tuple[str, ...]) -> None:
    assert words_then(way, address) == words


@pytest.mark.parametrize("path", ["/run/c\u0430che.sock", "/run/a\tb.sock", "/run/\udcff.sock", "/run/" + "a" * 3_000])
def test_a_shell_reads_a_command_as_it_was_meant(path: str) -> None:
    text = command(("-s", path), "journal")
    assert text == safe(text, len(text))
    shell = f"printf '%s\\0' {text.removeprefix('pymon-tui')}"
    said = subprocess.run(["bash", "-c", shell], capture_output=True, check=True).stdout
    assert said.split(b"\0")[:-1] == [b"-s", os.fsencode(path), b"journal"]
