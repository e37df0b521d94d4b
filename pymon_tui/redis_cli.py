"""Flags of redis-cli that aren't any here: each is refused with one line that says what there is in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_IN_PS = "a password on the command line shows in ps and in the shell's history; give it in REDISCLI_AUTH, --askpass"
_CLUSTER = "it isn't needed here, for the nodes of a cluster are found and followed from any of them"
_CLUSTERS = "a cluster's nodes, their slots and what is wrong are in the Fleet pane and in `once`; nothing changes them"
_REPEATED = "the monitor asks again by itself, every --interval SECONDS"
_STAT = "the monitor itself shows it, as graphs; `once --json` is one reading of it for a script"
_LATENCY = "the Server pane and `once` tell the round trip, and how long calls took"
_SIZES = (
    "the Application pane has the bytes of each group of keys, enter lists some with their sizes, and "
    "`invalidate --dry-run --larger 1MiB PATTERN` finds the large ones"
)
_HOT = "calls aren't counted by key here; the Server pane counts them by command, the Clients pane by client"
_SCAN = "the Application pane lists keys, and `invalidate --dry-run PATTERN` counts them"
_SCRIPT = "`once --json` is one JSON object, for scripts"
_VERSION = "the version is --version"

_FLAGS = {
    "-c": _CLUSTER,
    "-v": _VERSION,
    "--stat": _STAT,
    "--bigkeys": _SIZES,
    "--memkeys": _SIZES,
    "--hotkeys": _HOT,
    "--latency": _LATENCY,
    "--latency-history": _LATENCY,
    "--latency-dist": _LATENCY,
    "--scan": _SCAN,
    "--raw": _SCRIPT,
    "--csv": _SCRIPT,
}
_WITH_VALUE = {"--cluster": _CLUSTERS, "-i": _REPEATED, "-r": _REPEATED, "--memkeys-samples": _SIZES}


def hints(option: Callable[..., click.Parameter]) -> list[click.Parameter]:
    """A hidden option for each of them; ``option`` makes one of those of the connection."""
    hidden: dict[str, Any] = {"text": "", "hidden": True, "expose_value": False, "is_eager": True}
    return [
        option("-a", "--pass", **hidden, callback=_refused(_IN_PS)),
        *(option(name, **hidden, is_flag=True, callback=_refused(hint)) for name, hint in _FLAGS.items()),
        # Whether or not a value follows, it is this flag that the line is about.
        *(
            option(name, **hidden, is_flag=False, flag_value=name, callback=_refused(hint))
            for name, hint in _WITH_VALUE.items()
        ),
    ]


def _refused(hint: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def refuse(_ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value:
            raise click.UsageError(f"{parameter.opts[0]} is a flag of redis-cli: {hint}")

    return refuse
