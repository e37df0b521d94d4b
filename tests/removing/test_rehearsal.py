"""A dry run says what the run of the same options would."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from tests.removing.conftest import Command, fill, keys_of, let


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that finds no room doesn't wait for some."""
    monkeypatch.setattr("pymon_tui.invalidation.headroom.PATIENCE", 0.2)


def _nothing(_: Redis) -> None:
    """The keys as they are."""


def _big(db: Redis) -> None:
    db.set("a:big", "x" * 20_000)


def _full(db: Redis) -> None:
    """There are a few hundred bytes of room until maxmemory, and nothing is evicted."""
    db.set("a:filling", os.urandom(1_000_000))
    db.config_set("maxmemory-policy", "noeviction")
    db.config_set("maxmemory", db.info("memory")["used_memory"] + 100_000)


def without_sizes(told: Any) -> str:
    """What is told but for its numbers: how well a sample's dumps are compressed differs from one plan to the next."""
    return re.sub(r"\d+( \d{3})*(\.\d+)?( [KM]iB| B)?", "#", json.dumps(told))


@pytest.mark.parametrize("yes", [(), ("--yes",)])
@pytest.mark.parametrize("flags", [(), ("--no-undo",), ("--expire", "60")])
@pytest.mark.parametrize(
    ("prepare", "setting"),
    [
        (_nothing, {}),
        (_nothing, {"PYMON_TYPE_ABOVE": "2"}),
        (_nothing, {"PYMON_MAX_KEYS": "2"}),
        (_nothing, {"PYMON_TRASH_SIZE": "60B"}),
        (_nothing, {"PYMON_TRASH_SIZE": "0"}),
        (_nothing, {"PYMON_PROTECTED": "a:*"}),
        (_big, {"PYMON_TRASH_KEY_SIZE": "10KiB"}),
        (_full, {}),
    ],
)
def test_it_is_judged_as_the_run(
    db: Redis,
    pymon: Command,
    answers: list[str],
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Redis], None],
    setting: dict[str, str],
    flags: tuple[str, ...],
    yes: tuple[str, ...],
) -> None:
    fill(db, "a:", 30)
    prepare(db)
    before = keys_of(db)
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    dry = pymon("invalidate", "a:*", "--json", "--dry-run", *flags, *yes)
    assert keys_of(db) == before
    answers.append("n")
    run = pymon("invalidate", "a:*", "--json", *flags, *yes)
    rehearsed, judged = dry.told, run.told
    assert without_sizes(rehearsed["verdict"]) == without_sizes(judged["verdict"])
    lost = judged["verdict"]["undo"]["lost_keys"]
    assert rehearsed["verdict"]["undo"]["lost_keys"] == pytest.approx(lost, abs=2)
    assert (dry.code == 4) == (run.code == 4) == (rehearsed["verdict"]["may"] == "refused")
    if dry.code == 4:
        assert rehearsed["outcome"] is None
        assert without_sizes(rehearsed["why"]) == without_sizes(judged["why"])
        assert without_sizes(dry.err.splitlines()[-1]) == without_sizes(run.err.splitlines()[-1])


def test_room_is_warned_of_alike(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 30)
    _full(db)
    (warning,) = pymon("invalidate", "a:*", "--json", "--dry-run").told["plan"]["warnings"]
    assert "of room are left until maxmemory" in warning
    assert "of room are left until maxmemory" in pymon("invalidate", "a:*", "--yes", "--json").err


