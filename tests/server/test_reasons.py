"""Errors as a person reads them at night: one line with what failed, why, and what to do."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import pytest
from pydantic import SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, NoPermissionError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Reason
from pymon_tui.model.text import safe
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.server.reasons import LinkError, answer_text, gap, grant, link_error, remedy_of
from tests.conftest import StartServer

USER = safe("mon")
HERE = Endpoint(host="db.example", password=SecretStr("hunter2"))
TLS = Endpoint(host="db.example", tls=Tls())


def caused_by(cause: BaseException) -> RedisConnectionError:
    """What redis-py makes of an error of the system's."""
    error = RedisConnectionError("Error connecting to db.example:6379")
    error.__context__ = cause
    return error


def certificate(text: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = text
    return error


LINK_ERRORS = [
    (RedisConnectionError("Connection closed by server."), Trouble.UNREACHABLE, "closed the connection"),
    (caused_by(ConnectionRefusedError(111, "x")), Trouble.UNREACHABLE, "refuses connections"),
    (caused_by(OSError(errno.EHOSTUNREACH, "Connect call failed ('10.0.0.1', 6379)")), Trouble.UNREACHABLE, "No route"),
    (
        caused_by(OSError("Multiple exceptions: [Errno 101] Connect call failed, [Errno 111] Connect call failed")),
        Trouble.UNREACHABLE,
        "refuses connections",
    ),
    (caused_by(OSError("something odd")), Trouble.UNREACHABLE, "something odd"),
    (
        caused_by(socket.gaierror(-2, "Name or service not known")),
        Trouble.UNREACHABLE,
        "host db.example has no address",
    ),
    (caused_by(ConnectionResetError(104, "reset")), Trouble.UNREACHABLE, "closed the connection"),
    (ConnectionResetError(104, "reset"), Trouble.UNREACHABLE, "cut the connection"),
    (caused_by(PermissionError(13, "denied")), Trouble.UNREACHABLE, "no permission to open"),
    (caused_by(TimeoutError(errno.ETIMEDOUT, "timed out")), Trouble.SILENT, "no answer"),
    (RedisTimeoutError("Timeout connecting to server"), Trouble.SILENT, "no connection to db.example:6379 within 5 s"),
    (RedisTimeoutError("Timeout reading from db.example:6379"), Trouble.SILENT, "no answer from .* within 5 s"),
    (InvalidResponse('Protocol error, got "H" as reply type byte'), Trouble.FOREIGN, "does not speak Redis' protocol"),
    (InvalidResponse('Protocol error, got "\\x15" as reply type byte'), Trouble.FOREIGN, "speaks TLS; connect with"),
    (ResponseError("WRONGPASS invalid username-password pair"), Trouble.LOCKED, "wrong password for user default"),
    (ResponseError("ERR invalid password"), Trouble.LOCKED, "wrong password for user default"),
    (ResponseError("ERR Client sent AUTH, but no password is set"), Trouble.REFUSED, "no password set, but one was"),
    (ResponseError("ERR wrong number of arguments for 'auth' command"), Trouble.REFUSED, "leave --user out"),
    (ResponseError("ERR max number of clients reached"), Trouble.CROWDED, "no free connection"),
    (ResponseError("BUSY Redis is busy running a script."), Trouble.SILENT, "busy with a script or a function"),
    (ResponseError("LOADING Redis is loading the dataset in memory"), Trouble.SILENT, "is busy: LOADING"),
    (ResponseError("ERR told you: hunter2"), Trouble.REFUSED, r"refused the connection: ERR told you: \*\*\*"),
    (
        ResponseError("ERR unknown command 'AUTH', with args beginning with: 'hunter2'"),
        Trouble.REFUSED,
        "'AUTH'; check",
    ),
    (caused_by(certificate("Hostname mismatch, certificate is not valid")), Trouble.UNTRUSTED, "not for this host"),
    (caused_by(certificate("certificate has expired")), Trouble.UNTRUSTED, "expired; renew it"),
    (caused_by(certificate("self-signed certificate")), Trouble.UNTRUSTED, "not trusted: self-signed certificate"),
]


@pytest.mark.parametrize(("error", "trouble", "text"), LINK_ERRORS)
def test_what_keeps_us_from_a_server(error: BaseException, trouble: Trouble, text: str) -> None:
    with pytest.raises(LinkError, match=text) as caught:
        raise link_error(error, HERE)
    found = caught.value
    assert found.trouble is trouble
    assert found.what
    assert found.remedy
    assert str(found) == f"{found.what}; {found.remedy}"
    assert len(str(found)) < 160
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("WRONG_VERSION_NUMBER", "does not speak TLS"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "wants a client certificate"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "wants a client certificate"),
        ("UNSUPPORTED_PROTOCOL", "UNSUPPORTED_PROTOCOL; check its TLS settings"),
    ],
)
def test_what_is_wrong_with_tls(reason: str, text: str) -> None:
    error = ssl.SSLError(1, "x")
    error.reason = reason
    assert text in str(link_error(caused_by(error), TLS))


