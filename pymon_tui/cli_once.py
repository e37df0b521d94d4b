"""The subcommand that reads everything once: ``once``."""

from __future__ import annotations

from typing import Any

import click

from pymon_tui.cli_settings import at_primary, flags_of, open_ssh, settings_of
from pymon_tui.options import SectionedCommand, SectionOption, address_argument, connection_options

_SPAN = 0.5  # seconds: hundreds of calls of a busy server, and little to wait for

_EXAMPLES = """\b
Examples:
  pymon-tui once                            every node, and all together
  pymon-tui -h cache.example once --json    for a script
  pymon-tui once --node 10.0.0.5:6379       one node of the deployment
  pymon-tui once --span 0 --json            without waiting for latencies

\b
Exit code: 0 done, 2 wrong use or no such node, 3 the server that was
named, or the one node, doesn't answer. Others that don't are told of as lost."""


@click.command(
    cls=SectionedCommand,
    epilog=_EXAMPLES,
    params=[
        address_argument(),
        SectionOption("--json", "as_json", section="Output", is_flag=True, help="One JSON object, all that was read."),
        SectionOption(
            "--span",
            section="Output",
            metavar="SECONDS",
            default=_SPAN,
            show_default=True,
            type=click.FloatRange(0, 60),
            help="Between two askings, for latencies of that time; 0: ask once.",
        ),
        SectionOption("--node", section="Output", metavar="ADDRESS", help="Only this node of the deployment."),
        *connection_options(),
    ],
)
@click.pass_context
def once(ctx: click.Context, /, address: str | None, **flags: Any) -> int:
    """Print one reading of every node and end; exit code 3 if no server answers."""
    as_json, span, node = (flags.pop(name) for name in ("as_json", "span", "node"))
    settings = settings_of(flags_of(ctx, flags, address))
    open_ssh(settings, insists=True)
    settings = at_primary(settings)
    from pymon_tui.once import run_once

    return run_once(settings, as_json=as_json, span=span, node=node)
