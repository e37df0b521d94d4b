"""``--insecure``: as long as anybody may be the server, the screen and stderr say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pymon_tui import cli
from pymon_tui.model.deployment import Address
from pymon_tui.model.link import Live, Lost, Trouble
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint, Service, Tls
from pymon_tui.ui.screens.status import right_title
from tests.script import snapshot
from tests.server.fake import endpoint_at, saying, serving
from tests.state.test_fleet import fleet_of
from tests.state.test_monitor import is_lost, until, watched

LOST = Lost(Trouble.UNREACHABLE, safe("gone"), safe(""), 0.0, 1.0, 1)


@pytest.mark.parametrize("link", [Live(0.0, 0.001), LOST])
@pytest.mark.parametrize("verified", [True, False])
def test_the_title_says_it_whatever_happens(link: Live | Lost, *, verified: bool) -> None:
    one = replace(snapshot({}, link=link), verified=verified)
    shown = "".join(piece.text for piece in right_title(one, None, one.at, width=80, read_only=True))
    assert (" INSECURE " in shown) is not verified


@pytest.mark.parametrize(
    ("tls", "verified"), [(None, True), (Tls(), True), (Tls(verify=False), False)], ids=["none", "verified", "insecure"]
)
async def test_a_deployment_knows_it_even_while_it_is_away(tls: Tls | None, *, verified: bool) -> None:
    async with serving(saying(b"")) as port, watched(fleet_of(replace(endpoint_at(port), tls=tls))) as snapshots:
        first = await anext(snapshots)
        away = await until(snapshots, is_lost)
        assert (first.verified, away.verified) == (verified, verified)


async def test_the_whole_knows_it_too() -> None:
    service = Service("main", (Address("127.0.0.1", 1),))
    async with watched(fleet_of(Endpoint(tls=Tls(verify=False), service=service))) as snapshots:
        assert not (await anext(snapshots)).verified
        assert not (await until(snapshots, is_lost)).verified


@pytest.mark.parametrize("command", [["once"], ["invalidate", "a:*", "--yes"], ["doctor"], ["acl"]])
def test_what_runs_without_a_screen_says_it_on_stderr(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    said = "pymon-tui: TLS with 127.0.0.1:1 is not verified (--insecure)"
    assert cli.run(["-h", "127.0.0.1", "-p", "1", "--tls", *command]) == 3
    assert said not in capsys.readouterr().err
    assert cli.run(["-h", "127.0.0.1", "-p", "1", "--tls", "--insecure", *command]) == 3
    assert capsys.readouterr().err.startswith(said)
