"""``pymon-tui acl``, from its arguments to what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.known import EVERYTHING, known_to
from tests.commands import Run, running
from tests.server.fake import endpoint_at, serving, speaking


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``pymon-tui acl ARGUMENTS``; returns its exit code and what it wrote."""
    return running("acl", tmp_path, capsys)


def test_without_a_server_three_lines_each_with_a_comment(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    lines = out.splitlines()
    users = [place for place, line in enumerate(lines) if line.startswith("ACL SETUSER ")]
    assert [lines[place].split()[2] for place in users] == ["pymon-watch", "pymon-kill", "pymon-invalidate"]
    assert all(lines[place - 1].startswith(f"# {lines[place].split()[2]} ") for place in users)
    assert all(line.startswith(("#", "ACL SETUSER ")) for line in lines)
    rules = [lines[place].split(" ", 3)[3] for place in users]
    assert all(rule.startswith("reset on >CHOOSE A PASSWORD resetchannels &notifications:* %R~* ") for rule in rules)
    assert lines[users[2]].endswith(" (~cache:* +dump +pexpiretime +unlink +pexpire +restore +pexpireat +persist)")


def test_patterns_and_channels_are_the_users_own(run: Run) -> None:
    code, out, _ = run("--pattern", "a:*", "--pattern", "페이지:*", "--channels", "news", "--channels", "sport.*")
    assert code == 0
    assert out.count(" resetchannels &news &sport.* ") == 3
    assert out.count("(~a:* ~페이지:* +dump ") == 1


def test_json_says_the_same(run: Run, server: EmbeddedServer) -> None:
    told = json.loads(run("--json", "-s", server.socket)[1])
    assert told["schema_version"] == 1
    assert told["server"] == server.socket
    lines = [line for line in run("-s", server.socket)[1].splitlines() if line.startswith("ACL")]
    assert [user["line"] for user in told["users"]] == lines


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (("--pattern", "a b"), 2, 'no ACL rule can hold the pattern "a b"'),
        (("--channels", '["a b"]'), 2, 'no ACL rule can hold the channel "a b"'),
        (("--pattern", ""), 2, "a pattern can't be empty"),
        (("-s", "/nowhere/s"), 3, "no socket at /nowhere/s"),
    ],
)
def test_what_is_wrong_is_one_line(run: Run, arguments: tuple[str, ...], code: int, what: str) -> None:
    ended, out, err = run(*arguments)
    assert (ended, out) == (code, "")
    assert err.startswith(f"pymon-tui: {what}")
    assert err.count("\n") == 1


async def test_a_server_that_does_not_tell_is_taken_for_a_new_one() -> None:
    def answer(words: list[bytes]) -> bytes:
        return b"-NOPERM User mon has no permissions to run the 'command|info' command\r\n"

    async with serving(speaking(answer)) as port:
        session, _ = await open_session(endpoint_at(port))
        assert await known_to(session) is EVERYTHING
        await session.close()


async def test_what_a_server_lacks_is_left_out(any_server: EmbeddedServer) -> None:
    session, _ = await open_session(Endpoint(socket=any_server.socket))
    known = await known_to(session)
    (told,) = await session.ask([("COMMAND", "INFO", "acl|dryrun", "client|no-touch")])
    await session.close()
    assert isinstance(told, list)
    assert known.selectors == (told[0] is not None)
    if known.selectors:
        assert ("client|no-touch" in known.commands) == (told[1] is not None)
    assert {"info", "client|list", "scan"} <= known.commands
