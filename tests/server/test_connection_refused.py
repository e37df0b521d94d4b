"""Connections that never come to be: who is not there, who refuses us, and who is no Redis."""

from __future__ import annotations

import traceback
from dataclasses import replace

import pytest
from pydantic import SecretStr

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.link import Trouble
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.reasons import LinkError
from tests.conftest import StartServer, client_of
from tests.server.fake import Serve, endpoint_at, saying, serving, silent, speaking

SECRET = "s3same, open"


async def failure(endpoint: Endpoint) -> LinkError:
    """The error that opening a session there ends in."""
    with pytest.raises(LinkError) as caught:
        await open_session(endpoint)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value) + repr(endpoint) + str(endpoint)
    return caught.value


async def test_a_database_that_is_not_there(server: EmbeddedServer) -> None:
    error = await failure(Endpoint(socket=server.socket, db=99))
    assert error.trouble is Trouble.REFUSED
    assert str(error) == "database 99 can't be selected: ERR DB index is out of range; choose another with --db"


@pytest.mark.parametrize(
    ("password", "what"),
    [(None, "the server wants a password"), (SECRET, "wrong password for user default, or no such user")],
)
async def test_a_missing_or_wrong_password(own_server: StartServer, password: str | None, what: str) -> None:
    server = own_server({"requirepass": "right"})
    for handshake in (Handshake.RESP3, Handshake.RESP2):
        with pytest.raises(LinkError) as caught:
            await open_session(
                Endpoint(socket=server.socket, password=SecretStr(password) if password else None), handshake
            )
        assert (caught.value.trouble, caught.value.what) == (Trouble.LOCKED, what)
        assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_a_password_that_is_not_wanted(server: EmbeddedServer) -> None:
    with pytest.raises(LinkError, match="the server has no password set, but one was given; leave it out"):
        await open_session(Endpoint(socket=server.socket, password=SecretStr(SECRET)), Handshake.RESP2)


async def test_a_renamed_auth_does_not_give_the_password_away() -> None:
    def answer(command: list[bytes]) -> bytes:
        return b"-ERR unknown command `%s`, arguments `%s`\r\n" % (command[0], b" ".join(command[1:]))

    async with serving(speaking(answer)) as port:
        error = await failure(replace(endpoint_at(port), password=SecretStr(SECRET)))
    assert error.trouble is Trouble.REFUSED
    assert "***" in error.what


async def test_nobody_listens() -> None:
    async with serving(silent) as port:
        pass
    for host in ("127.0.0.1", "localhost"):
        error = await failure(Endpoint(host=host, port=port))
        assert error.trouble is Trouble.UNREACHABLE
        assert str(error) == f"{host}:{port} refuses connections; is the server running there?"


async def test_no_socket() -> None:
    error = await failure(Endpoint(socket="/nowhere/redis.sock"))
    assert str(error) == "no socket at /nowhere/redis.sock; is the server running, is the path right?"


async def test_a_host_that_cannot_be_a_name() -> None:
    error = await failure(Endpoint(host="a" * 64 + ".invalid"))
    assert error.trouble is Trouble.UNREACHABLE
    assert error.remedy == "check the address"


async def test_a_full_server(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client:
        await client.config_set("maxclients", 1)
        error = await failure(Endpoint(socket=server.socket))
    assert error.trouble is Trouble.CROWDED
    assert str(error) == "the server has no free connection: max number of clients reached; raise maxclients"


FOREIGNERS = {
    "http": speaking(lambda command: b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "ssh": saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "pop3": saying(b"+OK ready\r\n"),
    "number": saying(b":5\r\n"),
    "memcached": saying(b"ERROR\r\n"),
}


@pytest.mark.parametrize("serve", FOREIGNERS.values(), ids=FOREIGNERS)
async def test_what_does_not_speak_redis(serve: Serve) -> None:
    async with serving(serve) as port:
        error = await failure(endpoint_at(port))
    assert error.trouble is Trouble.FOREIGN
    assert str(error) == f"127.0.0.1:{port} does not speak Redis' protocol; check the port"


async def test_a_tunnel_with_nothing_behind_it() -> None:
    async with serving(speaking(lambda command: None)) as port:
        error = await failure(endpoint_at(port))
    assert error.trouble is Trouble.UNREACHABLE
    assert error.what == f"127.0.0.1:{port} closed the connection without an answer"
    assert error.remedy == "is a server running behind it, does it want --tls?"


async def test_a_server_that_swallows_everything() -> None:
    async with serving(silent) as port:
        error = await failure(replace(endpoint_at(port), command_timeout=0.1))
    assert error.trouble is Trouble.SILENT


async def test_protected_mode() -> None:
    text = b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set.\r\n"
    async with serving(saying(text)) as port:
        error = await failure(endpoint_at(port))
    assert error.trouble is Trouble.REFUSED
    assert error.what == "the server is in protected mode: it takes connections from its own machine only"