def test_a_key_that_is_too_big_goes_for_good_and_that_is_said_before(
    db: Redis, pymon: Command, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = "would be gone for good: 1 key over 10.0 KiB isn't kept (trash_key_size)"
    monkeypatch.setenv("PYMON_TRASH_KEY_SIZE", "10KiB")
    fill(db, "a:", 3)
    _big(db)
    for flags in ((), ("--dry-run",)):
        ran = pymon("invalidate", "a:big", "--yes", *flags)
        assert ran.code == 4
        assert "1 key over 10.0 KiB isn't kept (trash_key_size)" in ran.err
        assert "without an undo: --no-undo" in ran.err
    dry = pymon("invalidate", "a:*", "--yes", "--dry-run")
    assert (dry.code, lost in " ".join(dry.out.split())) == (0, True)
    assert len(keys_of(db)) == 4
    ran = pymon("invalidate", "a:*", "--yes")
    assert (ran.code, lost in ran.err) == (0, True)
    assert keys_of(db) == set()
    _big(db)
    fill(db, "a:", 3)
    answers.append("a:*")
    assert pymon("invalidate", "a:*").code == 0
    assert keys_of(db) == set()
    _big(db)
    assert pymon("invalidate", "a:*", "--yes", "--no-undo").code == 0
    assert keys_of(db) == set()


@pytest.mark.needs("acl|dryrun")
def test_what_is_known_of_a_sample_is_no_exact_figure(db: Redis, pymon: Command) -> None:
    fill(db, "feed:", 300)
    let(db, "~feed:1*", "+@all", "-dump")
    asked = ("--user", "pymon", "invalidate", "feed:*", "--no-undo", "--dry-run")
    told = pymon(*asked, "--json").told
    rights = told["plan"]["rights"]
    assert (told["matched"], rights["asked"]) == (300, 100)
    assert 30 < rights["refused"] < 95  # of 300 keys 189 are refused
    assert told["refused"] is None
    refused = 3 * rights["refused"]
    out = pymon(*asked).out
    _, _, account = out.partition("dry run: done")
    if f"{rights['refused']} of 100 keys" in out:  # the sample is the same, unless SCAN began elsewhere
        assert f"would remove         ~{300 - refused}\n" in account
        assert f"refused              ~{refused}   by {rights['refused']} of 100 keys asked about\n" in account
    assert "  refused                 0" not in account
    assert pymon("--user", "pymon", "invalidate", "feed:*", "--dry-run").code == 4


@pytest.mark.needs("acl|dryrun")
@pytest.mark.parametrize(
    ("count", "rules", "lines", "refused"),
    [
        (7, ("%R~*", "%W~a:1"), ("would remove            1", "refused                 6"), 6),
        (7, ("~*",), ("would remove            7", "refused                 0"), 0),
        (70, ("~*",), ("would remove           70", "refused                 0   of 10 keys asked about"), None),
        (7, ("~*", "-acl"), ("would remove            7", "refused         not known before"), None),
    ],
)
def test_rights_are_exact_where_each_key_was_asked_about(
    db: Redis, pymon: Command, count: int, rules: tuple[str, ...], lines: tuple[str, ...], refused: int | None
) -> None:
    fill(db, "a:", count)
    let(db, "+@all", *rules)
    asked = ("--user", "pymon", "invalidate", "a:*", "--dry-run")
    out = pymon(*asked).out
    for line in lines:
        assert f"  {line}" in out
    told = pymon(*asked, "--json").told
    rights = told["verdict"]["rights"]
    assert (told["refused"], told["plan"]["rights"]) == (refused, rights)
    by = "command" if "-acl" in rules else "keys"
    assert (rights["by"], rights["refused"]) == (by, refused or 0)
    assert (rights["asked"] == 0) == (by == "command")


@pytest.mark.needs("acl|dryrun")
@pytest.mark.parametrize("patterns", [("a:*", "b:*"), ("b:*", "a:*")])
@pytest.mark.parametrize("most", ["a:", "b:"])
def test_rights_are_asked_of_keys_of_every_kind(
    db: Redis, pymon: Command, patterns: tuple[str, str], most: str
) -> None:
    fill(db, "a:", 10)
    fill(db, "b:", 10)
    fill(db, f"{most}more:", 1_500)
    let(db, "~a:*", "%R~b:*", "+@all")
    told = pymon("--user", "pymon", "invalidate", *patterns, "--dry-run", "--json").told
    rights = told["plan"]["rights"]
    assert rights["asked"] in (10, 100)  # ten that may all be removed are enough
    if most == "b:":
        assert rights["asked"] == 100
        assert rights["refused"] > 80
    else:
        assert rights["refused"] <= 20


@pytest.mark.needs("acl|dryrun")
@pytest.mark.parametrize(
    ("flags", "lacks", "says"),
    [
        ((), "-time", "TIME is refused"),
        ((), "-restore", "RESTORE is refused"),
        (("--expire", "60"), "-time", "TIME is refused"),
        (("--expire", "60"), "-persist", "PERSIST is refused"),
        (("--expire", "60"), "-pexpiretime", "PEXPIRETIME is refused"),
        (("--expire", "60"), "-pexpireat", "PEXPIREAT is refused"),
    ],
)
def test_what_the_undo_asks_is_asked_for_before(
    db: Redis, pymon: Command, flags: tuple[str, ...], lacks: str, says: str
) -> None:
    fill(db, "a:", 20)
    let(db, "~*", "+@all", lacks)
    for run in (("--dry-run",), ("--yes",)):
        ran = pymon("--user", "pymon", "invalidate", "a:*", *flags, *run)
        assert ran.code == 4
        assert says in ran.err
    assert len(keys_of(db)) == 20
    assert db.ttl("a:1") == -1


@pytest.mark.parametrize(
    ("settings", "says"),
    [({}, "a run asks for a yes"), ({"PYMON_TYPE_ABOVE": "2"}, "type a:*: over 2 keys go")],
)
def test_it_says_how_the_run_is_confirmed(
    db: Redis, pymon: Command, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], says: str
) -> None:
    fill(db, "a:", 3)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert f"  confirm    {says}\n" in pymon("invalidate", "zzz:*", "a:*", "--dry-run").out


def test_under_read_only_it_says_that_a_run_would_be_refused(db: Redis, pymon: Command) -> None:
    fill(db, "a:", 3)
    ran = pymon("invalidate", "a:*", "--dry-run", "--read-only", "--json")
    assert (ran.code, ran.told["verdict"]["may"]) == (0, "begin")
    assert ran.told["verdict"]["why"] == "a run would be refused: this is read-only"
    assert "a run would be refused: this is read-only" in pymon("invalidate", "a:*", "--dry-run", "--read-only").out


@pytest.mark.needs("acl|dryrun")
@pytest.mark.parametrize(("matches", "rules", "by"), [(1, "-acl", "command"), (0, "-acl", "nothing"), (1, "", "keys")])
def test_rights_tell_what_was_asked(db: Redis, pymon: Command, matches: int, rules: str, by: str) -> None:
    """Allowed, and never asked: the counts are 0 of both."""
    fill(db, "a:" if matches else "b:", 1)
    let(db, "~*", "+@all", *rules.split())
    told = pymon("--user", "pymon", "invalidate", "a:*", "--yes", "--json").told
    assert told["verdict"]["rights"] == {"asked": int(by == "keys"), "refused": 0, "by": by}
    assert told["removed"] == matches
