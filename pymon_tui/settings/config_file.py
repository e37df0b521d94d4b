"""The configuration file: defaults at the top, named profiles, keys."""

from __future__ import annotations

import shlex
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pymon_tui.invalidation.presets import Preset
from pymon_tui.journal.folder import ABSENT
from pymon_tui.model.text import safe
from pymon_tui.server import url
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import patterns
from pymon_tui.settings.levels import SETTABLE, Level, level, lower_level
from pymon_tui.settings.model import Profile
from pymon_tui.settings.problem import SettingsError, no_such_setting

PASSWORD_COMMAND_SECONDS = 60.0
"""Long enough for a person to type a passphrase into a pinentry."""

COMMANDS = {"password_command": "password", "sentinel_password_command": "sentinel_password"}
"""What a file may have in place of a password: the command that prints it."""

_TOLD_ONCE: dict[Path, ConfigFile] = {}
"""What pipes told, as in ``--config <(pass show pymon)``: asked again they tell nothing, or never answer."""

_IN_FILE = SETTABLE | COMMANDS.keys()
_IN_PROFILE = _IN_FILE | {"name"}


@dataclass(frozen=True, slots=True, repr=False)
class ConfigFile:
    """What a configuration file says. It can hold passwords, so it has no ``repr``.

    Attributes:
        path: Where it is, or would be.
        defaults: The settings at the top of the file.
        tables: The settings of each profile by name.
        presets: The presets of one's own.
    """

    path: Path
    defaults: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Any]]
    presets: tuple[Preset, ...]

    def top(self) -> Level:
        """The lowest level: the settings at the top of the file.

        Raises:
            SettingsError: If a setting isn't known, or the URL can't be read.
        """
        return _level(self.defaults, _IN_FILE, str(self.path))

    def profile(self, name: str, asked_by: str) -> Level:
        """The level of one profile; ``asked_by`` says where the name was given.

        Raises:
            SettingsError: If there is no such profile, or one of its settings can't be read.
        """
        if name not in self.tables:
            known = f"it has: {', '.join(map(safe, self.tables))}" if self.tables else "it has no profiles"
            if not self.path.exists():
                known = "which does not exist"
            raise SettingsError("profile", asked_by, f'no profile "{safe(name)}" in {safe(str(self.path))}, {known}')
        return _level({"name": name} | dict(self.tables[name]), _IN_PROFILE, f"{self.path} [profiles.{name}]")

    def profiles(self) -> tuple[Profile, ...]:
        """All profiles in the order of the file, for a list to choose from."""
        return tuple(
            Profile(name, _address(table), _environment({**self.defaults, **table}))
            for name, table in self.tables.items()
        )


def read(path: Path, source: str | None, warn: Callable[[str], None]) -> ConfigFile:
    """Read a file; ``source`` says who asked for it, None that it may be absent.

    Args:
        path: The TOML file.
        source: ``--config`` or ``PYMON_CONFIG`` where the user named the file.
        warn: Told in one line when the file holds a password and others may read it.

    Raises:
        SettingsError: If the file can't be read, or isn't TOML of the right shape.
    """
    if (before := _TOLD_ONCE.get(path)) is not None:
        return before
    try:
        content = path.read_bytes()
    except ABSENT as error:
        if source is None:
            return ConfigFile(path, {}, {}, ())
        raise SettingsError("config", source, f"cannot read {safe(str(path))}: {error.strerror}") from None
    except OSError as error:
        raise SettingsError("config", source or str(path), f"cannot read {safe(str(path))}: {error.strerror}") from None
    try:
        document = tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise SettingsError("config", str(path), "should be UTF-8 text") from None
    except RecursionError:
        raise SettingsError("config", str(path), "is nested too deeply to be read") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("config", str(path), f"is not valid TOML: {error}") from None
    presets = patterns.presets(document.pop("presets", {}), str(path))
    tables = document.pop("profiles", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise SettingsError("profiles", str(path), "should be tables, as in [profiles.prod]")
    if path.stat().st_mode & 0o044 and any(map(_holds_password, (document, *tables.values()))):
        warn(f"{safe(str(path))} holds a password and others can read it; run: chmod 600 {shlex.quote(str(path))}")
    found = ConfigFile(path, document, tables, presets)
    if not path.is_file():
        _TOLD_ONCE[path] = found
    return found


def run_password_command(command: str, source: str, setting: str = "password_command") -> SecretStr:
    """The first line that a command prints, as ``pass show NAME`` does; it runs without a shell.

    Raises:
        SettingsError: If it can't be run, fails, takes more than a minute or prints nothing.
    """

    def error(problem: str) -> SettingsError:
        return SettingsError(setting, source, problem)

    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, timeout=PASSWORD_COMMAND_SECONDS, check=False, text=True
        )
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        raise error(f"cannot run it: {reason}") from None
    except subprocess.TimeoutExpired:
        raise error(f"gave no answer within {PASSWORD_COMMAND_SECONDS:.0f} s") from None
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing on stderr"])[-1]
        raise error(f"failed with exit code {done.returncode}: {safe(said, limit=120)}")
    password = (done.stdout.splitlines() or [""])[0]
    if not password:
        raise error("printed no password")
    return SecretStr(password)


def _level(table: Mapping[str, Any], known: frozenset[str], source: str) -> Level:
    for name in table:
        if name not in known:
            raise no_such_setting(name, source, known)
    return lower_level(table, dict.fromkeys(table, source))


def _holds_password(table: Mapping[str, Any]) -> bool:
    return (
        not table.keys().isdisjoint(COMMANDS.values()) or url.split_password(str(table.get("url", "")))[1] is not None
    )


def _address(table: Mapping[str, Any]) -> str | None:
    try:
        values = level(table, dict.fromkeys(table, "")).values
    except SettingsError:
        return None
    host, port = values.get("host", url.DEFAULT_HOST), values.get("port", url.DEFAULT_PORT)
    via = values.get("ssh") or None
    if values.get("sentinels"):
        return f"service {values.get('service')}" + (f" via {via}" if via else "")
    return Endpoint(host=str(host), port=port, socket=values.get("socket"), via=via and str(via)).address


def _environment(table: Mapping[str, Any]) -> str | None:
    environment = table.get("environment")
    return environment if isinstance(environment, str) else None
