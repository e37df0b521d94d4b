"""Sessions against real servers, and against ones that fail in every way a server can."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.doctor.examination import examine
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.model.link import Lost, Trouble
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.queries import QUERIES
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import CLIENT_NAME, Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.reasons import LinkError, answer_text
from pymon_tui.server.session import Session
from pymon_tui.server.traffic import caused
from pymon_tui.state.glance import glance
from tests.conftest import StartServer, client_of
from tests.server.fake import endpoint_at, serving, speaking
from tests.server.listening import listening, until
from tests.servers.proxy import proxied

SECRET = "s3same, open"


@asynccontextmanager
async def session_to(endpoint: Endpoint, handshake: Handshake = Handshake.RESP3) -> AsyncIterator[Session]:
    session, _ = await open_session(endpoint, handshake)
    try:
        yield session
    finally:
        await session.close()


async def info_of(session: Session) -> Info:
    (reply,) = await session.ask([("INFO", "all")])
    return parse_info(reply)


# The greeting


@pytest.mark.parametrize("handshake", Handshake)
async def test_greeting_and_polling_cause_no_error_reply(
    any_redis: Redis, any_server: EmbeddedServer, handshake: Handshake
) -> None:
    endpoint = Endpoint(socket=any_server.socket, db=3)
    async with session_to(endpoint) as before:
        errors = (await info_of(before)).number("total_error_replies")
        async with session_to(endpoint, handshake) as session:
            assert (await info_of(session)).number("total_error_replies") == errors
    assert errors == 0


@pytest.mark.needs("client|no-touch")
async def test_says_who_it_is_and_knows_its_id(redis: Redis, server: EmbeddedServer) -> None:
    async with session_to(Endpoint(socket=server.socket)) as session:
        (us,) = [client for client in await redis.client_list() if client["name"] == CLIENT_NAME]
        assert int(us["id"]) == session.client_id
        assert us["resp"] == "3"
        assert "T" in us["flags"]  # no-touch


@pytest.mark.needs("client|no-touch")
async def test_looking_at_a_key_does_not_make_it_used(redis: Redis, server: EmbeddedServer) -> None:
    await redis.config_set("maxmemory-policy", "allkeys-lfu")
    await redis.set("key", "value")
    async with session_to(Endpoint(socket=server.socket)) as session:
        replies = await session.ask([("OBJECT", "FREQ", "key"), *[("GET", "key")] * 20, ("OBJECT", "FREQ", "key")])
    assert replies[0] == replies[-1]


@pytest.mark.parametrize("handshake", [Handshake.RESP2, Handshake.BARE])
async def test_plainer_greetings_work_too(redis: Redis, server: EmbeddedServer, handshake: Handshake) -> None:
    session, used = await open_session(Endpoint(socket=server.socket), handshake)
    try:
        assert used is handshake
        assert (session.client_id is None) is (handshake is Handshake.BARE)
        assert await session.ask([("PING",)]) == (b"PONG",)
    finally:
        await session.close()


async def test_falls_back_where_hello_is_denied(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("old", enabled=True, passwords=["+" + SECRET], commands=["+@all", "-hello"])
    endpoint = Endpoint(socket=server.socket, username="old", password=SecretStr(SECRET))
    async with session_to(endpoint) as session:
        assert await session.ask([("ACL", "WHOAMI")]) == (b"old",)


async def test_one_that_takes_no_introduction_may_still_want_a_password() -> None:
    commands: list[list[bytes]] = []
    locked = False

    def answer(command: list[bytes]) -> bytes:
        commands.append(command)
        if locked:
            return b"-NOAUTH Authentication required.\r\n"
        return b"-ERR unknown command\r\n" if command[0] != b"PING" else b"+PONG\r\n"

    async with serving(speaking(answer)) as port:
        endpoint = endpoint_at(port)
        for _ in range(2):
            async with session_to(endpoint, Handshake.RESP2):
                pass
        names = [b" ".join(command[:2]) for command in commands]
        assert names == [b"CLIENT SETNAME", b"COMMAND INFO", b"CLIENT ID", b"PING"]
        locked = True
        with pytest.raises(LinkError) as caught:
            await open_session(endpoint, Handshake.RESP2)
    assert caught.value.trouble is Trouble.LOCKED


async def test_a_server_without_hello_is_spoken_to_in_resp2() -> None:
    commands: list[list[bytes]] = []

    def answer(command: list[bytes]) -> bytes:
        commands.append(command)
        echoed = b" ".join(b"`%s`," % word for word in command[1:])
        known = {b"CLIENT": b":7\r\n" if command[-1] == b"ID" else b"+OK\r\n", b"AUTH": b"+OK\r\n"}
        unknown = b"-ERR unknown command `%s`, with args beginning with: %s\r\n" % (command[0], echoed)
        return known.get(command[0], unknown)

    async with serving(speaking(answer)) as port:
        endpoint = replace(endpoint_at(port), password=SecretStr(SECRET))
        session, handshake = await open_session(endpoint)
        await session.close()
        assert (handshake, session.client_id) == (Handshake.RESP2, 7)
        assert commands[1] == [b"AUTH", SECRET.encode()]
        # What worked is told, so that the next connection causes no error reply again.
        commands.clear()
        session, _ = await open_session(endpoint, handshake)
        await session.close()
        assert commands[0][0] == b"AUTH"


async def test_a_proxy_that_closes_on_client_is_greeted_barely() -> None:
    def answer(command: list[bytes]) -> bytes | None:
        return None if command[0] in (b"HELLO", b"CLIENT", b"COMMAND") else b"+OK\r\n"

    async with serving(speaking(answer)) as port:
        session, handshake = await open_session(endpoint_at(port))
        try:
            assert handshake is Handshake.BARE
            assert await session.ask([("PING",)]) == (b"OK",)
        finally:
            await session.close()


async def test_a_greeting_that_was_cut_once_is_made_in_full_all_the_same(redis: Redis, server: EmbeddedServer) -> None:
    async with proxied(server.socket) as line:
        line.cut_in_reply(1)
        session, handshake = await open_session(Endpoint(port=line.port))
        try:
            assert handshake is Handshake.RESP3
            named = [client for client in await redis.client_list() if client["name"] == CLIENT_NAME]
            assert [int(client["id"]) for client in named] == [session.client_id]
        finally:
            await session.close()


# The database and the user


async def test_selects_its_database(redis: Redis, server: EmbeddedServer) -> None:
    for handshake in Handshake:
        async with session_to(Endpoint(socket=server.socket, db=3), handshake) as session:
            await session.ask([("INCR", "in three")])
    assert await redis.dbsize() == 0
    assert (await redis.info("keyspace"))["db3"]["keys"] == 1


async def test_a_password_of_any_bytes(own_server: StartServer) -> None:
    server = own_server({"requirepass": r'"\xff\x00 \xed\x95\x9c"'})
    password = b"\xff\x00 \xed\x95\x9c".decode("utf-8", "surrogateescape")
    async with session_to(Endpoint(socket=server.socket, password=SecretStr(password))) as session:
        assert await session.ask([("PING",)]) == (b"PONG",)


async def test_a_user_without_a_password(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("guest", enabled=True, nopass=True, commands=["+@all"])
    async with session_to(Endpoint(socket=server.socket, username="guest")) as session:
        assert await session.ask([("ACL", "WHOAMI")]) == (b"guest",)
        assert session.user == "guest"


# Answers


async def test_one_answer_or_error_for_each_command(redis: Redis, server: EmbeddedServer) -> None:
    async with session_to(Endpoint(socket=server.socket)) as session:
        pong, unknown, wrong, number, nothing = await session.ask(
            [("PING",), (b"NO\xff\xfe\x1b", "x"), ("CLIENT", "NOSUCH"), ("INCR", "n"), ("GET", "nothing")]
        )
    assert (pong, number, nothing) == (b"PONG", 1, None)
    assert isinstance(unknown, ResponseError)
    assert isinstance(wrong, ResponseError)
    assert "\x1b" not in answer_text(unknown)
    assert re.match("ERR unknown command ['`]NO", answer_text(unknown))


@pytest.mark.parametrize(
    "error",
    [
        b"LOADING Redis is loading the dataset in memory",
        b"NOAUTH Authentication required.",
        b"MOVED somewhere else",
        b"ASK 1 :x",
        b"ERR max number of clients reached",
        b"NOPERM you may not \xff\xc3",
        b"",
    ],
)
async def test_every_error_reply_is_an_answer_and_leaves_the_session_usable(error: bytes) -> None:
    def answer(command: list[bytes]) -> bytes:
        return {b"DBSIZE": b"-%s\r\n" % error, b"HELLO": b"%0\r\n"}.get(command[0], b"+OK\r\n")

    async with serving(speaking(answer)) as port, session_to(endpoint_at(port)) as session:
        before, failed, after = await session.ask([("PING",), ("DBSIZE",), ("PING",)])
        assert (before, after) == (b"OK", b"OK")
        assert isinstance(failed, ResponseError)
        assert answer_text(failed).encode()[:12] == error[:12]
        assert isinstance(failed, NoPermissionError) is error.startswith(b"NOPERM")


async def test_a_busy_server_greets_and_answers_with_errors(own_server: StartServer) -> None:
    server = own_server({"lua-time-limit": "1"})
    async with client_of(server) as client, session_to(Endpoint(socket=server.socket)) as session:
        script = asyncio.ensure_future(client.eval("while true do end", 0))
        busy = False
        while not busy:
            (reply,) = await session.ask([("PING",)])
            busy = isinstance(reply, ResponseError)
        async with session_to(Endpoint(socket=server.socket)) as newcomer:
            (reply,) = await newcomer.ask([("DBSIZE",)])
            assert answer_text(reply).startswith("BUSY")
        assert await session.ask([("SCRIPT", "KILL")]) == (b"OK",)
        with pytest.raises(ResponseError):
            await script
        assert await session.ask([("PING",)]) == (b"PONG",)


async def test_counts_what_it_causes(redis: Redis, server: EmbeddedServer) -> None:
    async with session_to(Endpoint(socket=server.socket)) as session:
        first, before = await info_of(session), caused(session.endpoint)
        await session.ask([("PING",), ("CONFIG", "GET", "*")])
        second = await info_of(session)

    def grown(field: str) -> float:
        return (second.number(field) or 0.0) - (first.number(field) or 0.0)

    own = caused(session.endpoint)
    assert own.commands - before.commands == grown("total_commands_processed") == 3
    assert own.bytes_out - before.bytes_out == grown("total_net_input_bytes")
    assert own.bytes_in - before.bytes_in == pytest.approx(grown("total_net_output_bytes"), rel=0.2)
    assert session.waited > 0


# A lost link


async def test_a_killed_connection_is_an_error_at_once_and_stays_closed(redis: Redis, server: EmbeddedServer) -> None:
    async with session_to(Endpoint(socket=server.socket, db=3)) as session:
        connections = (await redis.info("stats"))["total_connections_received"]
        await redis.client_kill_filter(_id=str(session.client_id))
        for _ in range(2):
            with pytest.raises(LinkError) as caught:
                await session.ask([("PING",)])
            assert caught.value.trouble is Trouble.UNREACHABLE
        assert (await redis.info("stats"))["total_connections_received"] == connections


async def test_a_reply_cut_in_the_middle() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(b"%0\r\n")
        await reader.read(65_536)
        writer.write(b"+OK\r\n*0\r\n+OK\r\n")
        await reader.read(65_536)
        writer.write(b"+PONG\r\n$5000\r\nredis_ver")
        await writer.drain()

    async with serving(serve) as port, session_to(endpoint_at(port)) as session:
        with pytest.raises(LinkError, match=f"127.0.0.1:{port} closed the connection; is the server still running"):
            await session.ask([("PING",), ("INFO",)])


async def test_no_answer_in_time(redis: Redis, server: EmbeddedServer) -> None:
    async with session_to(Endpoint(socket=server.socket, command_timeout=0.1)) as session:
        with pytest.raises(LinkError, match=r"within 0\.1 s; the server may be frozen or busy") as caught:
            await session.ask([("BLPOP", "nothing", 0)])
        assert caught.value.trouble is Trouble.SILENT
        with pytest.raises(LinkError):
            await session.ask([("PING",)])


async def test_a_cancelled_question_never_leaves_its_answer_for_the_next() -> None:
    asked = asyncio.Event()

    def answer(command: list[bytes]) -> bytes:
        if command[0] == b"NEVER":
            asked.set()
        return {b"HELLO": b"%0\r\n", b"NEVER": b""}.get(command[0], b"+OK\r\n")

    async with serving(speaking(answer)) as port, session_to(endpoint_at(port)) as session:
        question = asyncio.create_task(session.ask([("NEVER",)]))
        await asked.wait()
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question
        with pytest.raises(LinkError):
            await session.ask([("PING",)])


async def test_a_cancelled_question_is_cancelled_at_whatever_moment(redis: Redis, server: EmbeddedServer) -> None:
    ended = False
    for moment in range(100):
        async with session_to(Endpoint(socket=server.socket)) as session:
            question = asyncio.create_task(session.ask([("PING",), ("PING",)]))
            for _ in range(moment):
                await asyncio.sleep(0)
            ended = not question.cancel()
            if ended:
                break
            with pytest.raises(asyncio.CancelledError):
                await question
    assert ended


async def test_a_cancelled_greeting_closes_its_connection() -> None:
    gone = asyncio.Event()
    greeted = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        greeted.set()
        await reader.read()
        gone.set()

    async with serving(serve) as port:
        opening = asyncio.create_task(open_session(endpoint_at(port)))
        await greeted.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await gone.wait()


async def test_a_proxy_that_answers_ping_alone_is_named() -> None:
    """twemproxy: what isn't about keys ends the connection, and PING doesn't."""

    def answer(command: list[bytes]) -> bytes | None:
        asked.append(command[0])
        return b"+PONG\r\n" if command[0] == b"PING" else None

    asked: list[bytes] = []
    async with serving(speaking(answer)) as port:
        endpoint = endpoint_at(port)
        says = (
            rf"127\.0\.0\.1:{port} answers PING and closes at INFO: a proxy such as twemproxy; connect to the servers"
        )
        session, handshake = await open_session(endpoint)
        assert handshake is Handshake.BARE
        with pytest.raises(LinkError, match=says) as caught:
            await session.ask([("INFO", "all")])
        assert caught.value.trouble is Trouble.FOREIGN
        with pytest.raises(LinkError, match=says):
            await open_pipe(endpoint)
        login = [finding async for finding in examine(endpoint, ())][-1]
        assert (login.step, login.ends) == ("login", True)
        assert "answers PING and closes at ACL: a proxy such as twemproxy" in login.said
        async with listening(endpoint, b"news") as (_, feed):
            await until(lambda: isinstance(feed.status, Lost) and "closes at SUBSCRIBE: a proxy" in feed.status.what)


@pytest.mark.parametrize(
    ("greeting", "form"),
    [(b"%0\r\n", Handshake.RESP3), (b"-ERR unknown command 'HELLO'\r\n", Handshake.RESP2)],
)
async def test_a_proxy_that_takes_the_greeting_alone_is_named(greeting: bytes, form: Handshake) -> None:
    def answer(command: list[bytes]) -> bytes | None:
        known = {b"HELLO": greeting, b"PING": b"+PONG\r\n", b"CLIENT": b"+OK\r\n", b"COMMAND": b"*1\r\n*-1\r\n"}
        return known.get(command[0])

    async with serving(speaking(answer)) as port:
        endpoint = endpoint_at(port)
        says = rf"127\.0\.0\.1:{port} took the greeting and closed the connection at INFO: a proxy, .* behind it$"
        session, handshake = await open_session(endpoint)
        assert handshake is form
        with pytest.raises(LinkError, match=says) as caught:
            await session.ask([("INFO", "all")])
        # A server that was just going down is tried again as soon as any other.
        assert caught.value.trouble is Trouble.UNREACHABLE
        with pytest.raises(LinkError, match=says):
            await open_pipe(endpoint)
        with pytest.raises(LinkError, match=says):
            await glance(endpoint, QUERIES, span=0.0, only=None)
        login = [finding async for finding in examine(endpoint, ())][-1]
        assert "took the greeting and closed the connection at ACL: a proxy" in login.said
        async with listening(endpoint, b"news") as (_, feed):
            await until(lambda: isinstance(feed.status, Lost) and "at SUBSCRIBE: a proxy" in feed.status.what)


async def test_a_server_that_has_answered_is_no_proxy() -> None:
    answers = iter([b"$8\r\nrun_id:x\r\n"])

    def answer(command: list[bytes]) -> bytes | None:
        return {b"PING": b"+PONG\r\n", b"INFO": next(answers, None) if command[0] == b"INFO" else None}.get(command[0])

    async with serving(speaking(answer)) as port:
        session, _ = await open_session(endpoint_at(port))
        assert await session.ask([("INFO", "all")]) == (b"run_id:x",)
        with pytest.raises(LinkError, match="closed the connection"):
            await session.ask([("INFO", "all")])
