"""From an error to what a person needs to know: what failed, why, and what to do about it."""

from __future__ import annotations

import os
import re
import socket
import ssl

from redis.exceptions import InvalidResponse, NoPermissionError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Reason, Reply, Unavailable
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.tunnel import tunnel_to

A_SENTINEL = safe("a Sentinel: it has no keys")
ASK_IT_FOR_ITS_SERVER = safe("--sentinel HOST:PORT --service NAME is the way to a server that it watches")

_NOTHING = safe("")
_MISSING = ("unknown command", "unknown subcommand", "unsupported command", "command is not available")
_DISABLED = ("support disabled", "command not allowed")
_NAMED = re.compile(r"permissions to run the '([\w|-]+)' command")
_IN_A_SCRIPT = "The user executing the script can't"  # and which command or key it is, Redis doesn't say


class LinkError(Exception):
    """A connection that could not be made or was lost. Its text is one line."""

    def __init__(self, trouble: Trouble, what: str, remedy: str) -> None:
        self.trouble = trouble
        self.what = safe(what)
        self.remedy = safe(remedy)
        super().__init__(f"{self.what}; {self.remedy}" if remedy else str(self.what))


class ClosedError(LinkError):
    """A connection that the other end has closed."""

    def __init__(self, what: str) -> None:
        super().__init__(Trouble.UNREACHABLE, what, "is the server still running?")


def answer_text(error: RedisError) -> SafeText:
    """What the server said, its code (``NOPERM``) included and the arguments that it repeats left out."""
    code = getattr(error, "status_code", None)
    # What follows are the command's arguments, and those of an unknown HELLO or AUTH are the credentials.
    text = str(error).split(", with args beginning with", 1)[0]
    return safe(f"{code} {text}" if code and not text.startswith(str(code)) else text, 200)


def gap(error: RedisError, acl: str, user: SafeText) -> Unavailable:
    """Why this command has no answer. ``acl`` is its name in ACL rules, ``user`` whom we are logged in as."""
    detail = answer_text(error)
    if isinstance(error, NoPermissionError):
        return Unavailable(Reason.DENIED, detail, remedy_of(error, acl, user))
    text = detail.lower()
    name = acl.replace("|", " ").upper()
    if any(words in text for words in _MISSING):
        return Unavailable(Reason.MISSING, detail, safe(f"this server has no {name}, or it is renamed"))
    if any(words in text for words in _DISABLED):
        return Unavailable(Reason.DISABLED, detail, safe(f"this server is set up without {name}"))
    return Unavailable(Reason.FAILED, detail, _NOTHING)


def is_sentinel(info: Info | None) -> bool:
    """Whether who answers is a Sentinel."""
    return info is not None and "sentinel" in (info.text("redis_mode"), info.text("server_mode"))


def sentinel_error(endpoint: Endpoint) -> LinkError:
    """That a Sentinel answers where a server is wanted."""
    return LinkError(Trouble.FOREIGN, f"{endpoint.address} is {A_SENTINEL}", ASK_IT_FOR_ITS_SERVER)


def grant(acl: str, user: SafeText) -> SafeText:
    """The ACL line that lets ``user`` run a command."""
    return safe(f"ACL SETUSER {user} +{acl}")


def is_refusal(error: RedisError) -> bool:
    """Whether the same command would be answered so again, until somebody changes what our user or the server may."""
    return gap(error, "", _NOTHING).reason in (Reason.DENIED, Reason.MISSING, Reason.DISABLED)


def is_of_key(error: RedisError) -> bool:
    """Whether our user may run the command, and may not touch a key (or a channel) that it names."""
    return isinstance(error, NoPermissionError) and "permissions to access" in str(error)


def as_executed(reply: Reply) -> Reply:
    """What a command would be answered, from the answer to ACL DRYRUN: that tells a refusal as a text."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""
    return NoPermissionError(text, status_code="NOPERM") if text not in ("", "OK") else reply


def is_of_another_type(error: RedisError) -> bool:
    """Whether the command is for another type than the key's."""
    return answer_text(error).startswith("WRONGTYPE")


def remedy_of(error: RedisError, acl: str, user: SafeText) -> SafeText:
    """The ACL line that lets ``user`` do what was refused (the command, its key, its channel); else nothing.

    ``acl`` is what was sent; the server may name what it refused of it, such as a command that a script calls.
    """
    named = _NAMED.search(str(error))
    if "unknown type name" in str(error):  # Valkey 9.1 refuses a SCAN for it; others find no key
        return safe("types are string, list, set, zset, hash, stream, or a module's, as TYPE says it")
    if not isinstance(error, NoPermissionError) and named is None:
        return safe("pymon-tui doctor tells what it takes") if _IN_A_SCRIPT in str(error) else _NOTHING
    if not is_of_key(error):
        # Redis 6 names "'client' command or its subcommand": what was sent is named better then.
        return grant(acl if named is None or acl.startswith(f"{named[1]}|") else named[1], user)
    return safe(f"ACL SETUSER {user} &CHANNEL" if "channel" in str(error) else f"ACL SETUSER {user} ~KEY")


