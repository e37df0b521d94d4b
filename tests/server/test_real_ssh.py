"""Through a real sshd on this machine, where there is one: a key, a jump, a master, and a server that isn't there."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pymon_tui.server import tunnel
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from tests.conftest import StartServer, free_port

_SSHD, _SSH, _KEYGEN = (
    shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("sshd", "ssh", "ssh-keygen")
)

pytestmark = pytest.mark.skipif(not (_SSHD and _SSH and _KEYGEN), reason="no sshd, ssh and ssh-keygen on PATH")

_SETTINGS = """
Host stranger
  UserKnownHostsFile /dev/null
Host renewed
  UserKnownHostsFile {folder}/renewed
Host bastion inner shared stranger renewed
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/key
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking yes
Host inner
  ProxyJump bastion
Host shared
  ControlMaster auto
  ControlPath {folder}/master
  ControlPersist yes
Host *
  IdentityAgent none
"""


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the ``ssh`` that knows the hosts above, all of them an sshd that runs on this machine."""
    assert _SSHD
    assert _KEYGEN
    folder, port = tmp_path_factory.mktemp("ssh"), free_port()
    for pair in ("host", "key", "old"):
        subprocess.run([_KEYGEN, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / pair)], check=True)
    shutil.copy(folder / "key.pub", folder / "authorized")
    for known, key in (("known", "host"), ("renewed", "old")):
        (folder / known).write_text(f"[127.0.0.1]:{port} {(folder / f'{key}.pub').read_text()}")
    (folder / "settings").write_text(_SETTINGS.format(port=port, folder=folder))
    (folder / "bin").mkdir()
    # ssh looks for its settings where the password file says that we are at home.
    (folder / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {_SSH} -F {folder}/settings "$@"\n')
    (folder / "bin" / "ssh").chmod(0o700)
    given = {"Port": port, "ListenAddress": "127.0.0.1", "HostKey": folder / "host", "PidFile": "none", "UsePAM": "no"}
    given |= {"AuthorizedKeysFile": folder / "authorized", "StrictModes": "no", "PasswordAuthentication": "no"}
    given |= {"AllowUsers": getpass.getuser(), "PermitRootLogin": "prohibit-password"}
    options = [word for name, value in given.items() for word in ("-o", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen([_SSHD, "-D", "-e", "-f", "/dev/null", *options], stderr=log)
    try:
        deadline = time.monotonic() + 10
        while b"Server listening" not in (said := (folder / "log").read_bytes()):
            if daemon.poll() is not None:
                pytest.skip(f"sshd doesn't start here: {said.decode(errors='replace').strip()}")
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield folder
    finally:
        daemon.kill()
        daemon.wait()


@pytest.fixture
def ssh(sshd: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of ``sshd``, its ``ssh`` first on PATH."""
    monkeypatch.setenv("PATH", f"{sshd / 'bin'}:{os.environ['PATH']}")
    yield sshd
    tunnel.close_all()


async def ping(endpoint: Endpoint) -> None:
    session, _ = await open_session(endpoint)
    assert await session.ask([("PING",)]) == (b"PONG",)
    await session.close()


@pytest.mark.parametrize("via", ["bastion", "inner"])
async def test_a_key_and_a_jump(own_server: StartServer, ssh: Path, via: str) -> None:
    server = own_server(tcp=True)
    await ping(Endpoint(port=server.port, via=via))
    await ping(Endpoint(socket=server.socket, via=via))


async def test_a_server_that_is_down_behind_it(own_server: StartServer, ssh: Path) -> None:
    server = own_server(tcp=True)
    endpoint = Endpoint(port=server.port, via="bastion")
    server.stop()
    with pytest.raises(LinkError, match=f"bastion has no connection to 127.0.0.1:{server.port}: Connection refused"):
        await open_session(endpoint)
    server.start()
    await ping(endpoint)


@pytest.mark.parametrize(
    ("via", "says"),
    [
        ("stranger", "ssh to stranger failed: Host key verification failed; connect by hand"),
        ("renewed", "the host key of renewed has changed: somebody may be listening in"),
        ("nobody@bastion", r"Permission denied \(publickey.*\); it can't ask here"),
        ("no.such.host.invalid", "Could not resolve hostname"),
    ],
)
async def test_it_says_why_it_does_not_get_through(own_server: StartServer, ssh: Path, via: str, says: str) -> None:
    with pytest.raises(LinkError, match=says):
        await open_session(Endpoint(port=1, via=via))


def tell_master(*words: str) -> str:
    done = subprocess.run(
        ["ssh", *words, "shared"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return done.stderr


@pytest.fixture
def master(ssh: Path) -> Iterator[None]:
    """A master that runs for ``shared``."""
    tell_master("-M", "-N", "-f")
    yield
    tell_master("-O", "exit")


def logins(ssh: Path) -> int:
    """How many there were until now, each on a TCP connection of its own."""
    return (ssh / "log").read_text().count("Accepted publickey")


async def test_a_master_is_used_and_given_back(own_server: StartServer, ssh: Path, master: None) -> None:
    server = own_server(tcp=True)
    before = logins(ssh)
    await ping(Endpoint(port=server.port, via="shared"))
    await ping(Endpoint(port=server.port, via="shared"))
    assert logins(ssh) == before
    tunnel.close_all()
    assert "Master running" in tell_master("-O", "check")


async def test_a_way_apart_shares_no_connection_with_a_master(own_server: StartServer, ssh: Path, master: None) -> None:
    endpoint = Endpoint(port=own_server(tcp=True).port, via="shared", apart=True)
    before = logins(ssh)
    lane = tunnel.tunnel_to(endpoint)
    assert lane is not None
    with lane.held():
        await ping(endpoint)
        await ping(endpoint)
        near = Path(await lane.socket(endpoint.connect_timeout))
    assert logins(ssh) == before + 1
    assert not near.exists()
    assert "Master running" in tell_master("-O", "check")
