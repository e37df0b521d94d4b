"""``pymon-tui invalidate`` on a real server: what goes, what stays, and what is said of it."""

from __future__ import annotations

import asyncio
import json
import math
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import pacing
from pymon_tui.invalidation.account import Result
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.planning import Planning
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.invalidation.removal import Removal
from pymon_tui.journal.folder import state_folder
from pymon_tui.journal.journal import Journal, JournalError
from pymon_tui.journal.lock import lock
from pymon_tui.journal.records import runs
from pymon_tui.services.keys import NOTIFICATIONS_RECENT, USER_PREFERENCES, USER_SESSIONS
from tests.conftest import StartServer
from tests.demo.waiting import wait_until
from tests.removing.conftest import Command, fill, keys_of, let

JSON_KEYS = {
    "run", "matched", "removed", "already_gone", "protected", "refused", "unknown", "left", "bytes_estimated",
    "seconds", "undo",
}  # fmt: skip
HOSTILE = (
    b"h:a b", b"h:'\"", b"h:\n\r\t", b"h:\xff\xfe", b"h:\x1b[2J", b"h:*", b"h:[red]x[/]", "h:안녕".encode(),
    b"h:" + b"k" * 10_000, b"h:\x00", b"h:\\",
)  # fmt: skip
MAY_LOOK = ("~*", "+@connection", "+info", "+scan", "+dbsize", "+type", "+pttl", "+object", "+memory", "+acl|dryrun")


def test_what_matches_goes_and_nothing_else(db: Redis, pymon: Command) -> None:
    fill(db, "user:", 300)
    fill(db, "users:", 20)
    ran = pymon("invalidate", "user:*", "--yes")
    assert ran.code == 0
    assert len(keys_of(db)) == 20
    assert "matched               300" in ran.out
    assert "removed               300\n" in ran.out
    assert " undo 2" in ran.out.split("pymon-tui ")[1]
    assert ran.err.startswith("300 keys match in db 0 on ")
    assert "\x1b" not in ran.err


def test_json_has_what_scripts_need_and_stdout_nothing_else(db: Redis, pymon: Command) -> None:
    fill(db, "user:", 30)
    ran = pymon("invalidate", "user:*", "--yes", "--json")
    told = ran.told
    assert ran.code == 0
    assert told.keys() >= JSON_KEYS
    assert (told["matched"], told["removed"], told["left"], told["unknown"]) == (30, 30, 0, 0)
    assert Path(told["undo"]).stat().st_mode & 0o777 == 0o600
    (record,) = runs(Journal(state_folder()))
    assert (record.id, record.state) == (told["run"], "done")


def test_few_keys_go_without_waiting_for_what_others_feel(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never_feel(_: Pulse) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Pulse, "_beat", never_feel)
    monkeypatch.setattr(pacing, "_IDLE", math.inf)
    fill(db, "user:", 300)
    ran = pymon("invalidate", "user:*", "--yes", "--no-undo")
    assert (ran.code, keys_of(db)) == (0, set())


