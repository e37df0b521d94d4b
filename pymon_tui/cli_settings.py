"""From the flags that click has read to settings; what is wrong with them is one line and exit code 2."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from pymon_tui import process_list

PROGRAM = "pymon-tui"
ADDRESS = "pymon_tui.address"
"""Key of click's meta: the server named before a subcommand."""

_DOTENV = Path(".env")


def given_of(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that stand on the command line; absent ones are left to the levels below."""
    return {name: value for name, value in flags.items() if value not in (None, False, ())}


def flags_of(ctx: click.Context, own: Mapping[str, Any], address: str | None) -> dict[str, Any]:
    """All flags before and after the subcommand, the later ones first in rank; an address becomes the URL.

    Raises:
        click.UsageError: If two of them name a server by its address.
    """
    flags: dict[str, Any] = ctx.obj | given_of(own)
    named = [text for text in (ctx.meta.get(ADDRESS), address, flags.get("url")) if text is not None]
    if len(named) > 1:
        raise click.UsageError("the server is named twice on the command line: name it once, by address or --url")
    return flags | ({"url": named[0]} if named else {})


def settings_of(
    given: Mapping[str, Any], *, environ: Mapping[str, str] = os.environ, dotenv: Path | None = _DOTENV
) -> Any:
    """The ``Settings`` of these flags, and of the environment and the files below them.

    Raises:
        click.UsageError: If one of them can't be used.
    """
    flags = dict(given)
    profile, config = flags.pop("profile", None), flags.pop("config", None)
    handed = process_list.handed_password()
    if flags.pop("askpass", False):
        flags["password"] = _ask_password()
    elif handed is not None:
        flags["password"] = handed
    with _one_line_errors():
        from pymon_tui.settings import load

        return load(
            flags=flags,
            profile=profile,
            environ=environ,
            dotenv=dotenv,
            config=None if config is None else Path(config),
            warn=say,
        )


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
    from pymon_tui.server.ssh_process import NoTunnel
    from pymon_tui.server.tunnel import open_on_terminal

    try:
        open_on_terminal(settings.endpoint, lambda line: click.echo(line, err=True))
    except NoTunnel as error:
        if insists or error.failure.trouble is Trouble.REFUSED:
            raise NoServer(str(error)) from None


def say(text: str) -> None:
    """One line on stderr."""
    click.echo(f"{PROGRAM}: {text}", err=True)


def _ask_password() -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("--askpass needs a terminal to ask on; without one use REDISCLI_AUTH")
    return getpass.getpass("Password: ")


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    # Plugins of pydantic that happen to be installed have no business here, and looking for them takes 20 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from pymon_tui.settings import SettingsError

    try:
        yield
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
