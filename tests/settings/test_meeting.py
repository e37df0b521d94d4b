"""What a server is called by whoever comes to it, by whichever door."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymon_tui.readings.info import Info
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings.load import load
from pymon_tui.settings.meeting import meeting
from pymon_tui.settings.model import Settings

PROFILES = """
[profiles.prod]
environment = "Production"
host = "127.0.0.1"
[profiles.staging]
environment = "staging"
host = "10.0.0.2"
"""


def settings_of(folder: Path, *, profile: str | None, url: str | None = None) -> Settings:
    config = folder / "config.toml"
    config.write_text(PROFILES)
    config.chmod(0o600)
    flags = {} if url is None else {"url": url}
    return load(flags, profile=profile, environ={}, dotenv=None, config=config, warn=lambda _: None)


async def name_of(settings: Settings, folder: Path, host: str, run_id: str, port: int = 6379) -> str | None:
    terms = await meeting(settings, folder)(Endpoint(host=host, port=port), Info({"run_id": run_id}), far=False)
    return terms.environment


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_an_address_of_production_is_called_so_however_it_is_spelled(tmp_path: Path, host: str) -> None:
    settings = settings_of(tmp_path, profile=None, url=host)
    assert await name_of(settings, tmp_path, host.strip("[]"), "a") == "Production"
    assert await name_of(settings, tmp_path, host.strip("[]"), "a", 6380) is None


async def test_a_process_that_production_led_to_is_called_so_by_every_door(tmp_path: Path) -> None:
    assert await name_of(settings_of(tmp_path, profile="prod"), tmp_path, "127.0.0.1", "a") == "Production"
    by_address = settings_of(tmp_path, profile=None, url="10.0.0.1")
    assert await name_of(by_address, tmp_path, "10.0.0.1", "a") == "Production"
    assert await name_of(by_address, tmp_path, "10.0.0.1", "b") is None
    by_profile = settings_of(tmp_path, profile="staging")
    assert await name_of(by_profile, tmp_path, "10.0.0.2", "a") == "Production"
    assert await name_of(by_profile, tmp_path, "10.0.0.2", "b") == "staging"


async def test_only_production_is_remembered(tmp_path: Path) -> None:
    assert await name_of(settings_of(tmp_path, profile="staging"), tmp_path, "10.0.0.2", "a") == "staging"
    assert not (tmp_path / "servers.json").exists()


async def test_without_a_guard_nothing_is_looked_up(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[profiles.staging]\nenvironment = "staging"\nread_only = true\n')
    config.chmod(0o600)
    settings = load({}, profile="staging", environ={}, dotenv=None, config=config, warn=lambda _: None)
    terms = await meeting(settings, tmp_path)(Endpoint(), Info({}), far=False)
    assert (terms.environment, terms.forbids) == ("staging", "this is read-only")
