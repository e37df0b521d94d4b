"""The guard rails of the profiles that call their server production."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.rules import Guard
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings.desk import desk_of
from pymon_tui.settings.guards import guards_of
from pymon_tui.settings.load import load
from pymon_tui.settings.model import Settings


def settings_of(folder: Path, text: str) -> Settings:
    config = folder / "config.toml"
    config.write_text(text)
    config.chmod(0o600)
    return load({}, profile=None, environ={}, dotenv=None, config=config, warn=lambda _: None)


def test_each_production_profile_has_its_own_over_those_at_the_top(tmp_path: Path) -> None:
    text = """
max_keys = 70
protected = ["session:*"]
[profiles.prod]
environment = "production"
host = "db.example"
type_above = 5
ping_ceiling = 2
protected = ["cart:*"]
[profiles.eu]
environment = "prod-eu"
host = "eu.example"
port = 6380
max_keys = 9
rate = 100
read_only = true
[profiles.staging]
environment = "staging"
host = "staging.example"
"""
    prod, eu = guards_of(settings_of(tmp_path, text))
    assert (prod.profile, prod.address, prod.environment) == ("prod", "db.example:6379", "production")
    assert (prod.max_keys, prod.type_above, prod.ceiling, prod.rate, prod.read_only) == (70, 5, 0.002, None, False)
    assert set(prod.protected) == {parse_pattern("cart:*"), parse_pattern("session:*")}
    assert (eu.profile, eu.address, eu.max_keys, eu.rate, eu.read_only) == ("eu", "eu.example:6380", 9, 100.0, True)


def test_a_profile_that_is_wrong_is_production_all_the_same(tmp_path: Path) -> None:
    text = '[profiles.prod]\nenvironment = "production"\nhost = "db.example"\nmax_keys = "many"\n'
    (guard,) = guards_of(settings_of(tmp_path, text))
    assert guard.address == "db.example:6379"
    assert (guard.max_keys, guard.type_above) == (1, 0)


RAILS = {"max_keys": "9", "type_above": "5", "ping_ceiling": "2", "rate": "100", "read_only": "false"}
"""Rails as they are written, each other than the default but for the last."""

READ: dict[str, object] = {"max_keys": 9, "type_above": 5, "ceiling": 0.002, "rate": 100.0, "read_only": False}
STRICT: dict[str, dict[str, object]] = {
    "max_keys": {"max_keys": 1, "type_above": 0},
    "type_above": {"type_above": 0},
    "ping_ceiling": {"ceiling": 0.0001},
    "rate": {"rate": 1.0},
    "read_only": {"read_only": True},
}


def told_by(guard: Guard) -> dict[str, object]:
    return {name: getattr(guard, name) for name in READ}


@pytest.mark.parametrize("rail", RAILS)
@pytest.mark.parametrize("wrong", ['"lots"', "-1", "[]", "misspelled"])
def test_a_rail_that_cannot_be_read_is_the_strictest_and_the_others_hold(tmp_path: Path, rail: str, wrong: str) -> None:
    written = RAILS | ({} if wrong == "misspelled" else {rail: wrong})
    lines = [
        f"{name if name != rail or wrong != 'misspelled' else name + 's'} = {value}" for name, value in written.items()
    ]
    text = "\n".join(
        ["[profiles.prod]", 'environment = "production"', 'protected = ["session:*"]', *lines, "nonsense = 1"]
    )
    (guard,) = guards_of(settings_of(tmp_path, text))
    assert told_by(guard) == READ | STRICT[rail]
    assert guard.protected == (parse_pattern("session:*"),)
    assert [note.split(",")[0] for note in guard.notes] == [f"profile prod: {rail} can't be read"]


@pytest.mark.parametrize("wrong", ["protected = 7", 'protected = "a;b"', "protected = [1]", 'protect = ["a:*"]'])
def test_what_is_protected_but_not_readable_lets_nothing_be_written(tmp_path: Path, wrong: str) -> None:
    settings = settings_of(tmp_path, f'[profiles.prod]\nenvironment = "production"\nmax_keys = 9\n{wrong}\n')
    (guard,) = guards_of(settings)
    assert (guard.read_only, guard.max_keys) == (True, 9)
    assert guard.forbids.startswith("profile prod: protected can't be read: ")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ('url = "redis://u:p@db.example:6380/x"', "db.example:6380"),
        ('url = "redis://db.example:6380/0?nonsense=1"', "db.example:6380"),
        ('url = "unix:///run/redis.sock?db=x"', "/run/redis.sock"),
        ('url = "ssh://bastion/db.example:6380/x"', "db.example:6380 via bastion"),
        ('url = "redis://db.example:x/0"', None),
        ('host = "db.example"\nport = "lots"', None),
        ('url = "redis://u/secret@db.example"', None),
        ('sentinels = ["a:1"]', None),
        ('db = "lots"', "top.example:6379"),
        ("port = 6380", "top.example:6380"),
    ],
)
def test_an_address_is_read_as_far_as_it_can_be(tmp_path: Path, written: str, address: str | None) -> None:
    text = f'host = "top.example"\n[profiles.prod]\nenvironment = "production"\n{written}\n'
    (guard,) = guards_of(settings_of(tmp_path, text))
    assert guard.address == address


def test_an_address_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, '[profiles.prod]\nenvironment = "production"\nport = "lots"\n')
    rules = desk_of(Endpoint(), settings, tmp_path).rules
    assert rules.noted(None) == "profile prod: its address can't be read, so its guard rails may be missing"


@pytest.mark.parametrize("written", ["environment = 7", 'enviroment = "production"'])
def test_an_environment_that_cannot_be_read_is_production(tmp_path: Path, written: str) -> None:
    (guard,) = guards_of(settings_of(tmp_path, f'[profiles.a]\n{written}\n[profiles.b]\nenvironment = "dev"\n'))
    assert guard.profile == "a"


def test_production_at_the_top_holds_for_each_profile_without_an_environment(tmp_path: Path) -> None:
    text = """
