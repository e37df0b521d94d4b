"""Which guard rails hold: names are looked up all at once, and what can't be found out is said."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pymon_tui.invalidation.cluster.primaries import Found, Primary, find
from pymon_tui.invalidation.guarding import rules_of
from pymon_tui.invalidation.rules import Guard, Rules
from pymon_tui.journal.met import Met
from pymon_tui.server.endpoint import Endpoint, Service
from tests.conftest import StartServer
from tests.ui.scripted_desk import RULES

GUARD = Guard("prod", "prod.example:6379", "production", (), 500, 10, 0.002, 1_000.0, read_only=True)
PLACES = {"prod.example": "10.0.0.1", "10.0.0.1": "10.0.0.1", "cache": "10.0.0.2", "stage.example": "10.0.0.9"}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is looked up; names that nobody knows aren't found, and those that begin with slow aren't in time."""
    asked: list[str] = []

    async def looked_up(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        asked.append(host)
        if host.startswith("slow"):
            await asyncio.Event().wait()
        if host not in PLACES:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PLACES[host], port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", looked_up)
    monkeypatch.setattr("pymon_tui.invalidation.places._RESOLVE_SECONDS", 0.05)
    return asked


def found_at(endpoint: Endpoint, *addresses: str) -> Found:
    primary = Primary(endpoint, "", (), "c0ffee", frozenset())
    return Found(False, (primary,), None, (endpoint.address, *addresses))


async def rules_at(folder: Path, endpoint: Endpoint, *guards: Guard, addresses: tuple[str, ...] = ()) -> Rules:
    return await rules_of(found_at(endpoint, *addresses), endpoint, replace(RULES, guards=guards), Met(folder))


async def test_another_name_of_the_same_place_is_meant(names: list[str], tmp_path: Path) -> None:
    strict = await rules_at(tmp_path, Endpoint(host="10.0.0.1"), GUARD, replace(GUARD, profile="other"))
    assert strict.guarded_by == ("prod", "other")
    assert strict.notes == ()
    assert sorted(names) == ["10.0.0.1", "prod.example"]  # each once
    assert not (await rules_at(tmp_path, Endpoint(host="cache"), GUARD)).guarded_by


async def test_an_address_of_the_deployment_is_meant(names: list[str], tmp_path: Path) -> None:
    strict = await rules_at(tmp_path, Endpoint(host="cache"), GUARD, addresses=("prod.example:6379",))
    assert strict.guarded_by == ("prod",)
    assert names == []


async def test_a_sentinel_service_is_meant(names: list[str], tmp_path: Path) -> None:
    guard = replace(GUARD, address="service mymaster")
    endpoint = Endpoint(host="cache", watched=Service("mymaster", ()))
    assert (await rules_at(tmp_path, endpoint, guard)).guarded_by == ("prod",)
    assert not (await rules_at(tmp_path, Endpoint(host="cache"), guard)).guarded_by


@pytest.mark.parametrize("host", ["gone.example", "slow.example"])
async def test_a_host_that_cannot_be_resolved_is_said(host: str, names: list[str], tmp_path: Path) -> None:
    lost = replace(GUARD, profile="lost", address=f"{host}:6379")
    strict = await rules_at(tmp_path, Endpoint(host="10.0.0.1"), lost, GUARD)
    assert strict.guarded_by == ("prod",)  # who is late keeps no other from being known
    assert strict.notes == (
        "profile lost: it can't be found out where its server is, so its guard rails may be missing",
    )
    other = replace(lost, profile="other")
    strict = await rules_at(tmp_path, Endpoint(host="10.0.0.1"), lost, other)
    assert [note.partition(":")[0] for note in strict.notes] == ["profile lost", "profile other"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "127.0.0.2", "localhost"])
async def test_this_machine_is_itself_however_it_is_spelled(host: str, tmp_path: Path) -> None:
    guard = replace(GUARD, address="127.0.0.1:6379")
    assert (await rules_at(tmp_path, Endpoint(host=host), guard)).guarded_by == ("prod",)
    assert not (await rules_at(tmp_path, Endpoint(host=host, port=6380), guard)).guarded_by


async def test_a_mapped_address_is_the_one_that_it_maps(tmp_path: Path) -> None:
    guard = replace(GUARD, address="192.0.2.77:6379")
    assert (await rules_at(tmp_path, Endpoint(host="::ffff:192.0.2.77"), guard)).guarded_by == ("prod",)
    assert not (await rules_at(tmp_path, Endpoint(host="::ffff:192.0.2.78"), guard)).guarded_by


