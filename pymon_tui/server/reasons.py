"""From an error to what a person needs to know: what failed, why, and what to do about it."""

from __future__ import annotations

import errno
import socket
import ssl

from redis.exceptions import (
    AuthenticationError,
    InvalidResponse,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Reason, Unavailable
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint

_NOTHING = safe("")


class LinkError(Exception):
    """A connection that could not be made or was lost. Its text is one line."""

    def __init__(self, trouble: Trouble, what: str, remedy: str) -> None:
        self.trouble = trouble
        self.what = safe(what)
        self.remedy = safe(remedy)
        super().__init__(f"{self.what}; {self.remedy}" if remedy else str(self.what))


def answer_text(error: RedisError) -> SafeText:
    """What the server said, with the code that redis-py takes off (``LOADING``, ``NOPERM``, ...)."""
    code = getattr(error, "status_code", None)
    text = str(error)
    return safe(f"{code} {text}" if code and not text.startswith(str(code)) else text, 200)


def gap(error: RedisError, acl: str, user: SafeText) -> Unavailable:
    """Why this command has no answer. ``acl`` is its name in ACL rules, ``user`` whom we are logged in as."""
    detail = answer_text(error)
    if isinstance(error, NoPermissionError):
        return Unavailable(Reason.DENIED, detail, grant(acl, user))
    if detail.lower().startswith(("err unknown command", "unknown command", "err unknown subcommand", "unknown sub")):
        name = acl.replace("|", " ").upper()
        return Unavailable(Reason.MISSING, detail, safe(f"this server has no {name}, or it is renamed"))
    return Unavailable(Reason.FAILED, detail, _NOTHING)


def grant(acl: str, user: SafeText) -> SafeText:
    """The ACL line that lets ``user`` run a command."""
    return safe(f"ACL SETUSER {user} +{acl}")


def link_error(error: BaseException, endpoint: Endpoint) -> LinkError:
    """What is wrong with the connection, from whatever redis-py, TLS or the system raised."""
    if isinstance(error, LinkError):
        return error
    cause = _root(error)
    text = str(error)
    if isinstance(cause, ssl.SSLError):
        return _tls_error(cause)
    if isinstance(error, InvalidResponse):
        return LinkError(Trouble.FOREIGN, f"{endpoint.address} does not speak Redis' protocol", "check the port")
    if isinstance(error, AuthenticationError) or "NOAUTH" in text or "WRONGPASS" in text:
        return _auth_error(text, endpoint)
    if "max number of clients" in text:
        return LinkError(
            Trouble.CROWDED,
            "the server has no free connection: max number of clients reached",
            "raise maxclients",
        )
    if isinstance(error, RedisTimeoutError | TimeoutError):
        seconds = endpoint.command_timeout
        return LinkError(Trouble.SILENT, f"no answer from {endpoint.address} within {seconds:g} s", "")
    if isinstance(cause, OSError):
        return _system_error(cause, endpoint)
    if isinstance(error, RedisConnectionError):
        return LinkError(Trouble.UNREACHABLE, f"{endpoint.address} closed the connection", "")
    if isinstance(error, ResponseError):
        return LinkError(Trouble.REFUSED, f"the server refused the connection: {answer_text(error)}", "")
    return LinkError(Trouble.UNREACHABLE, f"no connection to {endpoint.address}: {text}", "")


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None or error.__context__ is not None:
        following = error.__cause__ or error.__context__
        if following is None or not isinstance(following, OSError):
            break
        error = following
    return error


def _auth_error(text: str, endpoint: Endpoint) -> LinkError:
    if endpoint.password is None:
        return LinkError(Trouble.REFUSED, "the server wants a password", "give it in REDISCLI_AUTH or with --askpass")
    if "without any password" in text or "no password is set" in text:
        return LinkError(Trouble.REFUSED, "the server has no password set, but one was given", "leave it out")
    who = endpoint.username or "default"
    return LinkError(
        Trouble.REFUSED, f"wrong password for user {who}, or no such user", "check REDISCLI_AUTH and --user"
    )


def _system_error(error: OSError, endpoint: Endpoint) -> LinkError:
    if isinstance(error, socket.gaierror):
        return LinkError(Trouble.UNREACHABLE, f"no such host: {endpoint.host}", "check the name")
    if isinstance(error, ConnectionRefusedError):
        return LinkError(Trouble.UNREACHABLE, f"{endpoint.address} refuses connections", "is the server running there?")
    if isinstance(error, FileNotFoundError):
        return LinkError(Trouble.UNREACHABLE, f"no socket at {endpoint.address}", "check the path")
    if isinstance(error, PermissionError):
        return LinkError(Trouble.REFUSED, f"no permission to open {endpoint.address}", "check its mode and owner")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return LinkError(Trouble.UNREACHABLE, f"{endpoint.address} cut the connection", "")
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return LinkError(
            Trouble.SILENT, f"no answer from {endpoint.address}", "is it the right host, is a wall between?"
        )
    return LinkError(Trouble.UNREACHABLE, f"no connection to {endpoint.address}: {error.strerror or error}", "")


def _tls_error(error: ssl.SSLError) -> LinkError:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = error.verify_message or str(error)
        if "Hostname mismatch" in text or "IP address mismatch" in text:
            return LinkError(Trouble.REFUSED, f"the certificate is not for this host: {text}", "name it with --sni")
        if "expired" in text:
            return LinkError(Trouble.REFUSED, "the server's certificate has expired", "renew it")
        return LinkError(
            Trouble.REFUSED,
            f"the server's certificate is not trusted: {text}",
            "name its authority with --cacert",
        )
    reason = error.reason or ""
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER" in reason or "EOF" in reason:
        return LinkError(Trouble.FOREIGN, "this port does not speak TLS", "leave --tls out, or check the port")
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return LinkError(Trouble.REFUSED, "the server wants a client certificate", "give it with --cert and --key")
    return LinkError(Trouble.REFUSED, f"TLS failed: {reason or error}", "")
