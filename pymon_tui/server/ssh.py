"""The system's ``ssh`` as we call it, and what it says when it fails. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymon_tui.model.link import Trouble
from pymon_tui.model.text import safe
from pymon_tui.server.inherited import without_secrets

ALIVE_INTERVAL = 5
"""Seconds of silence after which ssh asks the other side for a sign of life; three without one end it."""

# What ssh itself refuses in a user's name (its configuration may hand it to a shell), and what can't be in a host's.
_UNFIT = re.compile(r"""[\x00-\x20\x7f'"`$;&<>|(){}\[\]/?#%]""")
_HOSTS = (
    re.compile(r"([^:]*)(?::([0-9]{1,5}))?"),
    re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?"),
    re.compile(r"([0-9A-Fa-f:.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)()"),
)
_SPEAKER = re.compile(r"^(ssh|\S+@\S+): ")
_OPEN_FAILED = re.compile(r"open failed: (.+)$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where ssh goes: a host of its configuration or of the network, perhaps as somebody and to another port."""

    user: str | None
    host: str
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (f"{self.user}@" if self.user else "") + host + (f":{self.port}" if self.port else "")

    @property
    def arguments(self) -> tuple[str, ...]:
        """The end of ssh's command line."""
        port = ("-p", str(self.port)) if self.port else ()
        return (*port, "--", f"{self.user}@{self.host}" if self.user else self.host)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no way through: one line each for what, and what to do about it."""

    trouble: Trouble
    what: str
    remedy: str


def place(text: str) -> Place:
    """Read ``[USER@]HOST[:PORT]``, an IPv6 address with a port in brackets.

    Raises:
        ValueError: If it is none. The message doesn't repeat the text, which may hold a password.
    """
    user, at, rest = text.rpartition("@")
    if ":" in user:
        raise ValueError("a password for ssh can't be given: ssh asks for it, or takes a key")
    found = next(filter(None, (form.fullmatch(rest) for form in _HOSTS)), None)
    host, port = found.groups(default="") if found else ("", "")
    unnamed = not host or host.startswith("-") or bool(at and (not user or user.startswith("-")))
    if unnamed or _UNFIT.search(user + host) or (port and not 1 <= int(port) <= 65535):
        raise ValueError("should be [USER@]HOST[:PORT], as ssh knows it")
    return Place(user or None, host, int(port) if port else None)


def arguments(via: Place, here: str, there: str, *, asks: bool, alone: bool, timeout: float) -> list[str]:
    """What follows ``ssh`` on its command line.

    Args:
        via: The host to go through.
        here: Path of the unix socket to listen on; another user of this machine can't reach it in a private folder.
        there: ``host:port`` or the path of a socket, as ``via`` sees it.
        asks: Whether ssh may ask on the terminal for a password or about an unknown host.
        alone: Whether it makes a TCP connection of its own where a master's could be shared.
        timeout: Seconds until an attempt to reach ``via`` is given up.
    """
    options = {
        # A forwarding of the user's own, which another ssh may have taken already, must not end ours.
        "ExitOnForwardFailure": "no",
        "ConnectTimeout": f"{max(1, round(timeout))}",
        "ServerAliveInterval": f"{ALIVE_INTERVAL}",
        "ServerAliveCountMax": "3",
        "StreamLocalBindMask": "0177",
        # A master that is there is used; we don't become one, for it would stay when we go.
        "ControlMaster": "no",
        "LogLevel": "INFO",  # the reasons are said at this level
    }
    if not asks:
        options["BatchMode"] = "yes"
    if alone:
        options["ControlPath"] = "none"
    given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["-N", "-T", "-x", "-a", *given, "-L", f"{here}:{there}", *via.arguments]


def environment(own: Mapping[str, str], *, asks: bool) -> dict[str, str]:
    """The environment for ssh: without secrets of ours, which ``SendEnv`` would even hand on."""
    kept = without_secrets(own)
    return kept if asks else kept | {"SSH_ASKPASS_REQUIRE": "never"}


def refusal(said: Sequence[str], via: Place, far: str) -> Failure | None:
    """Why a tunnel that stands doesn't lead to ``far``, by the lines on ssh's stderr; None if none says so."""
    reasons = [found[1] for line in said if (found := _OPEN_FAILED.search(line))]
    if not reasons:
        return None
    reason = reasons[-1].removeprefix("connect failed: ")
    what = f"{via} has no connection to {far}: {safe(reason, 120)}"
    if "prohibited" in reason:
        what = f"{via} forwards nothing to {far}: {safe(reason, 120)}"
        return Failure(Trouble.REFUSED, what, "its sshd must allow it (AllowTcpForwarding, PermitOpen)")
    if "timed out" in reason:
        return Failure(Trouble.SILENT, what, "check the address, and the firewall between them")
    if "refused" in reason:
        return Failure(Trouble.UNREACHABLE, what, "is the server running there?")
    if "Permission denied" in reason:
        return Failure(Trouble.REFUSED, what, "check the socket's mode and owner there")
    return Failure(Trouble.UNREACHABLE, what, f"check the address, as {via} sees it")


def ending(said: Sequence[str], via: Place, *, asked: bool) -> Failure:
    """Why ssh has ended, by the lines on its stderr; ``asked`` says whether it could ask for a password."""
    found = known_ending(said, via, asked=asked)
    if found is not None:
        return found
    lines = [line for line in said if line.strip() and not line.startswith("mux")]
    last = _plain(lines[-1]) if lines else "it ended without a word"
    return Failure(Trouble.UNREACHABLE, f"ssh to {via} failed: {last}", f"try: ssh {via.host}")


def known_ending(said: Sequence[str], via: Place, *, asked: bool) -> Failure | None:
    """As ``ending``, where a line is one that we know."""
    if any("HOST IDENTIFICATION HAS CHANGED" in line for line in said):
        what = f"the host key of {via} has changed: somebody may be listening in"
        return Failure(Trouble.REFUSED, what, f"ask who runs it; ssh-keygen -R {via.host} forgets the old key")
    for line in reversed(said):
        for words, trouble, remedy in _KNOWN:
            if words in line:
                denied = words == "Permission denied"
                remedy = (_WRONG if asked else _CAN_NOT_ASK) if denied else remedy
                return Failure(trouble, f"ssh to {via} failed: {_plain(line)}", remedy.format(host=via.host))
    return None


def _plain(line: str) -> str:
    return safe(_SPEAKER.sub("", line.strip()).rstrip("."), 160)


_WRONG = "check the password, or which keys it takes: ssh -v {host}"
_CAN_NOT_ASK = "it can't ask here: add a key to the agent, or start anew on a terminal, where it asks first"
_CIPHERS = "its sshd and this ssh have no method in common"
_CUT = "the line to it was cut"
_KNOWN = (
    ("Permission denied", Trouble.REFUSED, ""),
    ("Too many authentication failures", Trouble.REFUSED, "name the key with IdentityFile and IdentitiesOnly"),
    ("Host key verification failed", Trouble.REFUSED, "connect by hand, and compare its key: ssh {host}"),
    ("Unable to negotiate", Trouble.REFUSED, _CIPHERS),
    ("Could not resolve hostname", Trouble.UNREACHABLE, "check the name, ~/.ssh/config and this machine's DNS"),
    ("Connection refused", Trouble.UNREACHABLE, "is sshd running there, on that port?"),
    ("timed out", Trouble.SILENT, "check the address and the firewall"),
    ("not responding", Trouble.SILENT, "the line to it is dead"),
    ("No route to host", Trouble.UNREACHABLE, "check the address and the network"),
    ("Network is unreachable", Trouble.UNREACHABLE, "check this machine's network"),
    ("Bad configuration option", Trouble.REFUSED, "correct ~/.ssh/config"),
    ("Bad owner or permissions", Trouble.REFUSED, "chmod 600 ~/.ssh/config"),
    ("cannot bind to path", Trouble.REFUSED, "set TMPDIR to a folder that can hold a socket"),
    ("closed by", Trouble.UNREACHABLE, "was it closed there?"),
    ("Broken pipe", Trouble.UNREACHABLE, _CUT),
    ("reset by peer", Trouble.UNREACHABLE, _CUT),
)
