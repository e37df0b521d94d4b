"""The subcommands of invalidation: ``invalidate``, ``undo`` and ``journal``."""

from __future__ import annotations

import math
from typing import Any

import click

from pymon_tui.cli_settings import at_primary, flags_of, given_of, open_ssh, settings_at, settings_of
from pymon_tui.options import SectionedCommand, SectionOption, connection_options

_LONGEST = 10 * 365 * 86_400.0  # seconds: far beyond what is meant, far below what a server counts up to

_EXAMPLES = """\b
Examples:
  pymon-tui invalidate 'user:cache:*'             look, ask, remove
  pymon-tui -h cache.example invalidate --dry-run 'user:cache:*' --no-ttl
  pymon-tui invalidate --preset project --param project_id=7 --yes --json
  pymon-tui invalidate 'feed:*' --expire 60 --jitter 600
  pymon-tui invalidate --resume 20261122-120411-7c3f

\b
A pattern is a Redis glob; \\xNN in it is a byte that can't be typed.
Exit code: 0 done, 1 stopped or partly done, 2 wrong use, 3 no server,
4 refused."""


class _Seconds(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """A number of seconds from ``least`` on."""

    name = "seconds"

    def __init__(self, least: float) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not self._least <= seconds <= _LONGEST:
            self.fail(
                f'should be a number of seconds from {self._least:g} to {_LONGEST:.0f}, not "{value}"', param, ctx
            )
        return seconds


class _Size(click.ParamType):  # type: ignore[type-arg]
    """A number of bytes, with or without a unit."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from pydantic import ByteSize, TypeAdapter, ValidationError

        try:
            return int(TypeAdapter(ByteSize).validate_python(value))
        except ValidationError:
            self.fail(f'should be a number of bytes, or a size as "1MiB", not "{value}"', param, ctx)


def _keys(*declarations: str, text: str, **attributes: Any) -> SectionOption:
    return SectionOption(*declarations, section="Keys", help=text, **attributes)


def _run(*declarations: str, text: str, **attributes: Any) -> SectionOption:
    return SectionOption(*declarations, section="Run", help=text, **attributes)


def _in_seconds(least: float = 0.0) -> dict[str, Any]:
    return {"metavar": "SECONDS", "type": _Seconds(least)}


_YES = _run("--yes", is_flag=True, text="Don't ask.")
_READ_ONLY = _run("--read-only", is_flag=True, text="Refuse everything that would change the server.")
_JSON = SectionOption("--json", "as_json", section="Output", is_flag=True, help="One JSON object on stdout.")


@click.command(
    cls=SectionedCommand,
    epilog=_EXAMPLES,
    options_metavar="[OPTIONS]",
    params=[
        click.Argument(["patterns"], nargs=-1, metavar="PATTERN..."),
        _keys("--preset", metavar="NAME", text="The patterns of a preset: project, user, global or your own."),
        _keys("--param", "parameters", metavar="NAME=VALUE", multiple=True, text="A parameter of the preset."),
        _keys("--type", metavar="TYPE", text="Only keys of this type (string, hash, zset ...)."),
        _keys("--no-ttl", is_flag=True, text="Only keys that never expire."),
        _keys("--expires-within", **_in_seconds(), text="Only keys that expire within this time."),
        _keys("--expires-later", **_in_seconds(), text="Only keys that expire later than that."),
        _keys("--idle", **_in_seconds(), text="Only keys that weren't used for longer."),
        _keys("--larger", metavar="BYTES", type=_Size(), text="Only keys that take more memory (1048576, 1MiB)."),
        _keys("--max-keys", metavar="N", text="Refuse if more match (default 1000000)."),
        _keys("--all", "every", is_flag=True, text="Let a pattern match every key."),
        _run("--expire", **_in_seconds(0.001), text="Let the keys expire after this time instead."),
        _run("--jitter", **_in_seconds(), text="Spread their ends over so long (default: as --expire)."),
        _run("--rate", metavar="N", text="Keys per second at most."),
        _run("--ceiling", "ping_ceiling", metavar="MS", text="How much later others may be answered (default 5)."),
        _run("--dry-run", is_flag=True, text="Look and count, remove nothing."),
        _run("--no-undo", is_flag=True, text="Keep nothing to undo it with; faster."),
        _run("--resume", metavar="RUN", text="Go on with a run that was cut off."),
        _YES,
        _READ_ONLY,
        _JSON,
        *connection_options(),
    ],
)
@click.pass_context
def invalidate(ctx: click.Context, /, **flags: Any) -> int:
    """Remove keys by pattern: shows what would go, asks, can be undone."""
    own = _taken(flags, "patterns", "preset", "parameters", "type", "no_ttl", "expires_within", "expires_later")
    own |= _taken(flags, "idle", "larger", "every", "expire", "jitter", "dry_run", "no_undo")
    resume, yes, as_json = flags.pop("resume"), flags.pop("yes"), flags.pop("as_json")
    limits = {name: flags[name] for name in ("max_keys", "rate", "ping_ceiling")}
    if resume is not None:
        _refuse_beside_resume(given_of(own | limits))
    else:
        _refuse_contradictions(own)
    settings = settings_of(flags_of(ctx, flags, None))
    open_ssh(settings, insists=True)
    settings = at_primary(settings)
    from pymon_tui.removing.invalidate import run_invalidate, run_resume
    from pymon_tui.removing.wish import Wish

    if resume is not None:
        return run_resume(settings, resume, yes=yes, as_json=as_json)
    return run_invalidate(settings, Wish(**own), yes=yes, as_json=as_json)


@click.command(
    cls=SectionedCommand,
    options_metavar="[OPTIONS]",
    params=[
        click.Argument(["run"], required=False, metavar="[RUN]"),
        _run("--replace", is_flag=True, text="Also where another key of that name is there by now."),
        _run("--elsewhere", is_flag=True, text="Also if the server was restarted, or is another one."),
        _YES,
        _READ_ONLY,
        _JSON,
        *connection_options(),
    ],
)
@click.pass_context
def undo(
    ctx: click.Context,
    /,
    run: str | None,
    replace: bool,  # noqa: FBT001
    elsewhere: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
    **flags: Any,
) -> int:
    """Bring back what a run removed: the last one, or RUN."""
    settings = settings_of(flags_of(ctx, flags, None))
    open_ssh(settings, insists=True)
    settings = at_primary(settings)
    from pymon_tui.removing.undo import run_undo

    return run_undo(settings, run, replace=replace, elsewhere=elsewhere, yes=yes, as_json=as_json)


@click.command(
    cls=SectionedCommand,
    options_metavar="[OPTIONS]",
    params=[
        click.Argument(["run"], required=False, metavar="[RUN]"),
        SectionOption(
            "--last",
            section="Output",
            type=click.IntRange(min=1),
            default=200,
            show_default=True,
            metavar="N",
            help="How many, the newest.",
        ),
        _JSON,
        *connection_options(),
    ],
)
@click.pass_context
def journal(ctx: click.Context, /, run: str | None, last: int, as_json: bool, **flags: Any) -> int:  # noqa: FBT001
    """List what was done to servers from here, or tell all of RUN."""
    given = flags_of(ctx, flags, None)
    names_server = not given.keys().isdisjoint(("host", "port", "socket", "url", "sentinels", "profile"))
    # Without a server all of them are listed, whatever the settings say.
    settings = settings_of(given) if names_server else None
    if settings is not None and run is None:
        settings = at_primary(settings)
    from pymon_tui.removing.journal import run_journal

    def there(way: tuple[str, ...]) -> Any:
        return settings_at(settings, way)

    endpoint = settings.endpoint if settings is not None else None
    return run_journal(run, endpoint=endpoint, last=last, as_json=as_json, there=there)


def _taken(flags: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: flags.pop(name) for name in names}


def _refuse_beside_resume(given: dict[str, Any]) -> None:
    """A run that is taken up again is the run that it was.

    Raises:
        click.UsageError: If anything else of a run is given.
    """
    if given:
        named = {"parameters": "--param", "every": "--all", "ping_ceiling": "--ceiling", "patterns": "the pattern"}
        wrong = ", ".join(named.get(name, f"--{name.replace('_', '-')}") for name in given)
        raise click.UsageError(f"--resume goes on as the run began; leave out: {wrong}")


def _refuse_contradictions(own: dict[str, Any]) -> None:
    """Flags that can't stand together.

    Raises:
        click.UsageError: If some of them do.
    """
    ends = [name for name in ("no_ttl", "expires_within", "expires_later") if own[name] not in (None, False)]
    if len(ends) > 1:
        raise click.UsageError("give one of --no-ttl, --expires-within and --expires-later")
    if own["jitter"] is not None and own["expire"] is None:
        raise click.UsageError("--jitter spreads the ends that --expire gives; say --expire as well")
    if own["parameters"] and own["preset"] is None:
        raise click.UsageError("--param fills a preset; say --preset as well")
