"""The commands where Sentinels know the server: they go to the primary of the moment, however that is reached."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from redis import Redis

from pymon_tui import cli
from pymon_tui.server import tunnel
from tests.conftest import StartServer
from tests.server.fake import Answer, serving, speaking
from tests.server.fake_ssh import FakeSsh
from tests.server.test_sentinel import at, sentinel_saying
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


def told(capsys: pytest.CaptureFixture[str], sentinel: int, *arguments: str, before: Sequence[str] = ()) -> Any:
    capsys.readouterr()
    named = (*before, "--sentinel", "127.0.0.1:1", "--sentinel", f"127.0.0.1:{sentinel}", "--service", SERVICE)
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


@contextmanager
def standing(answer: Answer) -> Iterator[int]:
    """A Sentinel in a thread of its own, for commands have the main one; yields its port."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        entered = stack.enter_async_context(serving(speaking(answer)))
        yield asyncio.run_coroutine_threadsafe(entered, loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_one_that_is_behind_the_others_leads_nobody_astray(
    sentinels: Sentinels, own_server: StartServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line believes whom the monitor believes, also where the first Sentinel names another primary."""
    primary, other, known = sentinels.primary(), own_server(tcp=True), sentinels.sentinels[0].port
    fill(primary)
    with Redis(port=other.port) as client:
        client.set("a:1", "x")
        for named in (other.port, 1):
            where = sentinel_saying(at(b"127.0.0.1", named))
            with standing(where) as liar:
                wrong = ("--sentinel", f"127.0.0.1:{liar}")
                for words in (("invalidate", "a:*", "--yes"), ("undo", "--yes")):
                    document = told(capsys, known, *words, before=wrong)
                    assert document.get("removed", document.get("restored")) == 10
                document = told(capsys, known, "once", before=wrong)
                assert document["nodes"][0]["address"] == f"127.0.0.1:{primary.port}"
        assert client.dbsize() == 1


def test_the_error_says_which_sentinel_led_to_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with standing(sentinel_saying(at(b"127.0.0.1", 1))) as sentinel:
        place = f"127.0.0.1:{sentinel}"
        for words in (("once",), ("acl",), ("invalidate", "a:*", "--yes"), ("undo", "--yes"), ("journal",)):
            code = cli.run(["--sentinel", place, "--service", SERVICE, *words])
            line = f"127.0.0.1:1 refuses connections, and Sentinel {place} names it the primary of {SERVICE}"
            assert (code, line in capsys.readouterr().err) == (3, True)


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


def test_a_failover_while_the_question_stands_is_a_refusal(
    sentinels: Sentinels,
    own_server: StartServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    primary, other = sentinels.primary(), own_server(tcp=True)
    fill(primary)

    def answered() -> bytes:
        for sentinel in sentinels.sentinels:
            sentinel.ask("SENTINEL", "REMOVE", SERVICE)
            sentinel.ask("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", other.port, 2)
        return b"y\n"

    monkeypatch.setattr("pymon_tui.removing.exit_code.can_ask", lambda: True)
    monkeypatch.setattr("pymon_tui.removing.console._read", answered)
    place = f"127.0.0.1:{sentinels.sentinels[0].port}"
    assert cli.run(["--sentinel", place, "--service", SERVICE, "invalidate", "a:*"]) == 4
    assert f"is not the primary of {SERVICE} any more: that is 127.0.0.1:{other.port}" in capsys.readouterr().err
    assert keys(primary) == 10
