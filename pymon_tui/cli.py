"""The command line: flags to settings, and settings to the command that runs.

Only click and the standard library are imported here, so that help, version and completion answer at once; textual,
redis and pydantic come with the command that needs them.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from pymon_tui import __version__, process_list, tty
from pymon_tui.cli_invalidation import invalidate, journal, undo
from pymon_tui.cli_once import once
from pymon_tui.cli_permissions import acl, doctor
from pymon_tui.cli_settings import (
    ADDRESS,
    PROGRAM,
    all_settings_of,
    flags_of,
    given_of,
    open_ssh,
    say,
    settings_of,
)
from pymon_tui.options import SectionedCommand, SectionOption, address_argument, connection_options, monitor_options

EXIT_INTERRUPTED = 130
_PICTURED_RATE = 1_500  # keys a second: a run of the demo's keys lasts until it is pictured

_EXAMPLES = """\b
Examples:
  pymon-tui                              the server here, or a choice
  pymon-tui cache.example:6380           one server
  pymon-tui rediss://me@cache.example/2  TLS, user me, database 2
  pymon-tui ssh://me@bastion/cache:6379  one server, through ssh
  pymon-tui --sentinel s1 --service main the primary that Sentinel names
  pymon-tui --profile prod               a profile of the settings file
  pymon-tui --profile a --profile b      several, as tabs
  pymon-tui -h cache.example once --json one reading for a script
  pymon-tui demo                         a server of its own, with traffic

\b
The password is read from REDISCLI_AUTH, --askpass or a profile.
REDIS_URL, PYMON_URL, PYMON_HOST, PYMON_INTERVAL ... set what no flag sets."""


class _Group(SectionedCommand, click.Group):
    """Subcommands, and for every other word the server of that name."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word, *rest = args
        if word in self.commands or not word or word.startswith("-"):
            return super().resolve_command(ctx, args)
        if not ctx.resilient_parsing:
            self._refuse_typo(word)
        if rest and rest[0] in self.commands:
            ctx.meta[ADDRESS] = word
            return super().resolve_command(ctx, rest)
        return "monitor", monitor, args

    def _refuse_typo(self, word: str) -> None:
        looks_like_host = any(character in word for character in ".:/") or word == "localhost"
        near = [] if looks_like_host else get_close_matches(word, self.commands, n=1, cutoff=0.75)
        if near:
            raise click.UsageError(f'no command "{word}"; did you mean "{near[0]}"? For a server: -h {word}')


_SETTINGS = {"help_option_names": ["--help"], "max_content_width": 80}


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings=_SETTINGS,
    params=[*connection_options(), *monitor_options()],
    options_metavar="[OPTIONS]",
    subcommand_metavar="[HOST[:PORT] | URL] [COMMAND]",
    epilog=_EXAMPLES,
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, **flags: Any) -> int | None:
    """A live monitor for Redis and Valkey in the terminal."""
    ctx.obj = given_of(flags)
    return _monitor(flags_of(ctx, {}, None)) if ctx.invoked_subcommand is None else None


@click.command(
    cls=SectionedCommand,
    context_settings=_SETTINGS,
    params=[address_argument(), *connection_options(), *monitor_options()],
)
@click.pass_context
def monitor(ctx: click.Context, /, address: str | None, **flags: Any) -> int:
    """Open the monitor on one server."""
    return _monitor(flags_of(ctx, flags, address))


@cli.command(
    cls=SectionedCommand,
    params=[
        SectionOption(
            "--seed", section="Demo", type=int, default=1, show_default=True, help="Same seed, same traffic."
        ),
        SectionOption(
            "--rate",
            section="Demo",
            type=click.FloatRange(min=1, max=50_000),
            default=2_000,
            show_default=True,
            metavar="N",
            help="Commands in a second.",
        ),
        *monitor_options(),
    ],
)
@click.pass_context
def demo(ctx: click.Context, /, seed: int, rate: float, **flags: Any) -> int:
    """Open the monitor on a server of its own, with traffic."""
    given = flags_of(ctx, flags, None)
    shown = {str(parameter.name) for parameter in monitor_options()}
    if not_shown := given.keys() - shown - {"config"}:
        raise click.UsageError(f"the demo brings its own server; leave out: {', '.join(sorted(not_shown))}")
    variables = {f"PYMON_{name.upper()}" for name in (*shown, "config")}
    environ = {name: value for name, value in os.environ.items() if name in variables}
    settings = settings_of(given, environ=environ, dotenv=None)
    tty.require()
    tty.use_color(settings.color)
    from pymon_tui.ui.app import run_demo

    return run_demo(settings, *_ways_to_servers(settings), seed=seed, rate=rate)


@cli.command(
    cls=SectionedCommand,
    params=[
        SectionOption(
            "--out",
            section="Output",
            metavar="FOLDER",
            default="screenshots",
            show_default=True,
            type=click.Path(path_type=Path),
            help="Where they go.",
        ),
    ],
)
def screenshots(out: Path) -> int:
    """Write pictures of the screens, on a demo of their own, to a folder."""
    # The same pictures for everybody: nothing that was set for the monitor counts here.
    os.environ.pop("NO_COLOR", None)
    tty.use_color("truecolor")
    from pymon_tui.settings import Settings

    settings = Settings(rate=_PICTURED_RATE, type_above=1_000_000)  # so that one key confirms the run
    from pymon_tui.ui.screenshots import take_screenshots

    with tempfile.TemporaryDirectory(prefix="pymon-") as folder:
        source_of, _, ways_of = _ways_to_servers(settings, Path(folder))
        return take_screenshots(settings, source_of, ways_of, out)