def link_error(error: BaseException, endpoint: Endpoint) -> LinkError:
    """What is wrong with the connection, from whatever redis-py, TLS or the system raised."""
    cause = _root(error)
    if (blamed := _tunnel_error(error, cause, endpoint)) is not None:
        return blamed
    if isinstance(cause, ssl.SSLError):
        return _tls_error(cause, endpoint)
    if isinstance(error, InvalidResponse):
        return _foreign(error, endpoint)
    if isinstance(error, ResponseError):
        return _refusal(error, endpoint)
    if isinstance(error, RedisTimeoutError | TimeoutError):
        return _silence(error, endpoint)
    if isinstance(cause, ConnectionResetError | BrokenPipeError) and "connecting to" in str(error):
        return greeting_closed(endpoint)  # in the TLS greeting
    if isinstance(cause, OSError):
        return _system_error(cause, endpoint)
    if error.__cause__ is not None:  # such as a host that can't be a name
        return LinkError(
            Trouble.UNREACHABLE, f"no connection to {endpoint.address}: {error.__cause__}", "check the address"
        )
    return ClosedError(f"{endpoint.address} closed the connection")


def greeting_closed(endpoint: Endpoint) -> LinkError:
    """A connection that was accepted, and closed before anything was answered."""
    if (blamed := _tunnel_error(ConnectionResetError(), None, endpoint)) is not None:
        return blamed
    what = f"{endpoint.address} closed the connection without an answer"
    if endpoint.tls is None:
        return LinkError(Trouble.UNREACHABLE, what, "is a server running behind it, does it want --tls?")
    return LinkError(Trouble.UNREACHABLE, what, "does it speak TLS, does it want a client certificate (--cert, --key)?")


def proxy_error(endpoint: Endpoint, command: str, *, is_bare: bool) -> LinkError:
    """A connection that was closed at ``command``, the first that isn't of the greeting.

    With ``is_bare`` it was closed at all but PING before. Else it may be of a server that is just going down.
    """
    if not is_bare:
        what = (
            f"{endpoint.address} took the greeting and closed the connection at {command}: a proxy, or it is going down"
        )
        return LinkError(Trouble.UNREACHABLE, what, "if it stays so, connect to the servers behind it")
    what = f"{endpoint.address} answers PING and closes at {command}: a proxy such as twemproxy"
    return LinkError(Trouble.FOREIGN, what, "connect to the servers behind it")


def database_error(error: ResponseError, endpoint: Endpoint) -> LinkError:
    """A login that worked and a database that can't be selected."""
    if isinstance(error, NoPermissionError):
        remedy = grant("select", safe(endpoint.username or "default"))
    elif answer_text(error).startswith("ERR"):
        remedy = safe("choose another with --db")
    else:
        return link_error(error, endpoint)
    return LinkError(Trouble.REFUSED, f"database {endpoint.db} can't be selected: {answer_text(error)}", remedy)


def no_longer(error: LinkError, endpoint: Endpoint) -> LinkError:
    """The same error, said of an endpoint whose password this server has taken before."""
    if error.trouble is not Trouble.LOCKED or not endpoint.password:
        return error
    who = endpoint.username or "default"
    what = f"the password of user {who} is taken no longer: it was changed, or the user disabled or removed"
    return LinkError(Trouble.LOCKED, what, "give the new one")


def certificate_error(what: str, error: OSError, remedy: str) -> LinkError:
    """A certificate of ours, or one to trust, that can't be loaded."""
    why = error.reason or "not readable" if isinstance(error, ssl.SSLError) else error.strerror
    return LinkError(Trouble.UNTRUSTED, f"can't load {what}: {why}", remedy)


def _tunnel_error(error: BaseException, cause: BaseException | None, endpoint: Endpoint) -> LinkError | None:
    """What ssh says of it, where the way to the server is to blame and not the server."""
    tunnel = tunnel_to(endpoint)
    if tunnel is None or isinstance(error, ResponseError | InvalidResponse | ssl.SSLCertVerificationError):
        return None
    failure = tunnel.failure(refused=isinstance(cause, ConnectionRefusedError | FileNotFoundError))
    return LinkError(failure.trouble, failure.what, failure.remedy) if failure else None


def _root(error: BaseException) -> BaseException:
    while isinstance(following := error.__cause__ or error.__context__, OSError):
        error = following
    return error


def _foreign(error: InvalidResponse, endpoint: Endpoint) -> LinkError:
    if '"\\x15"' in str(error):  # the first byte of a TLS alert
        return LinkError(Trouble.FOREIGN, f"{endpoint.address} speaks TLS", "connect with --tls")
    return LinkError(Trouble.FOREIGN, f"{endpoint.address} does not speak Redis' protocol", "check the port")


