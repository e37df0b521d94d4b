"""Addresses as people write them, and their passwords that must not be shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pymon_tui.server import url

TCP = {"port": 6379, "db": 0, "tls": False}
PLACE = {"port": 6379, "db": 0}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("cache", {"host": "cache"}),
        ("cache.example:6380", {"host": "cache.example", "port": 6380}),
        ("[fe80::1]:6380", {"host": "fe80::1", "port": 6380}),
        ("[::1]", {"host": "::1"}),
        ("::1", {"host": "::1"}),
        ("/run/redis.sock", {"socket": "/run/redis.sock"}),
        ("redis://cache", {**TCP, "host": "cache"}),
        ("redis://", {**TCP, "host": "127.0.0.1"}),
        ("valkey://cache:1/3", {"host": "cache", "port": 1, "db": 3, "tls": False}),
        ("REDIS://cache?db=4", {**TCP, "host": "cache", "db": 4}),
        ("rediss://cache", {**TCP, "host": "cache", "tls": True}),
        ("valkeys://[::1]:7/", {"host": "::1", "port": 7, "db": 0, "tls": True}),
        ("redis://me:p%40%2F@h", {**TCP, "host": "h", "username": "me", "password": "p@/"}),
        ("redis://:pw@h", {**TCP, "host": "h", "password": "pw"}),
        ("redis://h:1/2?db=5", {"host": "h", "port": 1, "db": 5, "tls": False}),
        ("rediss://h?ssl_cert_reqs=none", {**TCP, "host": "h", "tls": True, "insecure": True}),
        ("rediss://h?ssl_ca_certs=/ca.pem", {**TCP, "host": "h", "tls": True, "cacert": "/ca.pem"}),
        ("unix:///run/r%20s.sock?db=2", {"socket": "/run/r s.sock", "db": 2, "tls": False}),
        ("unix:///run/a@b.sock", {"socket": "/run/a@b.sock", "db": 0, "tls": False}),
        ("ssh://bastion/cache", {**PLACE, "host": "cache", "ssh": "bastion"}),
        ("ssh://me@bastion:22/[::1]:7/2", {"host": "::1", "port": 7, "db": 2, "ssh": "me@bastion:22"}),
        ("ssh://me%40x@[::1]:22/", {**PLACE, "host": "127.0.0.1", "ssh": "me@x@[::1]:22"}),
        ("ssh://bastion", {**PLACE, "host": "127.0.0.1", "ssh": "bastion"}),
        ("ssh://bastion/h?tls=true&db=3", {"host": "h", "port": 6379, "db": 3, "ssh": "bastion", "tls": True}),
        ("ssh://bastion//run/r.sock?db=3", {"socket": "/run/r.sock", "db": 3, "ssh": "bastion", "tls": False}),
        ("redis+unix://me:pw@/s", {"socket": "/s", "db": 0, "tls": False, "username": "me", "password": "pw"}),
    ],
)
def test_an_address_names_its_parts(text: str, named: dict[str, Any]) -> None:
    assert url.parse(text).named() == named


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://h", "redis://"),
        ("redis://h:x", "port from 1 to 65535"),
        ("redis://h:0", "port from 1 to 65535"),
        ("redis://h:70000", "port from 1 to 65535"),
        ("redis://[::1", "redis://HOST:PORT"),
        ("h:x", "port from 1 to 65535"),
        ("h:", "port from 1 to 65535"),
        (":6379", "host name"),
        ("", "host name"),
        ("[::1]x:1", "[IPv6]:PORT"),
        ("h/2", "host name"),
        ("redis://h/x", "number from 0"),
        ("redis://h/-1", "number from 0"),
        ("redis://h?db=x", "number from 0"),
        ("redis://h?timeot=1", "an unknown parameter, timeot, to be dropped if it only tunes a client; known are db"),
        ("redis://h?%1b%5b2J=1", "an unknown parameter, %1B%5B2J, to be dropped"),
        ("redis://h?verifyPeer=NONE", "unknown parameter"),
        ("redis://h?skip_verify=true", "unknown parameter"),
        ("redis://h?ssl_check_hostname=false", "unknown parameter"),
        ("redis://h?password=x", "unknown parameter"),
        ("redis://h?username=x", "unknown parameter"),
        ("redis://h?addr=other:6379", "unknown parameter"),
        ("redis://h?sentinelMasterId=main", "unknown parameter"),
        ("redis://h?database=x", "number from 0"),
        ("redis://h/0#x", "#"),
        ("unix://", "whole path"),
        ("unix://run/redis.sock", "whole path"),
        ("redis://h\n", "control characters"),
        ("redis://a b@h", "blanks"),
        ("ssh://", "ssh://[USER@]BASTION"),
        ("ssh://-oProxyCommand=x/h", "ssh://[USER@]BASTION"),
        ("ssh://a%20b/h", "ssh://[USER@]BASTION"),
        ("ssh://bastion:0/h", "ssh://[USER@]BASTION"),
        ("ssh://bastion/me@h", "--user"),
        ("ssh://bastion/h:x", "port from 1 to 65535"),
        ("ssh://bastion/h/x", "number from 0"),
        ("ssh://bastion/h#x", "--user"),
        ("ssh://bastion/h?tls=maybe", "unknown parameter"),
        ("redis://h?tls=true", "unknown parameter"),
        ("redis://h?readOnly=true&insecure_skip_verify=1", "an unknown parameter, insecure_skip_verify,"),
    ],
)
def test_what_is_no_address_says_why_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        url.parse(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "redis://me:hunter2@h:x",
        "redis://:hunter2/@h",
        "redis://:hunter2#@h",
        "redis://me:hunter2?@h",
        "redis://:h@hunter2@h/x",
        "redis://me:12/hunter2@h",
        "redis://h:6379/?password=hunter2",
        "http://me:hunter2@h",
        "me:hunter2@h:6379",
        "redis://me:hunter2\u2100@h",
        "unix://me:hunter2@x/y",
        "redis://me:hunter2 @h",
        "ssh://me:hunter2@bastion/h",
        "ssh://me:hunter2@bastion:2/h",
        "ssh://bastion/me:hunter2@h",
        "ssh://bastion:2/:hunter2@h",
    ],
)
def test_a_password_is_not_in_the_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        url.parse(text)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


PIECE = st.text() | st.text(alphabet=":/@?#[]%a")


@given(PIECE, PIECE, PIECE)
def test_a_password_is_redacted_whatever_stands_around_it(user: str, before: str, after: str) -> None:
    assert "hunter2" not in url.redact(f"redis://{user}:{before}hunter2{after}@host/0")
    assume(not before.startswith("//"))  # that would be a scheme, and a user name after it
    assert "hunter2" not in url.redact(f"{user}:{before}hunter2{after}@host/0")


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    for candidate in (text, f"redis://{text}"):
        try:
            named = url.parse(candidate).named()
        except ValueError:
            continue
        assert named.get("host") or named.get("socket")


@pytest.mark.parametrize(
    ("text", "bare", "password"),
    [
        ("redis://me:p%40w@h/2", "redis://me@h/2", "p@w"),
        ("valkeys://:a:b@c@h", "valkeys://@h", "a:b@c"),
        ("redis://me@h", "redis://me@h", None),
        ("redis://me:@h", "redis://me:@h", None),
        ("redis://h:6379/0", "redis://h:6379/0", None),
        ("news:a@b", "news:a@b", None),
        ("http://me:pw@h", "http://me:pw@h", None),
    ],
)
def test_a_password_is_split_off(text: str, bare: str, password: str | None) -> None:
    assert url.split_password(text) == (bare, password)


def test_an_address_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(url.parse("redis://me:hunter2@h"))


@pytest.mark.parametrize(
    "text",
    [
        "redis://h:1/2",
        "rediss://[::1]:6379",
        "unix:///run/r%20s.sock?db=1",
        "ssh://me@bastion:2222/h:1/2",
        "ssh://[::1]:2222/[::2]:6379?tls=true",
        "ssh://bastion//run/r.sock?db=1",
    ],
)
def test_a_url_without_credentials_leads_back(text: str) -> None:
    address = url.parse(text)
    shown = url.without_credentials(
        host=address.host or "unused",
        port=address.port or 1,
        socket=address.socket,
        db=address.db or 0,
        secure=bool(address.tls),
        via=address.ssh,
    )
    assert shown == text
