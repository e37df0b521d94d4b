"""A described write that a person confirms before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.steps import Exchange, Steps
from pymon_tui.model.text import SafeText, join, safe

NOTHING = safe("")


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What steps return that have left everything as it was; ``why`` is one line."""

    why: SafeText


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What takes more than one command, or commands that not everybody may read.

    Attributes:
        begin: Gives the steps; called once, when they are taken. What they return is the answer, or that nothing was
            done. It is left out of the representation, for it may hold what is secret.
        shown: The commands as a person reads them, one each; what is secret in them is cut.
    """

    begin: Callable[[], Steps[Reply | Unchanged]] = field(repr=False)
    shown: tuple[SafeText, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """One write: what it is called, what exactly is sent, and what it does to whom.

    Attributes:
        name: Two or three words: "Kill client".
        command: What is sent, unchanged; or a course of several commands.
        effect: One sentence that says what will have happened.
        acl: The name that ACL rules give the command, such as ``client|kill``; of a course, the one that matters.
        counts: What a number in the answer counts, such as "clients killed"; empty where it isn't one.
        none: Why nothing was done where it counts none of them; empty where something was done all the same.
        node: Which node of a deployment it is for, by its label; None for the one that is shown.
        run_id: The server process that was shown when it was decided on (``run_id`` of INFO); no other one gets it.
            None where that wasn't told.
    """

    name: SafeText
    command: tuple[Argument, ...] | Course
    effect: SafeText
    acl: str
    counts: SafeText = NOTHING
    node: SafeText | None = None
    run_id: SafeText | None = None
    none: SafeText = NOTHING

    @property
    def lines(self) -> tuple[SafeText, ...]:
        """The commands, one a line; an argument with blanks or quotes stands in quotes."""
        if isinstance(self.command, Course):
            return self.command.shown
        return (join(" ", [quoted(argument) for argument in self.command]),)

    @property
    def shown(self) -> SafeText:
        """The commands in one line."""
        return join("; ", self.lines)

    def steps(self) -> Steps[Reply | Unchanged]:
        """What is to be sent, anew at each call; to be taken once."""
        return self.command.begin() if isinstance(self.command, Course) else _at_once(self.command)


@dataclass(frozen=True, slots=True)
class Done:
    """An action that the server carried out; ``answer`` is its reply as a line."""

    answer: SafeText


@dataclass(frozen=True, slots=True)
class NotDone:
    """An action that was not carried out, or (``unknown``) whose answer was lost: why, and what to do."""

    what: SafeText
    remedy: SafeText
    unknown: bool


Outcome = Done | NotDone


@dataclass(frozen=True, slots=True)
class Attempt:
    """An action that somebody wanted, what came of it, and where.

    Attributes:
        action: What was to be done.
        outcome: What came of it.
        node: What the user calls the server: a profile's name, or its address.
        server: Its address.
        environment: What the profile says of it ("production", ...), or None.
        db: The database that was selected.
        acl_user: As whom we spoke to the server.
        run_id: The server process (``run_id`` of INFO); None where it was not reached, or didn't tell.
    """

    action: Action
    outcome: Outcome
    node: SafeText
    server: SafeText
    environment: SafeText | None
    db: int
    acl_user: SafeText
    run_id: SafeText | None


Recorder = Callable[[Attempt], SafeText | None]
"""Writes an attempt down, blocking; returns why it couldn't, or None."""


def _at_once(command: tuple[Argument, ...]) -> Steps[Reply | Unchanged]:
    (reply,) = yield Exchange((command,))
    return reply


def quoted(argument: Argument, limit: int = 200) -> SafeText:
    """An argument as it could be typed: in double quotes where it is empty or holds a blank or a quote."""
    text = safe(str(argument) if isinstance(argument, int) else argument, limit)
    if text and not any(character in " \"'" for character in text):
        return text
    return safe('"' + text.replace('"', '\\"') + '"', 2 * limit)
