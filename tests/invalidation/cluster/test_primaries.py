"""Where the primaries of a cluster are reached, by nodes that tell more addresses than one."""

from __future__ import annotations

import ssl

import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.cluster.primaries import find
from pymon_tui.server.endpoint import Endpoint, Tls
from tests.server.fake import CERT, KEY, altering, bulk, serving

NODE = b"a" * 40


def shards(plain: int, tls: int) -> bytes:
    """An answer to CLUSTER SHARDS, in RESP2: one node, which serves all slots at two ports."""
    told = (b"id", NODE, b"role", b"master", b"hostname", b"localhost", b"health", b"online")
    node = b"".join(map(bulk, told)) + bulk(b"port") + b":%d\r\n" % plain + bulk(b"tls-port") + b":%d\r\n" % tls
    return b"*1\r\n*4\r\n" + bulk(b"slots") + b"*2\r\n:0\r\n:16383\r\n" + bulk(b"nodes") + b"*1\r\n*12\r\n" + node


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
async def test_a_node_with_two_ports_is_reached_at_the_one_that_speaks_as_we_do(
    server: EmbeddedServer,
    over_tls: bool,  # noqa: FBT001 - pytest's
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    ports: list[int] = []

    def alter(command: list[bytes], reply: bytes) -> bytes:
        if command == [b"INFO", b"cluster"]:
            return bulk(b"cluster_enabled:1\r\n")
        if command[0] != b"CLUSTER":
            return reply
        other = 1  # where nobody listens
        plain, tls = (other, ports[0]) if over_tls else (ports[0], other)
        return shards(plain, tls) if command[1] == b"SHARDS" else b"-NOPERM no permissions\r\n"

    async with serving(altering(server.socket, alter), tls=context if over_tls else None) as port:
        ports.append(port)
        found = await find(Endpoint(host="localhost", port=port, tls=Tls(ca_certs=CERT) if over_tls else None))
    assert [one.endpoint.address for one in found.primaries] == [f"localhost:{port}"]
