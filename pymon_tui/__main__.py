"""``python -m pymon_tui`` is the ``pymon-tui`` command."""

from pymon_tui.start import main

if __name__ == "__main__":
    main()
