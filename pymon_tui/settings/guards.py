"""The guard rails of every profile that calls its server production.

A profile may be wrong and is production all the same, for whoever comes by another door: each rail is read by itself,
and one that can't be read takes the strictest meaning there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.rules import Guard
from pymon_tui.model.environment import is_production
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import config_file
from pymon_tui.settings.levels import SETTABLE, Level, bind_credentials, level
from pymon_tui.settings.load import checked, file_of
from pymon_tui.settings.model import Profile, Settings
from pymon_tui.settings.patterns import take_protected
from pymon_tui.settings.problem import SettingsError

_STRICTEST: Mapping[str, Mapping[str, Any]] = {
    "max_keys": {"max_keys": 1, "type_above": 0},
    "type_above": {"type_above": 0},
    "ping_ceiling": {"ping_ceiling": 0.1},
    "rate": {"rate": 1},
    "read_only": {"read_only": True},
}
_KNOWN = SETTABLE | config_file.COMMANDS.keys() | {"name"}
_PLACE = ("url", "host", "port", "socket", "sentinels", "service", "ssh")
_REACHED = ("sentinel_user", "sentinel_password", "tls", "cacert", "cert", "key", "sni", "insecure", "map")
_SECRET_BEHIND = re.compile(r"[/?#].*@")
_TOP = "at the top of {}"
_PRODUCTION = "production"


@dataclass(slots=True)
class _Read:
    """What could be read of a profile's rails.

    Attributes:
        rails: Settings that are checked, by name.
        protected: Keys that are never touched.
        notes: What couldn't be read, a line each.
        forbids: Why nothing may be written; empty where it may.
    """

    rails: dict[str, Any] = field(default_factory=dict)
    protected: tuple[Pattern, ...] = ()
    notes: list[str] = field(default_factory=list)
    forbids: str = ""


def guards_of(settings: Settings) -> tuple[Guard, ...]:
    """What each of them asks for, in the order of the file, and what its top does where that names a server.

    Nothing else of a profile is judged, nor is any command run. Where the file can't be read any more, none of its
    production servers is written to.
    """
    known = [profile for profile in settings.profiles if is_production(profile.environment)]
    try:
        file = file_of(settings, lambda _warning: None)
    except SettingsError as error:
        return tuple(_shut(profile, error) for profile in known)
    top = file.defaults
    guards = [
        _guard(name, (table, top), environment, _endpoint_of((table, top)))
        for name, table in file.tables.items()
        if is_production(environment := _environment_of((table, top)))
    ]
    # Those that the file had when it was read first, and hasn't any more.
    guards += [
        replace(_guard(profile.name, (top,), profile.environment or "", None), address=profile.address)
        for profile in known
        if profile.name not in file.tables
    ]
    if is_production(environment := _environment_of((top,))) and not top.keys().isdisjoint(_PLACE):
        guards.append(_guard(_TOP.format(safe(file.path.name)), (top,), environment, _endpoint_of((top,))))
    return tuple(guards)


def guard_of_the_gone(settings: Settings) -> Guard:
    """What holds where a profile led that isn't there any more: the defaults, as for production; without a name."""
    try:
        tables = (file_of(settings, lambda _warning: None).defaults,)
    except SettingsError:
        tables = ({},)
    return _guard("", tables, _PRODUCTION, None)


def _guard(name: str, tables: Sequence[Mapping[str, Any]], environment: str, endpoint: Endpoint | None) -> Guard:
    """Of the tables that hold, the first above the others; ``endpoint`` is where they lead."""
    read = _read(name, tables)
    told = Settings(**read.rails)
    return Guard(
        profile=name,
        address=None if endpoint is None else endpoint.address,
        watched=None if endpoint is None or endpoint.service is None else endpoint,
        environment=environment,
        protected=read.protected,
        max_keys=told.max_keys,
        type_above=told.type_above,
        ceiling=told.ping_ceiling / 1000,
        rate=told.rate,
        read_only=told.read_only or bool(read.forbids),
        forbids=read.forbids,
        notes=tuple(read.notes),
    )


