"""Both doors lead to the same verdict, the same account, the same offers and the same keys."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.settings.desk import desk_of
from tests.conftest import StartServer
from tests.demo.waiting import wait_until
from tests.doors.door import Back, Case, CommandLine, Grown, Screens, Seen, fill, there
from tests.server.listening import until
from tests.servers.ports import free_port

DOORS = pytest.mark.parametrize("door", ["command_line", "screens"])
PRODUCTION = '[profiles.prod]\nenvironment = "production"\n'
ALL = frozenset(b"%s:%d" % (name, number) for name, count in ((b"a", 5), (b"b", 3)) for number in range(count))
GONE = frozenset(key for key in ALL if not key.startswith(b"a:"))


def user(*rules: str, name: str = "pymon") -> object:
    """Prepares a user that may do this."""

    def prepare(db: Redis) -> None:
        db.execute_command("ACL", "SETUSER", name, "reset", "on", "nopass", *rules)  # type: ignore[no-untyped-call]

    return prepare


def big(db: Redis) -> None:
    """One of the keys is large."""
    db.set("a:0", "x" * 100_000)


def noise(db: Redis) -> None:
    """The keys hold what can't be compressed."""
    dice = Random(7)
    db.mset({f"a:{number}": dice.randbytes(2_000) for number in range(5)})


def in_another(db: Redis) -> None:
    """The same keys in another database."""
    with Redis(unix_socket_path=db.connection_pool.connection_kwargs["path"], db=3) as other:
        other.mset({f"a:{number}": "there" for number in range(2)})


