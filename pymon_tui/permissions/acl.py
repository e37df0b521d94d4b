"""``pymon-tui acl``: the users that the program needs, to be pasted into ``redis-cli``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.permissions.users import PLACEHOLDER, RuleError, users
from pymon_tui.readings.info import parse_info
from pymon_tui.removing.console import tell, tell_json
from pymon_tui.removing.exit_code import DONE, WrongUse, coded
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.known import EVERYTHING, Known, known_to
from pymon_tui.server.reasons import is_sentinel, sentinel_error
from pymon_tui.settings import Settings

SCHEMA_VERSION = 1

_ANY_SERVER = "For Redis 7.2 and newer and for Valkey; for what one server knows, name it: pymon-tui -h HOST acl."
_CONFIG = (
    "CONFIG GET shows passwords of the configuration too; without +config|get the Slow log lacks its settings, "
    "and a run doesn't know what clients may hold."
)
_NAMES = "Who may SCAN sees the names of all keys, those of sessions among them."
_ONE_SET = "A user has one set of keys here: who watches can read any value, who invalidates can look at no other key."


def run_acl(settings: Settings, patterns: Sequence[str], *, as_json: bool) -> int:
    """Print the lines; returns the exit code.

    A server is asked what it knows if the settings name one.

    Args:
        patterns: What may be invalidated, as a person types it.
    """
    return coded(lambda: _acl(settings, patterns, as_json=as_json))


def _acl(settings: Settings, patterns: Sequence[str], *, as_json: bool) -> int:
    known = asyncio.run(_asked(settings.endpoint)) if settings.explicit else EVERYTHING
    globs = [parse_pattern(pattern).glob for pattern in patterns]
    try:
        made = users(known, globs, [os.fsencode(channel) for channel in settings.channels])
    except RuleError as error:
        raise WrongUse(str(error)) from None
    address = settings.endpoint.address if settings.explicit else None
    notes = _notes(known, address)
    if as_json:
        named = [{"name": user.name, "may": user.may, "line": user.line} for user in made]
        tell_json({"schema_version": SCHEMA_VERSION, "server": address, "notes": notes, "users": named})
    else:
        tell([f"# {note}" for note in notes])
        tell([line for user in made for line in (f"# {user.name} {user.may}.", user.line)])
    return DONE


async def _asked(endpoint: Endpoint) -> Known:
    session, _ = await open_session(endpoint)
    try:
        (told,) = await session.ask([("INFO", "server")])
        if isinstance(told, bytes) and is_sentinel(parse_info(told)):
            raise sentinel_error(endpoint)
        return await known_to(session)
    finally:
        await session.close()


def _notes(known: Known, address: str | None) -> list[str]:
    notes = [f"Put a password in place of {PLACEHOLDER[1:]}: the server refuses a line until it has one."]
    if address is None:
        notes.append(_ANY_SERVER)
    elif known.told:
        notes.append(f"For what {address} knows.")
    else:
        notes.append(f"{address} doesn't tell what it knows (COMMAND INFO); these are for Redis 7.2 and for Valkey.")
    if not known.selectors:
        notes.append(_ONE_SET)
    return [*notes, _CONFIG, _NAMES]
