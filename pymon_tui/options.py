"""The flags, and how help lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from pymon_tui import redis_cli

_SERVER = "Connection"


class SectionOption(click.Option):
    """An option that knows its section of the help, and isn't given two values where it has one.

    Args:
        last_wins: Whether the last of several values is meant, as where an alias of the shell has one of its own. Not
            where it matters which: the server, the keys, the limits.
    """

    def __init__(self, *declarations: str, section: str, last_wins: bool = False, **attributes: Any) -> None:
        super().__init__(list(declarations), **attributes)
        self.section = section
        self.once = not (last_wins or self.multiple or self.is_flag or self.count)

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        values = opts.get(self.name or "")
        if self.section == _SERVER and isinstance(values, list) and "" in values:
            raise click.UsageError(f"{self.opts[-1]} is given without a value; leave it out, or say which", ctx)
        if not self.once or not isinstance(values, list):
            return super().handle_parse_result(ctx, opts, args)
        if len(set(values)) > 1:  # the same is given again by an alias, and by the commands that an account prints
            raise self.given_twice(ctx)
        return super().handle_parse_result(ctx, {**opts, str(self.name): values[0]}, args)

    def given_twice(self, ctx: click.Context) -> click.UsageError:
        """That it has two values, before the subcommand or after it."""
        return click.UsageError(f"{self.opts[-1]} is given twice; one value is meant", ctx)

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Have the parser keep each value that is given, where there should be one."""
        self.multiple, multiple = self.once or self.multiple, self.multiple
        try:
            super().add_to_parser(parser, ctx)
        finally:
            self.multiple = multiple


class SectionedCommand(click.Command):
    """A command whose help lists its options in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "section", "Options"), []).append(record)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def _choices(*names: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    # Not click.Choice: what is wrong is said by the settings, which know where a value comes from.
    def complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def _one_of(*names: str) -> dict[str, Any]:
    """Of an option that says how the monitor looks."""
    return {"shell_complete": _choices(*names), "last_wins": True}


def connection_options() -> list[click.Parameter]:
    """Flags that name the server; those of redis-cli keep its letters."""

    def option(*declarations: str, text: str, **attributes: Any) -> SectionOption:
        return SectionOption(*declarations, section=_SERVER, help=text, **attributes)

    return [
        option("-h", "--host", metavar="HOST", text="Server's name or address, or HOST:PORT (default 127.0.0.1)."),
        option("-p", "--port", metavar="PORT", text="Server's port (default 6379)."),
        option("-s", "--socket", metavar="PATH", text="Unix socket, instead of host and port."),
        option("-n", "--db", metavar="DB", text="Number of the database (default 0)."),
        option("-u", "--url", metavar="URL", text="redis:// rediss:// valkey:// valkeys:// unix:// ssh://"),
        option("--user", "username", metavar="NAME", text="ACL user."),
        option("--askpass", is_flag=True, text="Ask for the password."),
        option("--tls", is_flag=True, text="Connect with TLS."),
        option("--cacert", metavar="FILE", text="Trusted authorities (PEM), not the system's."),
        option("--cert", metavar="FILE", text="Own certificate (PEM)."),
        option("--key", metavar="FILE", text="Own private key (PEM)."),
        option("--sni", metavar="HOST", text="Server's name for TLS, if it isn't the host."),
        option("--insecure", is_flag=True, text="Accept any certificate."),
        option("--ssh", metavar="HOST", text="Go through this host by ssh, with its settings."),
        option("--sentinel", "sentinels", metavar="PLACE", multiple=True, text="Ask this Sentinel; may be repeated."),
        option("--service", metavar="NAME", text="Name that the Sentinels watch it under."),
        option("--sentinel-user", metavar="NAME", text="ACL user at the Sentinels."),
        option("--sentinel-askpass", is_flag=True, text="Ask for the Sentinels' password."),
        option(
            "--map",
            metavar="A=B",
            multiple=True,
            text="Reach what is announced as A (HOST:PORT) at B; may be repeated.",
        ),
        option(
            "--profile",
            metavar="NAME",
            multiple=True,
            text="A profile of the settings file; several are tabs of the monitor.",
        ),
        option("--config", metavar="FILE", text="The settings file (TOML)."),
        *redis_cli.hints(option),
    ]


def monitor_options() -> list[click.Parameter]:
    """Flags that say how the monitor looks and behaves."""

    def option(*declarations: str, text: str, **attributes: Any) -> SectionOption:
        return SectionOption(*declarations, section="Options", help=text, **attributes)

    themes = ("pymon-dark", "pymon-light", "pymon-16")
    colors, graphs = ("auto", "truecolor", "256", "16"), ("blocks", "braille", "ascii")
    return [
        option("--interval", metavar="SECONDS", last_wins=True, text="Time between readings, 0.1 to 60 (default 1)."),
        option("--read-only", is_flag=True, text="Refuse everything that would change the server."),
        option(
            "--channels",
            metavar="PATTERN",
            multiple=True,
            text="Channels to listen to; may be repeated (default notifications:*).",
        ),
        option(
            "--theme",
            metavar="NAME",
            last_wins=True,
            shell_complete=_choices(*themes),
            text=f"{themes[0]} (default), {themes[1]} or {themes[2]}.",
        ),
        option("--color", metavar="|".join(colors), **_one_of(*colors), text="What the terminal can."),
        option("--graph", metavar="|".join(graphs), **_one_of(*graphs), text="What graphs are made of."),
        option("--full-redraw", is_flag=True, text="Draw whole screens, not only what changed."),
    ]


def address_argument() -> click.Parameter:
    """The server as a bare word."""
    return click.Argument(["address"], required=False, metavar="[HOST[:PORT] | URL]")