CASES: dict[str, tuple[Case, Seen]] = {
    "few": (Case(), Seen("begin", "yes", "none", 0, True, GONE)),
    "more than type_above": (Case(config="type_above = 4\n"), Seen("begin", "type", "none", 0, True, GONE)),
    "just type_above": (Case(config="type_above = 5\n"), Seen("begin", "yes", "none", 0, True, GONE)),
    "no undo": (Case(options=("--no-undo",)), Seen("begin", "type", "all", 0, False, GONE)),
    "every key": (Case(pattern="*"), Seen("begin", "type", "none", 0, True, frozenset())),
    "dry run": (Case(options=("--dry-run",)), Seen("begin", "yes", "none", 0, False, ALL)),
    "no undo, dry": (Case(options=("--no-undo", "--dry-run")), Seen("begin", "type", "all", 0, False, ALL)),
    "production, dry": (
        Case(
            config=f'{PRODUCTION}host = "127.0.0.1"\nport = {{port}}\n',
            flags=("--profile", "prod"),
            options=("--dry-run",),
        ),
        Seen("begin", "type", "none", 0, False, ALL),
    ),
    "no DUMP, dry": (
        Case(prepare=user("~*", "&*", "+@all", "-dump"), user="pymon", options=("--dry-run",)),  # type: ignore[arg-type]
        Seen("refused", "nothing", "all", 4, False, ALL),
    ),
    "no UNLINK, dry": (
        Case(prepare=user("~*", "&*", "+@all", "-unlink"), user="pymon", options=("--dry-run",)),  # type: ignore[arg-type]
        Seen("refused", "nothing", "none", 4, False, ALL),
    ),
    "one key refused, dry": (
        Case(
            prepare=user("%R~*", "%W~a:1", "%W~a:2", "%W~a:3", "%W~a:4", "&*", "+@all"),  # type: ignore[arg-type]
            user="pymon",
            options=("--dry-run",),
        ),
        Seen("begin", "yes", "none", 0, False, ALL),
    ),
    "one too big, dry": (
        Case(prepare=big, config='trash_key_size = "10KiB"\n', options=("--dry-run",)),
        Seen("begin", "type", "some", 0, False, ALL),
    ),
    "only too big": (
        Case(pattern="a:0", prepare=big, config='trash_key_size = "10KiB"\n'),
        Seen("refused", "nothing", "all", 4, False, ALL),
    ),
    "only too big, dry": (
        Case(pattern="a:0", prepare=big, config='trash_key_size = "10KiB"\n', options=("--dry-run",)),
        Seen("refused", "nothing", "all", 4, False, ALL),
    ),
    "no room in the trash, dry": (
        Case(prepare=noise, config='trash_size = "4KiB"\n', options=("--dry-run",)),
        Seen("begin", "type", "some", 0, False, ALL),
    ),
    "a pattern that matches nothing before": (
        Case(pattern="zzz:* a:*", typed="a:*", config="type_above = 4\n"),
        Seen("begin", "type", "none", 0, True, GONE),
    ),
    "a pattern that matches what is protected before": (
        Case(pattern="b:* a:*", typed="a:*", config='type_above = 4\nprotected = ["b:*"]\n'),
        Seen("begin", "type", "none", 0, True, GONE),
    ),
    "several patterns": (
        Case(pattern="a:1 zzz:* b:* a:*", typed="a:1 b:* a:*", config="type_above = 4\n"),
        Seen("begin", "type", "none", 0, True, frozenset()),
    ),
    "nothing matches": (Case(pattern="c:*"), Seen("nothing", "nothing", "none", 0, False, ALL)),
    "nothing matches, dry": (
        Case(pattern="c:*", options=("--dry-run",)),
        Seen("nothing", "nothing", "none", 0, False, ALL),
    ),
    "all protected": (Case(config='protected = ["a:*"]\n'), Seen("refused", "nothing", "none", 4, False, ALL)),
    "some protected": (Case(config='protected = ["a:1"]\n'), Seen("begin", "yes", "none", 0, True, GONE | {b"a:1"})),
    "capped": (Case(config="max_keys = 4\n"), Seen("refused", "nothing", "none", 4, False, ALL)),
    "just the cap": (Case(config="max_keys = 5\n"), Seen("begin", "yes", "none", 0, True, GONE)),
    "capped, dry": (
        Case(config="max_keys = 4\n", options=("--dry-run",)),
        Seen("refused", "nothing", "none", 4, False, ALL),
    ),
    "no RESTORE": (
        Case(prepare=user("~*", "&*", "+@all", "-restore"), user="pymon"),  # type: ignore[arg-type]
        Seen("refused", "nothing", "all", 4, False, ALL),
    ),
    "no DUMP": (
        Case(prepare=user("~*", "&*", "+@all", "-dump"), user="pymon"),  # type: ignore[arg-type]
        Seen("refused", "nothing", "all", 4, False, ALL),
    ),
    "no RESTORE, no undo": (
        Case(prepare=user("~*", "&*", "+@all", "-restore"), user="pymon", options=("--no-undo",)),  # type: ignore[arg-type]
        Seen("begin", "type", "all", 0, False, GONE),
    ),
    "no UNLINK": (
        Case(prepare=user("~*", "&*", "+@all", "-unlink"), user="pymon"),  # type: ignore[arg-type]
        Seen("refused", "nothing", "none", 4, False, ALL),
    ),
    "one key refused": (
        Case(prepare=user("%R~*", "%W~a:1", "%W~a:2", "%W~a:3", "%W~a:4", "&*", "+@all"), user="pymon"),  # type: ignore[arg-type]
        Seen("begin", "yes", "none", 1, True, GONE | {b"a:0"}),
    ),
    "one too big": (
        Case(prepare=big, config='trash_key_size = "10KiB"\n'),
        Seen("begin", "type", "some", 0, True, GONE),
    ),
    "no room in the trash": (
        Case(prepare=noise, config='trash_size = "4KiB"\n'),
        Seen("begin", "type", "some", 0, True, GONE),
    ),
    "another database": (
        Case(prepare=in_another, flags=("-s", "{socket}", "-n", "3")),
        Seen("begin", "yes", "none", 0, True, ALL),
    ),
    "read-only": (
        Case(config="read_only = true\n"),
        Seen("refused", "nothing", "none", 4, False, ALL),
    ),
    "production": (
        Case(config=f'{PRODUCTION}host = "127.0.0.1"\nport = {{port}}\n', flags=("--profile", "prod")),
        Seen("begin", "type", "none", 0, True, GONE),
    ),
    "production by another spelling": (
        Case(config=f'{PRODUCTION}host = "127.0.0.1"\nport = {{port}}\n', flags=("-h", "localhost", "-p", "{port}")),
        Seen("begin", "type", "none", 0, True, GONE),
    ),
    "production by another profile": (
        Case(
            config=f'{PRODUCTION}host = "localhost"\nport = {{port}}\n'
            '[profiles.staging]\nenvironment = "staging"\nhost = "127.0.0.1"\nport = {port}\n',
            flags=("--profile", "staging"),
        ),
        Seen("begin", "type", "none", 0, True, GONE),
    ),
    "what production protects": (
        Case(
            config=f'{PRODUCTION}host = "localhost"\nport = {{port}}\nprotected = ["a:*"]\n',
            flags=("-h", "127.0.0.1", "-p", "{port}"),
        ),
        Seen("refused", "nothing", "none", 4, False, ALL),
    ),
    "what production caps": (
        Case(
            config=f'{PRODUCTION}host = "localhost"\nport = {{port}}\nmax_keys = 4\n',
            flags=("-h", "127.0.0.1", "-p", "{port}"),
        ),
        Seen("refused", "nothing", "none", 4, False, ALL),
    ),
    "production is read-only": (
        Case(
            config=f'{PRODUCTION}host = "localhost"\nport = {{port}}\nread_only = true\n',
            flags=("-h", "127.0.0.1", "-p", "{port}"),
        ),
        Seen("refused", "nothing", "none", 4, False, ALL),
    ),
    "read-only, dry": (
        Case(config="read_only = true\n", options=("--dry-run",)),
        Seen("begin", "nothing", "none", 0, False, ALL),
    ),
    "production is read-only, dry": (
        Case(
            config=f'{PRODUCTION}host = "localhost"\nport = {{port}}\nread_only = true\n',
            flags=("-h", "127.0.0.1", "-p", "{port}"),
            options=("--dry-run",),
        ),
        Seen("begin", "nothing", "none", 0, False, ALL),
    ),
    "production elsewhere": (
        Case(config=f'{PRODUCTION}host = "127.0.0.1"\nport = 1\n', flags=("-h", "localhost", "-p", "{port}")),
        Seen("begin", "yes", "none", 0, True, GONE),
    ),
    "expire": (Case(options=("--expire", "100", "--jitter", "0")), Seen("begin", "yes", "none", 0, True, ALL)),
}


