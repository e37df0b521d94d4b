"""The table of what is sent agrees with the server's own, is complete, and is the gate of a read-only connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.application import QUERIES as OF_THE_APPLICATION
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.packing import last_words, pack, pack_all, pack_each
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.model.action import NotDone
from pymon_tui.model.query import Argument, Command
from pymon_tui.model.text import safe
from pymon_tui.readings.queries import QUERIES
from pymon_tui.readings.shard_channels import SHARD_CHANNELS
from pymon_tui.readings.slowlog_settings import change_threshold, reset_slowlog
from pymon_tui.readings.topology import TOPOLOGY
from pymon_tui.server.actions import perform
from pymon_tui.server.commands import SENT, Access, Kind, WriteRefused, name_of, refuse_writes, sent
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.session import Session
from pymon_tui.server.stream import Stream
from tests.server.fake import unrecorded

TELLS = {"latency|histogram", "client|list", "slowlog|get", "config|get", "role", "acl|dryrun"}
"""Of the category @admin, and yet they only tell."""

UNKNOWN: list[tuple[Argument, ...]] = [
    ("SET", "a", "1"),
    ("set", "a", "1"),
    (b"FLUSHALL",),
    ("EVALSHA", "0" * 40, 0),
    ("FCALL", "f", 0),
    ("CLIENT", "PAUSE", 1),
    ("CLIENT",),
    ("CONFIG", "RESETSTAT"),
    ("SLOWLOG",),
    ("GETEX", "a", "EX", 1),
    ("SORT", "a", "STORE", "b"),
    ("CLIENT|LIST",),
    ("CLIENT LIST",),
    ("NO-SUCH",),
    (b"\xff\x00",),
    ("",),
    (),
]


def test_each_command_is_there_once() -> None:
    assert len({each.name for each in SENT}) == len(SENT)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("INFO", "all"), "info"),
        (("client", "list", "TYPE", "normal"), "client|list"),
        ((b"CLIENT", b"KILL", b"ID", 7), "client|kill"),
        (("CLIENT",), "client"),
        ((b"MEMORY", b"USAGE", b"a|b"), "memory|usage"),
        (("GET", "list"), "get"),
        (("SELECT", 3), "select"),
        ((), ""),
    ],
)
def test_the_name_is_that_of_acl_rules(command: Sequence[Argument], name: str) -> None:
    assert name_of(command) == name


def _with_givens(command: Command[Any] | None) -> list[Command[Any]]:
    return [] if command is None else [command, *_with_givens(command.given)]


@pytest.mark.parametrize(
    "query", [*QUERIES, *OF_THE_APPLICATION, *TOPOLOGY, SHARD_CHANNELS], ids=lambda query: query.name
)
def test_every_reading_comes_from_commands_that_only_read(query: Any) -> None:
    for command in _with_givens(query.command):
        known = sent(command.acl)
        assert known is not None, command.acl
        assert known.kind is Kind.READ
        asked = command.arguments(None, None)
        assert not isinstance(asked, tuple) or not asked or name_of(asked) == command.acl


async def _told(server: EmbeddedServer, names: Sequence[str]) -> dict[str, Any]:
    """What COMMAND INFO says of these, by name; those that the server doesn't know are left out."""
    session, _ = await open_session(Endpoint(socket=server.socket), Handshake.RESP2)
    (told,) = await session.ask([("COMMAND", "INFO", *names)])
    await session.close()
    assert isinstance(told, list)
    return {name: each for name, each in zip(names, told, strict=True) if each is not None}


async def test_the_kinds_are_the_servers_own(any_server: EmbeddedServer) -> None:
    told = await _told(any_server, [each.name for each in SENT])
    for name, (_, _, flags, _, _, _, categories, *_) in told.items():
        known = sent(name)
        assert known is not None
        assert (known.kind is Kind.WRITE) == (b"write" in flags), name
        assert (known.kind is Kind.SCRIPT) == (b"@scripting" in categories), name
        admin = b"@admin" in categories and name not in TELLS
        assert (known.kind is Kind.ADMIN) == admin, name
        if known.kind is Kind.PUBLISH:
            assert b"@pubsub" in categories
    assert {"info", "scan", "unlink", "publish"} <= told.keys()


