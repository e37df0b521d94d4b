"""Settings from all levels: flags, then environment, then profile, then the file's defaults, then ours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from platformdirs import user_config_path
from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, InitSettingsSource

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.presets import with_built_in
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.way import words_of
from pymon_tui.settings import config_file, variable_names
from pymon_tui.settings.levels import SETTABLE, Level, bind_credentials, judge, left_out, level, lower_level
from pymon_tui.settings.lists import LISTS, of_flags
from pymon_tui.settings.model import Settings
from pymon_tui.settings.patterns import take_protected
from pymon_tui.settings.problem import SettingsError, not_as_expected

_VARIABLES = {f"PYMON_{name.upper()}": name for name in sorted(SETTABLE - {"keymap"})}
# What other programs read too; the variables of our own beat them.
_SHARED_VARIABLES = {"REDIS_URL": "url", "REDISCLI_AUTH": "password"}

_FLAGS = {
    "url": "the command line",
    "username": "--user",
    "password": "--askpass",
    "ping_ceiling": "--ceiling",
    "sentinels": "--sentinel",
    "sentinel_password": "--sentinel-askpass",
}
_TLS_ONLY = ("cacert", "cert", "key", "sni", "insecure")
_FILES = ("cacert", "cert", "key")


def load(
    flags: Mapping[str, Any],
    *,
    profile: str | None,
    environ: Mapping[str, str],
    dotenv: Path | None,
    config: Path | None,
    warn: Callable[[str], None],
    unused: Collection[str] = (),
) -> Settings:
    """Put the levels together and check them.

    A level that names another host or socket than a URL below it takes the URL's other parts but not its credentials.

    Args:
        flags: Settings from the command line by name, only those that were given; ``url`` is a URL or ``host:port``.
        profile: The profile to use, or None for what ``PYMON_PROFILE`` says.
        environ: The environment.
        dotenv: A file with variables that the environment lacks; it need not exist.
        config: The configuration file, or None for ``PYMON_CONFIG`` or the platform's place for it.
        warn: Told, in one line each, what works but should not stay as it is.
        unused: Settings that nobody will ask for, of which no variable is judged. With ``url`` among them a server is
            asked if one is named: a REDIS_URL that can't be read, which is another program's, then names none.

    Raises:
        SettingsError: For the first thing that is wrong.
    """
    variables = {name: (value, name) for name, value in environ.items() if value}
    spared = {name for name, setting in _VARIABLES.items() if setting in unused and setting != "url"}
    variables = {name: value for name, value in (_dotenv_variables(dotenv) | variables).items() if name not in spared}
    variable_names.judge(variables, _VARIABLES, warn)
    file = _config_file(config, environ, warn)
    chosen, asked_by = (profile, "--profile") if profile is not None else variables.get("PYMON_PROFILE", (None, ""))
    levels = [_flags_level(flags)]
    levels.append(_environment_level(variables))
    if chosen is not None:
        levels.append(file.profile(chosen, asked_by))
    levels.append(file.top())
    if "url" in unused:
        levels = _without_url_of_others(levels, warn)
    if chosen is not None and (source := _address_source(levels[1])) is not None and levels[0].server is None:
        warn(f'{source} names the server, and beats that of the profile "{safe(chosen)}"')
    named = None if config is None else str(config)
    return _settled(levels, file, warn).model_copy(update={"way": words_of(flags, profile=profile, config=named)})


def _without_url_of_others(levels: Sequence[Level], warn: Callable[[str], None]) -> list[Level]:
    """Where nothing but a REDIS_URL names a server, and that can't be read, no server is named."""
    kept = list(levels)
    for place, one in enumerate(levels):
        problem = one.problem
        if problem is not None and problem.source.startswith("REDIS_URL") and not any(each.server for each in levels):
            warn(f"{problem}; it is left out, for no server is needed here")
            kept[place] = replace(one, problem=None)
    return kept


def endpoint_of_profile(name: str, settings: Settings, warn: Callable[[str], None]) -> Endpoint:
    """The endpoint of ``settings_of_profile``."""
    return settings_of_profile(name, settings, warn).endpoint


