"""The doctor where Sentinels know where the server is."""

from __future__ import annotations

from dataclasses import replace

from pymon_tui.doctor.examination import examine
from pymon_tui.doctor.finding import Finding, Mark, exit_code
from pymon_tui.model.deployment import Address
from pymon_tui.server.endpoint import Service
from tests.server.fake import Serve, bulk, endpoint_at, serving, speaking
from tests.server.test_opinions import sentinel, server, standing
from tests.servers.sentinels import SERVICE, Sentinels


async def examined(*named: Address, service: str = SERVICE) -> list[Finding]:
    endpoint = replace(endpoint_at(0), service=Service(service, named))
    return [finding async for finding in examine(endpoint, [])]


def said(findings: list[Finding]) -> list[tuple[str, Mark, str]]:
    return [(one.title, one.mark, one.said) for one in findings if one.step == "sentinel"]


async def test_each_sentinel_is_asked_and_the_primary_examined(sentinels: Sentinels) -> None:
    first, second, third = (Address("127.0.0.1", node.port) for node in sentinels.sentinels)
    sentinels.sentinels[2].kill()
    primary = f"127.0.0.1:{sentinels.primary().port}"
    findings = await examined(first, second, third)
    watched = "watched by 3 with a quorum of 2"
    assert said(findings) == [
        ("Sentinel", Mark.GOOD, f"{first} says that {SERVICE} is at {primary}, {watched}"),
        ("Sentinel", Mark.GOOD, f"{second} says that {SERVICE} is at {primary}, {watched}"),
        ("Sentinel", Mark.BAD, f"{third} refuses connections"),
        (SERVICE, Mark.GOOD, f"the primary is {primary}"),
    ]
    (connection,) = [one for one in findings if one.step == "connection"]
    assert f"{primary} takes connections" in connection.said
    assert exit_code(findings) == 1


async def test_where_none_tells_there_is_no_server() -> None:
    findings = await examined(Address("127.0.0.1", 1))
    assert [(title, mark) for title, mark, _ in said(findings)] == [("Sentinel", Mark.BAD), (SERVICE, Mark.BAD)]
    assert len(findings) == 2
    assert exit_code(findings) == 3


async def test_sentinels_that_disagree_are_said() -> None:
    def naming(host: bytes, epoch: bytes) -> list[bytes]:
        return [b"*2\r\n" + bulk(host) + bulk(b"1"), b"*2\r\n" + bulk(b"config-epoch") + bulk(epoch)]

    def speaker(place: bytes, watch: bytes) -> Serve:
        def answer(command: list[bytes]) -> bytes:
            if command[0] != b"SENTINEL":
                return b"-ERR unknown command\r\n"
            asked = command[1].upper()
            return place if asked.startswith(b"GET") else watch if asked == b"MASTER" else b"-ERR not here\r\n"

        return speaking(answer)

    async with (
        serving(speaker(*naming(b"127.0.0.1", b"7"))) as new,
        serving(speaker(*naming(b"127.0.0.2", b"6"))) as old,
    ):
        findings = await examined(Address("127.0.0.1", old), Address("127.0.0.1", new))
        (together,) = [one for one in findings if one.title == SERVICE]
        assert together.mark is Mark.BAD
        assert together.said == "they name 127.0.0.2:1 and 127.0.0.1:1"
        assert "the newest says 127.0.0.1:1" in together.remedy
        (connection,) = [one for one in findings if one.step == "connection"]
        assert "127.0.0.1:1 refuses connections" in connection.said


async def test_where_the_newest_leads_nowhere_the_next_opinion_is_examined() -> None:
    async with standing(server(b"master")) as (primary,), standing(sentinel(1, 9), sentinel(primary, 8)) as places:
        first, second = (Address("127.0.0.1", port) for port in places)
        findings = await examined(first, second)
    what = f"127.0.0.1:1 refuses connections, and Sentinel {first} names it the primary of {SERVICE}"
    assert said(findings)[-1] == (SERVICE, Mark.BAD, what)
    (connection,) = [one for one in findings if one.step == "connection"]
    assert f"127.0.0.1:{primary} takes connections" in connection.said
    assert exit_code(findings) == 1
