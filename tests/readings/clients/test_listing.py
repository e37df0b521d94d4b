"""The list of clients: lazy, and never wrong about which value belongs to whom."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Ready
from pymon_tui.readings.clients import CLIENTS, ClientTable, Grouping, Rates, group, parse_clients
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.poller import Poller
from tests.conftest import StartServer
from tests.readings.clients.rows import listing, row
from tests.replies import recorded
from tests.servers.clients import client_of


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_both_protocols_give_the_same_list(server: str) -> None:
    two = parse_clients(recorded(f"client-list.{server}.resp2"))
    three = parse_clients(recorded(f"client-list.{server}.resp3"))
    assert [two.row(index) for index in range(len(two))] == [three.row(index) for index in range(len(three))]
    assert len(two) == 6


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_clients_are_in_the_order_in_which_they_came(server: str) -> None:
    clients = parse_clients(recorded(f"client-list.{server}.resp2"))
    assert [client.id for client in clients] == sorted(clients.numbers("id"), key=lambda value: value or 0)


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
@pytest.mark.parametrize("field", ["age", "omem", "tot-mem", "tot-cmds", "tot-net-in", "qbuf", "multi", "db"])
def test_a_field_of_all_is_the_field_of_each(server: str, field: str) -> None:
    clients = parse_clients(recorded(f"client-list.{server}.resp2"))
    each = [getattr(client, field.replace("-", "_")) for client in clients]
    assert [clients.number(index, field) for index in range(len(clients))] == each
    assert clients.numbers(field) == each


def test_a_field_that_some_leave_out_stays_with_its_owner() -> None:
    clients = listing(row(1, omem=None), row(2, omem=5), row(3, omem="x"), row(4, tot_mem=None), row(5, name=None))
    assert clients.numbers("omem") == [None, 5, None, 0, 0]
    assert clients.numbers("tot-mem") == [2000, 2000, 2000, None, 2000]
    assert clients.texts("name") == [None] * 5
    assert clients.texts("lib-name") == [b"redis-py"] * 5


def test_a_name_that_looks_like_a_field_is_a_name() -> None:
    clients = listing(row(1, name="omem=99", omem=1), row(2, omem=2))
    assert clients.numbers("omem") == [1, 2]
    assert clients.texts("name") == [b"omem=99", None]


def test_the_beginning_of_a_fields_name_is_not_the_field() -> None:
    clients = listing(row(1, qbuf=3, sub=1, psub=2))
    assert (clients.number(0, "sub"), clients.number(0, "psub"), clients.numbers("qbuf")) == (1, 2, [3])


def test_without_leaves_out_those_ids_and_no_others() -> None:
    clients = listing(row(1), row(11), row(111))
    assert [clients[place].id for place in clients.without({1, 111})] == [11]
    assert len(clients.without(())) == 3


def test_a_connection_is_found_again_by_its_key() -> None:
    before = listing(row(1), row(2), row(3))
    after = listing(row(2, idle=9, cmd="set"), row(3, addr="10.9.9.9:1"))
    assert after.find(before.key(1)) == 0
    assert after.find(before.key(0)) is None
    assert after.find(before.key(2)) is None  # the same id at another address: another run of the server


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [1, 2, 3]),
        ("api", [1]),
        ("API", [1]),
        ("10.0.3.", [2]),
        ("hgetall", [2]),
        ("sub", []),  # the name of a field is no text of a client
        ("db=1", [3]),
        ("db=0 redis-py", [1, 2]),
        ("user=wor", [3]),
        ("한글", []),
        ("   ", [1, 2, 3]),
    ],
)
def test_a_text_is_found_in_what_people_look_for(text: str, ids: list[int]) -> None:
    clients = listing(
        row(1, name="api-Web", sub=0),
        row(2, addr="10.0.3.14:5", cmd="hgetall", sub=0),
        row(3, user="worker", db=1, sub=0),
    )
    assert [clients[place].id for place in clients.matching(text, range(3))] == ids


def test_an_empty_list_is_a_list() -> None:
    clients = parse_clients(b"")
    assert len(clients) == 0
    assert clients.numbers("omem") == []
    assert clients.numbers("tot-cmds") == []
    assert clients.texts("name") == []
    assert clients.matching("x", clients.without({1})) == []


@pytest.mark.parametrize("reply", [None, 3, [b"id=1 "], {}, b"OK", b"id=1 a=b\nname=x\n", b"id=x a=b", b"\xff"])
def test_what_is_no_list_is_said_to_be_none(reply: Any) -> None:
    with pytest.raises(ValueError, match="CLIENT LIST"):
        parse_clients(reply)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_an_error(raw: bytes) -> None:
    try:
        clients = parse_clients(b"id=1 " + raw)
    except ValueError:
        return
    for field in ("id", "omem", "tot-cmds"):
        assert len(clients.numbers(field)) == len(clients)
    assert len(list(clients)) == len(clients)
    assert set(clients.matching("a", range(len(clients)))) <= set(range(len(clients)))


@given(st.lists(st.binary(max_size=30).filter(lambda text: not text.split() or b" " not in text), max_size=8))
def test_values_stay_with_their_owners_whatever_names_there_are(names: list[bytes]) -> None:
    kept = [name for name in names if not any(code <= 0x20 for code in name)]  # as the server insists
    rows = [b"id=%d addr=a:1 fd=3 name=%s omem=%d user=u" % (index, name, index) for index, name in enumerate(kept)]
    clients = parse_clients(b"\n".join(rows))
    assert clients.texts("name") == [name or None for name in kept]
    assert clients.numbers("omem") == list(range(len(kept)))


async def test_a_real_server_is_read_through_the_poller(server: EmbeddedServer, redis: Redis) -> None:
    await redis.client_setname("api-web")
    session, _ = await open_session(Endpoint(socket=server.socket), Handshake.RESP3)
    try:
        poller = Poller((CLIENTS,))
        await poller.tick(session, 1.0, 1.0, {CLIENTS.name})
        reading = poller.readings[CLIENTS.name]
        assert isinstance(reading, Ready)
        clients = reading.value
        assert isinstance(clients, ClientTable)
        assert session.client_id is not None
        others = [clients[place] for place in clients.without({session.client_id})]
        assert session.client_id not in [client.id for client in others]
        assert len(others) == len(clients) - 1
        assert "api-web" in [client.name for client in others]
    finally:
        await session.close()


STRANGE = ("role=web;env=prod", "=", "cmd=get", '"quoted{x}"[/]', "[::1]")
FOUND: dict[str, set[str]] = {
    "env=prod": {"role=web;env=prod"},
    "role=web": {"role=web;env=prod"},
    "=": {"role=web;env=prod", "=", "cmd=get"},
    "cmd=get": set(STRANGE),  # all have sent GET last
    "name=cmd": {"cmd=get"},
    '"quoted{x}"[/]': {'"quoted{x}"[/]'},
    "QUOTED{": {'"quoted{x}"[/]'},
    "[::1]": {"[::1]"},
    "unix": set(STRANGE),
    "unix socket": set(STRANGE),
    "/r s-": set(STRANGE),
    "nobody": set(),
}


@pytest.fixture
def blank_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder for sockets whose name has a blank."""
    with tempfile.TemporaryDirectory(prefix="r s-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield folder
        monkeypatch.undo()


@pytest.mark.usefixtures("blank_folder")
async def test_what_is_on_the_screen_is_found_on_a_real_server(own_server: StartServer) -> None:
    server = own_server()
    async with AsyncExitStack() as stack:
        for name in STRANGE:
            client = await stack.enter_async_context(client_of(server))
            await client.client_setname(name)
            await client.get("x")
        asking = await stack.enter_async_context(client_of(server))
        told = str(await asking.execute_command("CLIENT", "LIST")).encode()  # type: ignore[no-untyped-call]
    clients = parse_clients(told)
    places = [place for place in range(len(clients)) if clients[place].name]
    for text, names in FOUND.items():
        assert {str(clients[place].name) for place in clients.matching(text, places)} == names, text
    for place in places:
        assert clients[place].address == server.socket
        assert clients.row(place) in told
    (one,) = group(clients, Rates(clients, None, 0.0), Grouping.ADDRESS, places)
    assert one.label == server.socket


@pytest.mark.parametrize("path", ["/tmp/a name=b/x laddr=y.sock", "/a fd=7 b.sock", "/tmp/plain.sock"])
def test_no_path_is_taken_for_a_field(path: str) -> None:
    clients = listing(row(1, addr=f"{path}:0", laddr=f"{path}:0", name="real"))
    assert (clients[0].address, clients[0].name, clients.texts("name")) == (path, "real", [b"real"])
    assert clients.row(0) == row(1, addr=f"{path}:0", laddr=f"{path}:0", name="real")
