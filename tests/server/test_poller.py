"""What is asked at a tick, what becomes of each answer, and what it may cost the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.link import Trouble
from pymon_tui.model.query import (
    PENDING,
    Answers,
    Argument,
    Batch,
    Command,
    Query,
    Ready,
    Reason,
    Replies,
    Reply,
    Unavailable,
    fixed,
    itself,
)
from pymon_tui.model.text import safe
from pymon_tui.readings.hits import HIT_RATE
from pymon_tui.readings.info import INFO
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.memory import MEMORY
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import SHARE, Poller
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.session import Session
from pymon_tui.server.wire import connection_to

Table = dict[str, Any]


class Scripted(Session):
    """A session that is answered from a table, by the first word of each command, and remembers what it was asked."""

    def __init__(self, answers: Table) -> None:
        endpoint = Endpoint(username="mon")
        super().__init__(connection_to(endpoint), endpoint)
        self.answers = answers
        self.asked: list[list[str]] = []
        self.lost = False
        self.meanwhile: Callable[[], None] = lambda: None

    async def ask(self, commands: Sequence[tuple[Argument, ...]]) -> tuple[Reply | RedisError, ...]:
        if self.lost:
            raise LinkError(Trouble.UNREACHABLE, "gone", "")
        self.asked.append([str(command[0]) for command in commands])
        self.meanwhile()
        return tuple(self.answers[str(command[0])] for command in commands)


def number(reply: Reply) -> int:
    if not isinstance(reply, int):
        raise ValueError("no number")
    return reply


def command(name: str, **options: Any) -> Command[int]:
    return Command(name.lower(), fixed(name), number, **options)


def query(name: str, **options: Any) -> Query[int]:
    return Query(name, command(name, **options), itself)


INFO_QUERY = Query("info", INFO, itself)


def info_with(**statistics: tuple[int, int]) -> bytes:
    lines = [f"cmdstat_{name}:calls={calls},usec={usec}" for name, (calls, usec) in statistics.items()]
    return "\r\n".join(["run_id:x", *lines]).encode()


def value_of(poller: Poller, name: str) -> Any:
    reading = poller.readings[name]
    assert isinstance(reading, Ready)
    return reading.value


# What is asked


async def test_one_write_for_all_that_is_wanted_with_info_first() -> None:
    session = Scripted({"A": 1, "B": 2, "C": 3, "INFO": info_with()})
    poller = Poller([query("A"), query("B"), query("C"), INFO_QUERY])
    assert set(poller.readings.values()) == {PENDING}
    await poller.tick(session, 0, 1, {"A", "C"})
    assert session.asked == [["INFO", "A", "C"]]
    assert (value_of(poller, "A"), poller.readings["B"], value_of(poller, "C")) == (1, PENDING, 3)


async def test_a_command_is_asked_once_for_all_its_queries() -> None:
    shared = command("A")
    session = Scripted({"A": 20})
    poller = Poller([Query("same", shared, itself), Query("half", shared, lambda value: value // 2)])
    await poller.tick(session, 0, 1, {"same", "half"})
    assert session.asked == [["A"]]
    assert (value_of(poller, "same"), value_of(poller, "half")) == (20, 10)


async def test_a_command_is_asked_again_when_it_is_due() -> None:
    session = Scripted({"A": 1, "B": 2})
    poller = Poller([query("A"), query("B", every=3)])
    for now in (0, 0.96, 2, 2.98, 4):
        await poller.tick(session, now, 1, {"A", "B"})
    assert session.asked == [["A", "B"], ["A"], ["A"], ["A", "B"], ["A"]]


async def test_what_is_newly_wanted_is_asked_at_once() -> None:
    session = Scripted({"A": 1, "B": 2})
    poller = Poller([query("A"), query("B", every=60)])
    await poller.tick(session, 0, 1, {"A"})
    await poller.tick(session, 1, 1, {"A", "B"})
    assert session.asked[-1] == ["A", "B"]


async def test_arguments_may_depend_on_another_answer_which_is_then_asked_too() -> None:
    length = command("LEN")
    asked_for: list[Any] = []

    def arguments(_own: Any, known: Any) -> tuple[Argument, ...]:
        asked_for.append(known)
        return ("GET", known) if known else ()

    session = Scripted({"LEN": 7, "GET": 1})
    poller = Poller([Query("get", Command("get", arguments, number, given=length), itself)])
    await poller.tick(session, 0, 1, {"get"})
    await poller.tick(session, 1, 1, {"get"})
    assert session.asked == [["LEN"], ["LEN", "GET"]]
    assert asked_for == [None, 7]


def batch(*, given: Command[Any] | None = None) -> Command[dict[str, int]]:
    """Asks of two keys each time, and remembers what it was answered."""

    def arguments(known: dict[str, int] | None, _given: object) -> Batch:
        first = len(known or ())
        return Batch((("PTTL", f"k{first}"), ("PTTL", f"k{first + 1}")))

    def decode(replies: Replies) -> dict[str, int]:
        return {str(asked[1]): number(reply) for asked, reply in replies}

    def fold(known: dict[str, int] | None, new: dict[str, int]) -> dict[str, int]:
        return (known or {}) | new

    return Command("pttl", arguments, decode, given=given, fold=fold)


async def test_a_batch_is_asked_of_many_keys_in_the_same_write() -> None:
    session = Scripted({"A": 1, "PTTL": 5})
    poller = Poller([query("A"), Query("lives", batch(), itself)])
    for now in range(2):
        await poller.tick(session, now, 1, {"A", "lives"})
    assert session.asked == [["A", "PTTL", "PTTL"]] * 2
    assert value_of(poller, "lives") == {"k0": 5, "k1": 5, "k2": 5, "k3": 5}


async def test_a_batch_with_no_key_is_not_asked() -> None:
    session = Scripted({"PING": b"PONG"})
    poller = Poller([Query("lives", Command("pttl", lambda *_: Batch(()), itself), itself)])
    await poller.tick(session, 0, 1, {"lives"})
    assert session.asked == [["PING"]]


async def test_of_a_batch_one_key_may_be_refused_and_if_all_are_it_is_not_asked_again() -> None:
    refused = NoPermissionError("User mon has no permissions to run the 'pttl' command")

    class Sparing(Scripted):
        spared = "k1"

        async def ask(self, commands: Sequence[tuple[Argument, ...]]) -> tuple[Reply | RedisError, ...]:
            answers = await super().ask(commands)
            return tuple(
                5 if command[-1] == self.spared else answer for command, answer in zip(commands, answers, strict=True)
            )

    session = Sparing({"PTTL": refused, "PING": b"PONG"})
    poller = Poller([Query("lives", batch(), itself)])
    await poller.tick(session, 0, 1, {"lives"})
    assert value_of(poller, "lives") == {"k1": 5}
    poller = Poller([Query("lives", batch(), itself)])
    session.spared = ""
    for now in range(2):
        await poller.tick(session, now, 1, {"lives"})
        assert isinstance(poller.readings["lives"], Unavailable)
    assert session.asked[-1] == ["PING"]


async def test_a_batch_is_told_which_keys_failed_and_when_even_if_all_did() -> None:
    wrong = ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")
    told: list[Answers] = []

    def decode(answers: Answers) -> int:
        told.append(answers)
        return len(answers)

    session = Scripted({"HMGET": wrong, "LLEN": NoPermissionError("No permissions to access a key")})
    asked = Batch((("HMGET", "k", "f"), ("LLEN", "l")))
    poller = Poller([Query("heads", Command("hmget", lambda *_: Batch(asked.commands[:1]), decode), itself)])
    await poller.tick(session, 7, 1, {"heads"})
    await poller.tick(session, 8, 1, {"heads"})
    assert [(answers.failed, answers.at, list(answers)) for answers in told] == [
        ((asked.commands[0],), 7, []),
        ((asked.commands[0],), 8, []),
    ]
    poller = Poller([Query("heads", Command("hmget", lambda *_: asked, decode), itself)])
    await poller.tick(session, 9, 1, {"heads"})
    gap = poller.readings["heads"]
    assert isinstance(gap, Unavailable)
    assert gap.remedy == "ACL SETUSER mon ~KEY"


async def test_what_begins_anew_has_no_last_answer_after_a_refresh() -> None:
    told: list[Any] = []

    def arguments(own: int | None, _given: object) -> tuple[Argument, ...]:
        told.append(own)
        return ("A",)

    session = Scripted({"A": 1})
    poller = Poller([Query("a", Command("a", arguments, itself, anew=True), itself)])
    for now in range(2):
        await poller.tick(session, now, 1, {"a"})
    poller.hasten()
    await poller.tick(session, 2, 1, {"a"})
    poller.refresh()
    await poller.tick(session, 3, 1, {"a"})
    assert told == [None, 1, 1, None]


async def test_what_is_of_one_connection_outlives_a_refresh_and_not_the_connection() -> None:
    told: list[Any] = []

    def arguments(own: int | None, _given: object) -> tuple[Argument, ...]:
        told.append(own)
        return ("A",)

    session = Scripted({"A": 1})
    poller = Poller([Query("a", Command("a", arguments, itself, per_connection=True), itself)])
    await poller.tick(session, 0, 1, {"a"})
    poller.refresh()
    await poller.tick(session, 0, 1, {"a"})
    poller.begin()
    await poller.tick(session, 0, 1, {"a"})
    assert told == [None, 1, None]


async def test_what_depends_on_a_refused_answer_is_refused_with_it() -> None:
    length = command("LEN")
    session = Scripted({"LEN": NoPermissionError("User mon has no permissions to run the 'len' command")})
    poller = Poller(
        [Query("get", Command("get", lambda _, known: ("GET", known) if known else (), number, given=length), itself)]
    )
    await poller.tick(session, 0, 1, {"get"})
    reading = poller.readings["get"]
    assert isinstance(reading, Unavailable)
    assert reading.reason is Reason.DENIED
    assert "+len" in reading.remedy


async def test_a_link_of_which_nothing_is_wanted_is_still_tried() -> None:
    session = Scripted({"PING": b"PONG"})
    poller = Poller([query("A")])
    await poller.tick(session, 0, 1, ())
    assert session.asked == [["PING"]]
    session.answers["PING"] = NoPermissionError("no permissions to run the 'ping' command")
    await poller.tick(session, 1, 1, ())
    await poller.tick(session, 2, 1, ())
    assert session.asked == [["PING"], ["PING"]]


# What becomes of an answer


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NoPermissionError("User mon has no permissions to run the 'a' command"), Reason.DENIED),
        (ResponseError("ERR unknown command 'A'"), Reason.MISSING),
        (ResponseError("ERR This instance has cluster support disabled"), Reason.DISABLED),
    ],
)
async def test_a_refused_command_is_not_asked_again_until_a_refresh(error: RedisError, reason: Reason) -> None:
    session = Scripted({"A": error, "B": 2})
    poller = Poller([query("A"), query("B")])
    for now in range(3):
        await poller.tick(session, now, 1, {"A", "B"})
    assert session.asked == [["A", "B"], ["B"], ["B"]]
    gap = poller.readings["A"]
    assert isinstance(gap, Unavailable)
    assert gap.reason is reason
    assert value_of(poller, "B") == 2
    poller.hasten()
    await poller.tick(session, 3, 1, {"A", "B"})
    assert session.asked[-1] == ["B"]
    poller.refresh()
    session.answers["A"] = 1
    await poller.tick(session, 4, 1, {"A", "B"})
    assert value_of(poller, "A") == 1


async def test_a_command_that_fails_for_now_is_asked_again_at_the_next_tick() -> None:
    text = "LOADING Redis is loading the dataset"
    session = Scripted({"A": ResponseError(text)})
    poller = Poller([query("A", every=60.0)])
    await poller.tick(session, 0, 1, {"A"})
    gap = poller.readings["A"]
    assert isinstance(gap, Unavailable)
    assert (gap.reason, gap.detail) == (Reason.FAILED, text)
    session.answers["A"] = 1
    await poller.tick(session, 1, 1, {"A"})
    assert value_of(poller, "A") == 1


async def test_a_busy_server_leaves_the_last_readings() -> None:
    session = Scripted({"A": 1, "B": 2})
    poller = Poller([query("A"), query("B")])
    await poller.tick(session, 0, 1, {"A", "B"})
    busy = ResponseError("BUSY Redis is busy running a script")
    session.answers.update({"A": busy, "B": busy})
    with pytest.raises(LinkError, match="busy with a script"):
        await poller.tick(session, 1, 1, {"A", "B"})
    assert (value_of(poller, "A"), value_of(poller, "B")) == (1, 2)


async def test_what_has_nothing_to_be_asked_about_any_more_has_not_failed() -> None:
    names: Command[Any] = Command("names", fixed("NAMES"), itself)
    size: Command[Any] = Command(
        "size", lambda _, names: Batch(tuple(("SIZE", name) for name in names or ())), itself, given=names
    )
    sizes: Query[Any] = Query("sizes", size, itself)
    session = Scripted({"NAMES": ResponseError("LOADING Redis is loading the dataset")})
    poller = Poller([sizes])
    await poller.tick(session, 0, 1, {"sizes"})
    assert poller.readings["sizes"] is not PENDING
    session.answers["NAMES"] = []
    await poller.tick(session, 1, 1, {"sizes"})
    await poller.tick(session, 2, 1, {"sizes"})
    assert poller.readings["sizes"] is PENDING


async def test_an_answer_that_cannot_be_read_is_a_gap_for_whom_it_concerns() -> None:
    def refuse(value: int) -> int:
        raise ValueError(f"odd \x1b {value}")

    shared = command("A")
    session = Scripted({"A": 1, "B": b"text"})
    poller = Poller([Query("odd", shared, refuse), Query("fine", shared, itself), query("B")])
    await poller.tick(session, 0, 1, {"odd", "fine", "B"})
    assert value_of(poller, "fine") == 1
    for name, detail in (("odd", "odd \\x1b 1"), ("B", "no number")):
        gap = poller.readings[name]
        assert isinstance(gap, Unavailable)
        assert (gap.reason, gap.detail) == (Reason.UNREADABLE, detail)


async def test_a_reading_may_remember() -> None:
    def fold(last: int | None, new: int) -> int:
        return (last or 0) + new

    session = Scripted({"A": 5})
    poller = Poller([Query("sum", command("A"), itself, fold)])
    for now in range(3):
        await poller.tick(session, now, 1, {"sum"})
    assert value_of(poller, "sum") == 15


async def test_readings_that_were_taken_stay_as_they_are() -> None:
    session = Scripted({"A": 1})
    poller = Poller([query("A")])
    before = poller.readings
    await poller.tick(session, 0, 1, {"A"})
    assert before == {"A": PENDING}


async def test_a_lost_link_leaves_the_last_readings_and_a_refresh_asks_for_all() -> None:
    session = Scripted({"A": 1, "INFO": info_with()})
    poller = Poller([query("A", every=60), INFO_QUERY])
    await poller.tick(session, 0, 1, {"A"})
    session.lost = True
    with pytest.raises(LinkError):
        await poller.tick(session, 1, 1, {"A"})
    assert value_of(poller, "A") == 1
    assert isinstance(poller.readings["A"], Ready)
    session.lost = False
    poller.refresh()
    await poller.tick(session, 2, 1, {"A"})
    assert session.asked[-1] == ["INFO", "A"]


async def test_what_is_made_due_while_its_answer_is_on_the_way_stays_due() -> None:
    session = Scripted({"A": 1, "PING": b"PONG"})
    poller = Poller([query("A", every=60)])
    session.meanwhile = poller.hasten
    await poller.tick(session, 0, 1, {"A"})
    session.meanwhile = lambda: None
    await poller.tick(session, 0.1, 1, {"A"})
    await poller.tick(session, 1, 1, {"A"})
    assert session.asked == [["A"], ["A"], ["PING"]]


# What it costs


async def test_a_costly_command_is_asked_as_seldom_as_its_share_allows() -> None:
    session = Scripted({"A": 1, "B": 1})
    poller = Poller([query("A"), query("B"), INFO_QUERY])
    for now in range(40):
        asked = [sum(names.count(name) for names in session.asked) for name in "AB"]
        # Each A takes the server 40 ms, each B 4 ms.
        session.answers["INFO"] = info_with(a=(asked[0], 40_000 * asked[0]), b=(asked[1], 4_000 * asked[1]))
        await poller.tick(session, now, 1, {"A", "B"})
    asked = [sum(names.count(name) for names in session.asked) for name in "AB"]
    assert asked == [5, 40]  # at 0 and 1, when its cost is known, 11, 21 and 31
    assert poller.cadence(1) == {"A": pytest.approx(0.04 / SHARE)}
    assert poller.cadence(20) == {}


async def test_a_batch_costs_what_all_its_keys_cost() -> None:
    session = Scripted({"PTTL": 5})
    poller = Poller([Query("lives", batch(), itself), INFO_QUERY])
    for now, calls in ((0, 0), (1, 2)):
        session.answers["INFO"] = info_with(pttl=(calls, 4_000 * calls))  # 4 ms for each key
        await poller.tick(session, now, 1, {"lives"})
    assert poller.cadence(1) == {"lives": pytest.approx(2 * 0.004 / SHARE)}


async def test_a_command_that_has_become_cheap_is_asked_often_again() -> None:
    session = Scripted({"A": 1})
    poller = Poller([query("A"), INFO_QUERY])
    for now, statistic in ((0, (1, 0)), (1, (2, 40_000)), (11, (3, 40_010)), (12, (4, 40_020))):
        session.answers["INFO"] = info_with(a=statistic)
        await poller.tick(session, now, 1, {"A"})
    assert session.asked == [["INFO", "A"]] * 4
    assert poller.cadence(1) == {}


async def test_a_reset_of_the_statistics_teaches_nothing() -> None:
    session = Scripted({"A": 1})
    poller = Poller([query("A"), INFO_QUERY])
    for now, statistic in ((0, (90, 9_000_000)), (1, (1, 10))):
        session.answers["INFO"] = info_with(a=statistic)
        await poller.tick(session, now, 1, {"A"})
    assert poller.cadence(1) == {}


async def test_info_too_is_asked_as_seldom_as_its_share_allows() -> None:
    session = Scripted({})
    poller = Poller([INFO_QUERY])
    for calls, now in enumerate((0, 0.25, 0.5, 0.75, 1, 1.25)):
        session.answers["INFO"] = info_with(info=(calls, 1_100 * calls))  # 1.1 ms a call: 0.275 s between two
        await poller.tick(session, now, 0.25, ())
    assert session.asked == [["INFO"]] * 4  # at 0 and 0.25, when its cost is known, 0.75 and 1.25


async def test_the_round_trip_is_without_the_servers_own_time() -> None:
    session = Scripted({"A": 1})
    poller = Poller([query("A"), INFO_QUERY])
    session.waited = 0.05
    for now, statistic in ((0, (1, 0)), (1, (2, 40_000))):
        session.answers["INFO"] = info_with(a=statistic)
        await poller.tick(session, now, 1, {"A"})
    assert poller.rtt == pytest.approx(0.01)


# On real servers

CLIENTS = Query("clients", Command("client|list", fixed("CLIENT", "LIST"), len), itself)
SLOW = Query("slow", Command("slowlog|get", fixed("SLOWLOG", "GET", 10), len), itself)
BURN = Query("burn", Command("eval", fixed("EVAL", "for i = 1, 3e6 do end return 1", 0), number), itself)


@pytest.fixture
async def session(server: EmbeddedServer, redis: Redis) -> AsyncIterator[Session]:
    """The session of a user who may do all but look into the slow log."""
    await redis.acl_setuser("mon", enabled=True, passwords=["+pw"], commands=["+@all", "-slowlog|get"], keys=["*"])
    opened, _ = await open_session(Endpoint(socket=server.socket, username="mon", password=SecretStr("pw")))
    yield opened
    await opened.close()


@pytest.mark.needs("slowlog|get")
async def test_a_denied_command_leaves_one_line_in_the_servers_acl_log(session: Session, redis: Redis) -> None:
    poller = Poller([INFO_QUERY, CLIENTS, SLOW])
    for now in range(4):
        await poller.tick(session, now, 1, {"clients", "slow"})
    gap = poller.readings["slow"]
    assert isinstance(gap, Unavailable)
    assert gap.reason is Reason.DENIED
    assert gap.remedy == "ACL SETUSER mon +slowlog|get"
    assert value_of(poller, "clients") > 0
    (entry,) = await redis.acl_log()
    assert (entry["username"], entry["object"], entry["count"]) == ("mon", "slowlog|get", 1)
    poller.refresh()
    await poller.tick(session, 9, 1, {"slow"})
    (entry,) = await redis.acl_log()
    assert entry["count"] == 2


@pytest.mark.needs("slowlog|get")
async def test_the_servers_own_accounts_say_what_a_command_costs(session: Session) -> None:
    poller = Poller([INFO_QUERY, BURN])
    for now in range(2):
        await poller.tick(session, now, 0.001, {"burn"})
    (reply,) = await session.ask([("INFO", "commandstats")])
    statistic = INFO.decode(reply).statistic("eval")
    assert statistic is not None
    calls, usec = statistic
    assert calls == 2
    # The first of the two is what is known so far; both burn the same, more or less.
    assert poller.cadence(0.001)["burn"] == pytest.approx(usec / calls / 1e6 / SHARE, rel=0.9)


async def test_polling_causes_no_error_reply(any_redis: Redis, any_server: EmbeddedServer) -> None:
    opened, _ = await open_session(Endpoint(socket=any_server.socket))
    try:
        poller = Poller([INFO_QUERY, CLIENTS, SLOW])
        for now in range(3):
            await poller.tick(opened, now, 1, {"clients", "slow"})
        assert value_of(poller, "info").number("total_error_replies") == 0
        assert value_of(poller, "info").statistic("client|list") is not None
    finally:
        await opened.close()


@pytest.mark.parametrize(
    ("query", "told", "reason"),
    [
        (HIT_RATE, "keyspace_hits:1", Reason.MISSING),
        (HIT_RATE, "keyspace_hits:1\r\nkeyspace_misses:many", Reason.UNREADABLE),
        (KEYSPACE, "used_memory:1", Reason.MISSING),
        (KEYSPACE, "db0:keys=many", Reason.UNREADABLE),
        (MEMORY, "maxmemory:1", Reason.MISSING),
        (MEMORY, "used_memory:much", Reason.UNREADABLE),
    ],
)
async def test_what_a_server_does_not_tell_is_no_fault_to_be_reported(
    query: Query[Any], told: str, reason: Reason
) -> None:
    session = Scripted({"INFO": f"# Server\r\nredis_version:7.0.0\r\n{told}\r\n".encode()})
    poller = Poller([INFO_QUERY, query])
    await poller.tick(session, 0, 1, {query.name})
    gap = poller.readings[query.name]
    assert isinstance(gap, Unavailable)
    says = {Reason.MISSING: "not told by this server", Reason.UNREADABLE: "please report this server's version"}
    assert (gap.reason, gap.remedy) == (reason, says[reason])


async def test_what_a_sentinel_lacks_is_told_with_the_way_to_what_it_watches() -> None:
    lacking = ResponseError("unknown command 'SLOW'")
    session = Scripted({"INFO": b"# Server\r\nredis_mode:sentinel\r\n", "SLOW": lacking, "ODD": b"no number"})
    poller = Poller([INFO_QUERY, KEYSPACE, query("SLOW"), query("ODD")])
    await poller.tick(session, 0, 1, {"keyspace", "SLOW", "ODD"})
    told = "a Sentinel: it has no keys", "--sentinel HOST:PORT --service NAME is the way to a server that it watches"
    assert poller.readings["keyspace"] == Unavailable(Reason.UNREADABLE, *map(safe, told))
    assert poller.readings["SLOW"] == Unavailable(Reason.MISSING, *map(safe, told))
    assert poller.readings["ODD"] == Unavailable(Reason.UNREADABLE, *map(safe, told))
