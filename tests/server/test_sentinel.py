"""Sentinels that are asked for the primary: real ones, and such as say what real ones can't be made to say."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from pydantic import SecretStr

from pymon_tui.model.deployment import Address
from pymon_tui.model.link import Trouble
from pymon_tui.server.commands import WriteRefused, refuse_writes
from pymon_tui.server.endpoint import Endpoint, Service, Tls
from pymon_tui.server.opinions import namings
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.sentinel import open_sentinel, opinion, sentinel_at
from tests.server.fake import CERT, KEY, Answer, bulk, endpoint_at, serving, speaking
from tests.servers.sentinels import SERVICE, Sentinels

NOBODY = Address("127.0.0.1", 1)
SECRET = "hunter2"


def sentinel_saying(address: bytes, rest: bytes = b"-ERR not here\r\n") -> Answer:
    """One that answers this to who asks for the primary, and ``rest`` to all else about it."""

    def answer(command: list[bytes]) -> bytes:
        if command[0] != b"SENTINEL":
            return b"+OK\r\n" if command[0] != b"HELLO" else b"-ERR unknown command\r\n"
        return address if command[1].upper() == b"GET-MASTER-ADDR-BY-NAME" else rest

    return answer


def at(host: bytes, port: int) -> bytes:
    return b"*2\r\n" + bulk(host) + bulk(b"%d" % port)


async def failure(service: Service, endpoint: Endpoint | None = None) -> LinkError:
    with pytest.raises(LinkError) as caught:
        await namings(endpoint or endpoint_at(0), service)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


async def named(endpoint: Endpoint, service: Service) -> Endpoint:
    """Where they say that the primary is."""
    return endpoint.at((await namings(endpoint, service))[0].primary)


async def test_a_real_one_tells_the_primary_and_all_around_it(sentinels: Sentinels) -> None:
    places = tuple(Address("127.0.0.1", node.port) for node in sentinels.sentinels)
    service = Service(SERVICE, (NOBODY, *places))
    endpoint = Endpoint(service=service, read_only=True, name="prod")
    primary = sentinels.primary()
    found = await named(endpoint, service)
    assert (found.port, found.service) == (primary.port, None)
    session = await open_sentinel(sentinel_at(endpoint, service, places[0]))
    try:
        told = await opinion(session, SERVICE, set())
        assert told.primary.port == primary.port
        assert {seen.address.port for seen in told.replicas} == {node.port for node in sentinels.replicas()}
        assert {seen.address for seen in told.sentinels} == set(places[1:])
        assert told.own_id not in {"", *(seen.run_id for seen in told.sentinels)}
        assert told.watch is not None
        assert (told.watch.quorum, told.watch.others, told.watch.flags) == (2, 2, frozenset({"master"}))
        assert told.quorum is not None
        assert told.quorum[1]
    finally:
        await session.close()
    error = await failure(replace(service, name="other"))
    assert f"127.0.0.1:{places[0].port} watches no service other" in error.what
    assert "127.0.0.1:1 refuses connections" in error.what
    assert "--service" in error.remedy
    no_sentinel = await failure(Service(SERVICE, (Address("127.0.0.1", primary.port),)))
    assert f"127.0.0.1:{primary.port} is no Sentinel" in no_sentinel.what
    sentinels.sentinels[1].ask("ACL", "SETUSER", "watcher", "on", f">{SECRET}", "-@all", "+auth", "+hello")
    denied = await failure(Service(SERVICE, (places[1],), "watcher", SecretStr(SECRET)))
    assert denied.trouble is Trouble.REFUSED
    assert denied.remedy == "ACL SETUSER watcher +sentinel|get-master-addr-by-name"
    locked = await failure(Service(SERVICE, (places[1],), "watcher", SecretStr("wrong")))
    assert "wrong password for user watcher" in locked.what
    assert "--sentinel-askpass" in locked.remedy


async def test_what_is_denied_is_asked_once(sentinels: Sentinels) -> None:
    node = sentinels.sentinels[0]
    node.ask("ACL", "SETUSER", "watcher", "on", "nopass", "-@all", "+hello", "+sentinel|get-master-addr-by-name")
    service = Service(SERVICE, (Address("127.0.0.1", node.port),), "watcher", SecretStr("any"))
    session = await open_sentinel(sentinel_at(endpoint_at(0), service, service.sentinels[0]))
    refused: set[str] = set()
    try:
        told = [await opinion(session, SERVICE, refused) for _ in range(3)]
    finally:
        await session.close()
    assert {one.primary.port for one in told} == {sentinels.primary().port}
    assert (told[-1].watch, told[-1].replicas, told[-1].own_id) == (None, (), "")
    assert refused == {"MASTER", "REPLICAS", "SENTINELS", "CKQUORUM", "MYID"}
    denied = [dict(zip(entry[::2], entry[1::2], strict=True)) for entry in node.ask("ACL", "LOG")]
    assert {entry["count"] for entry in denied if str(entry["object"]).startswith("sentinel")} == {1}


async def test_one_that_tells_little_is_enough() -> None:
    async with serving(speaking(sentinel_saying(at(b"10.0.0.5", 6379)))) as port:
        service = Service("main", (NOBODY, Address("127.0.0.1", port)))
        mapped = ((Address("10.0.0.5", 6379), Address("localhost", 7001)),)
        found = await named(replace(endpoint_at(0), mapped=mapped), service)
        assert found.address == "localhost:7001"
        session = await open_sentinel(sentinel_at(endpoint_at(0), service, service.sentinels[1]))
        told = await opinion(session, "main", set())
        assert (told.watch, told.replicas, told.sentinels, told.own_id, told.quorum) == (None, (), (), "", None)
        await session.close()


@pytest.mark.parametrize(
    "answer", [b"+somewhere\r\n", b"*0\r\n", at(b"", 7), b"*2\r\n" + bulk(b"h") + bulk(b"seven"), b":1\r\n"]
)
async def test_an_answer_of_another_shape_is_said(answer: bytes) -> None:
    async with serving(speaking(sentinel_saying(answer))) as port:
        error = await failure(Service("main", (Address("127.0.0.1", port),)))
        assert error.trouble is Trouble.FOREIGN
        assert f"127.0.0.1:{port}: SENTINEL GET-MASTER-ADDR-BY-NAME answered" in error.what


async def test_an_odd_answer_beside_the_address_is_said_too() -> None:
    async with serving(speaking(sentinel_saying(at(b"h", 1), b":7\r\n"))) as port:
        error = await failure(Service("main", (Address("127.0.0.1", port),)))
        assert "other than a map" in error.what


async def test_what_each_one_said_is_in_one_line() -> None:
    async with AsyncExitStack() as running:
        answers = (b"*-1\r\n", b"-ERR busy now\r\n")
        ports = [await running.enter_async_context(serving(speaking(sentinel_saying(one)))) for one in answers]
        places = (NOBODY, *(Address("127.0.0.1", port) for port in ports))
        error = await failure(Service("main", places))
        assert str(error) == (
            "no Sentinel tells the primary of main: 127.0.0.1:1 refuses connections, "
            f"127.0.0.1:{ports[0]} watches no service main, 127.0.0.1:{ports[1]} says: ERR busy now; "
            "check --service: SENTINEL MASTERS lists their names"
        )


async def test_a_password_that_is_wanted_is_theirs() -> None:
    def answer(_: list[bytes]) -> bytes:
        return b"-NOAUTH Authentication required.\r\n"

    async with serving(speaking(answer)) as port:
        endpoint = replace(endpoint_at(0), password=SecretStr(SECRET))
        error = await failure(Service("main", (Address("127.0.0.1", port),)), endpoint)
        assert f"127.0.0.1:{port}: the server wants a password" in error.what
        assert "PYMON_SENTINEL_PASSWORD" in error.remedy


async def test_tls_is_as_with_the_servers() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERT, KEY)
    async with serving(speaking(sentinel_saying(at(b"h", 7))), tls=context) as port:
        service = Service("main", (Address("localhost", port),))
        endpoint = replace(endpoint_at(0), tls=Tls(ca_certs=CERT))
        assert (await named(endpoint, service)).tls == endpoint.tls
        assert "not trusted" in (await failure(service, replace(endpoint, tls=Tls()))).what


def test_what_sentinels_are_asked_changes_nothing() -> None:
    refuse_writes([("SENTINEL", "CKQUORUM", "main"), ("SENTINEL", "MYID")])
    for words in (("SENTINEL", "FAILOVER", "main"), ("SENTINEL", "SET", "main", "quorum", 1), ("SENTINEL",)):
        with pytest.raises(WriteRefused):
            refuse_writes([words])
