"""Who did it."""

from __future__ import annotations

import os
import pwd
import re

import pytest

from pymon_tui.journal.ids import is_id, new_id
from pymon_tui.journal.who import os_user, ssh_origin


def test_the_user_is_the_systems_and_not_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody else")
    assert os_user() == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    assert os_user() == "3999999999"


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        ({"SSH_CONNECTION": "203.0.113.7 50022 10.0.0.1 22"}, "203.0.113.7"),
        ({"SSH_CONNECTION": "fe80::1%eth0 50022 fe80::2 22"}, "fe80::1%eth0"),
        ({"SSH_CONNECTION": "\x1b[2J 1 2 3"}, "\\x1b[2J"),
        ({"SSH_CONNECTION": ""}, None),
        ({}, None),
    ],
)
def test_the_origin_is_the_first_word_of_the_ssh_connection(environ: dict[str, str], origin: str | None) -> None:
    assert ssh_origin(environ) == origin


def test_an_id_has_the_time_and_something_of_its_own() -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", new_id())
    assert len({new_id() for _ in range(20)}) > 10


@pytest.mark.parametrize(
    ("text", "valid"), [("20261122-120411-7c3f", True), ("20261122-120411-7c3f\n", False), ("../../x", False)]
)
def test_what_becomes_part_of_a_path_is_checked(text: str, valid: bool) -> None:  # noqa: FBT001
    assert is_id(text) is valid
