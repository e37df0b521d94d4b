"""Connections to names with several addresses, some of which lead nowhere."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.doctor.finding import Finding, Mark
from pymon_tui.doctor.way import connected
from pymon_tui.server import dial as dialing
from pymon_tui.server.connection import open_session
from pymon_tui.server.dial import dial
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from tests.conftest import StartServer

NAME = "cache.test"


@contextmanager
def swallowing(host: str, port: int) -> Iterator[None]:
    """A place whose queue of connections is full: it neither takes nor refuses another."""
    with ExitStack() as held:
        door = held.enter_context(closing(socket.socket()))
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(0)
        for _ in range(8):
            visitor = held.enter_context(closing(socket.socket()))
            visitor.setblocking(False)
            visitor.connect_ex((host, port))
        yield


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of the name, in this order."""
    found: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: int, **named: int) -> list[object]:
        if host != NAME:
            return list(real(host, port, *rest, **named))
        if named.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "it is no address")
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [each for place in found for each in real(place, port, *rest, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return found


@pytest.fixture
def tcp(own_server: StartServer) -> EmbeddedServer:
    """A server on 127.0.0.1."""
    return own_server(tcp=True)


@pytest.mark.parametrize("others", [["127.0.0.2"], ["::1"], ["127.0.0.2", "::1", "127.0.0.3"]])
async def test_an_address_that_swallows_does_not_hide_the_next(
    tcp: EmbeddedServer, places: list[str], others: list[str]
) -> None:
    places += [*others, "127.0.0.1"]
    with ExitStack() as dead:
        for other in (other for other in others if ":" not in other):
            dead.enter_context(swallowing(other, tcp.port))
        endpoint = Endpoint(host=NAME, port=tcp.port)
        session, _ = await open_session(endpoint)
        assert await session.ask([("PING",)]) == (b"PONG",)
        await session.close()


async def test_each_that_refuses_is_followed_by_the_next_at_once(
    tcp: EmbeddedServer, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialing, "HEAD_START", 3_600.0)
    places += ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    with closing(await dial(NAME, tcp.port)) as found:
        assert found.getpeername() == ("127.0.0.1", tcp.port)


async def test_families_take_turns(places: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(place: dialing.Place) -> socket.socket:
        tried.append(place[4][0])
        raise ConnectionRefusedError

    tried: list[str] = []
    monkeypatch.setattr(dialing, "_connected", refused)
    places += ["127.0.0.2", "127.0.0.3", "127.0.0.4", "::1"]
    with pytest.raises(ConnectionRefusedError):
        await dial(NAME, 6379)
    assert tried == ["127.0.0.2", "::1", "127.0.0.3", "127.0.0.4"]


async def test_none_that_connects_is_what_the_last_one_says(tcp: EmbeddedServer, places: list[str]) -> None:
    places += ["127.0.0.2", "127.0.0.3"]
    with pytest.raises(ConnectionRefusedError):
        await dial(NAME, tcp.port)
    with pytest.raises(LinkError, match="refuses connections"):
        await open_session(Endpoint(host=NAME, port=tcp.port))
    places.clear()
    with pytest.raises(LinkError, match=r"host cache\.test has no address: Name or service not known"):
        await open_session(Endpoint(host=NAME, port=tcp.port))


@pytest.mark.parametrize("port", [0, 65_536, 99_999])
async def test_a_port_that_is_none_is_no_error_of_ours(port: int) -> None:
    with pytest.raises(LinkError, match=f"there is no port {port}"):
        await open_session(Endpoint(port=port))


async def test_what_is_given_up_leaves_nothing_open(tcp: EmbeddedServer, places: list[str]) -> None:
    places += ["127.0.0.2", "127.0.0.3"]
    with swallowing("127.0.0.2", tcp.port), swallowing("127.0.0.3", tcp.port), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await dial(NAME, tcp.port)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_the_doctor_has_a_line_for_each(tcp: EmbeddedServer, places: list[str]) -> None:
    def told(findings: tuple[Finding, ...]) -> list[tuple[Mark, bool, str]]:
        return [(one.mark, one.ends, str(one.said).partition(":")[0]) for one in findings]

    places += ["127.0.0.2", "127.0.0.1"]
    endpoint = Endpoint(host=NAME, port=tcp.port, connect_timeout=0.3)
    with swallowing("127.0.0.2", tcp.port):
        one, other = await connected(endpoint)
    assert (one.mark, one.ends, one.said) == (Mark.BAD, False, f"no connection to 127.0.0.2:{tcp.port} within 0.3 s")
    assert "take it from cache.test" in one.remedy
    assert told((other,)) == [(Mark.GOOD, False, "127.0.0.1")]
    places[:] = ["127.0.0.2", "127.0.0.3"]
    assert [(one.mark, one.ends) for one in await connected(endpoint)] == [(Mark.BAD, False), (Mark.BAD, True)]
    places[:] = ["127.0.0.1"]
    assert told(await connected(endpoint)) == [(Mark.GOOD, False, "127.0.0.1")]