@pytest.mark.parametrize("flags", [(), ("--json",), ("--no-undo",)])
def test_one_pulse_is_felt_for_plan_and_run(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    begun: list[str] = []
    steps: list[str] = []
    plan, beat, start = Planning.run, Pulse._beat, Removal.run

    async def planned(planning: Planning) -> Plan:
        steps.append("plan")
        return await plan(planning)

    async def ran(removal: Removal) -> Result:
        steps.append("run")
        return await start(removal)

    async def beats(pulse: Pulse) -> None:
        begun.append(steps[-1] if steps else "before")
        await beat(pulse)

    monkeypatch.setattr(Planning, "run", planned)
    monkeypatch.setattr(Removal, "run", ran)
    monkeypatch.setattr(Pulse, "_beat", beats)
    fill(db, "user:", 300)
    assert pymon("invalidate", "user:*", "--yes", *flags).code == 0
    assert steps == ["plan", "run"]
    # With --json the plan asks for the size of each key, which others feel: the pulse begins after it.
    assert begun in ([["run"]] if "--json" in flags else [["before"], ["plan"], ["run"]])
    assert len(begun) == 1


def test_no_key_is_looked_at_for_a_plan_that_nobody_reads(db: Redis, pymon: Command) -> None:
    fill(db, "user:", 300)
    db.config_resetstat()
    assert pymon("invalidate", "user:*", "--yes", "--no-undo").code == 0
    asked = {name.removeprefix("cmdstat_").split("|")[0] for name in db.info("commandstats")}
    assert asked.isdisjoint({"memory", "type", "pttl", "object", "dump"})
    assert asked >= {"scan", "unlink"}
    assert db.info("commandstats")["cmdstat_unlink"]["calls"] == 1


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_nobody_to_ask_is_wrong_use(db: Redis, pymon: Command, flags: tuple[str, ...]) -> None:
    fill(db, "user:", 3)
    ran = pymon("invalidate", "user:*", *flags)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("pymon-tui: to remove keys takes a yes, and there is no terminal to ask on; say --yes ")
    assert len(keys_of(db)) == 3


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("y", 0, 0), ("Yes", 0, 0), ("n", 1, 3), ("", 1, 3), ("user:*", 1, 3)]
)
def test_a_person_sees_the_plan_and_is_asked(
    db: Redis, pymon: Command, answers: list[str], answer: str, code: int, left: int
) -> None:
    fill(db, "user:", 3)
    answers.append(answer)
    ran = pymon("invalidate", "user:*")
    assert (ran.code, len(keys_of(db))) == (code, left)
    assert "matches    3 keys\n" in ran.err
    assert "unlink: remove 3 keys in db 0 on " in ran.err
    assert ("pymon-tui: nothing is removed: you said no" in ran.err) == (code == 1)
    assert ("matches" in ran.out) is False


@pytest.mark.parametrize("why", ["threshold", "production", "no undo"])
@pytest.mark.parametrize(("typed", "left"), [("user:*", 0), (r"\x75ser:*", 0), ("user:", 3), ("y", 3), ("", 3)])
def test_what_is_dangerous_is_typed(
    db: Redis,
    pymon: Command,
    answers: list[str],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
    typed: str,
    left: int,
) -> None:
    fill(db, "user:", 3)
    if why == "threshold":
        monkeypatch.setenv("PYMON_TYPE_ABOVE", "2")
    if why == "production":
        monkeypatch.setenv("PYMON_ENVIRONMENT", "production")
    answers.append(typed)
    ran = pymon("invalidate", "user:*", *(["--no-undo"] if why == "no undo" else []))
    assert "type user:* to remove 3 keys in db 0 on " in ran.err
    assert (ran.code, len(keys_of(db))) == (1 if left else 0, left)


