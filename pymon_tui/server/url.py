"""Server addresses as people write them: URLs, ``host:port``, the path of a socket.

Standard library only: the command line takes a password out of its arguments with this, before anything is loaded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pymon_tui.server import ssh, url_parameters

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 6379

_TCP = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}
_UNIX = ("unix", "redis+unix")
SCHEMES = (*_TCP, *_UNIX)
_SSH = "ssh"
_SSH_FORM = "ssh://[USER@]BASTION[:PORT]/HOST[:PORT][/DB]"

_PASSWORD = re.compile(rf"^((?:{'|'.join(map(re.escape, SCHEMES))})://[^:/?#@]*):([^/?#]+)@")
_USER = re.compile(rf"^((?:{'|'.join(map(re.escape, SCHEMES))})://)([^:/?#@]+):?@")
# Wider than what a URL allows: what is shown hides the password even when it breaks the URL.
_SECRETS = re.compile(r"(^[^:]*:(?!//)|^[^:]*://[^:]*:).*@|([?&]password=)[^&#]*", re.IGNORECASE | re.DOTALL)
_NOT_A_HOST = re.compile(r"[\s/@?#\[\]\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Address:
    """What an address names; None is what it leaves open.

    A URL names its server wholly (port 6379 and database 0 where it says nothing), a bare ``host`` only the host.
    ``password`` is plain text, and hidden from ``repr``. ``left_out`` are the parameters of a URL that only tune a
    client.
    """

    host: str | None = None
    port: int | None = None
    socket: str | None = None
    db: int | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool | None = None
    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool | None = None
    ssh: str | None = None
    left_out: tuple[str, ...] = ()

    def named(self) -> dict[str, Any]:
        """The parts that are named, under the names of the settings."""
        parts = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "left_out"}
        return {name: value for name, value in parts.items() if value is not None}


def parse(text: str) -> Address:
    """Read a URL, ``host``, ``host:port``, ``[ipv6]:port`` or ``/path/to/socket``.

    Raises:
        ValueError: With one line that says what is wrong; it shows the text with its password as ``***``.
    """
    if any(ord(character) < 0x21 or ord(character) == 0x7F for character in text):
        raise ValueError("an address has no blanks or control characters; in a password they are percent-encoded")
    if "://" in text:
        return _url(text)
    if "@" in text:
        raise ValueError(f'"{redact(text)}" has credentials, so it needs a scheme, as in redis://user@host')
    if text.startswith("/"):
        return Address(socket=text)
    if text.count(":") > 1 and not text.startswith("["):
        return Address(host=host(text))  # IPv6 without brackets cannot carry a port
    name, bracket, rest = text.rpartition("]")
    shown_host, colon, port = (name + bracket, rest[:1], rest[1:]) if bracket else text.partition(":")
    if colon not in ("", ":"):
        raise ValueError(f'"{redact(text)}" should be [IPv6]:PORT')
    return Address(host=host(shown_host), port=_port(port, text) if colon else None)


def host(text: str) -> str:
    """A host name or address, an IPv6 address without its brackets.

    Raises:
        ValueError: If it cannot be one.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not bare or _NOT_A_HOST.search(bare):
        raise ValueError("should be a host name or an IP address")
    return bare


def place(text: str, default_port: int | None) -> tuple[str, int]:
    """Read ``HOST:PORT``, IPv6 in brackets; the port may be left out where there is a default.

    Raises:
        ValueError: If it is anything else.
    """
    found = parse(text) if not any(mark in text for mark in ("/", "@")) else Address()
    port = found.port or default_port
    if found.host is None or port is None:
        raise ValueError(f'"{redact(text)}" should be HOST:PORT')
    return found.host, port


def redact(text: str) -> str:
    """The text with every password in it as ``***``, however broken it is as a URL."""
    return _SECRETS.sub(lambda found: f"{found[1]}***@" if found[1] is not None else f"{found[2]}***", text)


def split_password(text: str) -> tuple[str, str | None]:
    """A URL without its password, and the password (decoded), or None where there is none."""
    found = _PASSWORD.match(text)
    if found is None:
        return text, None
    return f"{found[1]}@{text[found.end() :]}", unquote(found[2])


def split_user(text: str) -> tuple[str, str | None]:
    """A URL without its user, and the user (decoded), where it has one and no password: that may be meant for one."""
    found = _USER.match(text)
    if found is None:
        return text, None
    return f"{found[1]}{text[found.end() :]}", unquote(found[2])


