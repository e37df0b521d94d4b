"""What the terminal is and can, asked before anything is drawn on it."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys

import click

_COLOR_SYSTEMS = {"truecolor": "truecolor", "256": "256", "16": "standard"}


def require() -> None:
    """Refuse to go on without a terminal, or with one that can't be drawn on: frames and graphs would be codes.

    Raises:
        click.UsageError: With what is missing, and the command that does without.
    """
    missing = [name for name in ("stdin", "stderr") if not _is_terminal(name)]
    reason = f"{missing[0]} is not one" if missing else "TERM=dumb cannot show it"
    if missing or os.environ.get("TERM") == "dumb":
        raise click.UsageError(f"the monitor needs a terminal, and {reason}; for one reading as text: pymon-tui once")
    encoding = codecs.lookup(getattr(sys.stderr, "encoding", None) or "utf-8").name  # where the screen is drawn
    if encoding != "utf-8":
        cause = "PYTHONIOENCODING" if os.environ.get("PYTHONIOENCODING") else "the locale"
        raise click.UsageError(
            f"the monitor draws in UTF-8, and {cause} says {encoding}; if the terminal can: PYTHONIOENCODING=utf-8; "
            "for one reading as text: pymon-tui once"
        )


def use_color(color: str) -> None:
    """Tell Textual, before it is imported, how many colours there are; ``auto`` leaves it to what the terminal says."""
    if color in _COLOR_SYSTEMS:
        os.environ["TEXTUAL_COLOR_SYSTEM"] = _COLOR_SYSTEMS[color]


def broken(error: ImportError) -> str:
    """The one line about a package that isn't there, or isn't as it was installed."""
    return f"pymon-tui: its installation is broken: {' '.join(str(error).split())}; install it anew"


def tell(line: str) -> None:
    """Write a line to stderr; what its encoding lacks is escaped. click would write UTF-8 where that is ASCII."""
    if sys.stderr is not None:
        click.echo(line, file=sys.stderr)


def _is_terminal(name: str) -> bool:
    stream = getattr(sys, name)  # None where the descriptor is closed
    return stream is not None and stream.isatty()


class OutputError(Exception):
    """The result of a command can't be written to stdout; the text says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the result can't be written to stdout: {why}")


class ClosedOutput(io.TextIOBase):
    """What stands for a stdout that is closed, which Python has as None: click would then print nothing, and say so."""

    encoding = "utf-8"

    def writable(self) -> bool:
        """It is asked to."""
        return True

    def write(self, text: str, /) -> int:
        """Refuse.

        Raises:
            OutputError: If there is anything to write.
        """
        if text:
            raise OutputError("stdout is closed")
        return 0


def output_error(error: OSError | SystemExit) -> OutputError | None:
    """The error as one of stdout, for what click prints by itself; None where it is another one.

    Where the reader has closed the pipe, as ``head`` does, click takes the error, wraps stdout and leaves.
    """
    number = errno.EPIPE if isinstance(error, SystemExit) else error.errno
    is_output = number in (errno.ENOSPC, errno.EBADF, errno.EIO, errno.EPIPE)
    return OutputError(os.strerror(number)) if is_output and number is not None else None


def drop_output() -> None:
    """Let what is still to be written to stdout go nowhere: Python would complain when it flushes at its end."""
    if not isinstance(sys.stdout, ClosedOutput | None):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