for command in (once, invalidate, undo, journal, acl, doctor):
    cli.add_command(command)


def main() -> None:
    """The ``pymon-tui`` command: runs ``sys.argv`` and exits with its code."""
    # Start-up makes much and drops little: a collector that looks through it takes a tenth of the time. ``once`` ends
    # before it would matter, and the monitor turns it on again when it is up.
    gc.disable()
    arguments = sys.argv[1:]
    if process_list.shows_password(arguments):
        say("a password in a URL shows in ps; better: REDISCLI_AUTH, --askpass or a profile (it is hidden now)")
    process_list.restart_without_password(arguments)
    code = run(arguments)
    # The process ends: to look through all that was imported once more would be a fifth of the time of ``once``.
    gc.freeze()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        0 done, 1 failed while running, 2 wrong flag or setting, 3 no server, 4 refused, 130 interrupted.
    """
    if sys.stdout is None:
        sys.stdout = tty.ClosedOutput()
    _have_a_home()
    stdout = sys.stdout
    try:
        code = cli.main(list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        say(" ".join(error.format_message().split()))
        return error.exit_code
    except click.Abort:
        return EXIT_INTERRUPTED
    except (tty.OutputError, OSError, SystemExit) as error:
        if isinstance(error, SystemExit) and sys.stdout is stdout:  # the shell has what it asked to complete
            raise
        found = error if isinstance(error, tty.OutputError) else tty.output_error(error)
        if found is None:
            return _unforeseen(error)
        say(str(found))
        tty.drop_output()
        return 1
    except Exception as error:  # noqa: BLE001 - a traceback tells a person nothing, and may quote what is secret
        return _unforeseen(error)
    return code if isinstance(code, int) else 0


def _have_a_home() -> None:
    """Have HOME name what holds no file, where nobody says what it is: a container's user has no entry in passwd."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = os.devnull


def _unforeseen(error: BaseException) -> int:
    """Say in one line what ended the program; returns the exit code."""
    try:
        from pymon_tui.journal.crash import report

        tty.tell(tty.broken(error) if isinstance(error, ImportError) else report(error))
    except ImportError as missing:
        tty.tell(tty.broken(missing))
    return 1


def _monitor(given: Mapping[str, Any]) -> int:
    settings, *others = all_settings_of(given)
    tty.require()
    tty.use_color(settings.color)
    for one in (settings, *others):
        open_ssh(one, insists=False)
    from pymon_tui.ui.app import run_monitor

    return run_monitor(settings, *_ways_to_servers(settings, others=others), others=others)


def _source(endpoint: Any, own: Any, folder: Path | None) -> Any:
    """The live source of an endpoint, by its own settings; ``folder`` is for what is written down."""
    from pymon_tui.application import QUERIES as OF_THE_APPLICATION
    from pymon_tui.journal.actions import recorder
    from pymon_tui.journal.folder import state_folder
    from pymon_tui.journal.journal import Journal
    from pymon_tui.readings.queries import QUERIES
    from pymon_tui.settings.meeting import meeting
    from pymon_tui.state.fleet import Fleet
    from pymon_tui.state.monitor import Monitor

    state = folder or state_folder()
    record, terms = recorder(Journal(state)), meeting(own, state)

    def follow(node: Any, queries: Any, feed: Any) -> Any:
        told = {"interval": own.interval, "feed": feed, "read_only": own.read_only, "record": record, "terms": terms}
        return Monitor(node, queries, **told)

    patterns = [os.fsencode(channel) for channel in own.channels]
    return Fleet(endpoint, (*QUERIES, *OF_THE_APPLICATION), follow, patterns=patterns, read_only=own.read_only)


def _ways_to_servers(
    settings: Any, folder: Path | None = None, *, others: Sequence[Any] = ()
) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Makes a source of an endpoint, an endpoint of a choice, and the screens of invalidation on an endpoint.

    What they import waits until it is wanted. ``folder`` is where runs are written down, by default the state folder.
    """
    # What the settings are for servers that a person named or chose.
    chosen: dict[Any, Any] = {replace(one.endpoint, password=None): one for one in others}

    def settings_for(endpoint: Any) -> Any:
        # Whatever the password is now: a person may have given another since.
        return chosen.get(replace(endpoint, password=None), settings)

    def source_of(endpoint: Any) -> Any:
        return _source(endpoint, settings_for(endpoint), folder)

    def endpoint_of(choice: Any, present: Any) -> Any:
        from pymon_tui.settings import settings_of_profile, settings_of_url

        lead = settings_of_profile if choice.kind == "profile" else settings_of_url
        # Warnings were said at the start; now the screen is the monitor's.
        found = lead(choice.name, settings_for(present), lambda _warning: None)
        chosen[replace(found.endpoint, password=None)] = found
        return found.endpoint

    def ways_of(app: Any, endpoint: Any, monitor: Any) -> Any:
        from pymon_tui.server import clock
        from pymon_tui.settings.desk import desk_of
        from pymon_tui.state.destination import destination
        from pymon_tui.ui.screens.invalidate.journey import Journey
        from pymon_tui.ui.screens.invalidate.site import Site

        fleet = monitor.newest.fleet if monitor.newest is not None else None
        desk = desk_of(destination(endpoint, fleet), settings_for(endpoint), folder)
        glyphs = settings_for(endpoint).graph
        return Journey(app, Site(desk, monitor.source, lambda: monitor.newest, clock.now, glyphs, monitor.tabs))

    return source_of, endpoint_of, ways_of
