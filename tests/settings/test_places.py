"""Sentinels and mapped addresses among the settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pymon_tui.model.deployment import Address
from pymon_tui.settings import Settings, SettingsError, load, settings_of_profile

SECRET = "hunter2"
A, B = Address("a", 26_379), Address("b", 7)
ANNOUNCED, REACHED = Address("10.0.0.5", 6379), Address("localhost", 7001)
PROFILE = f"""
[profiles.prod]
sentinels = ["a", "b:7"]
service = "main"
sentinel_password = "{SECRET}"
map = {{"10.0.0.5:6379" = "localhost:7001"}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.touch(mode=0o600)
    path.write_text(PROFILE)
    return path


def loaded(
    config: Path,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    profile: str | None = None,
) -> Settings:
    return load(flags or {}, profile=profile, environ=environ or {}, dotenv=None, config=config, warn=print)


@pytest.mark.parametrize(
    ("flags", "environ", "profile"),
    [
        ({"sentinels": ("a", "b:7"), "service": "main"}, {}, None),
        ({}, {"PYMON_SENTINELS": "a b:7", "PYMON_SERVICE": "main"}, None),
        ({"sentinels": ("a", "b:7"), "service": "main"}, {"PYMON_HOST": "h", "PYMON_SOCKET": "/s"}, None),
        ({}, {}, "prod"),
    ],
)
def test_sentinels_come_from_any_level(
    config: Path, flags: dict[str, Any], environ: dict[str, str], profile: str | None
) -> None:
    settings = loaded(config, flags, environ, profile=profile)
    service = settings.endpoint.service
    assert service is not None
    assert (service.sentinels, service.name, settings.explicit) == ((A, B), "main", True)
    assert settings.endpoint.socket is None


def test_a_profile_has_their_password_and_a_name(config: Path) -> None:
    settings = settings_of_profile("prod", loaded(config), print)
    service = settings.endpoint.service
    assert service is not None
    assert service.password is not None
    assert service.password.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert settings.endpoint.label == "prod"
    assert settings.profiles[0].address == "service main"


def test_their_password_can_be_a_commands(config: Path) -> None:
    config.write_text(PROFILE.replace("sentinel_password =", "sentinel_password_command =").replace(SECRET, "echo x"))
    password = loaded(config, profile="prod").sentinel_password
    assert password is not None
    assert password.get_secret_value() == "x"


@pytest.mark.parametrize("flags", [{"host": "h"}, {"port": "7"}, {"url": "redis://h"}, {"socket": "/s"}])
def test_a_server_that_is_named_above_them_is_the_server(config: Path, flags: dict[str, str]) -> None:
    settings = loaded(config, flags, profile="prod")
    assert (settings.endpoint.service, settings.name) == (None, None)


def test_the_password_of_a_url_goes_to_no_server_that_sentinels_name(config: Path) -> None:
    flags = {"sentinels": ("a",), "service": "main"}
    assert loaded(config, flags, {"REDIS_URL": f"redis://me:{SECRET}@h"}).endpoint.password is None


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"sentinels": ("a",)}, "needs --service"),
        ({"service": "main"}, "needs --sentinel"),
        ({"sentinels": ("a",), "service": "main", "host": "h"}, "--host names a server as well"),
        ({"sentinels": (f"redis://me:{SECRET}@a",), "service": "main"}, "should be places as"),
        ({"sentinels": ("a:0",), "service": "main"}, "should be places as"),
        ({"sentinels": 7, "service": "main"}, "should be places as"),
        ({"map": ("a:1",)}, "should be ANNOUNCED=REACHED"),
        ({"map": ("a=b:1",)}, "should be ANNOUNCED=REACHED"),
        ({"map": ("a:1=b:1", "a:1=b:2")}, "should be ANNOUNCED=REACHED"),
        ({"map": {"a:1": 7}}, "should be ANNOUNCED=REACHED"),
    ],
)
def test_what_is_wrong_is_one_line_without_secrets(config: Path, flags: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(config, flags)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "environ", "profile"),
    [
        ({"map": ("10.0.0.5:6379=localhost:7001",)}, {}, None),
        ({}, {"PYMON_MAP": "10.0.0.5:6379=localhost:7001"}, None),
        ({}, {}, "prod"),
    ],
)
def test_announced_addresses_are_mapped(
    config: Path, flags: dict[str, Any], environ: dict[str, str], profile: str | None
) -> None:
    endpoint = loaded(config, flags, environ, profile=profile).endpoint
    assert endpoint.mapped == ((ANNOUNCED, REACHED),)
    assert endpoint.at(Address("10.0.0.5", 6379)).address == "localhost:7001"
