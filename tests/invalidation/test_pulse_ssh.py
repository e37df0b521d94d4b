"""What other clients feel, where the server is reached through ssh: on a TCP connection apart from the run's bulk."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import pulse as pulse_module
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.pacing import Pacer
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.server import tunnel
from pymon_tui.server.endpoint import Endpoint
from tests.demo.waiting import wait_until
from tests.invalidation.planned import only_client_left, selecting
from tests.invalidation.removing import populate, removal_of, under_way
from tests.server.fake_ssh import FakeSsh
from tests.server.listening import until

_SAID = (
    "the ceiling wasn't judged: PINGs had no ssh of their own: "
    "ssh to bastion failed: Permission denied (publickey,password)"
)


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSsh]:
    (tmp_path / "ssh").mkdir()
    program = FakeSsh(tmp_path / "ssh", monkeypatch)
    yield program
    tunnel.close_all()
    wait_until(lambda: not program.left())


@pytest.fixture
def behind(server: EmbeddedServer) -> Endpoint:
    """The server, behind the bastion."""
    return Endpoint(socket=server.socket, via="bastion")


def lanes(fake_ssh: FakeSsh) -> list[int]:
    """The processes of ssh that were started for a pulse."""
    return [start["pid"] for start in fake_ssh.starts if "ControlPath=none" in start["words"]]


async def test_it_has_an_ssh_of_its_own_for_as_long_as_it_is_felt(
    redis: Redis, behind: Endpoint, fake_ssh: FakeSsh
) -> None:
    with Pulse(behind).beating() as pulse:
        assert pulse.is_on_its_way
        await until(lambda: pulse.feeling.ping_p99 is not None)
        assert not pulse.is_on_its_way
        assert (pulse.feeling.shared, pulse.unjudged) == (False, "")
        assert len(lanes(fake_ssh)) == 1
    await asyncio.to_thread(wait_until, lambda: lanes_gone(fake_ssh))
    await only_client_left(redis)


def lanes_gone(fake_ssh: FakeSsh) -> bool:
    paths = [
        path for path, start in zip(fake_ssh.sockets(), fake_ssh.starts, strict=True) if start["pid"] in lanes(fake_ssh)
    ]
    return not any(path.parent.exists() for path in paths)


async def test_an_ssh_that_ends_in_the_middle_is_made_again(behind: Endpoint, fake_ssh: FakeSsh) -> None:
    with Pulse(behind).beating() as pulse:
        await until(lambda: pulse.feeling.ping_p99 is not None)
        os.kill(lanes(fake_ssh)[0], signal.SIGKILL)
        await until(lambda: pulse.feeling.ping_p99 is None)
        await until(lambda: pulse.feeling.ping_p99 is not None)
        assert len(lanes(fake_ssh)) == 2


async def test_where_ssh_would_ask_nothing_is_judged_and_it_is_asked_once(
    behind: Endpoint, fake_ssh: FakeSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse_module, "_LOOK", 0.05)
    fake_ssh.does("share")
    pacer = Pacer(Pulse(behind), 0.005, None)
    with pacer.pulse.beating() as pulse:
        await pacer.feel_idle()
        await until(lambda: pulse.role == "master")
        assert pulse.feeling.shared
        assert pulse.feeling.ping_p99 is None
        assert pulse.unjudged == _SAID
        for start in list(fake_ssh.starts):
            if start["pid"] not in lanes(fake_ssh):
                os.kill(start["pid"], signal.SIGKILL)
        await until(lambda: not pulse.feeling.shared)
        await until(lambda: pulse.feeling.shared)
    assert len(lanes(fake_ssh)) == 1


async def test_it_does_not_wait_for_an_ssh_that_gets_nowhere_when_the_run_ends(
    behind: Endpoint, fake_ssh: FakeSsh
) -> None:
    fake_ssh.does("hang")
    with Pulse(replace(behind, connect_timeout=1_000.0)).beating() as pulse:
        await until(lambda: len(lanes(fake_ssh)) == 1)
        assert pulse.is_on_its_way
    await asyncio.to_thread(wait_until, lambda: lanes_gone(fake_ssh))


@pytest.mark.parametrize(("how", "says"), [("forward", ""), ("share", _SAID)])
async def test_a_run_says_when_it_was_not_judged(
    redis: Redis, behind: Endpoint, fake_ssh: FakeSsh, tmp_path: Path, how: str, says: str
) -> None:
    fake_ssh.does(how)
    await populate(redis, "k:", 5_000)
    removal = await removal_of(behind, selecting("k:*"), tmp_path / "state", Options())
    async with under_way(removal) as run:
        result = await run
    assert (result.outcome, result.tally.removed, result.why) == ("done", 5_000, says)
    assert result.as_json()["why"] == says
    await asyncio.to_thread(wait_until, lambda: lanes_gone(fake_ssh))


async def test_it_knows_how_long_the_server_is_at_a_page(
    redis: Redis, behind: Endpoint, fake_ssh: FakeSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse_module, "_LOOK", 0.05)
    await populate(redis, "k:", 1_000)
    with Pulse(behind).beating() as pulse:
        await until(lambda: pulse.role == "master")
        assert pulse.feeling.held is None
        while pulse.feeling.held is None:
            await redis.scan(0, count=1_000)
        assert 0 < pulse.feeling.held < 1
        await until(lambda: pulse.feeling.held is None)  # nobody asks for a page any more