def endpoint_of_url(text: str, settings: Settings, warn: Callable[[str], None]) -> Endpoint:
    """The endpoint of ``settings_of_url``."""
    return settings_of_url(text, settings, warn).endpoint


def settings_of_profile(name: str, settings: Settings, warn: Callable[[str], None]) -> Settings:
    """What a profile says of its server that a person chose from the list; flags and environment don't play in.

    What restrains the session goes on doing so: ``read_only`` and ``protected``.

    Blocks for as long as the profile's password command takes.

    Raises:
        SettingsError: If the profile isn't there any more, or something in it is wrong.
    """
    file = file_of(settings, warn)
    found = _settled([file.profile(name, "the list of profiles"), file.top()], file, warn)
    return _restrained(found, settings, words_of({}, profile=name, config=_config_of(settings)))


def settings_of_url(text: str, settings: Settings, warn: Callable[[str], None]) -> Settings:
    """What the file says of an address that a person typed or chose; flags and environment don't play in.

    An address without credentials that is the settings' own server has those settings, but for the database.
    What restrains the session goes on doing so, as with a profile.

    Raises:
        SettingsError: If it is no address, or the defaults in the file are wrong.
    """
    file = file_of(settings, warn)
    chosen = _settled([level({"url": text}, {"url": "the address"}), file.top()], file, warn)
    if chosen.endpoint.address == settings.endpoint.address and chosen.username is None and chosen.password is None:
        return settings.model_copy(update={"db": chosen.db})
    return _restrained(chosen, settings, words_of({"url": text}, config=_config_of(settings)))


def _config_of(settings: Settings) -> str | None:
    """The settings file that the command line named."""
    return next((word for flag, word in pairwise(settings.way) if flag == "--config"), None)


def _restrained(chosen: Settings, session: Settings, way: tuple[str, ...]) -> Settings:
    first, others = _origins(chosen), _origins(session)
    origins = first | {pattern: origin for pattern, origin in others.items() if pattern not in first}
    protected = {"protected": tuple(origins), "protected_from": tuple(origins.values())}
    read_only = chosen.read_only or session.read_only
    return chosen.model_copy(update={"read_only": read_only, "way": way} | protected)


def _origins(settings: Settings) -> dict[Pattern, str]:
    known = dict(zip(settings.protected, settings.protected_from, strict=False))
    return {pattern: known.get(pattern, "") for pattern in settings.protected}


def file_of(settings: Settings, warn: Callable[[str], None]) -> config_file.ConfigFile:
    """The configuration file that the settings come from; an empty one where there is none."""
    return (
        config_file.ConfigFile(Path(), {}, {}, ())
        if settings.config is None
        else config_file.read(settings.config, None, warn)
    )


def _settled(levels: Sequence[Level], file: config_file.ConfigFile, warn: Callable[[str], None]) -> Settings:
    judge(levels)
    if (told := left_out(levels)) is not None:
        warn(told)
    others, protected = take_protected(levels)
    found = {"protected": tuple(protected), "protected_from": tuple(protected.values())}
    of_file = {"config": file.path, "profiles": file.profiles(), "presets": with_built_in(file.presets)}
    settings = checked(_with_password(bind_credentials(others)), Level(of_file | found, {}))
    _check_tls(settings, levels)
    _check_service(settings, levels)
    return settings


def _address_source(one: Level) -> str | None:
    return next((one.origins[name] for name in ("sentinels", "socket", "host") if name in one.origins), None)


def _dotenv_variables(path: Path | None) -> dict[str, tuple[str, str]]:
    if path is None or not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8") as file:
            for told in parse_stream(file):
                if told.error and "PYMON" in told.original.string.upper():
                    raise SettingsError("variables", f"{path} line {told.original.line}", "write NAME=value")
        source = DotEnvSettingsSource(Settings, env_file=path, case_sensitive=True)
    except UnicodeDecodeError:
        raise SettingsError("variables", str(path), "should be UTF-8 text") from None
    except OSError as error:
        raise SettingsError("variables", str(path), f"cannot read it: {error.strerror}") from None
    return {name: (value, f"{name} in {path}") for name, value in source.env_vars.items() if value}


