"""The subcommands about what the program may do: ``acl``."""

from __future__ import annotations

from typing import Any

import click

from pymon_tui.cli_settings import flags_of, open_ssh, settings_of
from pymon_tui.options import SectionedCommand, SectionOption, address_argument, connection_options

_JSON = SectionOption("--json", "as_json", section="Output", is_flag=True, help="One JSON object on stdout.")

_EXAMPLES = """\b
Examples:
  pymon-tui acl                           for Redis 7.2 and newer, and Valkey
  pymon-tui cache.example acl             for what that server knows
  pymon-tui acl --pattern 'cache:*' --pattern 'page:*'"""


@click.command(
    cls=SectionedCommand,
    epilog=_EXAMPLES,
    params=[
        address_argument(),
        SectionOption(
            "--pattern",
            "patterns",
            section="Users",
            metavar="PATTERN",
            multiple=True,
            default=("cache:*",),
            help="Keys that may be invalidated; may be repeated (default cache:*).",
        ),
        SectionOption(
            "--channels",
            section="Users",
            metavar="PATTERN",
            multiple=True,
            help="Channels that may be listened to; may be repeated (default notifications:*).",
        ),
        _JSON,
        *connection_options(),
    ],
)
@click.pass_context
def acl(ctx: click.Context, /, address: str | None, patterns: tuple[str, ...], as_json: bool, **flags: Any) -> int:  # noqa: FBT001
    """Print ACL SETUSER lines for users who may do what they need, and no more."""
    settings = settings_of(flags_of(ctx, flags, address))
    open_ssh(settings, insists=True)
    from pymon_tui.permissions.acl import run_acl

    return run_acl(settings, patterns, as_json=as_json)
