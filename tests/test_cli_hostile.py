"""What strangers send, through every command that has no screen: it is printed in escapes, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.journal.folder import state_folder
from tests.conftest import StartServer, client_of, free_port
from tests.ui.hostile import COMMANDS, assert_plain, send, spoil, spoil_application
from tests.ui.hostile_nodes import HUGE, NAMES, SERVICE, as_told, fill_slots, in_cluster, sentinel_of


@pytest.fixture
def spoilt(own_server: StartServer) -> EmbeddedServer:
    """A server with hostile texts wherever a stranger can put one."""
    server = own_server()

    async def fill() -> None:
        async with client_of(server) as redis:
            await spoil(redis)
            await spoil_application(redis)
            await send(redis, "CONFIG", "SET", "slowlog-max-len", 1_000)

    asyncio.run(fill())
    return server


def printed(capsys: pytest.CaptureFixture[str], socket: str, *arguments: str) -> str:
    """What a command prints, on either stream, if there is nothing in it that a terminal would obey."""
    cli.run(["-s", socket, *arguments])
    captured = capsys.readouterr()
    assert_plain(captured.out)
    assert_plain(captured.err)
    return captured.out


def texts(value: object) -> list[str]:
    """All texts in a JSON document."""
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


def test_nothing_hostile_is_printed(spoilt: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    documents: Sequence[tuple[str, ...]] = (
        ("once", "--json"),
        ("doctor", "--json"),
        ("acl", "--json"),
        ("invalidate", "key:*", "--json", "--dry-run"),
        ("invalidate", "key:*", "--json", "--yes"),
        ("journal", "--json"),
        ("undo", "--json", "--yes"),
        ("journal", "--json"),
    )
    for arguments in documents:
        document = printed(capsys, spoilt.socket, *arguments)
        found = [text for line in document.splitlines() for text in texts(json.loads(line))]
        assert found, arguments
        for text in found:
            assert_plain(text)
    for command in ("once", "doctor", "acl", "journal"):
        assert printed(capsys, spoilt.socket, command)
    for words in (("invalidate", "key:*", "--dry-run"), ("invalidate", "key:*", "--yes"), ("undo", "--yes")):
        printed(capsys, spoilt.socket, *words)
    assert_plain((state_folder() / "journal.jsonl").read_text())


def test_patterns_that_are_hostile_themselves(spoilt: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    for hostile in COMMANDS.values():
        pattern = "key:" + hostile[:300].decode("utf-8", "surrogateescape").replace("\0", "") + "*"
        printed(capsys, spoilt.socket, "invalidate", pattern, "--yes", "--json")
        printed(capsys, spoilt.socket, "invalidate", "--preset", pattern, "--yes")
        printed(capsys, pattern, "once")
        printed(capsys, spoilt.socket, pattern, pattern)
        printed(capsys, spoilt.socket, f"--{pattern}")
        printed(capsys, spoilt.socket, "--profile", pattern, "once")
        printed(capsys, spoilt.socket, "--interval", pattern)
        printed(capsys, spoilt.socket, "acl", pattern)
    printed(capsys, spoilt.socket, "journal")
    assert_plain((state_folder() / "journal.jsonl").read_text())


def test_a_configuration_that_is_hostile(
    spoilt: EmbeddedServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for hostile in COMMANDS.values():
        config = tmp_path / "config.toml"
        config.write_bytes(b'theme = "' + hostile[:100] + b'"\n')
        printed(capsys, spoilt.socket, "--config", str(config), "once")
        config.write_text(f"[profiles.{json.dumps(hostile[:100].decode('latin-1'))}]\nhost = 3\n")
        printed(capsys, spoilt.socket, "--config", str(config), "once")


def printed_of(capsys: pytest.CaptureFixture[str], named: Sequence[str], arguments: Sequence[str]) -> str:
    """As `printed`, of the server that is named; what JSON holds is as plain."""
    cli.run([*named, *arguments])
    captured = capsys.readouterr()
    assert_plain(captured.out)
    assert_plain(captured.err)
    for line in captured.out.splitlines() if "--json" in arguments else ():
        for text in texts(json.loads(line)):
            assert_plain(text)
    return captured.out + captured.err


COMMAND_LINES = (
    ("once",),
    ("once", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("acl",),
    ("invalidate", "a:*", "--dry-run"),
    ("invalidate", "a:*", "--yes", "--json"),
    ("invalidate", "a:*", "--yes"),
    ("undo", "--yes"),
    ("journal",),
    ("journal", "--json"),
)


@pytest.mark.parametrize("told_by", [b"NODES", b"SHARDS"])
def test_a_cluster_of_hostile_names(
    own_server: StartServer, capsys: pytest.CaptureFixture[str], told_by: bytes
) -> None:
    server = own_server({"cluster-enabled": "yes", "cluster-port": str(free_port())}, tcp=True)

    async def fill() -> None:
        async with client_of(server) as redis:
            await fill_slots(redis)
            await redis.set("a:1", "x")

    asyncio.run(fill())
    with as_told(server, in_cluster(told_by=told_by)) as port:
        named = ("-h", "127.0.0.1", "-p", str(port))
        for arguments in COMMAND_LINES:
            assert printed_of(capsys, named, arguments)
    if told_by == b"NODES":  # the others' primaries are away, and there is no run
        journal = (state_folder() / "journal.jsonl").read_text()
        assert_plain(journal)
        assert "[?1049l" in journal


def test_sentinels_with_hostile_names(own_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    server = own_server(tcp=True)
    for primary in (b"127.0.0.1", *NAMES):
        with as_told(server, sentinel_of(server.port, primary)) as port:
            named = ("--sentinel", f"127.0.0.1:{port}", "--service", SERVICE)
            for arguments in COMMAND_LINES if primary == b"127.0.0.1" else COMMAND_LINES[1:3]:
                assert printed_of(capsys, named, arguments)


def test_profiles_with_hostile_names(
    own_server: StartServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server, config = own_server(), tmp_path / "config.toml"
    for hostile in (COMMANDS["title"], COMMANDS["c1"], COMMANDS["right to left"], HUGE):
        name = json.dumps(hostile.decode())
        config.write_text(f"[profiles.{name}]\nsocket = {json.dumps(server.socket)}\nenvironment = {name}\n")
        config.chmod(0o600)
        for arguments in COMMAND_LINES:
            asyncio.run(_set(server))
            assert printed_of(capsys, ("--config", str(config), "--profile", hostile.decode()), arguments)
    assert_plain((state_folder() / "journal.jsonl").read_text())


def test_a_folder_for_pictures_that_is_hostile(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for hostile in (COMMANDS["title"], COMMANDS["c1"], COMMANDS["right to left"]):
        taken = tmp_path / hostile.decode()
        taken.touch()
        assert cli.run(["screenshots", "--out", str(taken)]) == 1
        written = capsys.readouterr().err
        assert "cannot be written" in written
        assert_plain(written)


async def _set(server: EmbeddedServer) -> None:
    async with client_of(server) as redis:
        await redis.set("a:1", "x")