@pytest.fixture(scope="module")
def apart() -> Iterator[EmbeddedServer]:
    """A server of these tests alone, on TCP too: its address may be spelled in several ways."""
    with EmbeddedServer({"repl-diskless-sync-delay": "0"}, port=free_port()) as server:
        yield server


@DOORS
@pytest.mark.parametrize("name", CASES)
def test_both_doors_agree(
    name: str, door: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis
) -> None:
    case, expected = CASES[name]
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.carry_out(case, apart, db) == expected


@pytest.fixture
def growing(db: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ten more keys come whenever a plan has been confirmed, and a terminal on which a run can ask."""
    yield from _changing(lambda: db.mset({f"a:more:{number}": "x" for number in range(10)}), monkeypatch)


def swollen(db: Redis) -> None:
    """The keys have become large."""
    dice = Random(7)
    db.mset({f"a:{number}": dice.randbytes(20_000) for number in range(5)})


def joined(db: Redis) -> None:
    """One key more, which is large: it is no tenth of the others."""
    db.set("a:more", "x" * 20_000)


@pytest.fixture
def changing(db: Redis, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The keys change whenever a plan has been confirmed, and a terminal on which a run can ask."""
    yield from _changing(lambda: request.param(db), monkeypatch)


def _changing(what: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    removal = Desk.removal

    def changed(desk: Desk, *arguments: Any) -> WholeRemoval:
        made = removal(desk, *arguments)
        what()
        return made

    reads, writes = os.pipe()
    os.write(writes, b"there is something to read\n")
    monkeypatch.setattr(Desk, "removal", changed)
    monkeypatch.setattr("pymon_tui.removing.console._STDIN", reads)
    monkeypatch.setattr("pymon_tui.removing.watching.can_ask", lambda: True)
    yield
    os.close(reads)
    os.close(writes)


@DOORS
@pytest.mark.parametrize(
    ("changing", "case"),
    [
        pytest.param(swollen, Case(config='trash_key_size = "10KiB"\n', held=5), id="all too big"),
        pytest.param(swollen, Case(config='trash_size = "30KiB"\n', held=4), id="no room"),
        pytest.param(joined, Case(keys={"a": 20, "b": 3}, config='trash_key_size = "10KiB"\n', held=1), id="a new key"),
        pytest.param(
            swollen,
            Case(keys={"a": 6, "b": 3}, prepare=big, typed="a:*", config='trash_key_size = "10KiB"\n', held=5),
            id="more of them than was agreed to",
        ),
    ],
    indirect=["changing"],
)
def test_more_keys_for_good_than_was_agreed_to_are_asked_about(
    case: Case, door: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis, changing: None
) -> None:
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.grow(case, apart, db) == Grown("type", 0, GONE)


@DOORS
def test_whose_undo_is_given_up_is_said_before(
    door: str, command_line: CommandLine, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis
) -> None:
    case = Case(config='trash_size = "150KiB"\n')
    fill(db, case)
    swollen(db)
    older = command_line.run(apart, "invalidate", "a:*", "--yes")["run"]
    swollen(db)
    way: CommandLine | Screens = request.getfixturevalue(door)
    said = f"the undo of run {older} (5 keys) is given up where its room is needed (trash_size)"
    assert said in way.warned(case, apart)
    assert said not in way.warned(replace(case, config='trash_size = "500KiB"\n'), apart)


PLACE = f'{PRODUCTION}host = "127.0.0.1"\nport = {{port}}\n'


@DOORS
@pytest.mark.parametrize(
    ("case", "confirm"),
    [
        pytest.param(Case(), "yes", id="few"),
        pytest.param(Case(config="type_above = 30\n"), "yes", id="just type_above"),
        pytest.param(Case(config="type_above = 29\n"), "type", id="more than type_above"),
        pytest.param(Case(typed="a:*", options=("--no-undo",)), "type", id="no undo"),
        pytest.param(Case(typed="a:*", config=PLACE, flags=("--profile", "prod")), "type", id="production"),
        pytest.param(Case(prepare=noise, config='trash_size = "30KiB"\n'), "type", id="no room in the trash"),
    ],
)
def test_more_keys_than_planned_are_confirmed_as_a_plan_of_them(
    case: Case,
    confirm: str,
    door: str,
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
    growing: None,
) -> None:
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.grow(case, apart, db) == Grown(confirm, 0, GONE)


@DOORS
@pytest.mark.parametrize("looked_through", ["command_line", "screens"])
def test_production_is_known_by_its_process(
    door: str,
    looked_through: str,
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As with a server in another container: the system doesn't tell who listens on its socket.
    monkeypatch.setattr("pymon_tui.invalidation.guarding.listener", lambda _: None)
    config = f'{PRODUCTION}socket = "{apart.socket}"\n'
    by_name = Case(config=config, flags=("--profile", "prod"), options=("--dry-run",))
    by_another_address = Case(config=config, flags=("-h", "127.0.0.1", "-p", "{port}"))
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.carry_out(by_another_address, apart, db).confirm == "yes"  # nobody knows yet
    first: CommandLine | Screens = request.getfixturevalue(looked_through)
    first.look(by_name, apart)
    assert way.carry_out(by_another_address, apart, db) == Seen("begin", "type", "none", 0, True, GONE)


@DOORS
def test_a_replica_leads_to_its_primary(
    door: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis
) -> None:
    way: CommandLine | Screens = request.getfixturevalue(door)
    with EmbeddedServer({"replicaof": f"127.0.0.1 {apart.port}"}) as replica:
        with Redis(unix_socket_path=replica.socket) as client:
            wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        place = Case(flags=("-s", replica.socket))
        assert way.carry_out(place, apart, db) == Seen("begin", "yes", "none", 0, True, GONE)


@DOORS
@pytest.mark.parametrize(("free", "lost"), [(0, "all"), (1 << 40, "none")])
def test_a_full_disk_is_told_before(
    door: str,
    free: int,
    lost: str,
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pymon_tui.invalidation.shelves.free_bytes", lambda _: free)
    way: CommandLine | Screens = request.getfixturevalue(door)
    seen = way.carry_out(Case(), apart, db)
    expected = Seen("refused", "nothing", "all", 4, False, ALL) if lost == "all" else CASES["few"][1]
    assert seen == expected


@DOORS
def test_the_last_run_is_the_last_that_can_be_undone(
    door: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis, command_line: CommandLine
) -> None:
    fill(db, Case(prepare=in_another))
    first = command_line.run(apart, "invalidate", "b:1", "--yes")["run"]
    second = command_line.run(apart, "-n", "3", "invalidate", "a:*", "--yes")["run"]
    third = command_line.run(apart, "invalidate", "a:*", "--yes", "--no-undo")["run"]
    command_line.run(apart, "invalidate", "b:2", "--dry-run")
    way: CommandLine | Screens = request.getfixturevalue(door)
    run, said = way.undo_last(apart)
    assert run == second
    assert f"run {third} can't be undone, it kept none" in said
    with Redis(unix_socket_path=apart.socket, db=3) as other:
        assert other.dbsize() == 2
    run, said = way.undo_last(apart)  # whoever asks twice doesn't mean the first run
    assert run is None
    assert f"{second}: it is undone already; run {first} can be: " in said
    assert f"undo {first}" in said or "J lists it" in said
    assert db.exists("b:1") == 0
    assert command_line.run(apart, "undo", first, "--yes")["restored"] == 1


@DOORS
def test_what_expires_is_given_back_its_end(
    door: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis, command_line: CommandLine
) -> None:
    fill(db, Case())
    run = command_line.run(apart, "invalidate", "a:*", "--expire", "100", "--jitter", "0", "--yes")["run"]
    assert 0 < db.ttl("a:1") <= 100
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.undo_last(apart)[0] == run
    assert {db.ttl(key) for key in there(db)} == {-1}


def guard_of(server: EmbeddedServer, kind: str) -> str:
    """A configuration whose profile guards the server: ``prod``, ``read-only`` or, where it is empty, none."""
    profile = f'{PRODUCTION}socket = "{server.socket}"\n' if kind else ""
    return profile + ("read_only = true\n" if kind == "read-only" else "")


@DOORS
@pytest.mark.parametrize(
    ("config", "replaces", "confirm"),
    [
        ("", False, "yes"),
        ("", True, "yes"),
        ("prod", False, "yes"),
        ("prod", True, "type"),
        ("read-only", False, "nothing"),
    ],
)
def test_an_undo_asks_for_what_it_destroys(
    config: str,
    confirm: str,
    door: str,
    *,
    replaces: bool,
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
    command_line: CommandLine,
) -> None:
    fill(db, Case())
    command_line.run(apart, "invalidate", "a:*", "--yes")
    db.set("a:1", "newer")
    way: CommandLine | Screens = request.getfixturevalue(door)
    guard = guard_of(apart, config)
    back = way.undo(apart, guard, "a:*", replaces=replaces)
    if confirm == "nothing":
        assert back == Back("nothing", 4, 0)
        assert there(db) == GONE | {b"a:1"}
    else:
        assert back == Back(confirm, 0, 5 if replaces else 4)
        assert there(db) == ALL
    assert db.get("a:1") == (b"x" * 50 if replaces else b"newer")


@DOORS
def test_an_undo_on_another_process_is_asked_for_apart(
    door: str, request: pytest.FixtureRequest, own_server: StartServer, command_line: CommandLine
) -> None:
    server = own_server()
    with Redis(unix_socket_path=server.socket) as client:
        fill(client, Case())
    command_line.run(server, "invalidate", "a:*", "--yes")
    server.start()
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.undo(server, "", "a:*", replaces=False) == Back("elsewhere", 0, 5)
    with Redis(unix_socket_path=server.socket) as client:
        assert there(client) == ALL - GONE


def cut_off(server: EmbeddedServer, *patterns: str) -> str:
    """A run that was ended after the first keys."""
    desk = desk_of(Endpoint(socket=server.socket), Settings(socket=server.socket))

    async def run() -> str:
        selection = desk.selection([parse_pattern(each) for each in patterns], Filters(), every=False)
        plan = await desk.planning(selection, "unlink", undo=True).run()
        options = desk.options("unlink", expire=0.0, jitter=0.0, undo=True, dry_run=False)
        removal = desk.removal(plan, replace(options, rate=5.0), None)
        task = asyncio.create_task(removal.run())
        await until(lambda: bool(removal.progress.tally.removed))
        removal.cancel()
        assert (await task).outcome == "cancelled"
        return removal.id

    return asyncio.run(run())


@DOORS
@pytest.mark.parametrize(
    ("config", "confirm", "asked"),
    [
        ("", "yes", ("a:*",)),
        ("prod", "type", ("a:*",)),
        ("prod", "type", ("zzz:*", "a:*")),
        ("read-only", "nothing", ("a:*",)),
    ],
)
def test_a_resume_is_confirmed_as_the_run_was(
    config: str,
    confirm: str,
    asked: tuple[str, ...],
    door: str,
    request: pytest.FixtureRequest,
    apart: EmbeddedServer,
    db: Redis,
) -> None:
    fill(db, Case())
    run = cut_off(apart, *asked)
    left = len(there(db) - GONE)
    assert 0 < left < 5
    way: CommandLine | Screens = request.getfixturevalue(door)
    guard = guard_of(apart, config)
    back = way.resume(apart, run, guard, "a:*")
    if confirm == "nothing":
        assert back == Back("nothing", 4, 0)
        assert len(there(db)) == 3 + left
    else:
        assert back == Back(confirm, 0, left)
        assert there(db) == GONE


@DOORS
def test_a_run_that_was_undone_is_not_gone_on_with(
    door: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis, command_line: CommandLine
) -> None:
    fill(db, Case())
    run = cut_off(apart, Case().pattern)
    assert command_line.run(apart, "undo", run, "--yes")["restored"] > 0
    assert there(db) == ALL
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.resume(apart, run, "", "a:*") == Back("nothing", 4, 0)
    assert there(db) == ALL
    told = command_line.run(apart, "journal", run)
    assert (told["undone"], told["undone_in_part"], told["back"]["keys"]) == (True, False, told["removed_at_least"])


@DOORS
def test_a_restarted_server_is_noticed_before_anything_is_asked(
    door: str, request: pytest.FixtureRequest, own_server: StartServer
) -> None:
    server = own_server()
    with Redis(unix_socket_path=server.socket) as client:
        fill(client, Case())
    run = cut_off(server, Case().pattern)
    server.start()
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.resume(server, run, guard_of(server, "prod"), "a:*") == Back("nothing", 4, 0)


@DOORS
def test_what_was_undone_in_part_is_said_to_be(
    door: str, request: pytest.FixtureRequest, apart: EmbeddedServer, db: Redis, command_line: CommandLine
) -> None:
    fill(db, Case(prepare=big))
    command_line._config.touch(mode=0o600)
    command_line._config.write_text('trash_key_size = "10KiB"\n')
    run = command_line.run(apart, "invalidate", "a:*", "--yes")["run"]
    db.set("a:1", "newer")
    way: CommandLine | Screens = request.getfixturevalue(door)
    assert way.undo(apart, 'trash_key_size = "10KiB"\n', "a:*", replaces=False) == Back("yes", 0, 3)
    text = way.told_of(apart, run)
    for said_ in ("done, undone in part: 3 of 5", "1 key: too big, or no room for it; gone for good", "a:0"):
        assert said_ in text
    assert "1 key there by then or changed since, and left" in text
    told = command_line.run(apart, "journal", run)
    assert (told["undone_in_part"], told["not_kept"], told["oversized_keys"]) == (True, 1, ["a:0"])
    found = {"keys": 3, "expired": 0, "changed": 1, "failed": 0, "more": False}
    none = {"left": 0, "lost": 0, "lost_at_least": False, "unproven": 0, "torn": False}
    assert told["back"] == found | none | {"dropped_at_least": 0, "dropped_at_most": 0}
    assert "undone in part" in way.listed(apart)
    assert "3 of 5" in way.listed(apart)
