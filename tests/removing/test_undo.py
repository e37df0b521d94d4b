"""``pymon-tui undo`` on a real server."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pymon_tui.journal import lines
from pymon_tui.journal.folder import state_folder
from pymon_tui.journal.journal import Journal, JournalError
from tests.conftest import StartServer
from tests.removing.conftest import Command, fill, keys_of


def test_the_last_run_on_the_server_comes_back(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 20)
    fill(db, "b:", 10)
    db.expire("a:1", 1000)
    before = {key: db.get(key) for key in keys_of(db)}
    pymon("invalidate", "b:*", "--yes")
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    pymon("invalidate", "a:*", "--all", "--dry-run")
    ran = pymon("undo", "--yes")
    assert ran.code == 0
    assert f"undo of run {run}: done in " in ran.out
    assert "restored               20\n" in ran.out
    assert keys_of(db) == {key for key in before if key.startswith(b"a:")}
    assert all(db.get(key) == before[key] for key in keys_of(db))
    assert 0 < db.ttl("a:1") <= 1000
    again = pymon("undo", "--yes")
    assert again.code == 4
    assert f"{run}: it is undone already; run " in again.err


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[" * 9_000])
def test_a_trash_that_cannot_be_read_is_passed_over_with_the_reason(db: Redis, pymon: Command, content: bytes) -> None:
    fill(db, "a:", 3)
    fill(db, "b:", 3)
    older = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    newer = pymon("invalidate", "b:*", "--yes", "--json").told
    Path(newer["undo"]).write_bytes(content)
    ran = pymon("undo", "--yes", "--json")
    assert ran.told["run"] == older
    assert f"newer: run {newer['run']} can't be undone, can't read the trash" in ran.err
    assert len(keys_of(db)) == 3


def test_a_run_by_its_name_as_json(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 20)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    fill(db, "b:", 10)
    pymon("invalidate", "b:*", "--yes")
    told = pymon("undo", run, "--yes", "--json").told
    assert (told["run"], told["outcome"], told["total"], told["restored"]) == (run, "done", 20, 20)
    assert len(keys_of(db)) == 20


@pytest.mark.parametrize(("flags", "value"), [((), b"new"), (("--replace",), b"x" * 50)])
def test_a_newer_key_stays_unless_told(db: Redis, pymon: Command, flags: tuple[str, ...], value: bytes) -> None:
    fill(db, "a:", 3)
    pymon("invalidate", "a:*", "--yes")
    db.set("a:1", "new")
    ran = pymon("undo", "--yes", *flags)
    assert ran.code == 0
    assert ("skipped                 1   there by now or changed since, and left as they are" in ran.out) == (not flags)
    assert db.get("a:1") == value
    assert len(keys_of(db)) == 3


def test_what_an_undo_brought_back_that_nobody_knows_of_is_not_said_to_be_changed(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Journal.append

    def full(journal: Journal, kind: str, event: str, **told: Any) -> None:
        if kind == "undo":
            raise JournalError("can't write the journal", journal.folder, "the disk is full")
        append(journal, kind, event, **told)

    fill(db, "a:", 3)
    pymon("invalidate", "a:*", "--yes")
    with monkeypatch.context() as during:
        during.setattr(Journal, "append", full)
        assert "restored                3" in pymon("undo", "--yes").out
    ran = pymon("undo", "--yes")
    assert "skipped                 3   there by now or changed since, and left as they are" in ran.out
    assert len(keys_of(db)) == 3


@pytest.mark.parametrize(("answer", "code", "back"), [("y", 0, 3), ("n", 1, 0), ("", 1, 0)])
def test_a_person_is_asked(db: Redis, pymon: Command, answers: list[str], answer: str, code: int, back: int) -> None:
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    answers.append(answer)
    ran = pymon("undo")
    assert (ran.code, len(keys_of(db))) == (code, back)
    assert ran.err.startswith(f"run {run} of ")
    assert "  3 keys removed in db 0 on " in ran.err
    assert "newer keys: stay as they are" in ran.err


def test_nobody_to_ask_and_nothing_to_undo(db: Redis, pymon: Command) -> None:
    ran = pymon("undo", "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "the journal has no run on " in ran.err
    fill(db, "a:", 3)
    pymon("invalidate", "a:*", "--yes")
    ran = pymon("undo")
    assert ran.code == 2
    assert "to restore keys takes a yes" in ran.err
    assert pymon("undo", "20261122-120411-7c3f", "--yes").code == 2


def test_read_only_refuses(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    pymon("invalidate", "a:*", "--yes")
    ran = pymon("undo", "--yes", "--read-only")
    assert ran.code == 4
    assert "this is read-only" in ran.err
    assert keys_of(db) == set()


def test_what_was_not_kept_is_said(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    pymon("invalidate", "a:*", "--yes", "--no-undo")
    ran = pymon("undo", "--yes")
    assert ran.code == 4
    assert "can be undone; of the last one" in ran.err
    assert "it kept none" in ran.err
    fill(db, "a:", 3)
    pymon("invalidate", "a:*", "--yes")
    shutil.rmtree(state_folder() / "trash")
    ran = pymon("undo", "--yes")
    assert ran.code == 4
    assert "its undo was dropped for newer ones" in ran.err


def test_a_restarted_server_is_another_one(pymon: Command, own_server: StartServer) -> None:
    server = own_server()
    with Redis(unix_socket_path=server.socket) as client:
        fill(client, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json", socket=server.socket).told["run"]
    for named in (server.socket, ""):  # the journal knows the way
        assert f" undo {run}\n" in pymon("journal", run, socket=named).out
    server.stop()
    gone = pymon("journal", run, socket=server.socket).out
    assert "it can't be asked who answers now: no socket at" in gone
    assert "if another server process answers by then, undo with --elsewhere" in gone
    server.start()
    for named in (server.socket, ""):
        out = pymon("journal", run, socket=named).out
        assert f" undo {run} --elsewhere\n" in out
        assert "was restarted since the run, or another server answers there now" in out
    ran = pymon("undo", "--yes", socket=server.socket)
    assert ran.code == 4
    assert "--elsewhere" in ran.err
    assert pymon("undo", "--yes", "--elsewhere", socket=server.socket).code == 0
    with Redis(unix_socket_path=server.socket) as client:
        assert len(keys_of(client)) == 3


def test_what_would_be_evicted_is_said_before(db: Redis, pymon: Command, answers: list[str]) -> None:
    db.mset({f"a:{number}": "x" * 20_000 for number in range(200)})
    pymon("invalidate", "a:*", "--yes")
    db.mset({f"live:{number}": "x" * 20_000 for number in range(200)})
    db.config_set("maxmemory-policy", "allkeys-lru")
    db.config_set("maxmemory", int(db.info("memory")["used_memory"]) + 1_000_000)
    answers.append("n")
    asked = pymon("undo")
    assert (asked.code, asked.out) == (1, "")
    assert "left below maxmemory: about " in asked.err
    assert "keys are evicted for them (allkeys-lru)" in asked.err
    assert len(keys_of(db)) == 200
    ran = pymon("undo", "--yes", "--json")
    assert "keys are evicted for them (allkeys-lru)" in ran.err
    assert ran.told["evicted"] == db.info("stats")["evicted_keys"] > 0


def test_a_run_is_found_by_another_name_of_its_server(pymon: Command, own_server: StartServer) -> None:
    server = own_server(tcp=True)
    with Redis(port=server.port) as client:
        fill(client, "a:", 20)
        pymon("-h", "127.0.0.1", "-p", str(server.port), "invalidate", "a:*", "--yes", socket="")
        assert keys_of(client) == set()
        ran = pymon("-h", "localhost", "-p", str(server.port), "undo", "--yes", socket="")
        assert (ran.code, len(keys_of(client))) == (0, 20)


def test_a_failed_undo_bars_nothing(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 20)
    pymon("invalidate", "a:*", "--yes")
    db.execute_command("ACL", "SETUSER", "pymon", "reset", "on", "nopass", "~x:*", "+@all")  # type: ignore[no-untyped-call]
    failed = pymon("--user", "pymon", "undo", "--yes")
    assert failed.code == 1
    assert "RESTORE was refused for each of the first 20 keys" in failed.out
    assert pymon("undo", "--yes").code == 0
    assert len(keys_of(db)) == 20
    assert "undone already" in pymon("undo", "--yes").err


def test_a_key_that_can_t_come_back_is_listed(db: Redis, pymon: Command) -> None:
    fill(db, "a:x:", 3)
    db.set("a:secret", 1)
    pymon("invalidate", "a:*", "--yes")
    db.execute_command("ACL", "SETUSER", "pymon", "reset", "on", "nopass", "~a:x:*", "+@all")  # type: ignore[no-untyped-call]
    ran = pymon("--user", "pymon", "undo", "--yes")
    assert ran.code == 1
    assert "failed                  1" in ran.out
    assert "    a:secret: " in ran.out
    assert len(keys_of(db)) == 3


@pytest.mark.parametrize("named", [False, True])
def test_the_journal_is_read_from_its_end_to_where_the_run_began(
    db: Redis,
    pymon: Command,
    monkeypatch: pytest.MonkeyPatch,
    named: bool,  # noqa: FBT001
    answers: list[str],
) -> None:
    state_folder().mkdir(parents=True)
    older = '{"time":"2026-01-01T00:00:00Z","kind":"run","event":"started","run":"20260101-000000-0000","p":"%s"}\n'
    (state_folder() / "journal.jsonl").write_text((older % ("x" * 50_000)) * 400)
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    size, read = (state_folder() / "journal.jsonl").stat().st_size, []
    pread = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        read.append(length)
        return pread(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", counted)
    answers.append("n")
    assert pymon("undo", *((run,) if named else ())).code == 1
    assert sum(read) <= 8 * lines.BLOCK < size / 3


@pytest.mark.parametrize("asks", [True, False])
def test_what_nobody_knows_of_the_guard_rails_is_said(
    db: Redis,
    pymon: Command,
    tmp_path: Path,
    answers: list[str],
    asks: bool,  # noqa: FBT001 - pytest's
) -> None:
    """As in a plan: a production profile that goes through ssh may mean this server."""
    fill(db, "a:", 3)
    pymon("invalidate", "a:*", "--yes")
    (tmp_path / "config.toml").write_text('[profiles.far]\nurl = "ssh://me@b/127.0.0.1"\nenvironment = "production"\n')
    answers.append("y")
    ran = pymon("undo", *([] if asks else ["--yes"]))
    assert ran.code == 0
    assert "note: profile far: through ssh it can't be found out whether this is its server" in ran.err
