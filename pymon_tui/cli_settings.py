"""From the flags that click has read to settings; what is wrong with them is one line and exit code 2."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pymon_tui import process_list, tty
from pymon_tui.model.text import safe
from pymon_tui.options import SectionOption, connection_options
from pymon_tui.server.deferred_packages import defer_redis

PROGRAM = "pymon-tui"
ADDRESS = "pymon_tui.address"
"""Key of click's meta: the server named before a subcommand."""

_DOTENV = Path(".env")
_LONGEST = 2_000  # characters of a line on stderr


def given_of(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that stand on the command line; absent ones are left to the levels below."""
    return {name: value for name, value in flags.items() if value not in (None, False, ())}


def flags_of(ctx: click.Context, own: Mapping[str, Any], address: str | None) -> dict[str, Any]:
    """All flags before and after the subcommand; an address becomes the URL.

    Raises:
        click.UsageError: If two of them name a server by its address, or one that has one value has two.
    """
    before, after = ctx.obj, given_of(own)
    for option in ctx.command.params:
        name = option.name or ""
        if isinstance(option, SectionOption) and name in before and name in after and before[name] != after[name]:
            if option.once:
                raise option.given_twice(ctx)
            if option.multiple:
                after[name] = tuple(dict.fromkeys((*before[name], *after[name])))
    flags: dict[str, Any] = before | after
    named = [text for text in (ctx.meta.get(ADDRESS), address, flags.get("url")) if text is not None]
    if len(named) > 1:
        raise click.UsageError("the server is named twice on the command line: name it once, by address or --url")
    return flags | ({"url": named[0]} if named else {})


def settings_of(
    given: Mapping[str, Any],
    *,
    environ: Mapping[str, str] = os.environ,
    dotenv: Path | None = _DOTENV,
    unused: Collection[str] = (),
) -> Any:
    """The ``Settings`` of these flags, and of the environment and the files below them; of ``unused``, as ``load``.

    Raises:
        click.UsageError: If one of them can't be used.
    """
    flags = dict(given)
    profiles, config = tuple(dict.fromkeys(flags.pop("profile", ()))), flags.pop("config", None)
    if len(profiles) > 1:
        raise click.UsageError("several profiles are for the monitor, as tabs; name one here")
    profile = profiles[0] if profiles else None
    handed, user = process_list.handed_password(), process_list.handed_user()
    if user is not None:
        flags.setdefault("username", user)
    if flags.pop("sentinel_askpass", False):
        flags["sentinel_password"] = _ask_password("--sentinel-askpass", "Password of the Sentinels: ")
    if flags.pop("askpass", False):
        flags["password"] = _ask_password("--askpass", f"Password of {profile}: " if profile else "Password: ")
    elif handed is not None:
        flags["password"] = handed
    with _one_line_errors():
        from pymon_tui.settings import load

        settings = load(
            flags=flags,
            profile=profile,
            environ=environ,
            dotenv=dotenv,
            config=None if config is None else Path(config),
            warn=say,
            unused=unused,
        )
    if user is not None and settings.password is None:
        say(
            'what stands before "@" in a URL is the user, and no password was given; one is redis://:PASSWORD@HOST, '
            "REDISCLI_AUTH or --askpass (it is hidden from ps, for it may be meant for one)"
        )
    if not settings.endpoint.is_verified:
        who = settings.endpoint.label
        say(f"TLS with {who} is not verified (--insecure): whoever is in between can read and change all of it")
    return settings


def all_settings_of(given: Mapping[str, Any]) -> tuple[Any, ...]:
    """The ``Settings`` of each profile that is named, or the one of none.

    Raises:
        click.UsageError: If one of them can't be used, or the server is named by its address beside several profiles.
    """
    profiles = tuple(dict.fromkeys(given.get("profile", ())))
    if len(profiles) < 2:
        return (settings_of(given),)
    named = [name for name in ("host", "port", "socket", "url", "sentinels", "service") if name in given]
    if named:
        raise click.UsageError("several profiles name several servers; leave out the address of one")
    return tuple(settings_of({**given, "profile": (name,)}) for name in profiles)


class NoServer(click.ClickException):
    """No server could be reached; the message is one line."""

    exit_code = 3


def open_ssh(settings: Any, *, insists: bool) -> None:
    """Where the server is reached through ssh, let that ask what it has to while the terminal is still free.

    Args:
        settings: The ``Settings``.
        insists: Whether every failure ends the command, and not only one that time doesn't heal.

    Raises:
        NoServer: If ssh doesn't get through.
    """
    if settings.ssh is None:
        return
    from pymon_tui.model.link import Trouble
    from pymon_tui.server.sentinel import sentinel_at
    from pymon_tui.server.ssh_process import NoTunnel
    from pymon_tui.server.tunnel import open_on_terminal

    endpoint = settings.endpoint
    service = endpoint.service
    asked = [sentinel_at(endpoint, service, place) for place in service.sentinels] if service else [endpoint]
    failed = None
    for one in asked:
        try:
            open_on_terminal(one, tty.tell)
        except NoTunnel as error:
            failed = error
        else:
            return  # one Sentinel that tells is enough
    if failed is not None and (insists or failed.failure.trouble is Trouble.REFUSED):
        raise NoServer(str(failed)) from None


def at_primary(settings: Any) -> Any:
    """The settings of the server itself: where Sentinels are named they are asked, and the present primary is it.

    Raises:
        NoServer: If none of them tells, or none of the primaries that they name is reached and is one.
    """
    service = settings.endpoint.service
    if service is None:
        return settings
    import asyncio

    from pymon_tui.model.link import Trouble
    from pymon_tui.server.opinions import namings, proved
    from pymon_tui.server.reasons import LinkError

    failure = None
    try:
        endpoint = settings.endpoint
        for naming in asyncio.run(namings(endpoint, service)):
            there = endpoint.at(naming.primary)
            known = {"primary_known": True, "host": there.host, "port": there.port, "socket": None}
            found = settings.model_copy(update=known)
            try:
                open_ssh(found, insists=True)
                asyncio.run(proved(endpoint, service, naming))
            except (NoServer, LinkError) as error:
                failure = failure or str(error)
                if isinstance(error, LinkError) and error.trouble is Trouble.LOCKED:
                    break
            else:
                return found
    except LinkError as error:
        failure = str(error)
    except KeyboardInterrupt:
        raise click.Abort from None
    raise NoServer(failure or "no Sentinel names a primary")


_MAY_ASK = ("--profile", "--ssh", "--askpass", "--sentinel-askpass")


def settings_at(named: Any, way: Sequence[str]) -> Any:
    """The settings of the server that a way leads to, by a look in passing; or in words why it can't be asked.

    Args:
        named: Those of the server that was named; None where none was.
        way: The words that led to it then. Nobody is asked for a password for that, by us, ssh or a password command.
    """
    try:
        if named is None:
            if not way or (asks := [word for word in way if word in _MAY_ASK]):
                return f"{asks[0]} may have to ask for something; name the server" if way else "name the server"
            words = click.Command("way", params=connection_options()).make_context("way", list(way))
            named = settings_of(given_of(words.params))
        return "it is behind ssh" if named.ssh is not None else at_primary(named)
    except click.ClickException as error:
        return " ".join(error.format_message().split())


def say(text: str) -> None:
    """One line on stderr; what is repeated of the command line may have been pasted from anywhere."""
    tty.tell(f"{PROGRAM}: {safe(text, _LONGEST)}")


def _ask_password(flag: str, prompt: str) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        variable = "REDISCLI_AUTH" if flag == "--askpass" else "PYMON_SENTINEL_PASSWORD"
        raise click.UsageError(f"{flag} needs a terminal to ask on; without one use {variable}")
    return getpass.getpass(prompt)


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    # Plugins of pydantic that happen to be installed have no business here, and looking for them takes 20 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    defer_redis()
    from pymon_tui.settings import SettingsError

    try:
        yield
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
