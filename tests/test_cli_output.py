"""A result that can't be written is one line on stderr and exit 1; one that can't be encoded is escaped."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.cli import cli
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.journal.journal import Journal
from tests.forked import completed
from tests.ui.pty_run import PtyRun

EARLIER = "20261122-120411-7c3f"
COMMANDS = {
    "once": ["once"],
    "once --json": ["once", "--json"],
    "doctor": ["doctor"],
    "doctor --json": ["doctor", "--json"],
    "acl": ["acl"],
    "acl --json": ["acl", "--json"],
    "journal": ["journal"],
    "journal --json": ["journal", "--json"],
    "journal RUN": ["journal", EARLIER],
    "journal RUN --json": ["journal", EARLIER, "--json"],
    "dry run": ["invalidate", "a:*", "--dry-run"],
    "dry run --json": ["invalidate", "a:*", "--dry-run", "--json"],
    "nothing": ["invalidate", "b:*", "--yes"],
    "nothing --json": ["invalidate", "b:*", "--yes", "--json"],
    "refused --json": ["invalidate", "a:*", "--yes", "--json", "--read-only", "--dry-run"],
    "invalidate": ["invalidate", "a:*", "--yes"],
    "invalidate --json": ["invalidate", "a:*", "--yes", "--json"],
    "undo": ["undo", "--yes"],
    "undo --json": ["undo", "--yes", "--json"],
}
CLICK = {"help": ["--help"], "version": ["--version"], "invalidate --help": ["invalidate", "--help"]}
"""What click prints by itself, the same way for each command."""
COMPLETION = {
    f"{what} {shell}": {"_PYMON_TUI_COMPLETE": f"{shell}_{what}", "COMP_WORDS": "pymon-tui inv", "COMP_CWORD": "1"}
    for shell in ("bash", "zsh")
    for what in ("source", "complete")
}
"""What click prints where the shell asks it to complete, by the environment that it is asked with."""

ACTS = ("invalidate", "invalidate --json", "undo", "undo --json")

FULL_AND_CLOSED = pytest.mark.parametrize(
    ("to", "why"),
    [(">&-", b"stdout is closed"), (">/dev/full", b"No space left on device"), ("| true", b"Broken pipe")],
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder for the journal, which has a run by then."""
    journal = Journal(tmp_path / "pymon-tui")
    journal.append("run", "started", run=EARLIER, server="10.0.0.1:6379", node="한글", patterns=["a:*"], db=0)
    return tmp_path


def ran(
    server: EmbeddedServer, state: Path, arguments: list[str], to: str, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """A command with its stdout where the shell's redirection leads; ``once`` by an interpreter of its own."""
    env = {**os.environ, "XDG_STATE_HOME": str(state), "PYMON_SOCKET": server.socket, **environ}
    how = partial(completed, *arguments, environ=env, anew=arguments[:1] == ["once"])
    if to == ">&-":
        return how(stdout=-1)
    if not to:
        return how()
    if to == "| true":
        reads, writes = os.pipe()
        os.close(reads)
        try:
            return how(stdout=writes)
        finally:
            os.close(writes)
    with open(to.removeprefix(">"), "wb") as stdout:
        return how(stdout=stdout.fileno())


def assert_said(done: subprocess.CompletedProcess[bytes], why: bytes) -> None:
    """Exit 1 and, at the end of stderr, one line."""
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert done.stderr.splitlines()[-1] == b"pymon-tui: the result can't be written to stdout: " + why


def test_every_command_that_prints_is_tried() -> None:
    """The monitor and the demo draw on the terminal; the pictures take minutes, and print one line at their end."""
    tried = {arguments[0] for arguments in COMMANDS.values()}
    assert tried == set(cli.commands) - {"demo", "screenshots"}


@FULL_AND_CLOSED
@pytest.mark.parametrize("name", COMMANDS)
async def test_a_result_that_cannot_be_written(
    server: EmbeddedServer, redis: Redis, state: Path, name: str, to: str, why: bytes
) -> None:
    await redis.set("a:1", "x")
    if COMMANDS[name][0] == "undo":
        assert ran(server, state, COMMANDS["invalidate"], "").returncode == 0
    done = ran(server, state, COMMANDS[name], to)
    assert_said(done, why)
    if name in ACTS:
        # What was done is known all the same: the keys are gone, or back, and the run has its name.
        (last, *_) = [line for line in done.stderr.decode().splitlines() if " tells all of it" in line]
        (newest, *_) = json.loads(ran(server, state, ["journal", "--json"], "").stdout)["runs"]
        assert newest["id"] in last
        assert newest["removed_at_least"] == 1
        assert await redis.exists("a:1") == (COMMANDS[name][0] == "undo")
    else:
        assert len(done.stderr.splitlines()) == (2 if "nothing" in name else 1)


@FULL_AND_CLOSED
@pytest.mark.parametrize("name", CLICK)
def test_what_click_prints_and_cannot_be_written(
    server: EmbeddedServer, state: Path, name: str, to: str, why: bytes
) -> None:
    done = ran(server, state, CLICK[name], to)
    assert_said(done, why)
    assert len(done.stderr.splitlines()) == 1


@FULL_AND_CLOSED
@pytest.mark.parametrize("name", COMPLETION)
def test_a_completion_that_cannot_be_written(
    server: EmbeddedServer, state: Path, name: str, to: str, why: bytes
) -> None:
    assert ran(server, state, [], "", **COMPLETION[name]).stdout
    done = ran(server, state, [], to, **COMPLETION[name])
    assert_said(done, why)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("name", [*COMMANDS, *CLICK, *COMPLETION])
async def test_a_result_is_escaped_where_it_cannot_be_encoded(
    server: EmbeddedServer, redis: Redis, state: Path, name: str, encoding: str
) -> None:
    await redis.set("a:한글", "x")
    (state / "config.toml").write_text('[profiles."한글"]\n', encoding="utf-8")
    environ = {"PYTHONIOENCODING": encoding, "PYMON_CONFIG": str(state / "config.toml"), "PYMON_PROFILE": "한글"}
    if name.startswith("undo") and name in COMMANDS:
        assert ran(server, state, COMMANDS["invalidate"], "", **environ).returncode == 0
    done = ran(server, state, (COMMANDS | CLICK).get(name, []), "", **environ, **COMPLETION.get(name, {}))
    assert done.returncode in (0, 1), done.stderr  # the doctor finds something to do
    assert b"Traceback" not in done.stderr
    done.stderr.decode(encoding)
    text = done.stdout.decode(encoding)
    assert text
    if "--json" in name:
        json.loads(text)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("arguments", [[], ["demo"]], ids=["monitor", "demo"])
def test_the_monitor_says_what_to_do_where_it_cannot_draw(
    server: EmbeddedServer, arguments: list[str], encoding: str
) -> None:
    environ = {"PYTHONIOENCODING": encoding, "PYMON_SOCKET": server.socket}
    with PtyRun(arguments, environ=environ) as run:
        assert run.ended() == 2
    said, name = run.output.decode("ascii").strip(), codecs.lookup(encoding).name
    assert said == (
        f"pymon-tui: the monitor draws in UTF-8, and PYTHONIOENCODING says {name}; if the terminal can: "
        "PYTHONIOENCODING=utf-8; for one reading as text: pymon-tui once"
    )
