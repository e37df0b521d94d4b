from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hiredis
import pytest
from redis.exceptions import NoPermissionError

from pymon_tui.invalidation.hurry import Hurry
from pymon_tui.invalidation.packing import pack
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.server import tunnel
from pymon_tui.server.endpoint import Endpoint
from tests.server.fake import bulk, serving
from tests.server.fake_ssh import FakeSsh
from tests.server.listening import until


class Asked:
    """Questions of which none is answered by itself, and who hurries the answers."""

    def __init__(self, others: int) -> None:
        self.others = others
        self.pings: list[asyncio.Future[list[Any]]] = []
        self.hurry = Hurry(self.ping, lambda: self.others + sum(not ping.done() for ping in self.pings))

    def ping(self) -> asyncio.Future[list[Any]]:
        self.pings.append(asyncio.get_running_loop().create_future())
        self.hurry.asked()
        return self.pings[-1]


async def test_a_few_pings_go_out_while_an_answer_is_awaited() -> None:
    asked = Asked(others=1)
    asked.hurry.asked()
    await until(lambda: len(asked.pings) == 8)
    asked.hurry._send()
    assert len(asked.pings) == 8
    for ping in asked.pings[:4]:
        ping.set_result([b"PONG"])
    asked.hurry.asked()
    await until(lambda: len(asked.pings) == 12)
    asked.hurry.end()


async def test_none_goes_out_where_only_pings_are_unanswered() -> None:
    asked = Asked(others=1)
    asked.hurry.asked()
    await until(lambda: len(asked.pings) >= 2)
    asked.others, before = 0, len(asked.pings)
    asked.hurry._send()
    assert len(asked.pings) == before
    asked.hurry.end()


async def test_who_may_not_send_them_sends_no_more() -> None:
    asked = Asked(others=1)
    asked.hurry.asked()
    await until(lambda: len(asked.pings) >= 1)
    asked.pings[0].set_result([NoPermissionError("this user has no permissions to run the 'ping' command")])
    await asyncio.sleep(0)
    asked.hurry.asked()
    assert asked.hurry._next is None


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSsh]:
    (tmp_path / "ssh").mkdir()
    yield FakeSsh(tmp_path / "ssh", monkeypatch)
    tunnel.close_all()


@pytest.mark.parametrize("via", ["bastion", None])
async def test_they_go_through_ssh_alone(fake_ssh: FakeSsh, via: str | None) -> None:
    pings = 0
    known = {b"HELLO": b"%0\r\n", b"INFO": bulk(b"run_id:x"), b"PING": b"+PONG\r\n", b"GET": b"$-1\r\n"}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Says nothing to GET until it is asked twice more, or a while."""
        nonlocal pings
        commands = hiredis.Reader()
        while data := await reader.read(65_536):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                if command[0] == b"GET" and via is None:
                    await asyncio.sleep(0.05)
                pings += command[0] == b"PING"
                if command[0] != b"GET" or via is None:
                    writer.write(known.get(command[0], b"+OK\r\n"))
                    continue
                while pings < 2:
                    commands.feed(await reader.read(65_536))
                    pings += len(list(iter(commands.gets, False)))
                writer.write(known[b"GET"] + pings * known[b"PING"])

    async with serving(serve) as port:
        pipe = await open_pipe(Endpoint(port=port, via=via))
        pings = 0
        assert await pipe.ask(pack(b"GET", b"k"), 1) == [None]
        assert (pings > 0) == (via is not None)
        await pipe.close()
