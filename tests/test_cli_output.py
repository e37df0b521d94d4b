"""A result that can't be written is one line on stderr and exit 1; one that can't be encoded is escaped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer

COMMANDS = {
    "once": ["once"],
    "once --json": ["once", "--json"],
    "doctor": ["doctor"],
    "doctor --json": ["doctor", "--json"],
    "acl": ["acl"],
    "acl --json": ["acl", "--json"],
    "journal": ["journal"],
    "journal --json": ["journal", "--json"],
    "dry run": ["invalidate", "a:*", "--dry-run", "--json"],
    "invalidate": ["invalidate", "a:*", "--yes"],
    "invalidate --json": ["invalidate", "a:*", "--yes", "--json"],
    "help": ["--help"],
    "version": ["--version"],
}
QUIET = ("help", "version")
"""What click prints by itself: nothing at all where stdout is closed."""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder for the journal."""
    return tmp_path


def ran(server: EmbeddedServer, state: Path, name: str, to: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """A command with its stdout where the shell's redirection leads."""
    command = [sys.executable, "-m", "pymon_tui", "-s", server.socket, *COMMANDS[name]]
    env = {**os.environ, "XDG_STATE_HOME": str(state), **environ}
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {to}', "sh", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=env,
        check=False,
    )


@pytest.mark.parametrize(("to", "why"), [(">&-", b"stdout is closed"), (">/dev/full", b"No space left on device")])
@pytest.mark.parametrize("name", COMMANDS)
async def test_a_result_that_cannot_be_written(
    server: EmbeddedServer, redis: Redis, state: Path, name: str, to: str, why: bytes
) -> None:
    await redis.set("a:1", "x")
    done = ran(server, state, name, to)
    if name in QUIET and to == ">&-":
        assert (done.returncode, done.stderr) == (0, b"")
        return
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == b"pymon-tui: the result can't be written to stdout: " + why


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in QUIET])
async def test_a_result_is_escaped_where_it_cannot_be_encoded(
    server: EmbeddedServer, redis: Redis, state: Path, name: str
) -> None:
    await redis.set("a:한글", "x")
    (state / "config.toml").write_text('[profiles."한글"]\n', encoding="utf-8")
    environ = {"PYTHONIOENCODING": "ascii", "PYMON_CONFIG": str(state / "config.toml"), "PYMON_PROFILE": "한글"}
    done = ran(server, state, name, "", **environ)
    assert done.returncode in (0, 1), done.stderr  # the doctor finds something to do
    assert b"Traceback" not in done.stderr
    text = done.stdout.decode("ascii")
    if "json" in name or name == "dry run":
        json.loads(text)
