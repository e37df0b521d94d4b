"""One client: every field, from real servers and from hostile ones."""

from __future__ import annotations

import unicodedata
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.clients import Client, parse_client, parse_clients
from pymon_tui.readings.clients.client import host_of
from tests.readings.clients.rows import row
from tests.replies import recorded


def test_every_field_of_a_real_row_has_its_type() -> None:
    client = next(one for one in parse_clients(recorded("client-list.valkey-9.resp3")) if one.name == "celery")
    assert client.flags == "x"
    assert client.cmd == "set"
    assert (client.multi, client.multi_mem, client.db, client.resp) == (1, 29, 0, 3)
    assert (client.lib_name, client.lib_ver, client.library) == ("redis-py", "8.1.0", "redis-py 8.1.0")
    assert client.tot_cmds == 7
    assert client.capa is None
    assert client.io_thread is None
    assert client.other == {}


def test_a_server_that_tells_less_leaves_gaps() -> None:
    clients = {client.label: client for client in parse_clients(recorded("client-list.redis-7.resp2"))}
    worker = clients[safe("worker")]
    assert worker.is_blocked
    assert (worker.tot_cmds, worker.lib_name, worker.library, worker.watch) == (None, None, None, None)
    assert worker.tot_mem == 37668


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_a_real_server_tells_no_field_that_has_no_name_here(server: str) -> None:
    for client in parse_clients(recorded(f"client-list.{server}.resp2")):
        assert client.other == {}


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_what_a_client_is_to_the_server_is_known(server: str) -> None:
    clients = list(parse_clients(recorded(f"client-list.{server}.resp2")))
    assert [client.cmd for client in clients if client.is_replica] == ["replconf"]
    assert [client.name for client in clients if client.is_blocked] == ["worker"]
    assert [client.subscriptions for client in clients if client.name == "api-web"] == [2]
    assert not any(client.is_primary or client.is_monitor for client in clients)


def test_a_client_that_has_sent_nothing_has_no_command() -> None:
    assert parse_client(row(1, cmd="NULL")).cmd is None
    assert parse_client(row(1, name="NULL")).name == "NULL"


def test_fields_of_a_newer_server_are_kept() -> None:
    client = parse_client(row(1) + b" read-events=12 io-thread=3 avg-pipeline=1.50")
    assert client.io_thread == 3
    assert client.other == {"read-events": "12", "avg-pipeline": "1.50"}


@pytest.mark.parametrize(
    ("addr", "host", "address"),
    [
        ("10.0.3.14:51000", "10.0.3.14", "10.0.3.14:51000"),
        ("[::1]:51000", "::1", "[::1]:51000"),
        ("/run/server.sock:0", "/run/server.sock", "/run/server.sock"),
        ("[/run/server.sock:0]:0", "/run/server.sock", "/run/server.sock"),
        ("/run/my own/s:0", "/run/my own/s", "/run/my own/s"),
        ("localhost", "localhost", "localhost"),
        ("", "?", "?"),
    ],
)
def test_an_address_is_read_in_all_its_forms(addr: str, host: str, address: str) -> None:
    client = parse_client(row(1, addr=addr))
    assert (client.host, client.address) == (host, address)
    assert (client.label, client.age) == (address, 60)


@pytest.mark.parametrize("value", [b"", b"x", b"-", b"1.5", b"1e9", b"9" * 400, b"\xd9\xa1"])
def test_a_number_that_is_none_is_not_known(value: bytes) -> None:
    client = parse_client(b"id=1 addr=a:1 omem=" + value + b" user=app")
    assert client.omem is None
    assert client.user == "app"


def test_a_row_without_an_id_is_none() -> None:
    with pytest.raises(ValueError, match="without an id"):
        parse_client(b"addr=10.0.0.1:5000 name=api")


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_whatever_a_stranger_calls_himself_it_is_safe_to_draw(name: bytes, user: bytes) -> None:
    client = parse_client(b"id=3 addr=10.0.0.1:1 name=" + name + b" user=" + user + b" x-" + b"y=" + name)
    assert client.id == 3 or b"id=" in name + user
    for field in fields(Client):
        value = getattr(client, field.name)
        texts = [*value, *value.values()] if field.name == "other" else [value]
        for text in texts:
            if isinstance(text, str):
                assert isinstance(text, SafeText)
                assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in text)


@given(st.text(max_size=60))
def test_a_host_is_found_in_any_text(text: str) -> None:
    assert isinstance(host_of(safe(text)), SafeText)