def _refusal(error: ResponseError, endpoint: Endpoint) -> LinkError:
    text = answer_text(error)
    if endpoint.password:
        text = safe(text.replace(endpoint.password.get_secret_value(), "***"))
    if "max number of clients" in text:
        return LinkError(
            Trouble.CROWDED, "the server has no free connection: max number of clients reached", "raise maxclients"
        )
    if text.startswith("DENIED"):
        return LinkError(
            Trouble.REFUSED,
            "the server is in protected mode: it takes connections from its own machine only",
            "set a password there, or come through an SSH tunnel",
        )
    if text.startswith("BUSY "):
        what = "the server is busy with a script or a function"
        return LinkError(Trouble.SILENT, what, "SCRIPT KILL or FUNCTION KILL ends one that has not written yet")
    if text.startswith("LOADING"):
        return LinkError(Trouble.SILENT, f"{endpoint.address} is busy: {text}", "it answers when that is done")
    return _auth_error(text, endpoint) or LinkError(
        Trouble.REFUSED, f"the server refused the connection: {text}", "check what its administrator allows"
    )


def _auth_error(text: str, endpoint: Endpoint) -> LinkError | None:
    if "without any password" in text or "no password is set" in text:
        return LinkError(Trouble.REFUSED, "the server has no password set, but one was given", "leave it out")
    if "number of arguments for 'auth'" in text.lower():
        return LinkError(Trouble.REFUSED, "the server knows no users, only a password", "leave --user out")
    if not any(words in text for words in ("NOAUTH", "WRONGPASS", "invalid password")):
        return None
    if not endpoint.password:
        remedy = "give it in REDISCLI_AUTH or with --askpass"
        if endpoint.username:  # as redis-cli reads it, it would be the password
            remedy += '; what stands before "@" in a URL is the user, as in redis://USER:PASSWORD@HOST'
        return LinkError(Trouble.LOCKED, "the server wants a password", remedy)
    who = endpoint.username or "default"
    return LinkError(
        Trouble.LOCKED, f"wrong password for user {who}, or no such user", "check REDISCLI_AUTH and --user"
    )


def _silence(error: BaseException, endpoint: Endpoint) -> LinkError:
    if str(error) != "Timeout connecting to server":
        what = f"no answer from {endpoint.address} within {endpoint.command_timeout:g} s"
        return LinkError(Trouble.SILENT, what, "the server may be frozen or busy, or the line dead")
    what = f"no connection to {endpoint.address} within {endpoint.connect_timeout:g} s"
    remedy = "check the address and the firewall" if endpoint.tls is None else "does this port speak TLS?"
    return LinkError(Trouble.SILENT, what, remedy)


def _system_error(error: OSError, endpoint: Endpoint) -> LinkError:
    if isinstance(error, socket.gaierror):
        what = f"host {endpoint.host} has no address: {error.strerror}"
        return LinkError(Trouble.UNREACHABLE, what, "check the name and this machine's DNS")
    numbers = re.findall(r"\[Errno (\d+)\]", str(error))
    if numbers:  # asyncio puts its own words, or several errors at once, in place of the system's
        error = OSError(int(numbers[-1]), os.strerror(int(numbers[-1])))
    if isinstance(error, ConnectionRefusedError):
        return LinkError(Trouble.UNREACHABLE, f"{endpoint.address} refuses connections", "is the server running there?")
    if isinstance(error, FileNotFoundError):
        return LinkError(
            Trouble.UNREACHABLE, f"no socket at {endpoint.address}", "is the server running, is the path right?"
        )
    if isinstance(error, PermissionError):
        return LinkError(Trouble.UNREACHABLE, f"no permission to open {endpoint.address}", "check its mode and owner")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return ClosedError(f"{endpoint.address} cut the connection")
    if isinstance(error, TimeoutError):
        return LinkError(Trouble.SILENT, f"no answer from {endpoint.address}", "check the address and the firewall")
    what = f"no connection to {endpoint.address}: {error.strerror or error}"
    return LinkError(Trouble.UNREACHABLE, what, "check the address and the network")


def _tls_error(error: ssl.SSLError, endpoint: Endpoint) -> LinkError:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = error.verify_message or str(error)
        if "mismatch" in text:
            remedy = "name it with --sni"
            if text.startswith("IP address"):  # an address counts among the alternative names alone, and --sni is none
                remedy += f", or, if it has the address in its CN alone, make it anew with {_ip_name(endpoint)}"
            return LinkError(Trouble.UNTRUSTED, f"the certificate is not for this host: {text}", remedy)
        if "expired" in text:
            return LinkError(Trouble.UNTRUSTED, "the server's certificate has expired", "renew it")
        what = f"the server's certificate is not trusted: {text}"
        return LinkError(Trouble.UNTRUSTED, what, "name its authority with --cacert")
    reason = error.reason or ""
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER" in reason or "EOF" in reason:
        what = f"{endpoint.address} does not speak TLS"
        return LinkError(Trouble.FOREIGN, what, "leave --tls out, or check the port")
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return LinkError(Trouble.UNTRUSTED, "the server wants a client certificate", "give it with --cert and --key")
    return LinkError(
        Trouble.UNTRUSTED, f"TLS with {endpoint.address} failed: {reason or error}", "check its TLS settings"
    )


def _ip_name(endpoint: Endpoint) -> str:
    return f"subjectAltName=IP:{endpoint.certified}"