def without_credentials(*, host: str, port: int, socket: str | None, db: int, secure: bool, via: str | None) -> str:
    """A URL that leads back to a server, through ssh if need be, and says nothing of who speaks to the server."""
    if socket is not None and via is not None:
        return f"{_SSH}://{via}/{quote(socket)}" + (f"?db={db}" if db else "")
    if socket is not None:
        return f"unix://{quote(socket)}" + (f"?db={db}" if db else "")
    shown = f"[{host}]" if ":" in host else host
    if via is not None:
        return f"{_SSH}://{via}/{shown}:{port}" + (f"/{db}" if db else "") + ("?tls=true" if secure else "")
    return f"{'rediss' if secure else 'redis'}://{shown}:{port}" + (f"/{db}" if db else "")


def _url(text: str) -> Address:
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme == _SSH:
        return _through_ssh(text, rest)
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in (*SCHEMES, _SSH))
        raise ValueError(f'"{redact(text)}" should start with one of {known}')
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" not in authority and "@" in rest and (scheme in _TCP or authority):
        raise ValueError(f'"{redact(text)}": write "/", "?" and "#" in a password as %2F, %3F and %23')
    if "#" in rest:
        raise ValueError(f'"{redact(text)}" has a "#", which leads nowhere in the address of a server')
    credentials, _, _ = authority.rpartition("@")
    username, _, password = credentials.partition(":")
    address = _query(text, rest)
    named = {
        **address,
        "username": unquote(username) or None,
        "password": unquote(password) or None,
        "db": address.get("db", 0),
    }
    if scheme in _UNIX:
        path = unquote(re.split(r"[?]", rest[len(authority) :], maxsplit=1)[0])
        if not path.startswith("/") or path == "/" or authority.rpartition("@")[2]:
            raise ValueError(f'"{redact(text)}" should hold a whole path, as in unix:///run/redis.sock')
        return Address(**named, socket=path, tls=False)
    return _tcp(text, scheme, named, has_db="db" in address)


def _tcp(text: str, scheme: str, named: dict[str, Any], *, has_db: bool) -> Address:
    try:
        split = urlsplit(text)
        port = split.port if split.port is not None else DEFAULT_PORT
        name = host(unquote(split.hostname)) if split.hostname else DEFAULT_HOST
    except ValueError:
        # urllib's own messages can quote the user and the password.
        raise ValueError(f'"{redact(text)}" should be {scheme}://HOST:PORT, with a port from 1 to 65535') from None
    if port == 0:
        raise ValueError(f'"{redact(text)}" should have a port from 1 to 65535')
    path = split.path.strip("/")
    if path and not has_db:
        named["db"] = _db(path, text)
    return Address(**named, host=name, port=port, tls=_TCP[scheme])


def _through_ssh(text: str, rest: str) -> Address:
    authority, _, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    try:
        via = ssh.place(unquote(authority))
    except ValueError as error:
        raise ValueError(f'"{redact(text)}" should be {_SSH_FORM}: {error}') from None
    if "@" in path or "#" in rest:
        raise ValueError(
            f'"{redact(text)}" should be {_SSH_FORM}, and the user of Redis in --user, its password in REDISCLI_AUTH'
        )
    address = {"db": 0} | _query(text, rest)
    if path.startswith("/"):
        return Address(**address, ssh=str(via), socket=unquote(path), tls=False)
    name, _, db = path.partition("/")
    far = parse(unquote(name)) if name else Address()
    if db:
        address["db"] = _db(db, text)
    return Address(**address, ssh=str(via), host=far.host or DEFAULT_HOST, port=far.port or DEFAULT_PORT)


def _query(text: str, rest: str) -> dict[str, Any]:
    through_ssh = text.lower().startswith(f"{_SSH}://")
    try:
        parts, left_out = url_parameters.read(rest.partition("?")[2], through_ssh=through_ssh)
    except ValueError as error:
        raise ValueError(f'"{redact(text)}" {error}') from None
    return {**parts, "left_out": left_out}


def _db(value: str, text: str) -> int:
    try:
        return url_parameters.database(value)
    except ValueError as error:
        raise ValueError(f'"{redact(text)}" {error}') from None


def _port(value: str, text: str) -> int:
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 65535):
        raise ValueError(f'"{redact(text)}" should have a port from 1 to 65535')
    return int(value)