async def test_a_socket_is_the_file_that_its_path_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to(tmp_path / "run")
    guard = replace(GUARD, address=str(tmp_path / "run/redis.sock"))
    monkeypatch.chdir(tmp_path)
    for path in (f"{tmp_path}/var/redis.sock", f"{tmp_path}/run/../run/redis.sock", "run/redis.sock"):
        assert (await rules_at(tmp_path, Endpoint(socket=path), guard)).guarded_by == ("prod",)
    assert not (await rules_at(tmp_path, Endpoint(socket=f"{tmp_path}/run/other.sock"), guard)).guarded_by


async def test_the_socket_and_the_port_of_a_server_are_one_server(own_server: StartServer, tmp_path: Path) -> None:
    server, other = own_server(tcp=True), own_server(tcp=True)
    (tmp_path / "link").symlink_to(server.socket)
    by_port, by_socket = Endpoint(port=server.port), Endpoint(socket=server.socket)
    for target, address in (
        (by_socket, by_port.address),
        (by_port, by_socket.address),
        (by_port, str(tmp_path / "link")),
        (Endpoint(socket=str(tmp_path / "link")), f"localhost:{server.port}"),
    ):
        found = await find(target)
        for guarded, profiles in ((address, ("prod",)), (other.socket, ()), (f"127.0.0.1:{other.port}", ())):
            rules = replace(RULES, guards=(replace(GUARD, address=guarded),))
            assert (await rules_of(found, target, rules, Met(tmp_path))).guarded_by == profiles


TUNNELLED = (
    "profile far: through ssh it can't be found out whether this is its server, so its guard rails may be missing"
)


@pytest.mark.parametrize(
    ("profile", "here", "said", "meant"),
    [
        ("127.0.0.1:7905 via me@b", Endpoint(host="10.0.0.1", port=7905), True, False),
        ("127.0.0.1:7905 via me@b", Endpoint(socket="/run/redis.sock"), False, False),
        ("127.0.0.1:7905 via me@b", Endpoint(host="10.0.0.1", port=7906), False, False),
        ("127.0.0.1:7905 via me@b", Endpoint(host="localhost", port=7905, via="me@b"), False, True),
        ("127.0.0.1:7905 via me@b", Endpoint(host="10.9.9.9", port=7905, via="me@b"), True, False),
        ("127.0.0.1:7905 via me@b", Endpoint(host="127.0.0.1", port=7905, via="c"), True, False),
        ("127.0.0.1:7905 via me@b", Endpoint(host="127.0.0.1", port=7906, via="me@b"), False, False),
        ("10.0.0.1:7905", Endpoint(host="127.0.0.1", port=7905, via="me@b"), True, False),
        ("10.0.0.1:7905", Endpoint(host="127.0.0.1", port=7906, via="me@b"), False, False),
        ("service main via me@b", Endpoint(host="10.0.0.1", port=7905), True, False),
        ("/run/redis.sock via me@b", Endpoint(host="10.0.0.1", port=7905), True, False),
    ],
)
async def test_what_ssh_hides_is_said(
    profile: str,
    here: Endpoint,
    said: bool,  # noqa: FBT001 - pytest's
    meant: bool,  # noqa: FBT001 - pytest's
    names: list[str],
    tmp_path: Path,
) -> None:
    Met(tmp_path).note("far", ["another process"])
    strict = await rules_at(tmp_path, here, replace(GUARD, profile="far", address=profile))
    assert strict.notes == ((TUNNELLED,) if said else ())
    assert strict.guarded_by == (("far",) if meant else ())


async def test_a_profile_through_ssh_is_known_once_it_has_led_there(names: list[str], tmp_path: Path) -> None:
    guard = replace(GUARD, profile="far", address="127.0.0.1:7905 via me@b")
    here = Endpoint(host="10.0.0.1", port=6379)
    strict = await rules_at(tmp_path, here, guard)
    assert (strict.guarded_by, strict.notes) == ((), (TUNNELLED,))  # it has led nowhere: the port may be another here
    Met(tmp_path).note("far", ["c0ffee"])
    strict = await rules_at(tmp_path, here, guard)
    assert (strict.guarded_by, strict.notes) == (("far",), ())


async def test_the_port_that_the_server_tells_is_the_one_that_ssh_leads_to(names: list[str], tmp_path: Path) -> None:
    guard = replace(GUARD, profile="far", address="127.0.0.1:6379 via me@b")
    Met(tmp_path).note("far", ["another process"])
    here = Endpoint(host="10.0.0.1", port=32_768)  # as a container's port is published
    for port, notes in ((6379, (TUNNELLED,)), (6380, ())):
        found = replace(found_at(here), port=port)
        strict = await rules_of(found, here, replace(RULES, guards=(guard,)), Met(tmp_path))
        assert strict.notes == notes
