"""What becomes of the line to a server: said with its time, the last picture kept, and come back from by itself."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from contextlib import closing
from typing import Any

import pytest

from pymon_tui.model.link import Live, Trouble
from pymon_tui.readings.metrics import COMMANDS
from pymon_tui.readings.server import SERVER
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.ui.screens.status import banner
from tests.faults.conftest import PATIENCE
from tests.faults.happenings import FAULTS
from tests.faults.watching import away, away_by, heard, known, live, marks, rates, until, watching
from tests.server.fake import serving, silent
from tests.servers.node import Node
from tests.servers.proxy import Proxy, proxied


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.usefixtures("soon")
async def test_it_is_said_and_come_back_from(name: str, node: Node, line: Proxy, endpoint: Endpoint) -> None:
    fault = FAULTS[name]
    async with watching(endpoint) as watch:
        await watch.until(heard)
        before = await watch.ticks(3)
        async with fault.happening(node, line):
            lost = await watch.until(away_by(fault.trouble))
            assert [what for _, what in watch.said if not re.search(fault.says, what)] == []
            assert watch.lost.since >= before.at
            (told,) = banner(lost, watch.lost.since + 75)
            assert re.match(rf".*({fault.says}) · .+   away 1m 15s, ", "".join(piece.text for piece in told))
            assert known(lost) >= known(before)  # the last picture
        await watch.until(heard)
        after = await watch.ticks(3)
        assert known(after) >= known(before)
        # A hole, and after it what is true: neither the whole life of the server in one second nor less than nothing.
        assert None in after.history.samples(COMMANDS.name, 0, after.history.end)
        assert [rate for rate in rates(after, COMMANDS.name) if not 0 <= rate < 10_000] == []


async def test_a_server_that_comes_back_is_found_within_one_step(node: Node, line: Proxy, endpoint: Endpoint) -> None:
    async with watching(endpoint) as watch:
        await watch.until(heard)
        line.close_door()
        line.cut()
        await watch.until(lambda snapshot: away(snapshot) and watch.lost.tries >= 3)
        await line.open_door()
        told = len(watch.said)
        due = watch.lost.next_try
        back = await watch.until(live)
        assert back.at >= due
        assert len(watch.said) == told  # the next try was the one that found it
        await watch.until(heard)


@pytest.mark.parametrize("reply", range(1, 8))
@pytest.mark.usefixtures("soon")
async def test_a_reply_that_is_cut_in_the_middle(reply: int, line: Proxy, endpoint: Endpoint) -> None:
    line.cut_in_reply(reply)
    async with watching(endpoint) as watch:
        await watch.until(heard)
        await watch.ticks(2)
        accepted = line.accepted
        line.cut_in_reply(reply)
        await until(lambda: line.accepted > accepted)
        await watch.until(heard)
    assert {trouble for trouble, _ in watch.said} <= {Trouble.UNREACHABLE}


async def test_one_byte_at_a_time_is_the_same_picture(line: Proxy, endpoint: Endpoint) -> None:
    async with watching(endpoint) as watch:
        before = await watch.until(heard)
        line.piece = 1
        after = await watch.ticks(2)
        line.piece = 0
        assert known(after) >= known(before)
        assert watch.said == []


async def test_a_slow_line_is_no_silence(line: Proxy, endpoint: Endpoint) -> None:
    async with watching(endpoint) as watch:
        await watch.until(heard)
        # Ten pieces of an INFO that take longer together than the whole patience.
        line.piece, line.delay = 1_200, 0.1
        after = await watch.ticks(1)
        line.piece = line.delay = 0
        assert isinstance(after.link, Live)
        assert after.link.rtt >= 0.1
        assert watch.said == []


@pytest.mark.usefixtures("soon")
async def test_a_socket_that_is_gone_and_back(node: Node) -> None:
    async with (
        proxied(node.server.socket, unix=True) as line,
        watching(Endpoint(socket=line.path, connect_timeout=PATIENCE, command_timeout=PATIENCE)) as watch,
    ):
        await watch.until(heard)
        line.close_door()
        line.cut()
        await watch.until(lambda snapshot: away(snapshot) and "no socket at" in watch.lost.what)
        await line.open_door()
        await watch.until(heard)


async def test_it_waits_ever_longer_and_does_not_spin(line: Proxy, endpoint: Endpoint) -> None:
    async with watching(endpoint) as watch:
        await watch.until(heard)
        line.close_door()
        line.cut()
        await watch.until(away)
        since, began, spent = watch.lost.since, time.monotonic(), time.process_time()
        waits = []
        for tries in (1, 2, 3):
            await watch.until(lambda _: watch.lost.tries > tries)  # noqa: B023 - it is over before the next one
            waits.append(watch.lost.next_try - watch.newest.at)
        assert time.process_time() - spent < 0.1 * (time.monotonic() - began)
        assert all(wait > 0.3 * 2**number for number, wait in enumerate(waits))
        assert watch.lost.since == since


@pytest.mark.usefixtures("soon")
async def test_a_feed_says_what_it_missed(node: Node, line: Proxy, endpoint: Endpoint) -> None:
    async with watching(endpoint) as watch:
        await watch.until(heard)
        line.close_door()
        line.cut()
        await watch.until(away)
        node.ask("PUBLISH", "news", "missed")
        await line.open_door()
        back = await watch.until(heard)
        await until(lambda: len(marks(back)) == 2)
        lost, gap = marks(back)
        assert lost.startswith("connection lost: ")
        assert gap.startswith("gap: reconnected after")
        node.ask("PUBLISH", "news", "seen")
        await until(lambda: back.feed.seen == 1)


# Names and addresses


def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The addresses of names, to be changed; a name that isn't there has none."""
    addresses: dict[str, str] = {}
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(host, str) and host.endswith(".test"):
            if host not in addresses:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            host = addresses[host]
        return real(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return addresses


@pytest.mark.usefixtures("soon")
async def test_a_name_that_is_gone_and_comes_back_elsewhere(monkeypatch: pytest.MonkeyPatch, node: Node) -> None:
    names = resolver(monkeypatch)
    names["cache.test"] = "127.0.0.1"
    async with proxied(node.server.socket) as line:
        there = Endpoint(host="cache.test", port=line.port, connect_timeout=PATIENCE, command_timeout=PATIENCE)
        async with watching(there) as watch:
            await watch.until(heard)
            del names["cache.test"]
            line.close_door()
            line.cut()
            await watch.until(lambda snapshot: away(snapshot) and "host cache.test has no address" in watch.lost.what)
            names["cache.test"] = "::1"
            # Not `async with`: from Python 3.12 on its end waits for the clients, which are still connected.
            with closing(await asyncio.start_server(line._serve, "::1", line.port)):
                await watch.until(heard)


async def test_an_address_of_version_six(node: Node) -> None:
    async with proxied(node.server.socket) as line:
        with closing(await asyncio.start_server(line._serve, "::1", 0)) as server:
            port = server.sockets[0].getsockname()[1]
            async with watching(Endpoint(host="::1", port=port)) as watch:
                there = await watch.until(heard)
                assert there.node == f"[::1]:{port}"
                server.close()
                line.cut()
                await watch.until(away)
                assert f"[::1]:{port}" in watch.lost.what


async def test_nobody_who_answers_is_no_empty_server() -> None:
    async with (
        serving(silent) as port,
        watching(Endpoint(port=port, connect_timeout=0.2, command_timeout=0.2)) as watch,
    ):
        lost = await watch.until(away_by(Trouble.SILENT))
    assert not lost.readings_known
    assert SERVER.name in lost.readings
