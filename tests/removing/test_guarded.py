"""Guard rails of production, whichever door leads to its server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.journal.folder import state_folder
from tests.conftest import StartServer
from tests.removing.conftest import Command
from tests.server.listening import until

PRODUCTION = '[profiles.prod]\nenvironment = "production"\nread_only = true\nprotected = ["session:*"]\n'


@pytest.fixture
def apart(own_server: StartServer) -> EmbeddedServer:
    server = own_server(tcp=True)
    with Redis(unix_socket_path=server.socket) as client:
        client.mset({f"session:{n}": "x" for n in range(11)})
    return server


def config_of(folder: Path, text: str) -> None:
    (folder / "config.toml").write_text(text)
    (folder / "config.toml").chmod(0o600)


@pytest.mark.parametrize("wrong", ['max_keys = "lots"', "rate = -1", "nonsense = 1", 'db = "x"', "channels = 7"])
def test_a_wrong_setting_of_production_takes_no_rail_away(
    pymon: Command, apart: EmbeddedServer, tmp_path: Path, wrong: str
) -> None:
    config_of(tmp_path, f'{PRODUCTION}host = "127.0.0.1"\nport = {apart.port}\n{wrong}\n')
    ran = pymon("-h", "localhost", "-p", str(apart.port), "invalidate", "session:*", "--yes", "--no-undo", socket="")
    assert ran.code == 4
    with Redis(unix_socket_path=apart.socket) as client:
        assert client.dbsize() == 11


def test_an_unreadable_database_does_not_hide_the_server(pymon: Command, apart: EmbeddedServer, tmp_path: Path) -> None:
    config_of(tmp_path, f'{PRODUCTION}url = "redis://127.0.0.1:{apart.port}/x"\n')
    ran = pymon("-h", "localhost", "-p", str(apart.port), "invalidate", "session:*", "--dry-run", "--json", socket="")
    assert ran.told["plan"]["environment"] == "production"


def test_protected_that_cannot_be_read_is_named_and_nothing_is_written(
    pymon: Command, apart: EmbeddedServer, tmp_path: Path
) -> None:
    text = f'[profiles.prod]\nenvironment = "production"\nhost = "127.0.0.1"\nport = {apart.port}\nprotected = 7\n'
    config_of(tmp_path, text)
    ran = pymon("-h", "localhost", "-p", str(apart.port), "invalidate", "session:*", "--yes", socket="")
    assert ran.code == 4
    assert ran.err.count("profile prod: protected can't be read") == 1
    with Redis(unix_socket_path=apart.socket) as client:
        assert client.dbsize() == 11


def test_after_a_failover_the_new_primary_is_guarded(
    pymon: Command, apart: EmbeddedServer, own_server: StartServer, tmp_path: Path
) -> None:
    other = own_server(tcp=True)
    with Redis(unix_socket_path=apart.socket) as former, Redis(unix_socket_path=other.socket) as now:
        former.replicaof("127.0.0.1", other.port)  # the profile leads to what is a replica by now
        asyncio.run(until(lambda: now.info("replication")["connected_slaves"] == 1))
        now.mset({f"session:{n}": "x" for n in range(11)})
        config_of(tmp_path, f'{PRODUCTION}host = "127.0.0.1"\nport = {apart.port}\n')
        ran = pymon("invalidate", "session:*", "--yes", "--no-undo", socket=other.socket)
        assert (ran.code, now.dbsize()) == (4, 11)


@pytest.mark.parametrize("command", ["once", "doctor"])
def test_a_server_that_a_profile_led_to_stays_production_when_the_profile_is_renamed(
    pymon: Command, apart: EmbeddedServer, tmp_path: Path, command: str
) -> None:
    config_of(tmp_path, f'[profiles.old-prod]\nenvironment = "production"\nport = {apart.port}\n')
    pymon("--profile", "old-prod", command, socket="")
    assert list(json.loads((state_folder() / "servers.json").read_text()).values()) == [["old-prod"]]
    config_of(tmp_path, f"[profiles.eu]\nport = {apart.port}\n")
    plan = pymon("--profile", "eu", "invalidate", "session:*", "--dry-run", "--json", socket="").told["plan"]
    assert (plan["environment"], plan["guarded_by"]) == ("production", ["old-prod"])
    assert plan["note"] == "last led to by profile old-prod, which isn't there any more"


@pytest.mark.parametrize("command", ["once", "doctor"])
def test_a_profile_that_is_not_production_is_not_noted(
    pymon: Command, apart: EmbeddedServer, tmp_path: Path, command: str
) -> None:
    config_of(tmp_path, f"[profiles.eu]\nport = {apart.port}\n")
    pymon("--profile", "eu", command, socket="")
    assert not (state_folder() / "servers.json").exists()
