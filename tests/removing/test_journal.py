"""``pymon-tui journal``: what was done, and how far what was cut off has come."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.journal.folder import state_folder
from pymon_tui.journal.journal import Journal
from tests.removing.conftest import Command, fill, keys_of
from tests.servers.ports import free_port

CUT_OFF = "20261122-120411-7c3f"


def cut_off(db: Redis, plan: dict[str, Any], **told: Any) -> None:
    """Write down a run on this server that was cut off after 100 keys, at the beginning of its second pass."""
    journal = Journal(state_folder())
    fields = {
        "run": CUT_OFF, "acl_user": "default", "server": "prod:6379", "node": "prod", "db": 0, "environment": None,
        "run_id": db.info("server")["run_id"],
        "mode": "unlink", "patterns": ["a:*"], "filters": {}, "protected": [], "preset": None,
        "options": Options().as_json(), "plan": plan, "planned": plan["matched"], "undo": None, "resumes": None,
        "named_up_to": 250_000, "pattern_index": 0, "cursor": 0,
    }  # fmt: skip
    journal.append("run", "started", **fields | told)
    counts = {"matched": 100, "removed": 100, "already_gone": 0, "protected": 0, "refused": 0, "unknown": 0}
    place = {"named_up_to": 250_100, "pattern_index": 0, "cursor": 0, "trash_bytes": 0}
    place["unkept_up_to"] = told.get("unkept_up_to", 0)
    journal.append("run", "progress", run=CUT_OFF, **counts, **place)


def printed(out: str, name: str) -> list[str]:
    """The words of the command that stands behind a name."""
    (line,) = (line for line in out.splitlines() if line.strip().startswith(f"{name} "))
    return shlex.split(line.strip().removeprefix(name))


def plan_of(pymon: Command, *arguments: str) -> dict[str, Any]:
    """The plan of a dry run."""
    plan: dict[str, Any] = pymon("invalidate", *arguments, "--dry-run", "--read-only", "--json").told["plan"]
    return plan


def test_nothing_yet(pymon: Command) -> None:
    ran = pymon("journal", socket="")
    assert (ran.code, ran.out) == (0, "nothing was done from here yet\n")
    ran = pymon("-h", "127.0.0.1", "-p", "1", "journal", socket="")
    assert (ran.code, ran.out) == (0, "nothing was done to 127.0.0.1:1 from here yet\n")
    assert pymon("journal", "--json").told == {"runs": [], "actions": [], "all": True}


def test_runs_undos_and_actions_newest_first(db: Redis, pymon: Command) -> None:
    Journal(state_folder()).append(
        "action", "done", name="kill", command="CLIENT KILL ID 7", node="prod\x1b[2J", server="prod:6379", answer="OK"
    )
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    pymon("undo", "--yes")
    pymon("invalidate", "a:*", "--dry-run")  # does nothing, and is not written down
    header, undo, undone, kill = pymon("journal", socket="").out.splitlines()
    assert header.split() == ["server", "run,", "or", "time", "(UTC)", "state", "keys", "what"]
    assert undo.split()[2:4] == ["done", "3"]
    assert undo.endswith(f"  undo of {run}")
    assert undone.split()[1:4] == [run, "undone", "3"]
    assert undone.endswith("  a:*")
    assert kill.startswith("prod\\x1b[2J ")
    assert kill.split()[3] == "done"
    assert kill.endswith("  CLIENT KILL ID 7")


def test_json_and_the_server_s_own(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    cut_off(db, {"matched": 0}, run_id="f" * 40)
    everything = pymon("journal", "--json", socket="").told
    assert [record["id"] for record in everything["runs"]] == [CUT_OFF, run]
    (own,) = pymon("journal", "--json").told["runs"]
    assert (own["id"], own["state"], own["removed_at_least"], own["patterns"]) == (run, "done", 3, ["a:*"])


def test_old_runs_go_and_what_can_be_undone_stays(db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYMON_JOURNAL_KEEP", "2")
    fill(db, "kept:", 3)
    kept = pymon("invalidate", "kept:*", "--yes", "--json").told["run"]
    runs = []
    for _ in range(5):
        fill(db, "a:", 3)
        runs.append(pymon("invalidate", "a:*", "--yes", "--no-undo", "--json").told["run"])
    assert [record["id"] for record in pymon("journal", "--json").told["runs"]] == [runs[4], runs[3], kept]
    undo = pymon("undo", kept, "--yes", "--json").told
    assert undo["restored"] == 3
    listed = pymon("journal", "--json", "--last", "1").told
    assert ([record["id"] for record in listed["runs"]], listed["all"]) == ([undo["undo"]], False)
    assert "these are the newest 1; more: --last N" in pymon("journal", "--last", "1").err


def test_a_journal_that_cannot_be_pruned_keeps_no_run_from_its_account(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYMON_JOURNAL_KEEP", "1")

    def fails(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pymon_tui.invalidation.tidying.trashed", fails)
    for _ in range(3):
        fill(db, "a:", 3)
        assert pymon("invalidate", "a:*", "--yes", "--no-undo", "--json").told["outcome"] == "done"
    assert len(pymon("journal", "--json").told["runs"]) == 3


def test_one_run_in_full(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    out = pymon("journal", run).out
    assert out.startswith(f"run {run}\n  state        done\n")
    assert (
        "  account      matched 3   removed 3   already gone 0   protected 0   refused 0   unknown 0   left 0\n" in out
    )
    assert printed(out, "undo")[-2:] == ["undo", run]
    told = pymon("journal", run, "--json").told
    assert (told["result"]["removed"], told["started"]["plan"]["matched"]) == (3, 3)
    ran = pymon("journal", "none")
    assert (ran.code, ran.out) == (2, "")


def test_what_was_cut_off_says_how_far_it_came(db: Redis, pymon: Command) -> None:
    cut_off(db, {"matched": 300, "bytes": 1000})
    (_, line) = pymon("journal", socket="").out.splitlines()
    assert line.split() == ["prod/0", CUT_OFF, "interrupted", "100", "to", "250", "100", "a:*"]
    out = pymon("journal", CUT_OFF).out
    assert "  state        interrupted\n" in out
    assert "  removed      100 to 250 100 keys\n" in out
    assert f"  go on        run {CUT_OFF} can't be taken up again: the journal lacks its plan\n" in out


@pytest.mark.parametrize(("flags", "typed"), [(("--yes",), ""), ((), "a:*")])
def test_what_was_cut_off_goes_on(
    db: Redis, pymon: Command, answers: list[str], flags: tuple[str, ...], typed: str
) -> None:
    fill(db, "a:", 300)
    cut_off(db, plan_of(pymon, "a:*"))
    db.delete(*(f"a:{number}" for number in range(100)))
    assert printed(pymon("journal", CUT_OFF).out, "go on")[-3:] == ["invalidate", "--resume", CUT_OFF]
    answers.append(typed)
    ran = pymon("invalidate", "--resume", CUT_OFF, *flags)
    assert ran.code == 0
    assert ("type a:* to go on with about 200 keys of " in ran.err) == (not flags)
    assert keys_of(db) == set()


def test_what_is_protected_by_now_stays(db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(db, "a:", 300)
    cut_off(db, plan_of(pymon, "a:*"))
    db.delete(*(f"a:{number}" for number in range(100)))
    monkeypatch.setenv("PYMON_PROTECTED", "a:207")
    assert pymon("invalidate", "--resume", CUT_OFF, "--yes", "--json").told["protected"] == 1
    assert keys_of(db) == {b"a:207"}


def test_where_only_what_is_protected_is_left_it_is_refused_as_a_plan(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, "a:", 300)
    cut_off(db, plan_of(pymon, "a:*"))
    db.delete(*(f"a:{number}" for number in range(100)))
    monkeypatch.setenv("PYMON_PROTECTED", "a:*")
    plan = pymon("invalidate", "a:*", "--yes", "--json")
    ran = pymon("invalidate", "--resume", CUT_OFF, "--yes", "--json")
    why = "all 200 keys that match are protected; nothing is removed"
    assert (plan.code, plan.told["why"]) == (ran.code, ran.told["why"]) == (4, why)
    assert (ran.told["outcome"], ran.told["matched"], ran.told["protected"]) == ("stopped", 0, 200)
    assert len(keys_of(db)) == 200
    told = pymon("journal", ran.told["run"], "--json").told
    assert (told["state"], told["why"]) == ("stopped", why)
    ran = pymon("invalidate", "--resume", CUT_OFF, "--yes")
    assert ran.code == 4
    assert why in ran.out
    assert "--resume" not in ran.out  # nobody is offered what would be refused once more
    refused = pymon("invalidate", "--resume", told["run"], "--yes")
    assert "all keys that it met were protected; make a new plan; there is nothing to resume" in refused.err
    # Once they may go, the run that was cut off can be gone on with.
    monkeypatch.delenv("PYMON_PROTECTED")
    assert pymon("invalidate", "--resume", CUT_OFF, "--yes").code == 0
    assert keys_of(db) == set()


def test_what_can_t_go_on(db: Redis, pymon: Command, answers: list[str]) -> None:
    fill(db, "a:", 3)
    run = pymon("invalidate", "a:*", "--yes", "--json").told["run"]
    assert "came to its end; there is nothing to resume" in pymon("invalidate", "--resume", run, "--yes").err
    fill(db, "a:", 300)
    cut_off(db, plan_of(pymon, "a:*"), run_id="f" * 40)
    ran = pymon("invalidate", "--resume", CUT_OFF, "--yes")
    assert ran.code == 4
    assert "another server process answers" in ran.err
    ran = pymon("invalidate", "--resume", CUT_OFF, "--yes", "--read-only")
    assert ran.code == 4
    answers.append("a:*")
    ran = pymon("invalidate", "--resume", CUT_OFF)
    assert (ran.code, answers) == (4, ["a:*"])  # nobody is asked for what can't be
    assert len(keys_of(db)) == 300


def test_more_keys_than_were_left_are_asked_about_and_nobody_says_yes(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 300)
    cut_off(db, plan_of(pymon, "a:*"))
    ran = pymon("invalidate", "--resume", CUT_OFF, "--yes")
    assert ran.code == 1
    assert ": stopped in " in ran.out
    assert "300 keys match by now, and the plan said 200" in ran.err
    assert "nobody is there to say so, and the run ends" in ran.err
    assert len(keys_of(db)) == 300


@pytest.fixture
def apart() -> Iterator[EmbeddedServer]:
    """A server of one test alone, on TCP too."""
    with EmbeddedServer(port=free_port()) as server:
        yield server


def test_one_server_has_one_journal_however_it_is_spelled(apart: EmbeddedServer, pymon: Command) -> None:
    port = str(apart.port)
    places = (("-h", "localhost", "-p", port), ("-p", port), ("-s", apart.socket))
    with Redis(unix_socket_path=apart.socket) as client:
        runs = []
        for place in places:
            fill(client, "a:", 3)
            runs.append(pymon(*place, "invalidate", "a:*", "--yes", "--json", socket="").told["run"])

    def listed(*place: str) -> list[str]:
        return [each["id"] for each in pymon(*place, "journal", "--json", socket="").told["runs"]]

    for place in (*places, ("-h", "::1", "-p", port)):
        assert listed(*place) == runs[::-1]
    apart.stop()
    for place in places:
        assert listed(*place) == runs[::-1]  # the socket by the process that both addresses led to
    assert listed("-p", "1") == []


def test_every_command_that_is_printed_works_as_it_is(apart: EmbeddedServer, pymon: Command, tmp_path: Path) -> None:
    with Redis(unix_socket_path=apart.socket) as client:
        fill(client, "a:", 3)
        url = f"redis://default:secret@localhost:{apart.port}/0"
        client.config_set("requirepass", "secret")
        ran = pymon("-u", url, "invalidate", "a:*", "--yes", socket="")
        assert "secret" not in ran.out + ran.err
        words = shlex.split(next(line for line in ran.out.splitlines() if " undo 2" in line).strip())
        assert words[:4] == ["pymon-tui", "-u", f"redis://default@localhost:{apart.port}/0", "--askpass"]
        client.config_set("requirepass", "")
        run = words[-1]
        told = pymon("journal", run, socket="").out
        assert printed(told, "undo") == words
        words.remove("--askpass")
        client.set("a:1", "newer")
        undone = pymon(*words[1:-2], *words[-2:], "--yes", socket="")
        assert undone.code == 0
        replacing = next(line for line in undone.out.splitlines() if "replaces what is there" in line)
        words = shlex.split(replacing.strip().removesuffix(" replaces what is there"))
        assert pymon(*words[1:], "--yes", socket="").code == 0
        assert client.get("a:1") == b"x" * 50


def test_a_list_says_what_only_got_an_end(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    pymon("invalidate", "a:*", "--expire", "100", "--yes")
    pymon("invalidate", "a:*", "--yes")
    _, removed, expiring = pymon("journal").out.splitlines()
    assert expiring.endswith("  expire a:*")
    assert removed.endswith("  a:*")
    assert "expire" not in removed