def _access(specs: list[Any]) -> Access:
    """What ACLs ask for, by the key specifications of COMMAND INFO (Redis 7)."""
    flags: set[bytes] = set().union(*(dict(zip(spec[::2], spec[1::2], strict=True))[b"flags"] for spec in specs))
    if b"not_key" in flags:  # a shard channel
        return Access.NONE
    reads, writes = b"access" in flags, not flags.isdisjoint((b"insert", b"delete", b"update"))
    if reads and writes:
        return Access.READ_WRITE
    return Access.READ if reads else Access.WRITE if writes else Access.NAME


async def test_the_access_is_the_servers_own(any_server: EmbeddedServer) -> None:
    told = await _told(any_server, [each.name for each in SENT])
    for name, fields in told.items():
        known = sent(name)
        assert known is not None
        if len(fields) > 8 and known.access is not Access.CHANNEL:
            assert known.access is (_access(fields[8]) if fields[8] else Access.NONE), name


# Where commands leave the program


@pytest.fixture
def endpoint(server: EmbeddedServer) -> Endpoint:
    """The run's server, only to be read."""
    return Endpoint(socket=server.socket, read_only=True)


@pytest.fixture
async def session(endpoint: Endpoint) -> AsyncIterator[Session]:
    """A connection that is only to be read."""
    opened, _ = await open_session(endpoint)
    yield opened
    await opened.close()


@pytest.fixture
async def pipe(endpoint: Endpoint) -> AsyncIterator[Pipe]:
    """The same for bulk work."""
    opened = await open_pipe(endpoint)
    yield opened
    await opened.close()


async def _calls(redis: Redis) -> dict[str, int]:
    """How often each command came, those of this look left out."""
    return {name: each["calls"] for name, each in (await redis.info("commandstats")).items() if name != "cmdstat_info"}


def _changing() -> list[tuple[Argument, ...]]:
    return [*((*each.name.split("|"), "a", "1") for each in SENT if each.changes), *UNKNOWN]


@pytest.mark.parametrize("command", _changing(), ids=repr)
async def test_nothing_that_may_change_the_server_leaves_a_read_only_link(
    redis: Redis, session: Session, pipe: Pipe, endpoint: Endpoint, command: tuple[Argument, ...]
) -> None:
    words = tuple(word if isinstance(word, bytes) else str(word).encode() for word in command)
    listening, _ = await open_session(endpoint)
    stream = Stream(listening, lambda _: None)
    await redis.config_resetstat()
    before = await _calls(redis)
    with pytest.raises(WriteRefused, match="was not sent: this connection is read-only"):
        await session.ask([("PING",), command])
    with pytest.raises(WriteRefused):
        stream.write([(b"PING",), words])
    if words:
        with pytest.raises(WriteRefused):
            await pipe.ask_one(*words)
        with pytest.raises(WriteRefused):
            pipe.ask(pack(b"PING").then(pack_all([words])), 2)
        with pytest.raises(WriteRefused):
            pipe.ask(pack_each([words], last_words([b"key"])), 1)
    assert await _calls(redis) == before
    # Nothing is half sent: the next answers are those of the next questions.
    assert await session.ask([("DBSIZE",)]) == (0,)
    assert await pipe.ask_one(b"DBSIZE") == 0
    await stream.close()


async def test_of_all_that_the_server_knows_only_what_reads_passes(redis: Redis, any_server: EmbeddedServer) -> None:
    opened, _ = await open_session(Endpoint(socket=any_server.socket))
    (listed,) = await opened.ask([("COMMAND",)])
    await opened.close()
    assert isinstance(listed, list)
    names = [each[0].decode() for each in listed]
    names += [sub[0].decode() for each in listed for sub in (each[9] if len(each) > 9 else [])]
    passed = set()
    for name in names:
        try:
            refuse_writes([name.split("|")])
        except WriteRefused:
            continue
        passed.add(name)
    assert passed == {each.name for each in SENT if each.kind is Kind.READ} & set(names)
    assert len(names) > 200


async def test_what_only_reads_goes_out(redis: Redis, session: Session) -> None:
    replies = await session.ask([("INFO", "server"), ("CLIENT", "LIST"), ("SCAN", 0), ("SELECT", 0)])
    assert not any(isinstance(reply, Exception) for reply in replies)


async def test_an_action_is_refused_where_the_endpoint_alone_is_read_only(redis: Redis, endpoint: Endpoint) -> None:
    for action in (reset_slowlog(), change_threshold(5_000)):
        outcome = await perform(action, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)
        assert isinstance(outcome, NotDone)
        assert outcome.remedy == safe("start without --read-only")
