"""Why an answer that has come tells nothing."""

from __future__ import annotations

from pymon_tui.model.query import Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.readings.info import Info, NotTold
from pymon_tui.server.reasons import A_SENTINEL, ASK_IT_FOR_ITS_SERVER, is_sentinel


def unread(error: ValueError, info: Info | None) -> Unavailable:
    """Why an answer tells nothing; ``info`` is of who gave it."""
    if is_sentinel(info):
        return Unavailable(Reason.UNREADABLE, A_SENTINEL, ASK_IT_FOR_ITS_SERVER)
    if isinstance(error, NotTold):
        return Unavailable(Reason.MISSING, safe(str(error)), safe("not told by this server"))
    return Unavailable(Reason.UNREADABLE, safe(str(error)), safe("please report this server's version"))
