"""Passwords that are wanted, wrong and rotated, and certificates: said, asked for, and never tried into a lock-out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Live, Lost, Trouble
from pymon_tui.model.query import Reason
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.ui.screens.status import banner
from tests.faults.conftest import StartNode
from tests.faults.watching import away, away_by, gaps, heard, known, live, until, watching
from tests.server.fake import CERT, EXPIRED, endpoint_at, serving
from tests.server.test_wire import ANSWERS, terminator
from tests.servers.node import Node
from tests.servers.proxy import Proxy, proxied

OLD, NEW = "old-s3same", "new-s3same"
TAKEN_BEFORE = "is taken no longer: it was changed, or the user disabled or removed"


def logins(line: Proxy) -> int:
    """How often somebody tried to log in."""
    return sum(b"AUTH" in command for command in line.said)


def is_locked(feed: Feed) -> bool:
    """Whether the feed's own connection is turned away for its password."""
    return isinstance(feed.status, Lost) and feed.status.trouble is Trouble.LOCKED


def at(line: Proxy, password: str | None) -> Endpoint:
    return Endpoint(port=line.port, password=SecretStr(password) if password else None)


async def test_a_password_that_is_wanted_can_be_given(start_node: StartNode) -> None:
    node = start_node({"requirepass": OLD})
    async with proxied(node.server.socket) as line, watching(at(line, None)) as watch:
        await watch.until(away_by(Trouble.LOCKED))
        assert watch.lost.what == "the server wants a password"
        watch.source.log_in(SecretStr(OLD))
        await watch.until(heard)
        assert OLD not in repr(watch.newest) + repr(watch.source) + str(vars(watch.source))


async def test_a_wrong_password_is_tried_twice_and_then_waited_with(start_node: StartNode) -> None:
    node = start_node({"requirepass": OLD})
    async with proxied(node.server.socket) as line, watching(at(line, "wrong")) as watch:
        await watch.until(away)
        await until(lambda: is_locked(watch.newest.feed))  # of which no snapshot tells
        assert logins(line) == 2  # the poller and the listener, each once
        assert watch.lost.next_try - watch.newest.at > 20
        assert isinstance(watch.newest.feed.status, Lost)
        assert watch.newest.feed.status.next_try - watch.newest.at > 60
        watch.source.poke()
        await watch.until(lambda _: watch.lost.tries == 2)
        watch.source.log_in(SecretStr("also wrong"))
        await watch.until(lambda _: watch.lost.tries == 3)
        assert logins(line) == 4  # of which two were asked for by a person
        watch.source.log_in(SecretStr(OLD))
        await watch.until(heard)


async def test_a_password_that_is_rotated_keeps_what_is_connected_and_is_asked_for_later(node: Node) -> None:
    node.ask("CONFIG", "SET", "requirepass", OLD)
    async with proxied(node.server.socket) as line, watching(at(line, OLD)) as watch:
        before = await watch.until(heard)
        node.ask("CONFIG", "SET", "requirepass", NEW)
        await watch.ticks(2)
        assert watch.said == []
        line.cut()
        lost = await watch.until(away_by(Trouble.LOCKED))
        assert known(lost) >= known(before)  # the last picture
        await until(lambda: is_locked(lost.feed))
        assert logins(line) == 4  # each connection twice, of which once in vain
        assert watch.lost.next_try - watch.newest.at > 20
        assert watch.lost.what == f"the password of user default {TAKEN_BEFORE}"
        watch.source.log_in(SecretStr("neither"))
        await watch.until(lambda _: watch.lost.what == "wrong password for user default, or no such user")
        watch.source.log_in(SecretStr(NEW))
        await watch.until(heard)
        after = await watch.ticks(2)
        assert len(after.history) > len(before.history)  # it goes on where it was


