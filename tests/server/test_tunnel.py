"""Servers behind an ``ssh`` that fails in every way, and what is left when we are gone: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.link import Trouble
from pymon_tui.server import tunnel
from pymon_tui.server.backoff import backoff
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.session import Session
from pymon_tui.server.ssh_process import _is_listened_on
from pymon_tui.server.terminal_loan import TerminalLoan
from tests.conftest import StartServer
from tests.demo.waiting import wait_until
from tests.processes import killed_at_exit
from tests.server.fake import CERT, KEY, serving, speaking
from tests.server.fake_ssh import FakeSsh

PONG = (b"PONG",)


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSsh]:
    program = FakeSsh(tmp_path, monkeypatch)
    yield program
    tunnel.close_all()
    wait_until(lambda: not program.left())


def behind(server: EmbeddedServer) -> Endpoint:
    return Endpoint(socket=server.socket, via="me@bastion")


async def ping(session: Session) -> None:
    assert await session.ask([("PING",)]) == PONG


async def refusal(endpoint: Endpoint) -> LinkError:
    with pytest.raises(LinkError) as caught:
        await open_session(endpoint)
    return caught.value


async def test_everybody_goes_through_one_tunnel(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    opened = await asyncio.gather(*(open_session(behind(server)) for _ in range(5)))
    for session, _ in opened:
        await ping(session)
        await session.close()
    elsewhere = threading.Thread(target=lambda: asyncio.run(_ping_once(behind(server))))
    elsewhere.start()
    await asyncio.to_thread(elsewhere.join)
    assert len(fake_ssh.starts) == 1


async def _ping_once(endpoint: Endpoint) -> None:
    session, _ = await open_session(endpoint)
    await ping(session)
    await session.close()


async def test_nobody_else_can_use_it(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    await _ping_once(behind(server))
    (path,) = fake_ssh.sockets()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(os.fsencode(path)) < 104


async def test_ssh_is_told_no_secret_and_has_no_terminal(
    own_server: StartServer, fake_ssh: FakeSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REDISCLI_AUTH", "PYMON_PASSWORD", "REDIS_URL"):
        monkeypatch.setenv(name, "hunter2")
    server = own_server({"requirepass": "hunter2"}, tcp=True)
    await _ping_once(Endpoint(port=server.port, via="me@bastion:2222", password=SecretStr("hunter2")))
    (start,) = fake_ssh.starts
    assert "hunter2" not in str(start)
    assert start["environ"]["PATH"] == os.environ["PATH"]
    assert start["session"] not in (os.getsid(0), start["pid"])
    assert start["words"][-4:] == ["-p", "2222", "--", "me@bastion"]
    assert "BatchMode=yes" in start["words"]


async def test_the_name_that_tls_verifies_is_the_far_one(fake_ssh: FakeSsh) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    asked: list[str] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    answers = {b"HELLO": b"%0\r\n", b"PING": b"+PONG\r\n"}
    async with serving(speaking(lambda words: answers.get(words[0], b"+OK\r\n")), tls=context) as port:
        await _ping_once(Endpoint(host="localhost", port=port, via="bastion", tls=Tls(ca_certs=CERT)))
        named = Tls(ca_certs=CERT, server_name="redis.example")
        error = await refusal(Endpoint(host="localhost", port=port, via="bastion", tls=named))
    assert asked == ["localhost", "redis.example"]
    assert "the certificate is not for this host" in error.what


@pytest.mark.parametrize(
    ("says", "trouble", "what"),
    [
        ("me@bastion: Permission denied (publickey).", Trouble.REFUSED, "Permission denied (publickey)"),
        ("Host key verification failed.", Trouble.REFUSED, "Host key verification failed"),
        (
            "ssh: Could not resolve hostname bastion: Name or service not known",
            Trouble.UNREACHABLE,
            "Could not resolve",
        ),
        ("ssh: connect to host bastion port 22: Connection refused", Trouble.UNREACHABLE, "refused"),
        ("It is \x1b[31mclosed", Trouble.UNREACHABLE, r"It is \x1b[31mclosed"),
    ],
)
async def test_ssh_that_fails_says_why(
    server: EmbeddedServer, fake_ssh: FakeSsh, says: str, trouble: Trouble, what: str
) -> None:
    fake_ssh.does(f"say {says}")
    error = await refusal(behind(server))
    assert error.trouble is trouble
    assert error.what.startswith("ssh to me@bastion failed: ")
    assert what in error.what
    assert error.remedy
    assert len(fake_ssh.starts) == 1
    fake_ssh.does("forward")
    await _ping_once(behind(server))


async def test_ssh_that_gets_nowhere_is_given_up(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    fake_ssh.does("hang")
    error = await refusal(Endpoint(socket=server.socket, via="bastion", connect_timeout=0.2))
    assert error.trouble is Trouble.SILENT
    assert error.what == "no tunnel through bastion within 0.6 s"
    await asyncio.to_thread(wait_until, lambda: not fake_ssh.left())


async def test_there_is_no_ssh(server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = await refusal(behind(server))
    assert str(error) == "there is no ssh on this machine; install the OpenSSH client"
    assert error.trouble is Trouble.REFUSED


async def test_a_path_that_ssh_would_take_apart_is_refused(fake_ssh: FakeSsh) -> None:
    error = await refusal(Endpoint(socket="/run/a:b.sock", via="bastion"))
    assert "only sockets whose path" in error.what
    assert not fake_ssh.starts


async def test_a_server_that_is_down_behind_it(own_server: StartServer, fake_ssh: FakeSsh) -> None:
    server = own_server(tcp=True)
    endpoint = Endpoint(port=server.port, via="bastion")
    server.stop()
    error = await refusal(endpoint)
    assert error.what == f"bastion has no connection to 127.0.0.1:{server.port}: Connection refused"
    assert error.trouble is Trouble.UNREACHABLE
    server.start()
    session, _ = await open_session(endpoint)
    server.stop()
    with pytest.raises(LinkError, match=r"(cut|closed) the connection"):  # what was refused before is of the past
        await session.ask([("PING",)])
    await session.close()
    assert len(fake_ssh.starts) == 1


async def test_an_ssh_that_ends_is_made_again(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    session, _ = await open_session(behind(server))
    os.kill(fake_ssh.starts[0]["pid"], signal.SIGKILL)
    with pytest.raises(LinkError):
        await session.ask([("PING",)])
    await session.close()
    # The socket is there until the shell has noticed.
    await asyncio.to_thread(wait_until, lambda: not fake_ssh.sockets()[0].exists())
    await _ping_once(behind(server))
    assert len(fake_ssh.starts) == 2


async def test_a_master_of_the_user_s_own_keeps_it_until_we_go(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    fake_ssh.does("master")
    session, _ = await open_session(behind(server))
    (start,) = fake_ssh.starts
    await asyncio.to_thread(wait_until, lambda: not _runs(start["pid"]))  # ssh itself doesn't stay
    await ping(session)
    await session.close()
    await _ping_once(behind(server))
    assert len(fake_ssh.starts) == 1
    tunnel.close_all()
    (cancel,) = fake_ssh.cancels
    assert cancel[:2] == ["-O", "cancel"]
    assert cancel[2:] == start["words"]


async def test_a_master_that_has_gone_is_noticed(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    fake_ssh.does("master")
    session, _ = await open_session(behind(server))
    (start,) = fake_ssh.starts
    await asyncio.to_thread(wait_until, lambda: not _runs(start["pid"]))
    os.kill(int((fake_ssh.folder / "master").read_text()), signal.SIGKILL)
    with pytest.raises(LinkError):
        await session.ask([("PING",)])
    await session.close()
    fake_ssh.does("forward")
    assert (await refusal(behind(server))).what == "the tunnel through me@bastion is gone"
    await _ping_once(behind(server))


async def test_who_wants_a_way_apart_shares_it_with_the_like_alone_and_it_ends_with_the_last(
    server: EmbeddedServer, fake_ssh: FakeSsh
) -> None:
    await _ping_once(behind(server))
    apart = replace(behind(server), apart=True)
    lane = tunnel.tunnel_to(apart)
    assert lane is not None
    with lane.held():
        with lane.held():
            await _ping_once(apart)
        await _ping_once(apart)
        first, second = fake_ssh.starts
    assert "ControlPath=none" not in first["words"]
    assert {"ControlPath=none", "BatchMode=yes"} <= set(second["words"])
    await asyncio.to_thread(wait_until, lambda: not fake_ssh.sockets()[1].exists())
    await _ping_once(behind(server))
    assert len(fake_ssh.starts) == 2


async def test_a_tunnel_that_nobody_uses_ends_and_is_made_again(
    server: EmbeddedServer, fake_ssh: FakeSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "_ROUND", 0.01)
    session, _ = await open_session(behind(server))
    other, _ = await open_session(behind(server))
    monkeypatch.setattr(tunnel, "_UNUSED", 0.0)
    await other.close()
    await asyncio.to_thread(_looked_at_again, tunnel.tunnel_to(behind(server)))
    await ping(session)
    await session.close()
    await asyncio.to_thread(wait_until, lambda: not fake_ssh.left())
    monkeypatch.setattr(tunnel, "_UNUSED", 90.0)
    await _ping_once(behind(server))
    assert len(fake_ssh.starts) == 2


def _looked_at_again(way: tunnel.Tunnel | None) -> None:
    """Wait until it has been looked at, twice, whether the tunnel is used."""
    assert way is not None
    for _ in range(2):
        before = way._used_at
        wait_until(lambda before=before: way._used_at > before)  # type: ignore[misc]


class Terminal(TerminalLoan):
    """A terminal that nobody has, lent to whoever wants it."""

    @contextlib.contextmanager
    def lent_to(self, group: int) -> Iterator[None]:
        yield


def test_where_ssh_may_have_asked_somebody_it_stays_for_it_can_not_ask_again(
    server: EmbeddedServer, fake_ssh: FakeSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "_ROUND", 0.01)
    for via, alone in (("asks", 0.0), ("asks-nothing", 1_000.0)):
        monkeypatch.setattr(tunnel, "_ALONE", alone)
        way = tunnel.tunnel_to(replace(behind(server), via=via))
        assert way is not None
        way.open_on(Terminal(-1), 5.0, lambda line: None)
    monkeypatch.setattr(tunnel, "_UNUSED", 0.0)
    asks, asks_nothing = fake_ssh.sockets()
    wait_until(lambda: not asks_nothing.exists())
    assert asks.exists()


def test_nobody_waits_as_long_between_two_tries_as_an_unused_tunnel_stands() -> None:
    class Dice(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    assert max(backoff(trouble, 100, Dice()) for trouble in Trouble) + tunnel._ROUND < tunnel._UNUSED


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("forward", signal.SIGKILL),
        ("hang", signal.SIGKILL),
        ("stubborn", signal.SIGKILL),
        ("forward", signal.SIGTERM),
        ("forward", signal.SIGHUP),
        ("forward", signal.SIGINT),
    ],
)
def test_nothing_outlives_us(server: EmbeddedServer, fake_ssh: FakeSsh, how: str, number: signal.Signals) -> None:
    fake_ssh.does(how)
    script = (
        "import asyncio, sys; from pymon_tui.server.connection import open_session; "
        "from pymon_tui.server.endpoint import Endpoint\n"
        "async def main():\n"
        f"    session, _ = await open_session(Endpoint(socket={server.socket!r}, via='bastion', connect_timeout=100))\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(1000)\n"
        "asyncio.run(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    with killed_at_exit(process) as us:
        assert us.stdout is not None
        if how == "hang":
            wait_until(lambda: bool(fake_ssh.starts))
        else:
            assert us.stdout.readline() == b"up\n"
        assert fake_ssh.left()
        os.killpg(us.pid, number)
        us.wait(20)
    wait_until(lambda: not fake_ssh.left())


def test_the_watchdog_may_be_killed_as_well(server: EmbeddedServer, fake_ssh: FakeSsh) -> None:
    asyncio.run(_ping_once(behind(server)))
    (start,) = fake_ssh.starts
    os.kill(start["session"], signal.SIGKILL)
    tunnel.close_all()
    wait_until(lambda: not fake_ssh.left())


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="the system doesn't tell who listens")
def test_a_socket_that_nobody_listens_on_yet_is_no_way(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    assert _is_listened_on(path) is None
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        assert _is_listened_on(path) is False
        listening.listen()
        assert _is_listened_on(path) is True