def test_a_timeout_may_be_a_port_without_tls() -> None:
    assert "does this port speak TLS?" in str(link_error(RedisTimeoutError("Timeout connecting to server"), TLS))


def test_a_password_that_was_not_given() -> None:
    error = link_error(ResponseError("NOAUTH Authentication required."), Endpoint())
    assert str(error) == "the server wants a password; give it in REDISCLI_AUTH or with --askpass"


def test_a_stranger_cannot_write_to_the_terminal_through_an_error() -> None:
    error = link_error(ResponseError("ERR \x1b]2;x\x07\r\n\u202e"), HERE)
    assert str(error).isprintable()


GAPS = [
    (ResponseError("ERR unknown command 'SLOWLOG', with args beginning with: 'GET' "), Reason.MISSING),
    (ResponseError("ERR unknown command `SLOWLOG`"), Reason.MISSING),
    (ResponseError("ERR Unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP."), Reason.MISSING),
    (ResponseError("ERR unknown subcommand 'GET'. Try SLOWLOG HELP."), Reason.MISSING),
    (ResponseError("ERR Command is not available: 'SLOWLOG'"), Reason.MISSING),
    (ResponseError("ERR unsupported command 'slowlog'"), Reason.MISSING),
    (ResponseError("ERR This instance has cluster support disabled"), Reason.DISABLED),
    (ResponseError("BUSY Redis is busy running a script."), Reason.FAILED),
    (ResponseError("LOADING Redis is loading the dataset in memory"), Reason.FAILED),
    (NoPermissionError("User mon has no permissions to run the 'slowlog|get' command"), Reason.DENIED),
]


@pytest.mark.parametrize(("error", "reason"), GAPS)
def test_why_a_command_has_no_answer(error: RedisError, reason: Reason) -> None:
    found = gap(error, "slowlog|get", USER)
    assert found.reason is reason
    assert found.detail
    assert "beginning with" not in found.detail
    assert bool(found.remedy) is (reason is not Reason.FAILED)


def test_a_denied_command_comes_with_the_line_that_allows_it() -> None:
    found = gap(NoPermissionError("User mon has no permissions to run the command"), "slowlog|get", USER)
    assert found.remedy == grant("slowlog|get", USER) == "ACL SETUSER mon +slowlog|get"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("No permissions to access a key", "ACL SETUSER mon ~KEY"),
        ("this user has no permissions to access one of the channels", "ACL SETUSER mon &CHANNEL"),
    ],
)
def test_a_denied_key_or_channel_is_not_taken_for_a_denied_command(text: str, remedy: str) -> None:
    assert remedy_of(NoPermissionError(text), "publish", USER) == remedy


@pytest.mark.parametrize(
    ("error", "sent", "remedy"),
    [
        (
            ResponseError("ERR ACL failure in script: User mon has no permissions to run the 'pexpire' command"),
            "eval",
            "pexpire",
        ),
        (NoPermissionError("User mon has no permissions to run the 'client|kill' command"), "eval", "client|kill"),
        (
            NoPermissionError("this user has no permissions to run the 'client' command or its subcommand"),
            "client|kill",
            "client|kill",
        ),
        (
            NoPermissionError("this user has no permissions to run the 'hmget' command or its subcommand"),
            "eval",
            "hmget",
        ),
    ],
)
def test_the_command_that_the_server_names_is_the_one_to_allow(error: RedisError, sent: str, remedy: str) -> None:
    assert remedy_of(error, sent, USER) == grant(remedy, USER)


@pytest.mark.parametrize(
    "what", ["run this command or subcommand", "access at least one of the keys mentioned in the command arguments"]
)
def test_a_script_that_lacks_something_does_not_say_what(what: str) -> None:
    error = ResponseError(f"ERR The user executing the script can't {what} script: 1, on @u:1.")
    assert "doctor" in remedy_of(error, "eval", USER)


def test_an_answer_has_its_code() -> None:
    assert answer_text(NoPermissionError("you may not", status_code="NOPERM")) == "NOPERM you may not"
    assert answer_text(ResponseError("ERR odd\r\n\x1b" + "x" * 900)) == safe("ERR odd\r\n\x1b" + "x" * 900, 200)


def test_a_system_error_is_named_in_the_systems_words() -> None:
    error = link_error(caused_by(OSError(errno.ENETUNREACH, "Connect call failed ('10.0.0.1', 1)")), HERE)
    assert os.strerror(errno.ENETUNREACH) in error.what


@pytest.mark.parametrize("username", [None, "hunter2"])
async def test_a_user_without_a_password_may_have_been_meant_for_one(
    own_server: StartServer, username: str | None
) -> None:
    server = own_server({"requirepass": "hunter2"})
    with pytest.raises(LinkError, match="the server wants a password; give it in REDISCLI_AUTH") as caught:
        await open_session(Endpoint(socket=server.socket, username=username))
    assert ('what stands before "@" in a URL is the user' in str(caught.value)) is (username is not None)
    assert "hunter2" not in str(caught.value)
