"""What a command ends with: its exit code, and one line where there was something to say."""

from __future__ import annotations

from collections.abc import Callable

from pymon_tui.invalidation.named import Replaced
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import PatternError
from pymon_tui.invalidation.restore_part import OtherServer, RestoreError
from pymon_tui.invalidation.selection import EveryKey
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.lock import Locked
from pymon_tui.removing.console import can_ask, say
from pymon_tui.server.reasons import LinkError, answer_text

DONE, PARTLY, WRONG_USE, NO_SERVER, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130


class WrongUse(Exception):  # noqa: N818 - what was done
    """A command line that can't be carried out. Its text is one line: what is wrong, and what to do."""


class CutOff(Exception):  # noqa: N818 - what happened
    """A signal ended the work at once; the journal has how far it came. Its text is one line."""


def coded(work: Callable[[], int]) -> int:
    """Do the work; what keeps it from being done is one line on stderr, and the exit code that belongs to it."""
    try:
        return work()
    except EveryKey as error:
        code, why = WRONG_USE, f"{error}; say --all if all of them are to go"
    except OtherServer as error:
        code, why = REFUSED, f"{error} (--elsewhere)"
    except (PatternError, WrongUse) as error:
        code, why = WRONG_USE, str(error)
    except Replaced as error:
        code, why = REFUSED, str(error)
    except LinkError as error:
        code, why = NO_SERVER, str(error)
    except Refused as error:
        # What a busy server says to everything is no answer: it is asked again later, as one that isn't there.
        is_busy = answer_text(error.error).startswith(("BUSY", "LOADING"))
        code, why = NO_SERVER if is_busy else REFUSED, str(error)
    except (OrderError, RestoreError, Locked) as error:
        code, why = REFUSED, str(error)
    except (StateError, CutOff) as error:
        code, why = PARTLY, str(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    say(why)
    return code


def require_somebody(what: str) -> None:
    """Refuse to go on where nobody can be asked.

    Raises:
        WrongUse: With the flag that does without.
    """
    if not can_ask():
        raise WrongUse(f"to {what} takes a yes, and there is no terminal to ask on; say --yes if that is what you want")
