"""Who sits at the keyboard, as far as the system knows."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from pymon_tui.model.text import SafeText, safe


def os_user() -> SafeText:
    """The name of the user that this process runs as; its number where it has no name (in a container)."""
    number = os.getuid()
    try:
        return safe(pwd.getpwuid(number).pw_name)  # not LOGNAME, which anybody can set
    except KeyError:
        return safe(str(number))


def ssh_origin(environ: Mapping[str, str]) -> SafeText | None:
    """The address that the SSH session comes from (``SSH_CONNECTION``), or None outside of one."""
    words = environ.get("SSH_CONNECTION", "").split()
    return safe(words[0]) if words else None