def _config_file(path: Path | None, environ: Mapping[str, str], warn: Callable[[str], None]) -> config_file.ConfigFile:
    if path is not None:
        return config_file.read(path.expanduser(), "--config", warn)
    # Not from a .env: one that lies in a stranger's folder could name a file with a password_command to run.
    if named := environ.get("PYMON_CONFIG"):
        return config_file.read(Path(named).expanduser(), "PYMON_CONFIG", warn)
    return config_file.read(user_config_path("pymon-tui") / "config.toml", None, warn)


def _flags_level(flags: Mapping[str, Any]) -> Level:
    origins = {name: _FLAGS.get(name, f"--{name.replace('_', '-')}") for name in flags}
    values = dict(flags)
    for name in LISTS & flags.keys():
        try:
            values[name] = of_flags(flags[name])
        except ValueError as error:
            raise SettingsError(name, origins[name], str(error)) from None
    return level(values, origins)


def _environment_level(variables: Mapping[str, tuple[str, str]]) -> Level:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for variable, setting in (*_SHARED_VARIABLES.items(), *_VARIABLES.items()):
        if variable in variables:
            values[setting], origins[setting] = variables[variable]
    return lower_level(values, origins)


def _with_password(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Run a password command if no level above it has the password; no level keeps the command itself."""
    done: list[Level] = []
    known: set[str] = set()
    for one in levels:
        values = dict(one.values)
        for setting, password in config_file.COMMANDS.items():
            command = values.pop(setting, None)
            known |= {password} & values.keys()
            if command is not None and password not in known:
                source = one.origins[setting]
                if not isinstance(command, str):
                    raise not_as_expected(setting, source, command)
                values[password] = config_file.run_password_command(command, source, setting)
                known.add(password)
        done.append(replace(one, values=values))
    return tuple(done)


def checked(levels: Sequence[Level], found: Level) -> Settings:
    """The settings of these levels, the first above all others, with what was found out above none.

    Raises:
        SettingsError: For the first value that isn't one.
    """
    sources = tuple(InitSettingsSource(Settings, dict(one.values)) for one in (*levels, found))
    # As a mapping: type checkers know only the fields as arguments of a model.
    arguments: dict[str, Any] = {"_build_sources": (sources, {})}
    try:
        return Settings(**arguments)
    except ValidationError as error:
        setting = str(error.errors(include_url=False, include_input=False, include_context=False)[0]["loc"][0])
        one = next(one for one in levels if setting in one.values)
        raise not_as_expected(setting, one.origins[setting], one.values[setting]) from None


def _check_service(settings: Settings, levels: Sequence[Level]) -> None:
    """Sentinels and the name of what they watch belong together."""
    if settings.sentinels and settings.service is None:
        source = next(one.origins["sentinels"] for one in levels if "sentinels" in one.origins)
        raise SettingsError("sentinels", source, "needs --service, the name that they watch the primary under")
    if not settings.sentinels and "service" in levels[0].origins:
        raise SettingsError("service", levels[0].origins["service"], "needs --sentinel: whom to ask for it")


def _check_tls(settings: Settings, levels: Sequence[Level]) -> None:
    if not settings.tls:
        for name in _TLS_ONLY:
            if name in levels[0].origins and name not in levels[0].from_url:
                raise SettingsError(name, levels[0].origins[name], "needs --tls, or a URL with rediss://")
        return
    if settings.socket is not None:
        source = next(one.origins["tls"] for one in levels if "tls" in one.origins)
        raise SettingsError("tls", source, "is for TCP, not for a unix socket")
    for name in _FILES:
        path = getattr(settings, name)
        if path is not None:
            source = next(one.origins[name] for one in levels if name in one.origins)
            try:
                Path(path).read_bytes()
            except OSError as error:
                raise SettingsError(name, source, f"cannot read {safe(path)}: {error.strerror}") from None
