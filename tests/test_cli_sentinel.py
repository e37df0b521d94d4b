"""The commands where Sentinels know the server: they go to the primary of the moment, however that is reached."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pymon_tui import cli
from pymon_tui.server import tunnel
from tests.server.fake_ssh import FakeSsh
from tests.servers.node import Node
from tests.servers.proxy import proxied
from tests.servers.sentinels import SERVICE, Sentinels


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSsh]:
    """An ssh that goes to this machine."""
    yield FakeSsh(tmp_path, monkeypatch)
    tunnel.close_all()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run doesn't wait to feel what the idle server is like."""
    monkeypatch.setattr("pymon_tui.invalidation.pacing._IDLE", 0.0)


def told(capsys: pytest.CaptureFixture[str], sentinel: int, *arguments: str) -> Any:
    capsys.readouterr()
    named = ("--sentinel", "127.0.0.1:1", "--sentinel", f"127.0.0.1:{sentinel}", "--service", SERVICE)
    code = cli.run([*named, *arguments, "--json"])
    written = capsys.readouterr()
    assert code == 0, written.err
    return json.loads(written.out)


def keys(node: Node) -> int:
    return int(node.ask("DBSIZE"))


def fill(node: Node) -> None:
    node.ask_all([("SET", f"a:{number}", "x") for number in range(10)])
    node.replicated(2)


def test_a_run_and_its_undo_go_to_the_primary_that_there_is(
    sentinels: Sentinels, capsys: pytest.CaptureFixture[str]
) -> None:
    sentinel = sentinels.sentinels[0].port
    old = sentinels.primary()
    fill(old)
    assert told(capsys, sentinel, "once")["nodes"][0]["address"] == f"127.0.0.1:{old.port}"
    assert told(capsys, sentinel, "invalidate", "a:*", "--yes")["removed"] == 10
    assert keys(old) == 0
    assert told(capsys, sentinel, "undo", "--yes")["restored"] == 10
    old.replicated(2)
    old.kill()
    new = asyncio.run(sentinels.failed_over(old))
    assert told(capsys, sentinel, "once")["nodes"][0]["address"] == f"127.0.0.1:{new.port}"
    assert told(capsys, sentinel, "invalidate", "a:*", "--yes")["removed"] == 10
    assert keys(new) == 0


def test_through_ssh_it_is_the_bastion_that_sees_them(
    sentinels: Sentinels, fake_ssh: FakeSsh, capsys: pytest.CaptureFixture[str]
) -> None:
    node = told(capsys, sentinels.sentinels[0].port, "--ssh", "bastion", "once")["nodes"][0]
    assert node["address"] == f"127.0.0.1:{sentinels.primary().port} via bastion"


async def test_announced_addresses_are_reached_where_they_are_mapped_to(
    sentinels: Sentinels, capsys: pytest.CaptureFixture[str]
) -> None:
    primary = sentinels.primary()
    async with proxied(primary.port) as proxy:
        mapped = f"127.0.0.1:{primary.port}=127.0.0.1:{proxy.port}"
        document = await asyncio.to_thread(told, capsys, sentinels.sentinels[0].port, "--map", mapped, "once")
        assert document["nodes"][0]["address"] == f"127.0.0.1:{proxy.port}"
        assert proxy.accepted
