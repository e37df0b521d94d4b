"""The subcommands about a connection and what may be done on it: ``acl`` and ``doctor``."""

from __future__ import annotations

from typing import Any

import click

from pymon_tui.cli_settings import at_primary, flags_of, open_ssh, settings_of
from pymon_tui.options import SectionedCommand, SectionOption, address_argument, connection_options


def _channels(text: str) -> SectionOption:
    return SectionOption("--channels", section="Channels", metavar="PATTERN", multiple=True, help=text)


_LOOKS = ("interval", "theme", "color", "graph", "full_redraw", "keymap")
_GUARDS = (
    "protected",
    "max_keys",
    "type_above",
    "ping_ceiling",
    "rate",
    "trash_size",
    "trash_key_size",
    "journal_keep",
)
_UNUSED_BY_ACL = frozenset(("url", *_LOOKS, *_GUARDS))
"""What ``acl`` doesn't ask for; a server it asks if one is named, and can do without."""

_JSON = SectionOption("--json", "as_json", section="Output", is_flag=True, help="One JSON object on stdout.")

_ACL_EXAMPLES = """\b
Examples:
  pymon-tui acl                           for Redis 7.2 and newer, and Valkey
  pymon-tui cache.example acl             for what that server knows
  pymon-tui acl --pattern 'cache:*' --pattern 'page:*'"""

_DOCTOR_EXAMPLES = """\b
Examples:
  pymon-tui doctor                        the server here
  pymon-tui -h cache.example --tls doctor
  pymon-tui --profile prod doctor --json

\b
Exit code: 0 all well, 1 something is missing or degraded, 2 wrong use,
3 no server."""


@click.command(
    cls=SectionedCommand,
    epilog=_ACL_EXAMPLES,
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
        _channels("Channels that may be listened to; may be repeated (default notifications:*)."),
        _JSON,
        *connection_options(),
    ],
)
@click.pass_context
def acl(ctx: click.Context, /, address: str | None, patterns: tuple[str, ...], as_json: bool, **flags: Any) -> int:  # noqa: FBT001
    """Print ACL SETUSER lines for users who may do what they need, and no more."""
    settings = settings_of(flags_of(ctx, flags, address), unused=_UNUSED_BY_ACL)
    open_ssh(settings, insists=True)
    settings = at_primary(settings)
    from pymon_tui.permissions.acl import run_acl

    return run_acl(settings, patterns, as_json=as_json)


@click.command(
    cls=SectionedCommand,
    epilog=_DOCTOR_EXAMPLES,
    params=[
        address_argument(),
        _channels("Channels to try; may be repeated (default notifications:*)."),
        _JSON,
        *connection_options(),
    ],
)
@click.pass_context
def doctor(ctx: click.Context, /, address: str | None, as_json: bool, **flags: Any) -> int:  # noqa: FBT001
    """Check a connection step by step, and say what to do."""
    settings = settings_of(flags_of(ctx, flags, address))
    open_ssh(settings, insists=False)
    from pymon_tui.doctor.report import run_doctor

    return run_doctor(settings, as_json=as_json)
