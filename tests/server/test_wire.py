"""TLS: who is trusted, and what is said of who is not."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest

from pymon_tui.model.link import Trouble
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Tls
from pymon_tui.server.reasons import LinkError
from tests.conftest import StartServer
from tests.server.fake import (
    CERT,
    ENCRYPTED,
    EXPIRED,
    IN_CN,
    KEY,
    TRUSTED,
    endpoint_at,
    saying,
    serving,
    silent,
    speaking,
)

ANSWERS = speaking(lambda command: b"%0\r\n" if command[0] == b"HELLO" else b"+OK\r\n")


def terminator(cert: str = CERT, *, client: bool = False) -> ssl.SSLContext:
    """A server's side of TLS, which with ``client`` wants our certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, KEY)
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(CERT)
    return context


@pytest.mark.parametrize(("cert", "host", "tls"), TRUSTED.values(), ids=TRUSTED)
async def test_a_trusted_server_is_spoken_to(cert: str, host: str, tls: Tls) -> None:
    async with serving(ANSWERS, tls=terminator(cert)) as port:
        session, _ = await open_session(replace(endpoint_at(port), host=host, tls=tls))
        try:
            assert await session.ask([("PING",)]) == (b"OK",)
        finally:
            await session.close()


@pytest.mark.parametrize(
    ("cert", "tls", "message"),
    [
        (CERT, Tls(), r"the server's certificate is not trusted: self.signed certificate; .* with --cacert"),
        (CERT, Tls(ca_certs=CERT), r"the certificate is not for this host: .*127\.0\.0\.1.*; name it with --sni"),
        (EXPIRED, Tls(ca_certs=EXPIRED, server_name="localhost"), "the server's certificate has expired; renew it"),
    ],
    ids=["self-signed", "wrong host", "expired"],
)
async def test_a_server_that_is_not_trusted(cert: str, tls: Tls, message: str) -> None:
    async with serving(ANSWERS, tls=terminator(cert)) as port:
        with pytest.raises(LinkError, match=message) as caught:
            await open_session(replace(endpoint_at(port), tls=tls))
    assert caught.value.trouble is Trouble.UNTRUSTED


async def test_a_server_that_wants_our_certificate() -> None:
    async with serving(ANSWERS, tls=terminator(client=True)) as port:
        endpoint = replace(endpoint_at(port), host="localhost", tls=Tls(ca_certs=CERT))
        # Servers may close before the alert that says it is read.
        with pytest.raises(LinkError, match=r"wants? a client certificate.*--cert.*--key"):
            await open_session(endpoint)
        session, _ = await open_session(replace(endpoint, tls=Tls(ca_certs=CERT, certfile=CERT, keyfile=KEY)))
        await session.close()


async def test_tls_to_a_plain_port(own_server: StartServer) -> None:
    server = own_server(tcp=True)
    endpoint = replace(endpoint_at(server.port), tls=Tls(verify=False), connect_timeout=0.3)
    with pytest.raises(LinkError, match="TLS"):
        await open_session(endpoint)


async def test_tls_to_a_port_that_answers_in_plain() -> None:
    async with serving(saying(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        with pytest.raises(LinkError) as caught:
            await open_session(replace(endpoint_at(port), tls=Tls(verify=False)))
    assert caught.value.trouble is Trouble.FOREIGN
    assert str(caught.value) == f"127.0.0.1:{port} does not speak TLS; leave --tls out, or check the port"


async def test_tls_to_a_port_that_closes() -> None:
    async with serving(speaking(lambda command: None)) as port:
        with pytest.raises(LinkError, match="closed the connection without an answer; does it speak TLS"):
            await open_session(replace(endpoint_at(port), tls=Tls(verify=False)))


async def test_tls_to_a_port_that_says_nothing() -> None:
    async with serving(silent) as port:
        with pytest.raises(LinkError, match=r"within 0\.2 s; does this port speak TLS\?") as caught:
            await open_session(replace(endpoint_at(port), tls=Tls(verify=False), connect_timeout=0.2))
    assert caught.value.trouble is Trouble.SILENT


async def test_plain_to_a_tls_port() -> None:
    async with serving(ANSWERS, tls=terminator()) as port:
        with pytest.raises(LinkError, match="tls"):
            await open_session(endpoint_at(port))


async def test_what_is_wrong_with_tls_has_six_texts(own_server: StartServer) -> None:
    plain, named, ours = own_server(tcp=True).port, Tls(ca_certs=CERT), Tls(ca_certs=CERT, server_name="localhost")
    expired = Tls(ca_certs=EXPIRED, server_name="localhost")
    said = set()
    async with (
        serving(ANSWERS, tls=terminator()) as port,
        serving(ANSWERS, tls=terminator(EXPIRED)) as old,
        serving(ANSWERS, tls=terminator(client=True)) as strict,
    ):
        cases = [(port, Tls()), (port, named), (old, expired), (strict, ours), (plain, ours), (port, None)]
        for where, tls in cases:
            with pytest.raises(LinkError) as caught:
                await open_session(replace(endpoint_at(where), tls=tls, connect_timeout=0.3))
            said.add(str(caught.value).replace(str(where), ""))
            assert caught.value.remedy
    assert len(said) == len(cases)


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        (
            Tls(ca_certs="/nowhere/ca.pem"),
            "the authorities in /nowhere/ca.pem: No such file or directory; check --cacert",
        ),
        (Tls(ca_certs=KEY), f"the authorities in {KEY}: .*; check --cacert"),
        (Tls(certfile="/nowhere/me.pem", keyfile=KEY), "the certificate /nowhere/me.pem: No such file"),
        (
            Tls(certfile=CERT, keyfile=ENCRYPTED),
            f"the certificate {CERT}: .*; check --cert and --key",
        ),
    ],
)
async def test_certificates_that_cannot_be_loaded(tls: Tls, message: str) -> None:
    with pytest.raises(LinkError, match=f"can't load {message}") as caught:
        await open_session(replace(endpoint_at(1), tls=tls))
    assert caught.value.trouble is Trouble.UNTRUSTED


async def test_an_address_in_the_common_name_alone_needs_another_certificate() -> None:
    async with serving(ANSWERS, tls=terminator(IN_CN)) as port:
        for tls in (Tls(ca_certs=IN_CN), Tls(ca_certs=IN_CN, server_name="127.0.0.1")):
            with pytest.raises(LinkError, match=r"in its CN alone, make it anew with subjectAltName=IP:127\.0\.0\.1$"):
                await open_session(replace(endpoint_at(port), tls=tls))
