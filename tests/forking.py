"""A process that has imported the program, and forks itself where a test starts one: two thirds of what a start costs.

Run as ``python -m tests.forking FD``, where ``FD`` is a socket on which ``tests.forked`` asks for processes; with each
question come the streams of the process, and a pipe on which it is told how that ended. Each is as one that an
interpreter has just started with ``-m MODULE``, in all but what it has imported already.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import pkgutil
import runpy
import select
import socket
import struct
import sys
import threading
import time
from codecs import lookup
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TextIO

from pymon_tui.server.deferred_packages import defer_redis

SIZE = struct.Struct("!I")
"""Of the length of a question, which comes before it; and of an answer, the process id."""

NAMES = ("stdin", "stdout", "stderr")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be started.

    Attributes:
        module: To be run as ``__main__``.
        arguments: Its own.
        environ: All that it has.
        folder: Where.
        session: ``login``, so that its input is the terminal of a session of its own; ``own``; or ``""`` for ours.
        closed: Those of its streams that are closed.
    """

    module: str
    arguments: list[str]
    environ: dict[str, str]
    folder: str
    session: str
    closed: list[int]


def main(control: socket.socket) -> None:
    """Fork until nobody can ask any more. Returns in each process that was forked, once it is set up and has run."""
    running: dict[int, tuple[int, int]] = {}  # by the descriptor of a process: its id, and the pipe for how it ended
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready != control.fileno():
                poll.unregister(ready)
                pid, told = running.pop(ready)
                _, status = os.waitpid(pid, 0)
                with suppress(BrokenPipeError):  # nobody wants to know
                    os.write(told, SIZE.pack(status))
                os.close(told)
                os.close(ready)
                continue
            head, streams, _, _ = socket.recv_fds(control, SIZE.size, len(NAMES) + 1)
            if not head:
                os._exit(0)
            asked = Asked(**json.loads(_received(control, *SIZE.unpack(head))))
            pid = os.fork()
            if pid == 0:
                control.close()
                for each, (_, told) in running.items():
                    os.close(each)
                    os.close(told)
                os.close(streams.pop())
                _become(asked, streams)
                _run(asked.module)
                return
            *ours, told = streams
            for stream in ours:
                os.close(stream)
            watched = os.pidfd_open(pid)
            running[watched] = pid, told
            poll.register(watched, select.POLLIN)
            control.sendall(SIZE.pack(pid))


def _received(control: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        found += control.recv(length - len(found))
    return found


def _become(asked: Asked, streams: list[int]) -> None:
    """Be what was asked for, as the interpreter makes it before it runs the first line."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if asked.session == "login":
        os.login_tty(os.dup(0))
    elif asked.session == "own":
        os.setsid()
    for number in asked.closed:
        os.close(number)
    os.chdir(asked.folder)
    os.environ.clear()
    os.environ.update(asked.environ)
    time.tzset()
    sys.argv = [asked.module, *asked.arguments]
    sys.orig_argv = [sys.executable, "-m", asked.module, *asked.arguments]
    encoding, _, errors = asked.environ.get("PYTHONIOENCODING", "").partition(":")
    for number, name in enumerate(NAMES):
        like = getattr(sys, f"__{name}__")
        kind = (lookup(encoding).name, errors or "strict") if encoding else (like.encoding, like.errors)
        made = None if number in asked.closed else _opened(number, *kind)
        setattr(sys, name, made)
        setattr(sys, f"__{name}__", made)


def _run(module: str) -> None:
    """Run it, and end as the interpreter does, but for what modules hold: each object would be copied to be deleted.

    Returns, or raises, where the interpreter has more to say of how it ended.
    """
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        code = ended.code or 0
    gc.collect()  # of what it made itself: what was there before is frozen
    threading._shutdown()  # type: ignore[attr-defined]  # waits for the threads that aren't daemons
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code & 0xFF)


def _opened(number: int, encoding: str, errors: str) -> TextIO:
    """A standard stream. Python makes it thus: ``create_stdio`` in ``Python/pylifecycle.c``."""
    is_error, unbuffered = number == len(NAMES) - 1, bool(os.environ.get("PYTHONUNBUFFERED"))
    raw = io.FileIO(number, "wb" if number else "rb", closefd=False)
    raw.name = f"<{NAMES[number]}>"
    if number:
        buffer: Any = raw if unbuffered else io.BufferedWriter(raw)
    else:
        buffer = io.BufferedReader(raw)
    text = io.TextIOWrapper(
        buffer,
        encoding=encoding,
        errors="backslashreplace" if is_error else errors,
        newline="\n",
        line_buffering=not unbuffered and (raw.isatty() or is_error),
        write_through=unbuffered,
    )
    text.mode = "w" if number else "r"  # type: ignore[misc]
    return text


if __name__ == "__main__":
    asking = socket.socket(fileno=int(sys.argv[1]))
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # as the program does before its imports
    defer_redis()
    package = import_module("pymon_tui")
    for module in pkgutil.walk_packages(package.__path__, "pymon_tui."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    gc.collect()
    gc.freeze()  # what was imported stays shared with those that are forked
    main(asking)