def test_as_many_keys_as_are_allowed_without_typing_are_not_more(
    db: Redis, pymon: Command, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, "user:", 3)
    monkeypatch.setenv("PYMON_TYPE_ABOVE", "3")
    answers.append("y")
    ran = pymon("invalidate", "user:*")
    assert "unlink: remove 3 keys in db 0 on " in ran.err
    assert "type user:*" not in ran.err
    assert (ran.code, len(keys_of(db))) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "no pattern says which keys are to go"),
        ([""], 'pattern "": a pattern can\'t be empty'),
        (["*"], '"*" matches every key; say --all if all of them are to go'),
        (["a", "?*"], '"?*" matches every key; say --all if all of them are to go'),
        ([r"a\xg0"], r'pattern "a\xg0": "\xg0" at character 2 should be \xNN with two hexadecimal digits'),
        (["a\\"], 'pattern "a\\": "\\" at character 2 should be \\\\ at the end'),
        (["k" * 1025], "a pattern can have 1024 bytes, and this one has 1025"),
        (["a", "--type", "no type"], 'type: should be the name of a type, as hash, not "no type"'),
        (["--preset", "projekt"], 'no preset is called "projekt"; there are project, user, global'),
        (["--preset", "project"], 'preset "project" needs a value for project_id'),
        (["--preset", "project", "--param", "7"], '--param should be NAME=VALUE, not "7"'),
        (["--preset", "project", "--param", "id=7"], 'preset "project" has no parameter "id", it has project_id'),
        (["a", "--param", "x=1"], "--param fills a preset; say --preset as well"),
        (["a", "--jitter", "1"], "--jitter spreads the ends that --expire gives; say --expire as well"),
        (["a", "--expire", "nan"], "should be a number of seconds from 0.001 to 315360000"),
        (["a", "--idle", "-1"], "should be a number of seconds from 0 to 315360000"),
        (["a", "--larger", "big"], 'should be a number of bytes, or a size as "1MiB"'),
        (["a", "--no-ttl", "--expires-later", "1"], "give one of --no-ttl, --expires-within and --expires-later"),
        (["a", "--max-keys", "0"], "max_keys: should be a number of keys, from 1"),
        (["a", "--rate", "0"], "(from --rate)"),
        (["a", "--ceiling", "0"], "(from --ceiling)"),
        (["--resume", "20261122-120411-7c3f", "a"], "--resume goes on as the run began; leave out: the pattern"),
        (["--resume", "20261122-120411-7c3f", "--rate", "1"], "leave out: --rate"),
        (["--resume", "../../etc/passwd"], 'the journal has no run "../../etc/passwd"'),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_and_removes_nothing(db: Redis, pymon: Command, arguments: list[str], line: str) -> None:
    fill(db, "a", 1)
    ran = pymon("invalidate", *arguments, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert line in ran.err
    assert ran.err.count("\n") == 1
    assert len(keys_of(db)) == 1


def test_all_of_them_go_where_that_is_said(db: Redis, pymon: Command) -> None:
    fill(db, "a", 5)
    assert pymon("invalidate", "*", "--all", "--yes").code == 0
    assert keys_of(db) == set()


def test_a_preset_s_value_is_one_value(db: Redis, pymon: Command) -> None:
    db.mset({"monitoring:result:%2A": 1, "monitoring:result:7": 1, "project:stats:%2A": 1, "extra": 1})
    ran = pymon("invalidate", "extra", "--preset", "project", "--param", "project_id=*", "--yes")
    assert ran.code == 0
    assert keys_of(db) == {b"monitoring:result:7"}


@pytest.mark.parametrize(
    ("flags", "goes"),
    [
        (("--type", "hash"), "hash"),
        (("--no-ttl",), "hash idle large"),
        (("--expires-within", "60"), "soon"),
        (("--expires-later", "60"), "late"),
        (("--idle", "50"), "idle"),
        (("--larger", "4KiB"), "large"),
        (("--larger", "4096", "--type", "hash"), ""),
    ],
)
def test_filters(db: Redis, pymon: Command, flags: tuple[str, ...], goes: str) -> None:
    db.hset("f:hash", "a", "b")
    db.set("f:soon", "v", ex=30)
    db.set("f:late", "v", ex=3000)
    db.set("f:large", "x" * 9000)
    db.set("source", "v")
    db.restore("f:idle", 0, db.dump("source") or b"", idletime=100)
    before = keys_of(db)
    assert pymon("invalidate", "f:*", *flags, "--yes").code == 0
    assert before - keys_of(db) == {f"f:{name}".encode() for name in goes.split()}


def test_hostile_names_go_as_they_are_and_show_as_text(db: Redis, pymon: Command, answers: list[str]) -> None:
    db.mset(dict.fromkeys(HOSTILE, 1))
    samples = pymon("invalidate", "h:*", "--dry-run", "--json").told["plan"]["samples"]
    assert "h:안녕" in str(samples)
    answers.append("y")
    ran = pymon("invalidate", "h:*")
    assert ran.code == 0
    assert keys_of(db) == set()
    assert "\x1b" not in ran.err + ran.out


@pytest.mark.parametrize("key", HOSTILE[:-2])
def test_a_pattern_is_bytes(db: Redis, pymon: Command, key: bytes) -> None:
    db.mset({key: 1, b"h:other": 1})
    pattern = "".join(f"\\x{byte:02x}" if not chr(byte).isalnum() or byte > 127 else chr(byte) for byte in key)
    pattern = pattern.replace(r"\x2a", r"\*").replace(r"\x5b", r"\[").replace(r"\x5d", r"\]")
    if len(key) > 1000:
        pattern = "h:kkkkk*"
    assert pymon("invalidate", pattern, "--yes").code == 0
    assert keys_of(db) == {b"h:other"}


def test_nothing_matches(db: Redis, pymon: Command) -> None:
    fill(db, "a", 1)
    ran = pymon("invalidate", "b*", "--yes")
    assert (ran.code, ran.out) == (0, "no key matches\n")
    told = pymon("invalidate", "b*", "--yes", "--json").told
    assert told.keys() >= JSON_KEYS
    assert (told["run"], told["matched"]) == (None, 0)


def test_more_than_the_cap_is_refused(db: Redis, pymon: Command) -> None:
    fill(db, "a", 11)
    ran = pymon("invalidate", "a*", "--max-keys", "10", "--yes")
    assert ran.code == 4
    assert "more than 10 keys match; narrow the pattern, or allow more: --max-keys" in ran.err
    assert len(keys_of(db)) == 11


def test_protected_keys_stay_and_are_counted(db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(db, "user:cache:", 5)
    fill(db, "user:session:", 3)
    monkeypatch.setenv("PYMON_PROTECTED", "*:session:*")
    told = pymon("invalidate", "user:*", "--yes", "--json").told
    assert (told["removed"], told["protected"], len(keys_of(db))) == (5, 3, 3)
    ran = pymon("invalidate", "user:*", "--yes")
    assert ran.code == 4
    assert "all 3 keys that match are protected; nothing is removed" in ran.err


@pytest.mark.parametrize(
    "written", ["session:*,user:*", "session:*, user:*", "session:* user:*", '["session:*","user:*"]']
)
def test_what_is_set_to_protect_protects_however_it_is_written(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    fill(db, "session:", 2)
    fill(db, "user:", 1)
    fill(db, "other:", 1)
    monkeypatch.setenv("PYMON_PROTECTED", written)
    told = pymon("invalidate", "*", "--all", "--yes", "--json").told
    assert (told["removed"], told["protected"]) == (1, 3)
    assert len(keys_of(db)) == 3


def test_a_protection_that_cannot_be_meant_removes_nothing(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, "session:", 2)
    monkeypatch.setenv("PYMON_PROTECTED", "'session:*'")
    ran = pymon("invalidate", "*", "--all", "--yes")
    assert ran.code == 2
    assert "protected: has quotes that would be part of an item" in ran.err
    assert len(keys_of(db)) == 2


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (["x_chn$"], '"x_chn$" is a glob and no regular expression: ^ and $ stand for themselves; "*x_chn"?'),
        (["^a:.*"], '"^a:.*" is a glob and no regular expression: ^ and $ stand for themselves; "a:*"?'),
    ],
)
def test_what_matches_nothing_and_looks_like_a_mistake_has_a_hint(
    db: Redis, pymon: Command, flags: list[str], hint: str
) -> None:
    fill(db, "a:", 3)
    ran = pymon("invalidate", *flags, "--dry-run")
    assert ran.code == 0
    assert ran.err.splitlines()[-1] == f"pymon-tui: {hint}"
    assert pymon("invalidate", "nothing:*", "--type", "string", "--dry-run").err == ""


def test_a_pattern_that_is_given_twice_counts_once(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    plan = json.loads(pymon("invalidate", "a:*", "a:*", "b:*", "--dry-run", "--json").out)["plan"]
    assert plan["matching"] == ["a:*"]


def test_the_undo_that_is_printed_works_where_info_is_denied(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    let(db, "~*", "+@all", "-info")
    ran = pymon("--user", "pymon", "invalidate", "a:*", "--yes")
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if " undo " in line and "pymon-tui" in line]
    assert "--elsewhere" in line
    assert "whoever removed the keys was not told by" in ran.out
    words = shlex.split(line)
    run = words[words.index("undo") + 1]
    assert pymon("--user", "pymon", "undo", run, "--elsewhere", "--yes").code == 0
    assert db.exists("a:0", "a:1", "a:2") == 3


def test_a_parameter_that_is_given_twice_is_refused(db: Redis, pymon: Command) -> None:
    ran = pymon("invalidate", "--preset", "project", "--param", "project_id=7", "--param", "project_id=8", "--yes")
    assert ran.code == 2
    assert "--param project_id is given twice; one value is meant" in ran.err


@pytest.mark.parametrize(
    "user", ["auth0|5f7c8ec7", "two words", "CORP\\user", "a:b", "50%", "x*", "김민준", "kim@x.kr"]
)
def test_the_presets_find_what_py_monitor_writes(db: Redis, pymon: Command, user: str) -> None:
    keys = [family.key(user_id=user) for family in (USER_SESSIONS, USER_PREFERENCES, NOTIFICATIONS_RECENT)]
    for key in (*keys, "user:sessions:xy"):
        db.set(key, "x")
    told = pymon("invalidate", "--preset", "user", "--param", f"user_id={user}", "--yes", "--json").told
    assert (told["removed"], len(keys_of(db))) == (3, 1)


def test_read_only_refuses_and_may_look(db: Redis, pymon: Command) -> None:
    fill(db, "a", 3)
    ran = pymon("--read-only", "invalidate", "a*", "--yes")
    assert (ran.code, ran.out) == (4, "")
    assert "this is read-only" in ran.err
    ran = pymon("invalidate", "a*", "--read-only", "--dry-run")
    assert ran.code == 0
    assert "matches    3 keys\n" in ran.out
    assert len(keys_of(db)) == 3
    assert not state_folder().exists()


def test_a_dry_run_removes_nothing_and_tells_its_plan(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 30)
    ran = pymon("invalidate", "a:*", "--dry-run")
    assert ran.code == 0
    assert "matches    30 keys\n" in ran.out
    assert "dry run" in ran.out
    told = pymon("invalidate", "a:*", "--dry-run", "--json").told
    assert (told["matched"], told["removed"], told["plan"]["matched"]) == (30, 0, 30)
    assert told["plan"]["namespaces"] == {"a:*": 30}
    assert len(keys_of(db)) == 30


def test_expire_gives_each_key_another_end(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 50)
    told = pymon("invalidate", "a:*", "--expire", "100", "--jitter", "1000", "--yes", "--json").told
    assert told["removed"] == 50
    ends = {db.pttl(key) for key in keys_of(db)}
    assert len(ends) > 10
    assert all(0 < end <= 1_100_000 for end in ends)


def test_one_database_alone(db: Redis, pymon: Command, server: EmbeddedServer) -> None:
    fill(db, "a", 3)
    with Redis(unix_socket_path=server.socket, db=3) as third:
        fill(third, "a", 4)
        ran = pymon("-n", "3", "invalidate", "a*", "--yes")
        assert ran.code == 0
        assert "4 keys match in db 3 on " in ran.err
        assert (len(keys_of(db)), len(keys_of(third))) == (3, 0)


@pytest.mark.parametrize(
    ("rules", "flags", "said"),
    [
        (("+unlink", "+dump", "+restore", "-scan"), (), "SCAN was refused: NOPERM"),
        (("+dump", "+restore"), (), "UNLINK is refused"),
        (("+unlink",), (), "it could not be undone: DUMP is refused"),
        (("+dump", "+restore"), ("--expire", "9"), "PEXPIREAT is refused"),
    ],
)
@pytest.mark.needs("acl|dryrun")
def test_what_we_may_not_do_is_known_before(
    db: Redis, pymon: Command, rules: tuple[str, ...], flags: tuple[str, ...], said: str
) -> None:
    fill(db, "a", 3)
    let(db, *MAY_LOOK, *rules)
    ran = pymon("--user", "pymon", "invalidate", "a*", "--yes", *flags)
    assert ran.code == 4
    assert said in ran.err
    assert "ACL SETUSER pymon +" in ran.err
    assert len(keys_of(db)) == 3
    assert runs(Journal(state_folder())) == ()


def test_without_an_undo_dump_is_not_needed(db: Redis, pymon: Command) -> None:
    fill(db, "a", 3)
    let(db, *MAY_LOOK, "+unlink", "+role")
    ran = pymon("--user", "pymon", "invalidate", "a*", "--yes", "--no-undo", "--json")
    assert (ran.code, ran.told["removed"], ran.told["undo"]) == (0, 3, None)


def test_a_key_that_we_may_not_touch_is_listed(db: Redis, pymon: Command) -> None:
    fill(db, "a:x:", 3)
    db.set("a:secret", 1)
    let(db, "~a:x:*", "+@all")
    ran = pymon("--user", "pymon", "invalidate", "a:*", "--yes")
    assert ran.code == 1
    assert "refused                 1" in ran.out
    assert "  refused, and there:\n    a:secret\n" in ran.out
    assert keys_of(db) == {b"a:secret"}


def test_a_replica_of_a_primary_that_is_away_is_refused(pymon: Command, own_server: StartServer) -> None:
    replica = own_server()
    with Redis(unix_socket_path=replica.socket) as client:
        fill(client, "a", 3)
        client.replicaof("127.0.0.1", 1)
        ran = pymon("invalidate", "a*", "--yes", socket=replica.socket)
        assert ran.code == 3
        assert "is a replica, and its primary is away: 127.0.0.1:1 refuses connections" in ran.err
        assert len(keys_of(client)) == 3


def test_a_replica_leads_to_its_primary(pymon: Command, own_server: StartServer) -> None:
    primary, replica = own_server({"repl-diskless-sync-delay": "0"}, tcp=True), own_server()
    with Redis(unix_socket_path=primary.socket) as client, Redis(unix_socket_path=replica.socket) as copy:
        fill(client, "a", 3)
        copy.replicaof("127.0.0.1", primary.port)
        wait_until(lambda: copy.dbsize() == 3)
        ran = pymon("invalidate", "a*", "--yes", socket=replica.socket)
        assert ran.code == 0
        assert f"{replica.socket} is a replica: this is about its primary, 127.0.0.1:{primary.port}\n" in ran.err
        assert keys_of(client) == set()
        assert pymon("undo", "--yes", socket=replica.socket).code == 0
        assert len(keys_of(client)) == 3


@pytest.mark.parametrize(
    "words",
    [
        ["unix://SOCKET", "invalidate", "a*", "--dry-run", "--json", "-n", "1"],
        ["-n", "1", "invalidate", "a*", "--dry-run", "-s", "SOCKET", "--json"],
        ["invalidate", "--dry-run", "--json", "-u", "unix://SOCKET?db=1", "--", "a*"],
    ],
)
def test_the_server_is_named_before_or_after(
    db: Redis, server: EmbeddedServer, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with Redis(unix_socket_path=server.socket, db=1) as second:
        fill(second, "a", 3)
    assert cli.run([word.replace("SOCKET", server.socket) for word in words]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert (plan["address"], plan["db"], plan["matched"]) == (server.socket, 1, 3)


def test_no_server(pymon: Command, tmp_path: Path) -> None:
    ran = pymon("invalidate", "a*", "--yes", socket=str(tmp_path / "none"))
    assert (ran.code, ran.out) == (3, "")
    assert "no socket at" in ran.err


def test_without_a_journal_nothing_begins(
    db: Redis, pymon: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, "a", 3)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    ran = pymon("invalidate", "a*", "--yes")
    assert ran.code == 1
    assert "set XDG_STATE_HOME to another folder" in ran.err
    assert len(keys_of(db)) == 3


@pytest.mark.parametrize("flags", [("--no-undo",), ("--expire", "100", "--no-undo")])
def test_a_run_that_no_journal_takes_has_an_account(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    def full(journal: Journal, *_: Any, **__: Any) -> None:
        raise JournalError("can't write the journal", journal.folder, "the disk is full")

    monkeypatch.setattr(Journal, "append", full)
    fill(db, "a", 3)
    ran = pymon("invalidate", "a*", "--yes", "--json", *flags)
    assert ran.code == 1
    assert "the disk is full" in ran.told["why"]
    assert f"pymon-tui: {ran.told['why']}" in ran.err
    assert (ran.told["run"], ran.told["matched"], ran.told["removed"], ran.told["left"]) == (None, 3, 0, 3)
    assert len(keys_of(db)) == 3


def test_the_second_of_two_runs_is_told(db: Redis, pymon: Command) -> None:
    fill(db, "a", 3)
    run_id = db.info("server")["run_id"]
    with lock(state_folder(), f"server-{run_id}-0", run="20261122-120411-7c3f"):
        ran = pymon("invalidate", "a*", "--yes")
    assert ran.code == 4
    assert "run 20261122-120411-7c3f is under way in process" in ran.err
    assert len(keys_of(db)) == 3


def test_what_is_too_big_for_the_undo_is_listed(
    db: Redis, pymon: Command, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, "a:", 3)
    db.set("a:big", "x" * 100_000)
    monkeypatch.setenv("PYMON_TRASH_KEY_SIZE", "10KiB")
    answers.append("a:*")  # one key is not enough where some of it can't be undone
    ran = pymon("invalidate", "a:*")
    assert ran.code == 0
    assert "1 key over 10.0 KiB isn't kept" in " ".join(ran.err.split())
    assert "for good        1 key without an undo" in ran.out
    assert "  too big for the undo:\n    a:big\n" in ran.out
    assert pymon("undo", "--yes").code == 0
    assert len(keys_of(db)) == 3


def test_a_server_that_takes_no_writes_stops_the_run(pymon: Command, own_server: StartServer) -> None:
    server = own_server()
    with Redis(unix_socket_path=server.socket) as client:
        fill(client, "a", 3)
        client.config_set("min-replicas-to-write", 1)
        ran = pymon("invalidate", "a*", "--yes", socket=server.socket)
        assert ran.code == 1
        assert ": stopped in " in ran.out
        assert "UNLINK was refused: NOREPLICAS" in ran.out
        assert "removed                 0" in ran.out
        assert len(keys_of(client)) == 3


def test_a_busy_server_is_none(pymon: Command, own_server: StartServer) -> None:
    server = own_server({"lua-time-limit": "1"})
    with Redis(unix_socket_path=server.socket) as client, Redis(unix_socket_path=server.socket) as other:
        fill(client, "a", 3)
        connection = other.connection_pool.get_connection()
        connection.send_command("EVAL", "while true do end", 0)
        until_busy(client)
        ran = pymon("invalidate", "a*", "--yes", socket=server.socket)
        assert (ran.code, ran.out) == (3, "")
        assert "SCAN was refused: BUSY" in ran.err
        client.script_kill()
        with pytest.raises(ResponseError, match="killed"):
            connection.read_response()
        assert len(keys_of(client)) == 3


def until_busy(client: Redis) -> None:
    """Wait until the server answers that it is busy."""
    while True:
        try:
            client.ping()
        except ResponseError as error:
            assert "BUSY" in str(error)  # noqa: PT017 - the loop waits for it
            return
        time.sleep(0.002)


@pytest.mark.parametrize("how", [("--yes",), ("--dry-run",), ("--yes", "--json"), ("--dry-run", "--json")])
@pytest.mark.parametrize("bare", ["sess:", "sess", "other:"])
def test_a_protected_prefix_without_a_star_is_told(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, how: tuple[str, ...], bare: str
) -> None:
    fill(db, "sess:", 3)
    monkeypatch.setenv("PYMON_PROTECTED", bare)
    said = (
        f'protected "{bare}" (set in PYMON_PROTECTED) holds nothing back: it means that one key; '
        f'keys that begin with it need "{bare}*"\n'
    )
    assert said in pymon("invalidate", "*:*", *how).err


@pytest.mark.parametrize("held", ["sess:*", "sess:1", "other", "sess:12"])
def test_a_pattern_that_protects_what_it_says_is_not_told(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    fill(db, "sess:", 3)
    monkeypatch.setenv("PYMON_PROTECTED", held)
    assert "holds nothing back" not in pymon("invalidate", "*:*", "--yes").err


def test_each_protected_pattern_is_told_with_what_it_holds_back(
    db: Redis, pymon: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, "a:", 10)
    fill(db, "session:", 3)
    (tmp_path / "config.toml").write_text('protected = ["session:*", "sesion:*"]\n')
    monkeypatch.setenv("PYMON_PROTECTED", "a:1 *:2")
    told = pymon("invalidate", "*", "--all", "--dry-run", "--json").told["plan"]
    origin = str(tmp_path / "config.toml")
    assert told["protected"] == 5
    assert told["protected_by"] == [
        {"pattern": "a:1", "keys": 1, "origin": "PYMON_PROTECTED"},
        {"pattern": "*:2", "keys": 2, "origin": "PYMON_PROTECTED"},  # one of them is a session
        {"pattern": "session:*", "keys": 2, "origin": origin},
        {"pattern": "sesion:*", "keys": 0, "origin": origin},
    ]
    said = " ".join(pymon("invalidate", "*", "--all", "--dry-run").out.split())
    assert "*:2 2 set in PYMON_PROTECTED" in said
    assert f"sesion:* 0 set in {origin}" in said


@pytest.mark.parametrize("home", ["/dev/null", __file__, "/proc/nope"])
@pytest.mark.parametrize("undo", [[], ["--no-undo"]])
def test_a_dry_run_says_that_the_state_folder_cannot_be_written(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, home: str, undo: list[str]
) -> None:
    if home.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    fill(db, "a:", 3)
    monkeypatch.setenv("XDG_STATE_HOME", home)
    dry = pymon("invalidate", "a:*", "--dry-run", *undo)
    assert dry.code == 0
    said = " ".join(dry.out.split())
    assert f"a run would not begin: can't write to {home}/pymon-tui: N" in said  # Not a directory, No such file
    assert "or set XDG_STATE_HOME to another folder" in said
    why = pymon("invalidate", "a:*", "--dry-run", "--json", *undo).told["verdict"]["why"]
    assert why.startswith("a run would not begin: can't write to ")
    ran = pymon("invalidate", "a:*", "--yes", *undo)
    assert ran.code == 1
    assert "can't make the lock" in ran.err
    assert "free some" not in ran.err  # the disk is not what is wrong
    assert len(keys_of(db)) == 3


def test_a_dry_run_says_nothing_of_a_folder_that_is_yet_to_be_made(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(db, "a:", 3)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "one" / "two"))
    assert pymon("invalidate", "a:*", "--dry-run", "--json").told["verdict"]["why"] == ""
    assert not (tmp_path / "one").exists()
