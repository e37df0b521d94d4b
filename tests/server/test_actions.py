"""The door for writes: closed when read-only, and honest about what it doesn't know."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.action import Action, Attempt, Course, Done, NotDone, Outcome
from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.steps import Exchange, Steps
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.actions import perform
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from tests.demo.waiting import a_moment
from tests.server.fake import Serve, bulk, endpoint_at, serving, speaking, unrecorded


def action(*command: Argument) -> Action:
    return Action(safe("Count up"), command, safe("The counter is one higher."), str(command[0]).lower())


COUNT = action("INCR", b"counter\xff")


async def test_sends_the_command_with_its_own_bytes_in_its_own_database(redis: Redis, server: EmbeddedServer) -> None:
    done = await perform(
        COUNT, Endpoint(socket=server.socket, db=2), Handshake.RESP3, read_only=False, record=unrecorded
    )
    assert done == Done(safe("1"))
    assert await redis.dbsize() == 0
    await redis.swapdb(0, 2)
    assert await redis.get(b"counter\xff") == "1"


async def test_leaves_no_connection_behind(redis: Redis, server: EmbeddedServer) -> None:
    before = int((await redis.info("clients"))["connected_clients"])
    await perform(COUNT, Endpoint(socket=server.socket), Handshake.RESP3, read_only=False, record=unrecorded)
    async with asyncio.timeout(5):
        while int((await redis.info("clients"))["connected_clients"]) > before:
            await a_moment()


async def test_read_only_sends_nothing_at_all(redis: Redis, server: EmbeddedServer) -> None:
    connections = (await redis.info("stats"))["total_connections_received"]
    refused = await perform(COUNT, Endpoint(socket=server.socket), Handshake.RESP3, read_only=True, record=unrecorded)
    assert refused == NotDone(
        safe("Count up was not sent: this monitor is read-only"), safe("start without --read-only"), unknown=False
    )
    assert (await redis.info("stats"))["total_connections_received"] == connections
    assert await redis.dbsize() == 0


async def test_a_server_that_cannot_be_reached_was_not_written_to() -> None:
    refused = await perform(COUNT, Endpoint(socket="/nowhere/s"), Handshake.RESP3, read_only=False, record=unrecorded)
    assert isinstance(refused, NotDone)
    assert refused.what == "Count up was not sent: no socket at /nowhere/s"
    assert refused.remedy
    assert not refused.unknown


async def test_a_refusal_comes_with_its_reason(redis: Redis, server: EmbeddedServer) -> None:
    await redis.set("counter", "text")
    refused = await perform(
        action("INCR", "counter"), Endpoint(socket=server.socket), Handshake.RESP3, read_only=False, record=unrecorded
    )
    assert isinstance(refused, NotDone)
    assert refused.what == "Count up was refused: ERR value is not an integer or out of range"
    assert (refused.remedy, refused.unknown) == ("", False)


async def test_a_denial_comes_with_the_line_that_allows_it(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("mon", enabled=True, passwords=["+pw"], commands=["+@all", "-incr"], keys=["cache:*"])
    endpoint = Endpoint(socket=server.socket, username="mon", password=SecretStr("pw"))
    for denied, remedy in ((COUNT, "ACL SETUSER mon +incr"), (action("DEL", "other"), "ACL SETUSER mon ~KEY")):
        refused = await perform(denied, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)
        assert isinstance(refused, NotDone)
        assert refused.remedy == remedy
        assert not refused.unknown


def losing(reply: bytes) -> Serve:
    """A server that greets, and answers INCR with these bytes and nothing more."""
    counted = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def answer(command: list[bytes]) -> bytes | None:
            nonlocal counted
            if command[0] == b"HELLO":
                return b"%0\r\n"
            if command[0] != b"INCR":
                return b"+OK\r\n"
            counted += 1
            assert counted == 1, "it was sent again"
            writer.write(reply)
            return None if reply else b""

        await speaking(answer)(reader, writer)

    return serve


@pytest.mark.parametrize("reply", [b":", b""], ids=["cut", "silence"])
async def test_a_lost_answer_is_an_unknown_outcome_and_nothing_is_sent_again(reply: bytes) -> None:
    async with serving(losing(reply)) as port:
        endpoint = endpoint_at(port)
        outcome = await perform(
            COUNT,
            Endpoint(port=endpoint.port, command_timeout=0.2),
            Handshake.RESP3,
            read_only=False,
            record=unrecorded,
        )
    assert isinstance(outcome, NotDone)
    assert outcome.unknown
    assert outcome.what.startswith("Count up was sent, and its answer was lost: ")
    assert outcome.remedy == "look before you try again"


async def test_an_answer_of_any_kind_is_one_line() -> None:
    replies = {b"A": bulk(b"\x1b[2J\n"), b"B": b"*2\r\n:1\r\n$-1\r\n", b"C": b"$-1\r\n"}

    def answer(command: list[bytes]) -> bytes:
        return b"%0\r\n" if command[0] == b"HELLO" else replies.get(command[0], b"+OK\r\n")

    async with serving(speaking(answer)) as port:
        for name, shown in ((b"A", "\\x1b[2J\\n"), (b"B", "1, nil"), (b"C", "nil")):
            done = await perform(action(name), endpoint_at(port), Handshake.RESP3, read_only=False, record=unrecorded)
            assert done == Done(safe(shown))


class Written:
    """A recorder that keeps what it is told, and can be unable to."""

    def __init__(self, missing: str | None = None) -> None:
        self.attempts: list[Attempt] = []
        self._missing = missing

    def __call__(self, attempt: Attempt) -> SafeText | None:
        self.attempts.append(attempt)
        return safe(self._missing) if self._missing else None


async def test_every_attempt_is_recorded_with_who_where_and_what_came_of_it(
    redis: Redis, server: EmbeddedServer
) -> None:
    written = Written()
    endpoint = Endpoint(socket=server.socket, db=2, name="cache", environment="production")
    done = await perform(COUNT, endpoint, Handshake.RESP3, read_only=False, record=written)
    refused = await perform(action("INCR"), endpoint, Handshake.RESP3, read_only=False, record=written)
    unsent = await perform(COUNT, Endpoint(socket="/nowhere/s"), Handshake.RESP3, read_only=False, record=written)
    closed = await perform(COUNT, endpoint, Handshake.RESP3, read_only=True, record=written)
    run_id = (await redis.info("server"))["run_id"]
    assert [(attempt.outcome, attempt.run_id) for attempt in written.attempts] == [
        (done, run_id),
        (refused, run_id),
        (unsent, None),
        (closed, None),
    ]
    first = written.attempts[0]
    assert (first.action, first.node, first.server, first.environment, first.db, first.acl_user) == (
        COUNT,
        "cache",
        server.socket,
        "production",
        2,
        "default",
    )


async def test_an_attempt_that_cannot_be_recorded_is_made_and_says_so(redis: Redis, server: EmbeddedServer) -> None:
    endpoint, record = Endpoint(socket=server.socket), Written("the disk is full")
    done = await perform(COUNT, endpoint, Handshake.RESP3, read_only=False, record=record)
    assert done == Done(safe("1; not in the journal: the disk is full"))
    refused = await perform(action("INCR"), endpoint, Handshake.RESP3, read_only=False, record=record)
    assert isinstance(refused, NotDone)
    assert refused.what.endswith("'incr' command; not in the journal: the disk is full")


async def test_an_action_that_nobody_waits_for_any_more_is_recorded_as_unknown() -> None:
    asked = asyncio.Event()
    written = Written()

    def answer(command: list[bytes]) -> bytes | None:
        if command[0] == b"INCR":
            asked.set()
            return b""
        return b"%0\r\n" if command[0] == b"HELLO" else b"+OK\r\n"

    async with serving(speaking(answer)) as port:
        acting = asyncio.create_task(
            perform(COUNT, endpoint_at(port), Handshake.RESP3, read_only=False, record=written)
        )
        await asked.wait()
        acting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await acting
    (attempt,) = written.attempts
    assert isinstance(attempt.outcome, NotDone)
    assert attempt.outcome.unknown


# Courses of several commands


def moving() -> Steps[Reply]:
    """Looks where something is, and then moves it; says how much there is of it."""
    (where,) = yield Exchange((("GET", "where"),), writes=False)
    _, moved = yield Exchange((("SET", "where", "there"), ("INCR", b"moved:" + where)), atomic=True)
    (length,) = yield Exchange((("APPEND", "told", "moved"),))
    return moved + length


MOVE = Action(safe("Move it"), Course(moving, (safe("GET where"),)), safe("It is there."), "set", safe("moved"))


async def moved(endpoint: Endpoint) -> Outcome:
    return await perform(MOVE, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)


async def test_each_step_goes_by_what_came_back_of_the_one_before(redis: Redis, server: EmbeddedServer) -> None:
    await redis.set("where", "here")
    assert await moved(Endpoint(socket=server.socket)) == Done(safe("6 moved"))
    assert await redis.mget("where", "moved:here", "told") == ["there", "1", "moved"]
    assert await moved(Endpoint(socket=server.socket)) == Done(safe("11 moved"))


@pytest.mark.needs("client|list")  # before Redis 7 what the server names may be a command or its subcommand
async def test_what_is_between_multi_and_exec_is_refused_as_a_whole(redis: Redis, server: EmbeddedServer) -> None:
    await redis.set("where", "here")
    await redis.acl_setuser("mon", enabled=True, passwords=["+pw"], commands=["+@all", "-incr"], keys=["*"])
    refused = await moved(Endpoint(socket=server.socket, username="mon", password=SecretStr("pw")))
    assert isinstance(refused, NotDone)
    assert refused.what.startswith("Move it was refused: NOPERM ")
    assert "has no permissions to run the 'incr' command" in refused.what
    assert (refused.remedy, refused.unknown) == ("ACL SETUSER mon +incr", False)
    assert await redis.get("where") == "here"


@pytest.mark.parametrize(
    ("commands", "key", "done"),
    [(["-append"], "*", "there"), (["-multi"], "*", "there"), (["-get"], "*", "here"), ([], "where", "here")],
)
async def test_what_was_done_before_a_refusal_is_said(
    redis: Redis, server: EmbeddedServer, commands: list[str], key: str, done: str
) -> None:
    await redis.set("where", "here")
    await redis.acl_setuser("mon", enabled=True, passwords=["+pw"], commands=["+@all", *commands], keys=[key])
    refused = await moved(Endpoint(socket=server.socket, username="mon", password=SecretStr("pw")))
    assert isinstance(refused, NotDone)
    assert await redis.get("where") == done
    assert refused.what.startswith(
        "Move it was refused" if done == "here" else "Move it was done in part, then refused"
    )
    assert not refused.unknown


async def test_an_error_within_a_transaction_does_not_hide_what_was_done(redis: Redis, server: EmbeddedServer) -> None:
    await redis.mset({"where": "here", "moved:here": "text"})
    refused = await moved(Endpoint(socket=server.socket))
    assert isinstance(refused, NotDone)
    assert refused.what == "Move it was done in part, then refused: ERR value is not an integer or out of range"
    assert await redis.get("where") == "there"


@pytest.mark.parametrize(("silent", "unknown"), [(b"GET", False), (b"EXEC", True), (b"APPEND", True)])
async def test_only_a_lost_answer_to_a_write_leaves_the_outcome_unknown(silent: bytes, *, unknown: bool) -> None:
    sent: list[bytes] = []
    replies = {b"HELLO": b"%0\r\n", b"GET": bulk(b"here"), b"EXEC": b"*2\r\n+OK\r\n:1\r\n", b"APPEND": b":5\r\n"}

    def answer(command: list[bytes]) -> bytes:
        sent.append(command[0])
        return b"" if command[0] == silent else replies.get(command[0], b"+OK\r\n")

    async with serving(speaking(answer)) as port:
        outcome = await moved(Endpoint(port=port, command_timeout=0.2))
    assert isinstance(outcome, NotDone)
    assert outcome.unknown is unknown
    assert outcome.what.startswith("Move it was sent, and its answer was lost" if unknown else "Move it was not sent")
    assert sent.count(silent) == 1
    assert sent[-1] == silent


async def test_read_only_does_not_begin_a_course(redis: Redis, server: EmbeddedServer) -> None:
    begun: list[bool] = []

    def begin() -> Steps[Reply]:
        begun.append(True)
        return moving()

    course = Action(safe("Move it"), Course(begin, ()), safe("It is there."), "set")
    endpoint = Endpoint(socket=server.socket)
    assert isinstance(await perform(course, endpoint, Handshake.RESP3, read_only=True, record=unrecorded), NotDone)
    assert not begun


@pytest.mark.parametrize(
    ("rules", "remedy"),
    [
        ("+incr ~*", "ACL SETUSER me +lpush"),
        ("+lpush ~*", "ACL SETUSER me +incr"),
        ("+incr +lpush ~counter", "ACL SETUSER me ~KEY"),
    ],
)
async def test_what_a_transaction_lacks_is_named_on_servers_of_every_kind(
    any_redis: Redis, any_server: EmbeddedServer, rules: str, remedy: str
) -> None:
    rights = ("+hello", "+auth", "+client", "+multi", "+exec", *rules.split())
    await any_redis.execute_command("ACL", "SETUSER", "me", "reset", "on", "nopass", *rights)  # type: ignore[no-untyped-call]

    def steps() -> Steps[Reply]:
        *_, last = yield Exchange((("INCR", "counter"), ("LPUSH", "list", "x")), atomic=True)
        return last

    both = Action(safe("Count up"), Course(steps, ()), safe("The counter is one higher."), "publish")
    endpoint = Endpoint(socket=any_server.socket, username="me")
    refused = await perform(both, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)
    assert isinstance(refused, NotDone)
    assert (refused.remedy, refused.unknown) == (remedy, False)
    assert "was refused: NOPERM" in refused.what
    assert await any_redis.dbsize() == 0
