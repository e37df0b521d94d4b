"""One running ``ssh`` that forwards a private unix socket, gone with us whatever ends us."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path

from pymon_tui.model.link import Trouble
from pymon_tui.server import ssh
from pymon_tui.server.ssh import Failure, Place

STOP_SECONDS = 3.0

# A unix socket's path holds 104 bytes on macOS and 108 on Linux, the closing zero included.
_MAX_SOCKET_PATH = 103
# ssh expands % and ${} in the paths that it forwards, and takes them apart at colons.
_PLAIN_PATH = re.compile(r"[\w./@+,=-]+", re.ASCII)
_INTERRUPTED = "interrupted by Ctrl+C"
_SOCKETS = Path("/proc/net/unix")
_LISTENING = 0x10000  # of the flags there
_TAIL = 8192  # bytes of what ssh said that are looked at

# No handler of ours can answer SIGKILL; a pipe can: its other end closes with the process that holds it. The shell
# and ssh, and whatever ssh starts to get through (jumps, a ProxyCommand), are a process group of their own, which
# ends as one. The watcher is for the case that the shell is killed.
WATCHDOG = """
umask 077
folder=$1 interrupted=$2 ssh=$3
shift 3
shared='' tunnel=''
mkdir "$folder" || exit
finish() {
  exec 2>/dev/null
  trap '' HUP INT TERM
  rm -rf "$folder"
  (sleep 1; kill -KILL 0) &
  if [ "$shared" ]; then "$ssh" -O cancel "$@"; fi
  kill -TERM 0
  if [ "$tunnel" ]; then wait "$tunnel"; fi
  kill -KILL 0
}
trap '' TSTP
trap exit HUP TERM
trap 'echo "$interrupted" >&2; exit' INT
trap 'finish "$@"' EXIT
exec 3<&0 </dev/null
(trap '' TERM; while read -r line; do :; done <&3; kill -TERM 0; sleep 3; rm -rf "$folder"; kill -KILL 0) 2>/dev/null &
watcher=$!
exec 3<&-
settings=$("$ssh" -G "$@" 2>/dev/null)
case $settings in *"controlpath none"*) ;; *"controlpath "*) shared=1;; esac
# One that goes to the background by itself would outlive us.
case $settings in *"forkafterauthentication yes"*) set -- -o ForkAfterAuthentication=no "$@";; esac
"$ssh" "$@" &
tunnel=$!
# A master of the user's own (ControlMaster) takes the forwarding over, and keeps it until it is told otherwise.
wait "$tunnel" && [ "$shared" ] && [ -S "$folder/s" ] && wait "$watcher"
"""


class SshProcess:
    """An ``ssh`` on its way, standing, or ended.

    Args:
        via: The host to go through.
        there: ``host:port`` or the path of a socket, as ``via`` sees it.
        asks: Whether it may ask on the terminal; then it has a process group, to be given the terminal, and else a
            session without one.
        alone: Whether it leaves a master of the user's own (ControlMaster) alone.
        timeout: Seconds until an attempt to reach ``via`` is given up.

    Raises:
        NoTunnel: If there is no ``ssh``, no place for its socket, or a path that it can't forward.

    Attributes:
        socket: Path of the unix socket; it is there when the tunnel stands.
        asks: As given.
    """

    def __init__(self, via: Place, there: str, *, asks: bool, alone: bool, timeout: float) -> None:
        program = shutil.which("ssh")
        if program is None:
            raise NoTunnel(Failure(Trouble.REFUSED, "there is no ssh on this machine", "install the OpenSSH client"))
        if there.startswith("/") and not _PLAIN_PATH.fullmatch(there):
            what = "ssh forwards only sockets whose path has letters, digits and ./@+,=-_"
            raise NoTunnel(Failure(Trouble.REFUSED, what, "give it such a path"))
        folder = _short_folder()
        self.socket = str(folder / "s")
        self.asks = asks
        self._via = via
        self._seen = False
        self._heard = 0  # bytes of what it said that belong to the past
        words = ssh.arguments(via, self.socket, there, asks=asks, alone=alone, timeout=timeout)
        # An anonymous file: output of any length never blocks ssh, and nothing is left on the disk.
        with tempfile.TemporaryFile() as said:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", WATCHDOG, "pymon-tunnel", str(folder), _INTERRUPTED, program, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=ssh.environment(os.environ, asks=asks),
                process_group=0 if asks else None,
                start_new_session=not asks,
            )
            self._said = os.dup(said.fileno())
        weakref.finalize(self, os.close, self._said)  # what it said can be asked for after its end

    @property
    def group(self) -> int:
        """The number of its process group."""
        return self._process.pid

    @property
    def is_gone(self) -> bool:
        """Whether it has ended, or is about to: the socket that was there goes first."""
        return self._process.poll() is not None or (self._seen and not Path(self.socket).exists())

    @property
    def was_interrupted(self) -> bool:
        """Whether it has ended because a person pressed Ctrl+C on the terminal that it was given."""
        return self.is_gone and _INTERRUPTED in self.said(0)[0]

    def stands(self) -> bool:
        """Whether the socket can be connected to."""
        before, self._seen = self._seen, self._seen or Path(self.socket).exists()
        # Where the system doesn't tell, ssh has come to listen between the look that sees it first and the next one.
        return before and not self.is_gone and _is_listened_on(self.socket) is not False

    def said(self, since: int) -> tuple[tuple[str, ...], int]:
        """The whole lines of its stderr from byte ``since`` on, the last 8 KiB at most, and where they end."""
        begin = max(since, os.fstat(self._said).st_size - _TAIL)
        # Not by seek: the position is shared with ssh, which writes there.
        whole, newline, _ = os.pread(self._said, _TAIL, begin).rpartition(b"\n")
        return tuple(whole.decode(errors="replace").splitlines()), begin + len(whole + newline)

    def forget(self) -> None:
        """What it has said until now explains nothing that fails later: all is well."""
        _, self._heard = self.said(self._heard)

    def failure(self, far: str) -> Failure | None:
        """Why a connection through it was lost or not made; None if it knows of nothing."""
        if self.is_gone:
            return ssh.ending(self.said(0)[0], self._via, asked=self.asks)
        news, _ = self.said(self._heard)
        return ssh.refusal(news, self._via, far) or ssh.known_ending(news, self._via, asked=self.asks)

    def stop(self) -> None:
        """End it, and what it has started; does nothing where it has ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()  # stopped by somebody; its watcher ends the others
            self._process.wait()


class NoTunnel(Exception):  # noqa: N818 - a state of the line, said as such
    """There is no way through ssh."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.what}; {failure.remedy}" if failure.remedy else failure.what)
        self.failure = failure


def _short_folder() -> Path:
    """A name for a new folder among the temporary files, fit for the path of a socket that ssh is to listen on."""
    for parent in (tempfile.gettempdir(), "/tmp"):
        folder = Path(parent, f"pymon-{secrets.token_hex(4)}")
        if len(os.fsencode(folder / "s")) <= _MAX_SOCKET_PATH and _PLAIN_PATH.fullmatch(str(folder)):
            return folder
    raise AssertionError("unreachable: the last one fits")


def _is_listened_on(path: str) -> bool | None:
    """Whether a process listens on the unix socket of this path, which is there before; None where nobody tells."""
    try:
        sockets = _SOCKETS.read_bytes().splitlines()
    except OSError:  # not on Linux
        return None
    bound = [words[3] for line in sockets if (words := line.split(maxsplit=7))[7:] == [os.fsencode(path)]]
    return any(int(flags, 16) & _LISTENING for flags in bound) if bound else None
