"""The users of ``pymon-tui acl`` on real servers: each may do what it is for, and nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.application import QUERIES as OF_THE_APPLICATION
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.browsing import Browsing
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.model.action import Action, Done, NotDone
from pymon_tui.model.query import Unavailable
from pymon_tui.model.text import safe
from pymon_tui.permissions.users import PLACEHOLDER, READ_OF, RuleError, users
from pymon_tui.readings.queries import QUERIES
from pymon_tui.server.actions import perform
from pymon_tui.server.commands import Access, sent
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.known import EVERYTHING, known_to
from pymon_tui.server.poller import Poller
from pymon_tui.services.keys import NOTIFICATIONS_RECENT, SESSION, STATS_HITS
from pymon_tui.settings import Settings
from pymon_tui.settings.desk import desk_of
from tests.permissions.making import INVALIDATE, KILL, PASSWORD, WATCH, endpoint_of, made, run
from tests.server.fake import unrecorded
from tests.server.listening import listening, live, until


async def entries(redis: Redis) -> list[tuple[str, str]]:
    """Who was refused what, by the ACL LOG."""
    return [(str(entry["username"]), str(entry["object"])) for entry in await redis.acl_log()]


async def fill(redis: Redis) -> None:
    """Keys of the application, and others."""
    await redis.hset(SESSION.key(id="a" * 32), mapping={"user_id": "7"})
    await redis.hset(STATS_HITS.key(day="2026-11-22"), mapping={"user": "7"})
    await redis.lpush(NOTIFICATIONS_RECENT.key(user_id=7), "{}")
    await redis.mset({f"cache:{number}": number for number in range(300)})
    await redis.mset({f"other:{number}": number for number in range(50)})


@pytest.mark.parametrize("which", [WATCH, KILL, INVALIDATE])
async def test_every_pane_has_its_readings(any_redis: Redis, any_server: EmbeddedServer, which: int) -> None:
    await fill(any_redis)
    user = (await made(any_redis, any_server, "*"))[which]
    session, _ = await open_session(endpoint_of(any_server, user))
    queries = (*QUERIES, *OF_THE_APPLICATION)
    poller = Poller(queries)
    for now in range(6):
        await poller.tick(session, now * 100, 1, [query.name for query in queries])
    await session.close()
    denied = {name: reading for name, reading in poller.readings.items() if isinstance(reading, Unavailable)}
    assert denied == {}
    assert await entries(any_redis) == []


async def test_who_watches_looks_through_keys(redis: Redis, server: EmbeddedServer) -> None:
    await redis.set("feed:1", "x")
    user = (await made(redis, server, "cache:*"))[WATCH]
    async with Browsing(endpoint_of(server, user), parse_pattern("feed:*")) as browsing:
        (sample,) = await browsing.more()
        facts = await browsing.facts(sample.key)
        assert None not in (sample.type, sample.pttl_ms, sample.bytes, sample.idle, facts.encoding)
        assert browsing.refusals == ()
    assert await entries(redis) == []


async def test_the_feed_is_listened_to(any_redis: Redis, any_server: EmbeddedServer) -> None:
    user = (await made(any_redis, any_server, "cache:*"))[WATCH]
    async with listening(endpoint_of(any_server, user), b"notifications:*") as (listener, feed):
        await until(live(feed))
        assert await entries(any_redis) == []
        await listener.watch([b"secrets"])
        await until(lambda: isinstance(feed.status, Unavailable))
        assert isinstance(feed.status, Unavailable)
        assert feed.status.remedy == "ACL SETUSER pymon-watch &secrets"


@pytest.mark.parametrize("which", [WATCH, KILL, INVALIDATE])
async def test_only_who_may_kill_kills(any_redis: Redis, any_server: EmbeddedServer, which: int) -> None:
    user = (await made(any_redis, any_server, "cache:*"))[which]
    victim, _ = await open_session(Endpoint(socket=any_server.socket))
    kill = Action(safe("Kill client"), ("CLIENT", "KILL", "ID", victim.client_id or 0), safe(""), "client|kill")
    outcome = await perform(kill, endpoint_of(any_server, user), Handshake.RESP3, read_only=False, record=unrecorded)
    await victim.close()
    if which == KILL:
        assert outcome == Done(safe("1"))
        assert await entries(any_redis) == []
    else:
        assert isinstance(outcome, NotDone)
        assert outcome.remedy == f"ACL SETUSER {user.name} +client|kill"


@pytest.mark.parametrize("mode", ["unlink", "expire"])
async def test_what_is_granted_can_be_invalidated_and_taken_back(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, mode: Any
) -> None:
    await fill(any_redis)
    user = (await made(any_redis, any_server, "cache:*", "pag[ei]:*"))[INVALIDATE]
    desk = desk_of(endpoint_of(any_server, user), Settings(), tmp_path)
    asked = desk.selection([parse_pattern("cache:[0-9]*")], Filters(), every=False)
    plan = await desk.planning(asked, mode, undo=True).run()
    assert plan.refusals == ()
    expire = 1_000.0 if mode == "expire" else 0.0
    options = desk.options(mode, expire=expire, jitter=0.0, undo=True, dry_run=False)
    result = await desk.removal(plan, options, None).run()
    assert (result.outcome, result.tally.removed, result.tally.refused) == ("done", 300, 0)
    restore = desk.restore(next(desk.newest()), replace=False, elsewhere=False)
    assert restore is not None
    assert (await restore.run()).tally.restored == 300
    assert await any_redis.ttl("cache:7") == -1
    assert await entries(any_redis) == []


async def test_nothing_goes_beyond_the_pattern(any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path) -> None:
    await fill(any_redis)
    user = (await made(any_redis, any_server, "cache:*"))[INVALIDATE]
    # A foreign key that is not left out by the plan, as where nobody may ask what somebody may do.
    await run(any_redis, "ACL", "SETUSER", user.name, "-acl")
    desk = desk_of(endpoint_of(any_server, user), Settings(), tmp_path)
    everything = desk.selection([parse_pattern("*")], Filters(), every=True)
    plan = await desk.planning(everything, "unlink", undo=False).run()
    result = await desk.removal(plan, Options(undo=False), None).run()
    assert (result.outcome, result.tally.removed, result.tally.refused) == ("done", 301, 52)  # cache:stats:* is ours
    assert await any_redis.keys("cache:*") == []
    assert len(await any_redis.keys("other:*")) == 50
    assert await any_redis.exists(SESSION.key(id="a" * 32)) == 1


async def test_no_command_that_writes_touches_another_key(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await fill(any_redis)
    await any_redis.set("foreign", "value")
    user = (await made(any_redis, any_server, "cache:*"))[INVALIDATE]
    listed = await run(any_redis, "COMMAND")
    writing = {name: each for name, each in listed.items() if "write" in each["flags"]}
    assert len(writing) > 70
    async with Redis(
        unix_socket_path=any_server.socket, username=user.name, password=PASSWORD, decode_responses=True
    ) as client:
        for name, each in writing.items():
            for words in _tried(str(name), int(each["arity"])):
                with pytest.raises((NoPermissionError, ResponseError)) as refused:
                    await run(client, *words)
                assert isinstance(refused.value, NoPermissionError) or "NOPERM" in str(refused.value), words
    assert await any_redis.get("foreign") == "value"
    assert await any_redis.ttl("foreign") == -1
    assert len(await any_redis.keys("other:*")) == 50


def _tried(name: str, arity: int) -> list[tuple[str, ...]]:
    """A command about a foreign key alone, and with others; where it takes several, about one of ours as well."""
    most = max(abs(arity), 2)
    tried = [(name, *["foreign"] * (most - 1)), (name, "foreign", *["1"] * (most - 2))]
    return (
        [*tried, (name, "cache:1", *["foreign"] * max(1, most - 2))] if name in ("unlink", "del", "rename") else tried
    )


async def test_a_line_without_a_password_makes_no_user(any_redis: Redis) -> None:
    for user in users(EVERYTHING, [b"cache:*"], [b"*"]):
        with pytest.raises(ResponseError):
            await run(any_redis, *shlex.split(user.line))
    assert await any_redis.acl_users() == ["default"]


async def test_a_user_that_is_there_loses_what_isnt_in_the_line(redis: Redis, server: EmbeddedServer) -> None:
    await run(redis, "ACL", "SETUSER", "pymon-watch", "on", "nopass", "+@all", "~*")
    await made(redis, server, "cache:*")
    (line,) = [line for line in await redis.acl_list() if "pymon-watch" in line]
    assert "nopass" not in line
    assert "+@all" not in line


def test_who_watches_reads_no_value_but_those_of_the_panes() -> None:
    watch = users(EVERYTHING, [b"cache:*"], [])[WATCH]
    root = watch.rules[: next(place for place, rule in enumerate(watch.rules) if rule.startswith(b"("))]
    reads = [rule[1:].decode() for rule in root if rule.startswith(b"+")]
    allowed = [known for name in reads if (known := sent(name)) is not None]
    assert len(allowed) == len(reads)
    assert {known.name for known in allowed if known.access is Access.READ} == {"pttl"}
    assert not [known for known in allowed if known.changes]
    assert not {"eval", "get", "keys", "monitor", "acl|dryrun"} & set(reads)


def test_no_line_but_those_of_sessions_and_lists_and_counts_reads() -> None:
    assert {family.name for families in READ_OF.values() for family in families} == {
        "sessions",
        "cache hits",
        "cache misses",
        "recent notifications",
    }


@pytest.mark.parametrize("pattern", [b"a b", b"a\nb", b"a'b", b'a"b', b"a\x00", b"a)", b"a\xff*"])
def test_what_no_rule_can_hold_is_refused(pattern: bytes) -> None:
    with pytest.raises(RuleError, match="no ACL rule can hold the pattern"):
        users(EVERYTHING, [pattern], [])
    with pytest.raises(RuleError, match="no ACL rule can hold the channel"):
        users(EVERYTHING, [b"a"], [pattern])


@pytest.mark.parametrize("pattern", [r"캐시:*", r"a\[b*", r"\xfe\x01*", r"(a", "a|b+c~d&e"])
async def test_any_other_pattern_is_pasted_whole(redis: Redis, server: EmbeddedServer, pattern: str) -> None:
    key = parse_pattern(pattern).glob.replace(b"*", b"1").replace(b"\\", b"")
    asking, _ = await open_session(Endpoint(socket=server.socket))
    user = users(await known_to(asking), [parse_pattern(pattern).glob], [b"*"])[INVALIDATE]
    await asking.close()
    await run(redis, *_as_redis_cli(user.line.replace(PLACEHOLDER, f">{PASSWORD}")))
    session, _ = await open_session(endpoint_of(server, user))
    assert await session.ask([("UNLINK", key)]) == (0,)
    (refused,) = await session.ask([("UNLINK", b"x" + key)])
    assert isinstance(refused, NoPermissionError)
    await session.close()


def _as_redis_cli(line: str) -> Sequence[bytes]:
    """The words of a line as ``redis-cli`` splits it."""
    words = []
    for word in line.split(" "):
        if word.startswith('"'):
            words.append(word[1:-1].encode("latin-1").decode("unicode_escape").encode("latin-1"))
        else:
            words.append(word.encode())
    return words