def _read(name: str, tables: Sequence[Mapping[str, Any]]) -> _Read:
    read = _Read()
    misspelled = {meant: each for table in tables for each in table if (meant := _meant(each)) is not None}
    for rail, strictest in _STRICTEST.items():
        value = next((table[rail] for table in tables if rail in table), None)
        if value is None and rail not in misspelled:
            continue
        try:
            if rail in misspelled:
                raise SettingsError(rail, "", f'"{safe(misspelled[rail], limit=60)}" is no setting')
            read.rails.setdefault(rail, getattr(checked([Level({rail: value}, {rail: ""})], Level({}, {})), rail))
        except SettingsError as error:
            read.rails |= strictest
            if rail == "read_only":
                read.forbids = f"profile {name}: {rail} can't be read: {error.problem}"
            read.notes.append(f"profile {name}: {rail} can't be read, so the strictest holds: {error.problem}")
    try:
        if "protected" in misspelled:
            raise SettingsError("protected", "", f'"{safe(misspelled["protected"], limit=60)}" is no setting')
        each = [{"protected": table["protected"]} for table in tables if "protected" in table]
        read.protected = tuple(take_protected([Level(values, {"protected": ""}) for values in each])[1])
    except SettingsError as error:
        read.forbids = f"profile {name}: protected can't be read: {error.problem}"
    return read


def _meant(name: str) -> str | None:
    """The setting that was probably meant by a name that is none; None where it is one, or none is near."""
    if name in _KNOWN:
        return None
    return next(iter(get_close_matches(name.lower(), _KNOWN, n=1)), None)


def _environment_of(tables: Sequence[Mapping[str, Any]]) -> str:
    """What the first of them says that says anything; production where that is no text."""
    for table in tables:
        told = [value for name, value in table.items() if name == "environment" or _meant(name) == "environment"]
        if told:
            texts = [value if isinstance(value, str) else _PRODUCTION for value in told]
            return next((text for text in texts if is_production(text)), texts[0])
    return ""


def _endpoint_of(tables: Sequence[Mapping[str, Any]]) -> Endpoint | None:
    """Where the server is, without its credentials; None where that can't be read."""
    for is_lenient in (False, True):
        try:
            levels = [_place(table, is_lenient=is_lenient) for table in tables]
            told = checked(bind_credentials(levels), Level({}, {}))
        except SettingsError:
            continue
        return None if told.sentinels and told.service is None else told.endpoint
    return None


def _place(table: Mapping[str, Any], *, is_lenient: bool) -> Level:
    """What names the server, and what its Sentinels are asked with."""
    names = _PLACE if is_lenient or "sentinels" not in table else _PLACE + _REACHED
    values = {name: table[name] for name in names if name in table}
    if is_lenient and isinstance(values.get("url"), str):
        values["url"] = _bare(values["url"])
    found = level(values, dict.fromkeys(values, ""))
    return replace(found, values={name: value for name, value in found.values.items() if name in (*names, "name")})


def _bare(text: str) -> str:
    """A URL without database and parameters, where it is clear what they are."""
    scheme, mark, rest = text.partition("://")
    if not mark or _SECRET_BEHIND.search(rest):
        return text
    path = re.split(r"[?#]", rest, maxsplit=1)[0]
    if scheme.lower() == "unix":
        return f"{scheme}://{path}"
    authority, _, far = path.partition("/")
    if scheme.lower() == "ssh":
        return f"{scheme}://{authority}/{far if far.startswith('/') else far.partition('/')[0]}"
    return f"{scheme}://{authority}"


def _shut(profile: Profile, error: SettingsError) -> Guard:
    strictest = {name: value for values in _STRICTEST.values() for name, value in values.items()}
    told = Settings(**strictest)
    return Guard(
        profile=profile.name,
        address=profile.address,
        environment=profile.environment or "",
        protected=(),
        max_keys=told.max_keys,
        type_above=told.type_above,
        ceiling=told.ping_ceiling / 1000,
        rate=told.rate,
        read_only=True,
        forbids=f"profile {profile.name}: its settings can't be read any more: {error}",
    )
