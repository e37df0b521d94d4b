"""What a command says and asks: results on stdout, everything else on stderr, answers from the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import termios
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from pymon_tui.model.text import SafeText, safe
from pymon_tui.tty import OutputError

_STDIN = 0
_LONGEST_LINE = 65_536  # characters
_LOOK = 0.25  # seconds between two looks whether a question is still open
_LONGEST_ANSWER = 16_384  # bytes: a pattern of 1 KB with four characters for each byte, three times over


def say(text: str) -> None:
    """One line about the command itself, on stderr."""
    write(sys.stderr, _lines([f"pymon-tui: {text}"]))


def show(lines: Sequence[str]) -> None:
    """Lines for a person to look at before answering, on stderr."""
    write(sys.stderr, _lines(lines))


def tell(lines: Sequence[str]) -> None:
    """A result as text, on stdout.

    Raises:
        BrokenPipeError: If nobody reads it any more.
        OutputError: If it can't be written.
    """
    _put(_lines(lines))


def tell_json(told: Mapping[str, Any]) -> None:
    """A result as one JSON object, on stdout; raises as ``tell``."""
    _put(json.dumps(told) + "\n")


def tell_account(lines: Sequence[str], told: Mapping[str, Any] | None, *, short: str) -> None:
    """The account of what was done, as text or as JSON; where stdout can't take it, the short one on stderr.

    Raises:
        BrokenPipeError, OutputError: As ``tell``.
    """
    try:
        if told is not None:
            tell_json(told)
        else:
            tell(lines)
    except (BrokenPipeError, OutputError):
        if short:
            say(short)
        raise


def can_ask() -> bool:
    """Whether somebody sits there who sees a question and can answer it."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal; one that is closed is none."""
    return stream is not None and bool(stream.isatty())


def ask(question: str) -> str:
    """Ask on the terminal and wait; the answer without its end of line, empty where nobody answers any more.

    Raises:
        KeyboardInterrupt: If Ctrl+C is the answer.
    """
    _forget_typed()
    write(sys.stderr, question)
    answer = b""
    while not answer.endswith(b"\n") and len(answer) < _LONGEST_ANSWER:
        piece = _read()
        if not piece:
            write(sys.stderr, "\n")  # Ctrl+D leaves the cursor behind the question
            break
        answer += piece
    return os.fsdecode(answer).rstrip("\r\n")


def ask_yes(question: str) -> bool:
    """Ask for a yes or no; only a yes is one."""
    return is_yes(ask(f"{question} [y/N] "))


def is_yes(answer: str) -> bool:
    """Whether this is a yes."""
    return answer.strip().lower() in ("y", "yes")


class OpenQuestion:
    """A question that is open while something else goes on. A context manager."""

    def __init__(self, question: str) -> None:
        self._question = question
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def __enter__(self) -> Self:
        _forget_typed()
        write(sys.stderr, self._question)
        asyncio.get_running_loop().add_reader(_STDIN, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(_STDIN)

    async def answer_while(self, is_open: Callable[[], bool]) -> str | None:
        """What was typed; empty where nobody answers any more, None where the question is open no longer."""
        while is_open():
            done, _ = await asyncio.wait((self._answer,), timeout=_LOOK)
            if done:
                return self._answer.result()
        write(sys.stderr, "\n")
        return None

    def _take(self) -> None:
        if not self._answer.done():
            self._answer.set_result(os.fsdecode(_read()).rstrip("\r\n"))


def cells(text: str) -> int:
    """How many cells of a terminal a safe text takes."""
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def fitted(text: SafeText, width: int) -> SafeText:
    """The text in at most so many cells, with an ellipsis where it was cut."""
    if cells(text) <= width:
        return text
    taken = 0
    for at, character in enumerate(text):
        taken += cells(character)
        if taken > width - 1:
            return safe(text[:at] + "…")
    return text


def padded(text: SafeText, width: int) -> SafeText:
    """The text in exactly so many cells."""
    shown = fitted(text, width)
    return safe(shown + " " * (width - cells(shown)))


def exact(number: int) -> SafeText:
    """A whole number to the last digit, in groups: ``12 031 448``."""
    return safe(f"{number:,}".replace(",", " "))


def write(stream: Any, text: str) -> None:
    """Write what nobody has to read: whoever has hung up must not end a run that is to be accounted for.

    ``stream`` is None where it is closed.
    """
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.write(_encodable(text, stream))
            stream.flush()


def _lines(lines: Sequence[str]) -> str:
    """Lines of text, whatever names of strangers somebody has put in them."""
    return "".join(f"{safe(line, _LONGEST_LINE)}\n" for line in lines)


def _put(text: str) -> None:
    if sys.stdout is None:
        raise OutputError("stdout is closed")
    try:
        sys.stdout.write(_encodable(text, sys.stdout))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from None


def _forget_typed() -> None:
    """Drop what was typed before there was a question: nobody has answered what nobody has seen."""
    with contextlib.suppress(termios.error, OSError):
        termios.tcflush(_STDIN, termios.TCIFLUSH)


def _read() -> bytes:
    """A line of the terminal; nothing where it is gone."""
    with contextlib.suppress(OSError):
        return os.read(_STDIN, 4096)
    return b""


def _encodable(text: str, stream: Any) -> str:
    """The text with escapes for what the stream's encoding hasn't got, such as Hangul in Latin-1."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
