from __future__ import annotations

import pytest

from pymon_tui.readings.redaction import redacted


def command(text: str) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in text.split())


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("AUTH hunter2", "AUTH (redacted)"),
        ("auth me hunter2", "auth (redacted) (redacted)"),
        ("HELLO 3 AUTH me hunter2 SETNAME x", "HELLO 3 AUTH (redacted) (redacted) SETNAME x"),
        ("MIGRATE h 6379 k 0 100 AUTH hunter2 KEYS k", "MIGRATE h 6379 k 0 100 AUTH (redacted) KEYS k"),
        ("MIGRATE h 6379 k 0 100 AUTH2 me hunter2", "MIGRATE h 6379 k 0 100 AUTH2 (redacted) (redacted)"),
        ("CONFIG SET requirepass hunter2", "CONFIG SET requirepass (redacted)"),
        ("config set maxmemory 1 MasterAuth hunter2", "config set maxmemory 1 MasterAuth (redacted)"),
        ("CONFIG SET tls-key-file-pass hunter2", "CONFIG SET tls-key-file-pass (redacted)"),
        ("ACL SETUSER me on >hunter2 ~* +@all", "ACL SETUSER me on >(redacted) ~* +@all"),
        ("ACL SETUSER me <hunter2 #abcd !abcd", "ACL SETUSER me <(redacted) #(redacted) !(redacted)"),
    ],
)
def test_passwords_are_hidden(sent: str, shown: str) -> None:
    assert redacted(command(sent)) == command(shown)


@pytest.mark.parametrize("sent", ["", "GET auth", "SET password:1 >x", "CONFIG GET requirepass", "AUTH", "CONFIG SET"])
def test_other_commands_stay(sent: str) -> None:
    assert redacted(command(sent)) == command(sent)