environment = "production"
url = "redis://top.example:1/0"
max_keys = 70
[profiles.eu]
host = "eu.example"
[profiles.dev]
environment = "dev"
host = "dev.example"
"""
    settings = settings_of(tmp_path, text)
    eu, top = guards_of(settings)
    assert (eu.profile, eu.address, eu.environment, eu.max_keys) == ("eu", "eu.example:1", "production", 70)
    assert (top.profile, top.address, top.max_keys) == ("at the top of config.toml", "top.example:1", 70)
    assert [profile.environment for profile in settings.profiles] == ["production", "dev"]


@pytest.mark.parametrize("by_now", ["[", None])
def test_a_file_that_is_lost_or_broken_meanwhile_takes_no_rail_away(tmp_path: Path, by_now: str | None) -> None:
    settings = settings_of(tmp_path, '[profiles.prod]\nenvironment = "production"\nhost = "db.example"\n')
    config = tmp_path / "config.toml"
    config.unlink() if by_now is None else config.write_text(by_now)
    (guard,) = guards_of(settings)
    assert (guard.profile, guard.address, guard.read_only) == ("prod", "db.example:6379", by_now is not None)


def test_no_command_of_a_profile_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f'[profiles.prod]\nenvironment = "production"\npassword_command = "touch {mark}"\n'
    assert len(guards_of(settings_of(tmp_path, text))) == 1
    assert not mark.exists()


def test_without_a_file_there_are_none() -> None:
    assert guards_of(Settings()) == ()


def test_a_pipe_that_told_the_settings_is_not_read_again(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'[profiles.prod]\nenvironment = "production"\nhost = "db.example"\nmax_keys = 9\n')
    os.close(writing)
    pipe = tmp_path / "pipe"  # a name of its own: the number of a descriptor comes back
    pipe.symlink_to(f"/dev/fd/{reading}")
    settings = load({}, profile=None, environ={}, dotenv=None, config=pipe, warn=lambda _: None)
    (guard,) = guards_of(settings)
    os.close(reading)
    assert (guard.profile, guard.max_keys) == ("prod", 9)