async def test_the_old_password_works_again_once_the_server_has_it_back(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The listener is let in by the poller's success, and not by a try of its own.
    monkeypatch.setattr("pymon_tui.state.monitor.backoff", lambda *_: 0.05)
    node.ask("CONFIG", "SET", "requirepass", NEW)
    async with proxied(node.server.socket) as line, watching(at(line, OLD)) as watch:
        await watch.until(away_by(Trouble.LOCKED))
        node.ask("CONFIG", "SET", "requirepass", OLD)
        await watch.until(heard)


async def test_a_user_who_is_deleted_is_turned_away(node: Node) -> None:
    node.ask("ACL", "SETUSER", "mon", "on", f">{OLD}", "+@all", "~*", "&*")
    there = Endpoint(socket=node.server.socket, username="mon", password=SecretStr(OLD))
    async with watching(there) as watch:
        await watch.until(heard)
        node.ask("ACL", "DELUSER", "mon")  # which closes its connections
        await watch.until(away_by(Trouble.LOCKED))
        assert watch.lost.what == f"the password of user mon {TAKEN_BEFORE}"
        node.ask("ACL", "SETUSER", "mon", "on", f">{NEW}", "+@all", "~*", "&*")
        watch.source.log_in(SecretStr(NEW))
        await watch.until(heard)


async def test_a_feed_that_is_locked_out_alone_is_let_in_with_the_new_password(node: Node) -> None:
    node.ask("CONFIG", "SET", "requirepass", OLD)
    async with watching(Endpoint(socket=node.server.socket, password=SecretStr(OLD))) as watch:
        await watch.until(heard)
        node.ask("CONFIG", "SET", "requirepass", NEW)
        node.ask("CLIENT", "KILL", "TYPE", "pubsub")
        feed = watch.newest.feed
        await until(lambda: is_locked(feed))
        assert live(watch.newest)
        assert isinstance(feed.status, Lost)
        assert TAKEN_BEFORE in feed.status.what
        watch.source.log_in(SecretStr(NEW))
        await until(lambda: isinstance(feed.status, Live))


async def test_each_way_of_being_turned_away_has_words_of_its_own(node: Node) -> None:
    node.ask("ACL", "SETUSER", "blind", "on", f">{OLD}", "+@all", "-info", "~*", "&*")
    node.ask("CONFIG", "SET", "requirepass", OLD)
    said = set()
    async with proxied(node.server.socket) as line:
        for password in (None, "wrong"):
            async with watching(at(line, password)) as watch:
                await watch.until(away_by(Trouble.LOCKED))
                said.add(watch.lost.what)
        async with watching(replace(at(line, OLD), username="blind")) as watch:
            await watch.until(lambda snapshot: isinstance(snapshot.link, Live) and bool(gaps(snapshot)))
            (gap,) = {(gap.reason, gap.remedy) for gap in gaps(watch.newest).values()}
            assert gap == (Reason.DENIED, "ACL SETUSER blind +info")
            said.add(gap[1])
        async with watching(at(line, OLD)) as watch:
            await watch.until(heard)
            assert banner(watch.newest, watch.newest.at) == ()
            node.ask("CONFIG", "SET", "requirepass", NEW)
            line.cut()
            await watch.until(away_by(Trouble.LOCKED))
            said.add(watch.lost.what)
    assert len(said) == 4  # and nothing of the password that is right


# Certificates


@pytest.mark.parametrize(
    ("cert", "tls", "says"),
    [
        (CERT, Tls(), "the server's certificate is not trusted"),
        (CERT, Tls(ca_certs=CERT), "the certificate is not for this host"),
        (EXPIRED, Tls(ca_certs=EXPIRED, server_name="localhost"), "the server's certificate has expired"),
    ],
    ids=["wrong CA", "wrong name", "expired"],
)
async def test_a_certificate_that_is_no_good_is_said_and_tried_again_as_usual(cert: str, tls: Tls, says: str) -> None:
    async with serving(ANSWERS, tls=terminator(cert)) as port, watching(replace(endpoint_at(port), tls=tls)) as watch:
        await watch.until(away_by(Trouble.UNTRUSTED))
        assert watch.lost.what.startswith(says)
        assert watch.lost.remedy
        assert watch.lost.next_try - watch.newest.at <= 16


async def test_a_certificate_of_ours_that_is_wanted_is_said() -> None:
    tls = Tls(ca_certs=CERT, server_name="localhost")
    async with (
        serving(ANSWERS, tls=terminator(client=True)) as port,
        watching(replace(endpoint_at(port), tls=tls)) as watch,
    ):
        await watch.until(away)
        assert "client certificate" in f"{watch.lost.what}; {watch.lost.remedy}"
        assert "--cert" in watch.lost.remedy
