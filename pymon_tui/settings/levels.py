"""One level of precedence: what it sets, and where each value was written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from pymon_tui.model.text import safe
from pymon_tui.server import url
from pymon_tui.settings.model import Settings
from pymon_tui.settings.problem import SettingsError, not_as_expected

SETTABLE = frozenset(Settings.model_fields) - {
    "config",
    "profiles",
    "presets",
    "name",
    "primary_known",
    "way",
    "protected_from",
} | {"url"}
"""What any level may set. ``url`` stands for its parts."""

_OF_THE_SERVER = frozenset({"url", "host", "port", "socket", "sentinels"})
_SECURED = re.compile("(rediss|valkeys)[:+]", re.IGNORECASE)
_CREDENTIALS = frozenset({"username", "password"})
_WAY = frozenset({"ssh"})
_NOT_AN_ADDRESS = frozenset("/@")
"""In a URL, a path or credentials, none of which is a host."""


@dataclass(frozen=True, slots=True)
class Level:
    """The settings of one level, a URL among them taken apart.

    Attributes:
        values: Values by setting; not checked, passwords as ``SecretStr``.
        origins: Where each value was written, by setting, as an error names it.
        from_url: The settings that come out of the level's URL.
        left_out: The parameters of that URL that only tune a client.
        problem: Why what this level says of the server can't be read; then its values say nothing of it.
        is_secured: Whether what can't be read asks for TLS.
    """

    values: Mapping[str, Any] = field(repr=False)
    origins: Mapping[str, str]
    from_url: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    problem: SettingsError | None = None
    is_secured: bool = False

    @property
    def server(self) -> str | None:
        """The socket or host this level names, or the Sentinels to ask for it; None where it names none of them."""
        if self.values.get("sentinels"):
            return f"sentinels {self.values['sentinels']}"
        named = self.values.get("socket") or self.values.get("host")
        return str(named) if named else None


def level(values: Mapping[str, Any], origins: Mapping[str, str]) -> Level:
    """A level from what is written there; settings of their own beat the parts of the URL beside them.

    A host may have its port with it, as ``host:port`` or ``[ipv6]:port``.

    Raises:
        SettingsError: If the URL can't be read, or the port beside the host, or there are two ports.
    """
    own = {name: value for name, value in values.items() if name != "url"}
    if (found := _host_and_port(own, origins)) is not None:
        own["host"], own["port"] = found
        origins = {**origins, "port": origins["host"]}
    address = _address(values["url"], origins["url"]) if "url" in values else url.Address()
    parts = address.named()
    if not own.keys().isdisjoint(("host", "port")):
        parts.pop("socket", None)
    if any(name in own and own[name] != parts.get(name) for name in ("host", "socket")):
        parts = {name: value for name, value in parts.items() if name not in _CREDENTIALS | _WAY}
    merged = parts | own
    where = dict.fromkeys(parts, origins.get("url", "")) | {name: origins[name] for name in own}
    for name in ("password", "sentinel_password"):
        if isinstance(merged.get(name), str):
            merged[name] = SecretStr(merged[name])
    merged = _what_it_replaces(merged, where) | merged
    return Level(merged, where, frozenset(parts) - frozenset(own), address.left_out)


def lower_level(values: Mapping[str, Any], origins: Mapping[str, str]) -> Level:
    """As ``level``, of one below the command line: what it says of the server isn't judged before it is wanted."""
    try:
        return level(values, origins)
    except SettingsError as error:
        others = {name: value for name, value in values.items() if name not in _OF_THE_SERVER}
        is_secured = bool(_SECURED.match(str(values.get("url"))))
        return replace(level(others, origins), problem=error, is_secured=is_secured)


def judge(levels: Sequence[Level]) -> None:
    """Let no level pass whose server can't be read, where that, or the TLS it asks for, would hold.

    Raises:
        SettingsError: For the first that would.
    """
    for place, one in enumerate(levels):
        above = levels[:place]
        is_replaced = any(each.server is not None for each in above)
        if one.problem is not None and not (
            is_replaced and (not one.is_secured or any("tls" in each.values for each in above))
        ):
            raise one.problem


def left_out(levels: Sequence[Level]) -> str | None:
    """What is to be told of the URL that names the server: what of it isn't used, for it only tunes a client."""
    named = next((one for one in levels if one.server is not None), None)
    if named is None or not named.left_out:
        return None
    names = ", ".join(safe(name, 40) for name in named.left_out)
    source = named.origins.get("host") or named.origins.get("socket") or "the URL"
    return f"{names} (from {source}): tuning of another client, which is left out here"


def _host_and_port(own: Mapping[str, Any], origins: Mapping[str, str]) -> tuple[str, int] | None:
    """What ``host:port`` says in place of a host; None where it is a host alone, or no address at all."""
    text = own.get("host")
    if not isinstance(text, str) or ":" not in text or not _NOT_AN_ADDRESS.isdisjoint(text):
        return None
    try:
        found = url.parse(text)
    except ValueError as error:
        raise SettingsError("host", origins["host"], str(error)) from None
    if found.host is None or found.port is None:
        return None
    if "port" in own:
        problem = f'"{text}" has a port, and {origins["port"]} says one as well: leave one of them out'
        raise SettingsError("host", origins["host"], problem)
    return found.host, found.port


def _what_it_replaces(merged: Mapping[str, Any], origins: Mapping[str, str]) -> dict[str, Any]:
    """What of the levels below doesn't hold any more, because this one names another server."""
    directly = next((name for name in ("host", "socket", "port") if merged.get(name) is not None), None)
    if merged.get("sentinels"):
        if directly is not None:
            problem = f"{origins[directly]} names a server as well: leave one of them out"
            raise SettingsError("sentinels", origins["sentinels"], problem)
        return {"socket": None, "name": None}
    if "socket" in merged:
        # What a lower level says of a TCP address is of no use to a socket.
        return {"tls": False, "name": None, "sentinels": ()}
    return {"socket": None, "name": None, "sentinels": ()} if directly is not None else {}


def bind_credentials(levels: Sequence[Level]) -> tuple[Level, ...]:
    """The levels without the credentials of a URL whose server isn't the one to connect to, and without its way.

    A password inside a URL is for that URL's server: ``-h other`` must not send it there. Nor is ``other`` to be
    looked for behind the bastion of that URL.
    """
    server = next((one.server for one in levels if one.server is not None), None)
    return tuple(_without_url_credentials(one) if one.server != server else one for one in levels)


def _without_url_credentials(one: Level) -> Level:
    dropped = (_CREDENTIALS | _WAY) & one.from_url
    return replace(one, values={name: value for name, value in one.values.items() if name not in dropped})


def _address(value: Any, source: str) -> url.Address:
    if not isinstance(value, str):
        raise not_as_expected("url", source, value)
    try:
        return url.parse(value)
    except ValueError as error:
        raise SettingsError("url", source, str(error)) from None
