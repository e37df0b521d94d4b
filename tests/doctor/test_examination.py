"""The steps of the doctor, on real servers and on small ones that do what a real one can't be made to do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.doctor.examination import examine
from pymon_tui.doctor.finding import Finding, Mark, exit_code
from pymon_tui.server import tunnel
from pymon_tui.server.commands import PANES, Use
from pymon_tui.server.endpoint import Endpoint, Tls
from tests.conftest import StartServer
from tests.permissions.making import INVALIDATE, KILL, WATCH, endpoint_of, made
from tests.server.fake import CERT, EXPIRED, KEY, bulk, endpoint_at, saying, serving, silent, speaking
from tests.server.fake_ssh import FakeSsh

SECRET = "hunter2"
CHANNELS = (b"notifications:*",)
SHOWN = {use.value for use in PANES if use is not Use.FLEET}
ACTIONS = {"plan", "invalidate", "undo", "kill clients", "set slow log", "publish", "end sessions"}


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSsh]:
    """An ssh that goes to this machine."""
    yield FakeSsh(tmp_path, monkeypatch)
    tunnel.close_all()


async def examined(endpoint: Endpoint, channels: Sequence[bytes] = CHANNELS) -> list[Finding]:
    return [finding async for finding in examine(endpoint, channels)]


def marked(findings: Sequence[Finding], mark: Mark) -> set[str]:
    return {finding.title for finding in findings if finding.mark is mark}


def found(findings: Sequence[Finding], title: str) -> Finding:
    (finding,) = [finding for finding in findings if finding.title == title]
    return finding


async def test_a_server_where_all_is_well(any_redis: Redis, any_server: EmbeddedServer) -> None:
    findings = await examined(Endpoint(socket=any_server.socket))
    assert marked(findings, Mark.BAD) == set()
    assert exit_code(findings) == 0
    assert [finding.title for finding in findings[:6]] == ["name", "socket", "TLS", "hand-shake", "login", "database"]
    assert marked(findings, Mark.GOOD) >= SHOWN
    assert [finding.title for finding in findings[-3:]] == ["round trip", "clock", "topology"]
    assert "primary, no replica, no cluster" in found(findings, "topology").said
    assert await any_redis.keys("*") == []


@pytest.mark.parametrize("which", [WATCH, KILL, INVALIDATE])
async def test_the_users_of_least_privilege_are_well(any_redis: Redis, any_server: EmbeddedServer, which: int) -> None:
    user = (await made(any_redis, any_server, "*"))[which]
    findings = await examined(endpoint_of(any_server, user))
    assert marked(findings, Mark.BAD) == set()
    assert marked(findings, Mark.GOOD) >= SHOWN
    assert found(findings, "login").said == f"as {user.name}"
    if which == INVALIDATE:
        assert "kill clients" not in marked(findings, Mark.GOOD)
    # Where ACL DRYRUN isn't granted, that is what was tried in vain, and nothing else.
    assert {str(entry["object"]) for entry in await any_redis.acl_log()} <= {"acl|dryrun"}


@pytest.mark.needs("acl|dryrun")
async def test_what_a_pane_lacks_is_named_with_its_line(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser(
        "me",
        enabled=True,
        nopass=True,
        categories=["+@all"],
        commands=["-slowlog|get", "-client|kill"],
        keys=["cache:*"],
    )
    findings = await examined(Endpoint(socket=server.socket, username="me"))
    assert exit_code(findings) == 1
    slowlog = found(findings, "Slow log")
    assert (slowlog.mark, slowlog.said) == (Mark.BAD, "not allowed: slowlog|get")
    assert slowlog.remedy == "ACL SETUSER me +slowlog|get"
    feed = found(findings, "Notifications")
    assert feed.said == "for some keys only: lrange; not for all of these channels: psubscribe"
    assert feed.remedy == "ACL SETUSER me &notifications:* %R~notifications:recent:*"
    assert found(findings, "Application").remedy == "ACL SETUSER me %R~*"
    kill = found(findings, "kill clients")
    assert (kill.mark, kill.remedy) == (Mark.OPEN, "ACL SETUSER me +client|kill")
    assert await redis.acl_log() == []
    for line in (slowlog.remedy, feed.remedy):
        await redis.execute_command(*line.split())  # type: ignore[no-untyped-call]
    again = await examined(Endpoint(socket=server.socket, username="me"))
    assert {"Slow log", "Notifications"} <= marked(again, Mark.GOOD)


@pytest.mark.needs("acl|dryrun")
async def test_without_dryrun_each_is_asked_once(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser(
        "me",
        enabled=True,
        nopass=True,
        categories=["+@all"],
        commands=["-acl", "-info", "-ping", "-time", "-slowlog|get", "-psubscribe", "-client|setname"],
        keys=["*"],
        channels=["*"],
    )
    await redis.acl_log_reset()
    findings = await examined(Endpoint(socket=server.socket, username="me"))
    assert found(findings, "Notifications").remedy == "ACL SETUSER me +ping +info +psubscribe"
    assert "PING is refused" in found(findings, "round trip").said
    assert "TIME is refused" in found(findings, "clock").said
    assert "INFO is refused" in found(findings, "topology").said
    assert "kill clients" in marked(findings, Mark.OPEN)
    counts = {str(entry["object"]): int(str(entry["count"])) for entry in await redis.acl_log()}
    greeted = {"client|setname"}  # by each of the two connections
    assert {name for name, count in counts.items() if count > 1} <= greeted


async def test_what_cannot_be_done_anyway_is_not_looked_at(redis: Redis, server: EmbeddedServer) -> None:
    findings = await examined(Endpoint(socket=server.socket, read_only=True))
    assert exit_code(findings) == 0
    assert ACTIONS.isdisjoint(finding.title for finding in findings)


@pytest.mark.parametrize(
    ("endpoint", "last", "code", "what", "remedy"),
    [
        (
            Endpoint(host="no-such-host.invalid"),
            "name",
            3,
            "host no-such-host.invalid has no address",
            "check the name",
        ),
        (Endpoint(host="a" * 70), "name", 3, "", "check the"),
        (Endpoint(port=1), "TCP", 3, "127.0.0.1:1 refuses connections", "is the server running there?"),
        (Endpoint(socket="/nowhere/s"), "socket", 3, "no socket at /nowhere/s", "is the server running"),
    ],
    ids=["no name", "no name at all", "refused", "no socket"],
)
async def test_where_nobody_is(endpoint: Endpoint, last: str, code: int, what: str, remedy: str) -> None:
    findings = await examined(endpoint)
    assert (findings[-1].title, findings[-1].mark, exit_code(findings)) == (last, Mark.BAD, code)
    assert what in findings[-1].said
    assert remedy in findings[-1].remedy
    assert Mark.BAD not in {finding.mark for finding in findings[:-1]}


async def test_a_name_is_shown_with_its_addresses(own_server: StartServer) -> None:
    server = own_server(tcp=True)
    findings = await examined(Endpoint(host="localhost", port=server.port))
    assert "127.0.0.1" in found(findings, "name").said
    said = [finding.said for finding in findings if finding.title == "TCP"]  # one for each address of the name
    assert any(line.startswith(f"127.0.0.1:{server.port} takes connections, in ") for line in said)
    by_address = await examined(Endpoint(port=server.port))
    assert found(by_address, "name").mark is Mark.OPEN


async def test_through_ssh(own_server: StartServer, fake_ssh: FakeSsh) -> None:
    server = own_server(tcp=True)
    endpoint = Endpoint(port=server.port, via="me@bastion")
    findings = await examined(endpoint)
    assert exit_code(findings) == 0
    assert found(findings, "name").said == f"127.0.0.1:{server.port} is looked up by me@bastion"
    assert found(findings, "ssh").said.startswith("me@bastion is there, in ")
    assert found(findings, "TLS").said == "none; ssh encrypts as far as me@bastion"
    assert len(fake_ssh.starts) == 1
    server.stop()
    findings = await examined(endpoint)
    assert (findings[-1].title, exit_code(findings)) == ("hand-shake", 3)
    assert "has no connection to" in findings[-1].said


async def test_without_an_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = await examined(Endpoint(via="bastion"))
    assert (findings[-1].title, exit_code(findings)) == ("ssh", 3)
    assert findings[-1].said == "there is no ssh on this machine"


@pytest.mark.parametrize(
    ("serve", "what"),
    [
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "does not speak Redis' protocol"),
        (silent, "no answer from"),
        (speaking(lambda _: None), "closed the connection without an answer"),
        (speaking(lambda _: b"-ERR max number of clients reached\r\n"), "max number of clients reached"),
    ],
    ids=["another language", "silence", "closed", "crowded"],
)
async def test_who_does_not_answer_is_no_server(serve: object, what: str) -> None:
    async with serving(serve) as port:  # type: ignore[arg-type]
        findings = await examined(replace(endpoint_at(port), command_timeout=0.3))
    assert (findings[-1].title, exit_code(findings)) == ("hand-shake", 3)
    assert what in findings[-1].said


@pytest.mark.parametrize(
    ("password", "what"), [(None, "the server wants a password"), ("other", "wrong password for user default")]
)
async def test_who_is_not_let_in(own_server: StartServer, password: str | None, what: str) -> None:
    server = own_server({"requirepass": SECRET})
    endpoint = Endpoint(socket=server.socket, password=SecretStr(password) if password else None)
    findings = await examined(endpoint)
    assert (findings[-1].title, exit_code(findings)) == ("login", 1)
    assert what in findings[-1].said
    assert found(findings, "hand-shake").mark is Mark.GOOD


async def test_no_finding_tells_a_secret(own_server: StartServer) -> None:
    server = own_server({"requirepass": SECRET})
    for endpoint in (
        Endpoint(socket=server.socket, password=SecretStr(SECRET)),
        Endpoint(socket=server.socket, password=SecretStr(SECRET), username="nobody"),
        Endpoint(socket="/nowhere/s", password=SecretStr(SECRET)),
    ):
        assert SECRET not in repr(await examined(endpoint))


async def test_a_database_that_there_is_not(redis: Redis, server: EmbeddedServer) -> None:
    findings = await examined(Endpoint(socket=server.socket, db=99))
    assert (findings[-1].title, exit_code(findings)) == ("database", 1)
    assert found(findings, "login").mark is Mark.GOOD
    assert found(await examined(Endpoint(socket=server.socket, db=3)), "database").said == "3"


# TLS


def _terminator(cert: str = CERT) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, KEY)
    return context


def _answer(command: list[bytes]) -> bytes:
    return b"%0\r\n" if command[0] == b"HELLO" else b"-ERR unknown command\r\n"


@pytest.mark.parametrize(
    ("cert", "host", "tls", "mark", "what"),
    [
        (CERT, "localhost", Tls(ca_certs=CERT), Mark.GOOD, "pymon-tui test, signed by pymon-tui test, "),
        (CERT, "localhost", Tls(), Mark.BAD, "not trusted"),
        (CERT, "127.0.0.1", Tls(ca_certs=CERT), Mark.BAD, "not for this host"),
        (EXPIRED, "localhost", Tls(ca_certs=EXPIRED), Mark.BAD, "has expired"),
        (CERT, "localhost", Tls(verify=False), Mark.BAD, "not verified (--insecure): the server's certificate is not"),
        (CERT, "localhost", Tls(ca_certs=CERT, verify=False), Mark.BAD, "not verified (--insecure), though pymon-tui"),
    ],
    ids=["trusted", "unknown authority", "another host", "expired", "insecure", "insecure without need"],
)
async def test_a_certificate_is_told_of(cert: str, host: str, tls: Tls, mark: Mark, what: str) -> None:
    async with serving(speaking(_answer), tls=_terminator(cert)) as port:
        findings = await examined(replace(endpoint_at(port), host=host, tls=tls))
    shown = found(findings, "TLS")
    assert (shown.mark, shown.ends) == (mark, mark is Mark.BAD and tls.verify)
    assert what in shown.said
    assert "TLSv1" in shown.said or shown.ends
    assert bool(shown.remedy) == (mark is Mark.BAD)
    assert (exit_code(findings) == 3) == shown.ends


async def test_a_certificate_that_soon_ends_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(speaking(_answer), tls=_terminator()) as port:
        ends = ssl.cert_time_to_seconds("Jan  1 00:00:00 2120 GMT")
        monkeypatch.setattr("pymon_tui.doctor.way.time", lambda: ends - 3 * 86_400 - 1)
        findings = await examined(replace(endpoint_at(port), host="localhost", tls=Tls(ca_certs=CERT)))
    shown = found(findings, "TLS")
    assert (shown.mark, shown.ends) == (Mark.BAD, False)
    assert shown.said.endswith("3 days left")


async def test_a_server_that_wants_our_certificate_says_so_at_tls() -> None:
    context = _terminator()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CERT)
    async with serving(speaking(_answer), tls=context) as port:
        findings = await examined(replace(endpoint_at(port), host="localhost", tls=Tls(ca_certs=CERT)))
    assert (findings[-1].title, exit_code(findings)) == ("TLS", 3)
    assert "client certificate" in findings[-1].said + findings[-1].remedy


async def test_tls_where_there_is_none() -> None:
    async with serving(saying(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        findings = await examined(replace(endpoint_at(port), tls=Tls(verify=False)))
    assert (findings[-1].title, exit_code(findings)) == ("TLS", 3)
    assert "does not speak TLS" in findings[-1].said


# Whom one speaks to


@pytest.mark.parametrize(
    ("hello", "form"), [(b"-ERR unknown command 'HELLO'\r\n", "RESP2: HELLO"), (b"%0\r\n", "RESP3")]
)
async def test_the_form_of_the_protocol_is_told(hello: bytes, form: str) -> None:
    def answer(command: list[bytes]) -> bytes:
        return hello if command[0] == b"HELLO" else b"-ERR unknown command\r\n"

    async with serving(speaking(answer)) as port:
        findings = await examined(endpoint_at(port))
    assert found(findings, "hand-shake").said.startswith(form)
    assert exit_code(findings) == 1


@pytest.mark.parametrize(
    ("info", "mark", "what"),
    [
        (
            b"redis_version:7.2.4\r\nrole:slave\r\nmaster_host:db\r\nmaster_port:1\r\nmaster_link_status:up",
            Mark.GOOD,
            "replica of db:1",
        ),
        (
            b"redis_version:7.2.4\r\nrole:slave\r\nmaster_host:db\r\nmaster_port:1\r\nmaster_link_status:down",
            Mark.BAD,
            "link to it is down",
        ),
        (
            b"redis_version:7.2.4\r\nrole:master\r\nconnected_slaves:2\r\ncluster_enabled:1",
            Mark.GOOD,
            "2 replicas, a node of a cluster",
        ),
        (b"redis_version:7.2.4\r\nredis_mode:sentinel", Mark.BAD, "a Sentinel"),
        (b"redis_version:7.2.4\r\nserver_mode:sentinel", Mark.BAD, "a Sentinel: it has no keys"),
        (b"nonsense", Mark.OPEN, "INFO is refused, or can't be read"),
    ],
    ids=["replica", "orphan", "cluster", "sentinel", "valkey-sentinel", "nonsense"],
)
async def test_the_topology_in_a_word(info: bytes, mark: Mark, what: str) -> None:
    def answer(command: list[bytes]) -> bytes:
        match command[0]:
            case b"HELLO":
                return b"%0\r\n"
            case b"INFO":
                return bulk(info)
            case b"TIME":
                return b"*2\r\n$1\r\n0\r\n$1\r\n0\r\n"
            case _:
                return b"+OK\r\n"

    async with serving(speaking(answer)) as port:
        findings = await examined(endpoint_at(port))
    told = found(findings, "topology")
    assert told.mark is mark
    assert what in told.said
    clock = found(findings, "clock")
    assert clock.mark is Mark.BAD
    assert clock.said.endswith("behind ours")
    assert ("Fleet" in {finding.title for finding in findings}) == (b"cluster_enabled:1" in info)
