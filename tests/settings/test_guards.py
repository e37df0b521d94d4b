"""The guard rails of the profiles that call their server production."""

from __future__ import annotations

from pathlib import Path

from pymon_tui.invalidation.pattern import parse_pattern
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
    assert guard.max_keys == Settings().max_keys


def test_no_command_of_a_profile_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f'[profiles.prod]\nenvironment = "production"\npassword_command = "touch {mark}"\n'
    assert len(guards_of(settings_of(tmp_path, text))) == 1
    assert not mark.exists()


def test_without_a_file_there_are_none() -> None:
    assert guards_of(Settings()) == ()
