"""``pymon-tui doctor``, from its arguments to what it prints and ends with."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from tests.commands import Run, running
from tests.conftest import StartServer

SECRET = "hunter2"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``pymon-tui doctor ARGUMENTS``; returns its exit code and what it wrote."""
    return running("doctor", tmp_path, capsys)


def test_a_line_a_step(run: Run, server: EmbeddedServer) -> None:
    code, out, err = run("-s", server.socket)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert all(line[:2] in ("✓ ", "– ") for line in lines)
    assert [line[2:18].rstrip() for line in lines[:6]] == ["name", "socket", "TLS", "hand-shake", "login", "database"]
    # What is said stands below what is said.
    assert {len(line[2:]) - len(line[2:].lstrip()) for line in lines} == {0}
    assert all(line[17] == " " and line[18] != " " for line in lines)


@pytest.mark.parametrize(("encoding", "signs"), [("utf-8", "✓–"), ("ascii", "+-"), ("latin-1", "+-")])
def test_signs_that_the_terminal_has(
    tmp_path: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, encoding: str, signs: str
) -> None:
    config = tmp_path / "config.toml"
    config.touch(mode=0o600)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert cli.run(["--config", str(config), "-s", server.socket, "doctor"]) == 0
    assert {line[0] for line in written.getvalue().decode(encoding).splitlines()} == set(signs)


def test_json_says_the_same(run: Run, server: EmbeddedServer) -> None:
    code, out, err = run("--json", "-s", server.socket)
    told = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert (told["schema_version"], told["address"], told["exit_code"]) == (1, server.socket, 0)
    assert set(told["findings"][0]) == {"step", "title", "state", "said", "remedy"}
    steps = list(dict.fromkeys(finding["step"] for finding in told["findings"]))
    assert steps == [
        *("name", "connection", "tls", "handshake", "login", "database"),
        *("permissions", "round_trip", "clock", "topology"),
    ]
    assert {finding["state"] for finding in told["findings"]} == {"good", "open"}


def test_nobody_there_is_exit_code_3(run: Run) -> None:
    code, out, _ = run("-s", "/nowhere/s")
    assert code == 3
    assert (
        out.splitlines()[-1] == "✗ socket          no socket at /nowhere/s; is the server running, is the path right?"
    )
    assert json.loads(run("-s", "/nowhere/s", "--json")[1])["exit_code"] == 3


def test_the_password_is_never_printed(run: Run, own_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = own_server({"requirepass": SECRET})
    for password, code in ((SECRET, 0), (SECRET + "2", 1)):
        monkeypatch.setenv("REDISCLI_AUTH", password)
        for flags in ((), ("--json",)):
            ended, out, err = run("-s", server.socket, *flags)
            assert ended == code
            assert SECRET not in out + err


def test_wrong_use_is_exit_code_2(run: Run) -> None:
    code, out, err = run("-p", "x")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["doctor", "acl"])
def test_help_fits_and_says_what_it_is(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "--json" in text
    assert "Connection:" in text
