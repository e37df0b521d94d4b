"""The README's two commands, begun in a folder that holds the source alone."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pymon_tui import __version__

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
NEEDED = ("LICENSE", "README.md", "pymon_tui", "pyproject.toml", "uv.lock")
OURS = re.compile("PYTHON|VIRTUAL_ENV|XDG_|UV$|UV_PYTHON|UV_PROJECT|UV_RUN_")
"""What this run's own environment says to Python and uv, and the test's home."""
UNREACHED = re.compile("No matching distribution found for uv|[Tt]imed out|error sending request")


def _command(end: str) -> str:
    (command,) = re.findall(rf"^python3 .* {end}$", README, re.MULTILINE)
    return str(command)


@pytest.mark.skipif(importlib.util.find_spec("ensurepip") is None, reason="this Python can't make virtual environments")
def test_the_commands_begin_in_a_new_folder_one_after_the_other(tmp_path: Path) -> None:
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    demo = _ran(_command("pymon-tui demo").removesuffix("demo") + "--version", tmp_path)
    assert f"pymon-tui {__version__}" in demo
    (locked,) = re.findall(r'^name = "pytest"\nversion = "(.*)"$', (ROOT / "uv.lock").read_text(), re.MULTILINE)
    assert f"pytest {locked}" in _ran(_command("pytest") + " --version", tmp_path)


def _ran(command: str, folder: Path) -> list[str]:
    """The lines that a command prints in a folder. It uses the real user's caches of pip and uv."""
    env = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    env["PATH"] = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin"
    env["HOME"] = pwd.getpwuid(os.getuid()).pw_dir
    env |= {"PIP_RETRIES": "0", "PIP_DEFAULT_TIMEOUT": "15"}
    shell = ["/bin/sh", "-c", command]
    try:
        ran = subprocess.run(shell, cwd=folder, env=env, capture_output=True, text=True, timeout=75, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index is too slow")
    if ran.returncode and UNREACHED.search(ran.stderr):
        pytest.skip("no package index can be reached")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.splitlines() + ran.stderr.splitlines()


@pytest.mark.parametrize("file", ["README.md", ".ci/run"])
def test_pip_installs_into_a_virtual_environment_alone(file: str) -> None:
    if not (ROOT / file).exists():
        pytest.skip(f"{file} isn't in the sdist")
    calls = re.findall(r"(\S*\bpip3?) install", (ROOT / file).read_text(encoding="utf-8"))
    assert calls
    assert all(call.endswith("/bin/pip") for call in calls), calls


def test_what_the_commands_make_is_not_packaged() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".uv/", ".venv/"} <= set(ignored)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = settings["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    # Without the leading slash a pattern also matches inside a virtual environment that lies in the folder.
    assert [name for name in included if not name.startswith("/")] == []
