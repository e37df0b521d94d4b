"""The ``pymon-tui`` command, which Ctrl+C ends without a traceback from its first moment on, while it imports, too."""

import signal
import sys


def main() -> None:
    """Run ``sys.argv`` and exit with its code."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # else the parent process has set it to be ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from pymon_tui import cli
    except ImportError as error:  # where click isn't there, either
        sys.exit(f"pymon-tui: its installation is broken: {' '.join(str(error).split())}; install it anew")
    signal.signal(signal.SIGINT, handler)
    try:
        cli.main()
    except KeyboardInterrupt:
        sys.exit(cli.EXIT_INTERRUPTED)
