"""What a server is called by whoever comes to it, by whichever door."""

from __future__ import annotations

from pathlib import Path

from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings.load import load
from pymon_tui.settings.meeting import meeting
from pymon_tui.settings.model import Settings

PROFILES = """
[profiles.prod]
environment = "Production"
host = "db.example"
[profiles.staging]
environment = "staging"
host = "staging.example"
"""


def settings_of(folder: Path, *, profile: str | None, url: str | None = None) -> Settings:
    config = folder / "config.toml"
    config.write_text(PROFILES)
    config.chmod(0o600)
    flags = {} if url is None else {"url": url}
    return load(flags, profile=profile, environ={}, dotenv=None, config=config, warn=lambda _: None)


def test_an_address_of_production_is_called_so(tmp_path: Path) -> None:
    name_of = meeting(settings_of(tmp_path, profile=None, url="db.example"), tmp_path)
    assert name_of(Endpoint(host="db.example"), "a") == "Production"
    assert name_of(Endpoint(host="db.example", port=6380), "a") is None


def test_a_process_that_production_led_to_is_called_so_by_every_door(tmp_path: Path) -> None:
    assert meeting(settings_of(tmp_path, profile="prod"), tmp_path)(Endpoint(host="db.example"), "a") == "Production"
    by_address = meeting(settings_of(tmp_path, profile=None, url="10.0.0.1"), tmp_path)
    assert by_address(Endpoint(host="10.0.0.1"), "a") == "Production"
    assert by_address(Endpoint(host="10.0.0.1"), "b") is None
    by_profile = meeting(settings_of(tmp_path, profile="staging"), tmp_path)
    assert by_profile(Endpoint(host="staging.example"), "a") == "Production"
    assert by_profile(Endpoint(host="staging.example"), "b") == "staging"


def test_only_production_is_remembered(tmp_path: Path) -> None:
    meeting(settings_of(tmp_path, profile="staging"), tmp_path)(Endpoint(host="staging.example"), "a")
    assert not (tmp_path / "servers.json").exists()
