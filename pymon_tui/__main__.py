"""``python -m pymon_tui`` is the ``pymon-tui`` command."""

from pymon_tui.cli import main

if __name__ == "__main__":
    main()
